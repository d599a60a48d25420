"""What a sender's event means, in one word: the right-hand side of a source's table of events.

EVENTS = {"order.paid": PURCHASE, "order.refunded": REFUND, "cart.abandoned": ABANDONED}
conversion = Conversion(event_id, **EVENTS["order.paid"])
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.contract.settings import Table
from hub.contract.vocabulary import Kind, Stage, Text

Meaning = Mapping[str, Any]
"""Arguments of Conversion."""

PURCHASE: Meaning = {"stage": Stage.PURCHASE}
RENEWAL: Meaning = {"kind": Kind.RENEWAL, "stage": Stage.PURCHASE, "recurring": True}
REGISTRATION: Meaning = {"stage": Stage.COMPLETE_REGISTRATION}
PAYMENT_INFO: Meaning = {"stage": Stage.ADD_PAYMENT_INFO}
CHECKOUT: Meaning = {"stage": Stage.INITIATE_CHECKOUT}
ABANDONED: Meaning = {"stage": Stage.LEAD, "reason": "abandoned"}
REFUSED: Meaning = {"stage": Stage.LEAD, "reason": "refused"}
PENDING: Meaning = {"kind": Kind.PENDING}
REFUND: Meaning = {"kind": Kind.REFUND}
DISPUTE: Meaning = {"kind": Kind.DISPUTE}
CANCELLATION: Meaning = {"kind": Kind.CANCELLATION, "recurring": True}
CONTACT: Meaning = {"kind": Kind.CONTACT}

MAYBE_RENEWAL = "maybe_renewal"
"""A flag for the charge of a subscription that its sender does not number: the hub knows which one came first."""

MEANINGS: dict[str, tuple[Text, Meaning | None]] = {
    "purchase": (Text("a sale", "une vente"), PURCHASE),
    "renewal": (Text("a further charge of a subscription", "une charge suivante d'un abonnement"), RENEWAL),
    "refund": (Text("a refund", "un remboursement"), REFUND),
    "dispute": (Text("a dispute", "un litige"), DISPUTE),
    "cancellation": (Text("a cancellation", "une annulation"), CANCELLATION),
    "refused": (Text("a refused payment", "un paiement refusé"), REFUSED),
    "abandoned": (Text("an abandoned checkout", "une commande abandonnée"), ABANDONED),
    "registration": (Text("a registration", "une inscription"), REGISTRATION),
    "contact": (Text("news of a contact", "du nouveau sur un contact"), CONTACT),
    "nothing": (Text("nothing", "rien"), None),
}
"""What a person may say that a sender's event means, where its vendor does not."""


class EventTable(Table):
    """A setting, event → one of :data:`MEANINGS`, for senders whose events are not all documented."""

    def __init__(self, placeholder: str) -> None:
        super().__init__(
            Text("Other events", "Autres événements"),
            choices={name: label for name, (label, _) in MEANINGS.items()},
            help=Text(
                "An event's name, as a message in Live shows it → what it means. It goes before what is known.",
                "Le nom d'un événement, tel qu'un message dans En direct le montre → son sens. Il passe avant ce qui est "
                "connu.",
            ),
            placeholder=placeholder,
        )


def meaning_of(event: str, chosen: Mapping[str, str], known: Mapping[str, Meaning]) -> Meaning | None:
    """What ``event`` means: as the person chose in an :class:`EventTable`, else as known; None: nothing."""
    return MEANINGS[chosen[event]][1] if event in chosen else known.get(event)
