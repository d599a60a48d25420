"""Chat channels: a line for each conversion, several in one message when several are due.

A line holds no name and no e-mail address unless a person maps them: not every reader of a channel may know who bought.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from hub.contract.calls import Call, Recipe, Record
from hub.contract.connector import Batch, Destination, Field, Limits
from hub.contract.settings import Choice, SettingsSchema
from hub.contract.vocabulary import Category, Kind, Stage, Text
from hub.toolkit.paths import text

TITLES: Mapping[str, tuple[str, Text]] = {
    Stage.VIEW_CONTENT: ("👀", Text("Offer seen", "Offre vue")),
    Stage.ADD_TO_CART: ("🛒", Text("Offer clicked", "Offre cliquée")),
    Stage.INITIATE_CHECKOUT: ("🧾", Text("Checkout reached", "Commande commencée")),
    Stage.COMPLETE_REGISTRATION: ("🙋", Text("New account", "Nouveau compte")),
    Stage.ADD_PAYMENT_INFO: ("💳", Text("Payment details given", "Moyen de paiement saisi")),
    Stage.PURCHASE: ("💰", Text("New sale", "Nouvelle vente")),
    Stage.LEAD: ("⚠️", Text("Payment not completed", "Paiement non abouti")),
    Kind.RENEWAL: ("🔁", Text("Renewal", "Renouvellement")),
    Kind.REFUND: ("↩️", Text("Refund", "Remboursement")),
    Kind.DISPUTE: ("🚨", Text("Dispute", "Litige")),
    Kind.CANCELLATION: ("✖️", Text("Cancellation", "Annulation")),
    Kind.PENDING: ("⏳", Text("Payment awaited", "Paiement attendu")),
}
"""By stage, or by kind where there is none: a sign and the words."""

FIELDS = (
    Field("amount", Text("Amount", "Montant")),
    Field("products", Text("Products", "Produits")),
    Field("order_id", Text("Order id", "Numéro de commande")),
    Field("campaigns", Text("Campaigns", "Campagnes")),
    Field("reason", Text("Reason", "Raison")),
    Field("buyer", Text("Buyer", "Acheteur"), help=Text("Everyone in the channel sees it.", "Vu de tout le canal.")),
    Field("note", Text("Anything else", "Autre chose")),
)
LONGEST = 180  # characters of one detail


class ChatSettings(SettingsSchema):
    """The language of the alerts. A connector adds ``hook_url``, a :class:`SecretUrl`."""

    language = Choice(
        Text("Language", "Langue"),
        {"en": Text("English", "Anglais"), "fr": Text("French", "Français")},
        help=Text("The words in the messages.", "Les mots dans les messages."),
        load_default="en",
    )


@dataclass(frozen=True)
class Alert:
    """One line: a sign, the words for what happened, and what is known of it, as plain unescaped texts."""

    sign: str
    title: str
    details: tuple[str, ...]


class ChatChannel(Destination):
    """Posts alerts to a channel's webhook. A connector says what a message looks like: :meth:`message`."""

    category = Category.CHAT
    kinds = frozenset(Kind) - {Kind.CONTACT}
    default_stages = frozenset({Stage.PURCHASE, Stage.LEAD})
    fields = FIELDS
    default_mapping: ClassVar[Mapping[str, Any]] = {
        "amount": {"from": "value", "do": ["format_money"]},
        "products": {"from": "items[].name", "do": [{"join": ", "}]},
        "order_id": {"from": "order_id"},
        "campaigns": {"from": "campaign_names", "do": [{"join": ", "}]},
        "reason": {"from": "reason"},
    }
    batch = Batch(max_records=10)
    limits = Limits(per_second=1, concurrency=1)

    def message(self, alerts: Sequence[Alert]) -> Mapping[str, Any]:
        """The body of one post that holds all ``alerts``."""
        raise NotImplementedError

    def deliver(self, record: Sequence[Record], settings: Mapping[str, Any]) -> Recipe:
        """One post for all."""
        alerts = [alert(each, settings["language"]) for each in record]
        yield Call.post(settings["hook_url"], json=self.message(alerts))


def alert(record: Record, language: str) -> Alert:
    """What happened, in ``language``; what the mapping left empty is left out."""
    sign, title = TITLES[record.stage if record.kind is Kind.CONVERSION and record.stage else record.kind]
    values = {field.key: (text(record.values.get(field.key)) or "")[:LONGEST] for field in FIELDS}
    values["order_id"] = values["order_id"] and f"#{values['order_id'].lstrip('#')}"
    test = "Test: " if record.test else ""
    return Alert(sign, test + title.in_(language), tuple(" ".join(value.split()) for value in values.values() if value))
