"""Thinkific webhooks: set-up and signature (support.thinkific.dev, article 4422658311703)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from connectors.thinkific.events import READERS
from hub.contract import (
    Category,
    Choice,
    Conversion,
    Currency,
    Inbound,
    Kind,
    Secrets,
    SettingsSchema,
    Snippet,
    Source,
    Stage,
    Status,
    Switch,
    Text,
    Unsigned,
)
from hub.toolkit.dates import first_time
from hub.toolkit.paths import required_text
from hub.toolkit.signing import check_hmac, make_hmac, require_header

SIGNATURE = "X-Thinkific-Hmac-Sha256"


class ThinkificSettings(SettingsSchema):
    secret = Secrets(
        Text("API key", "Clé API"),
        help=Text(
            "Thinkific signs with the site's API key (Settings › Code & analytics › API), or with the client secret of "
            "your app. One a line while you change it.",
            "Thinkific signe avec la clé API du site (Settings › Code & analytics › API), ou avec le secret client de "
            "votre application. Une par ligne pendant un changement.",
        ),
    )
    require_signature = Switch(
        Text("Refuse unsigned messages", "Refuser les messages non signés"),
        help=Text(
            "Webhooks created in Thinkific's admin pages may come unsigned. Switched off, they are taken, but count as "
            "claimed, not proven.",
            "Les webhooks créés dans l'administration de Thinkific peuvent arriver sans signature. Désactivé, ils sont "
            "acceptés, mais comptent comme déclarés, non prouvés.",
        ),
        load_default=True,
    )
    currency = Currency(
        Text("Currency of your school", "Devise de votre école"),
        help=Text(
            "Thinkific's orders do not name their currency. Left empty, amounts stay without one.",
            "Les commandes de Thinkific n'indiquent pas leur devise. Laissé vide, les montants restent sans devise.",
        ),
        placeholder="EUR",
        load_default="",
    )
    amount_unit = Choice(
        Text("Unit of transaction amounts", "Unité des montants de transaction"),
        {
            "auto": Text("Work it out from the order", "La déduire de la commande"),
            "major": Text("Whole units (85 is 85.00)", "Unités entières (85 vaut 85,00)"),
            "minor": Text("Cents (8500 is 85.00)", "Centimes (8500 vaut 85,00)"),
        },
        help=Text(
            "Thinkific does not document the unit of a transaction's amount. Compare one with its order, then choose.",
            "Thinkific ne documente pas l'unité du montant d'une transaction. Comparez-en une à sa commande, "
            "puis choisissez.",
        ),
        load_default="auto",
    )


class Thinkific(Source):
    """Orders, charges, refunds, enrollments and sign-ups of a Thinkific school."""

    slug = "thinkific"
    name = "Thinkific"
    category = Category.COURSES
    status = Status.BETA
    homepage = "https://www.thinkific.com"
    Settings = ThinkificSettings
    stages = frozenset({Stage.COMPLETE_REGISTRATION, Stage.PURCHASE, Stage.LEAD})
    kinds = frozenset({Kind.CONVERSION, Kind.RENEWAL, Kind.REFUND, Kind.CANCELLATION, Kind.CONTACT})
    own_order_numbers = True  # each school counts its own: ORD000073
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "Thinkific admin › Settings › Code & analytics › Webhooks › New",
            "Administration Thinkific › Settings › Code & analytics › Webhooks › New",
        ),
        events=(
            "order.created",
            "order_transaction.succeeded",
            "order_transaction.failed",
            "order_transaction.refunded",
            "subscription.cancelled",
            "subscription.past_due",
            "subscription.unpaid",
            "enrollment.created",
            "enrollment.trial",
            "user.signup",
            "user.updated",
            "lead.created",
        ),
        placeholders={"amount": "{{total_price}}", "orderId": "{{order_number}}"},
        note=Text(
            "The pixel goes to Settings › Code & analytics › Order tracking code. An after-purchase flow with its own "
            "address skips that page: keep the webhook as well.",
            "Le pixel se colle dans Settings › Code & analytics › Order tracking code. Un parcours après achat avec sa "
            "propre adresse saute cette page : gardez aussi le webhook.",
        ),
    )

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        """Hex HMAC-SHA256 of the raw body under the API key; the scheme carries no time."""
        if not settings["require_signature"] and (SIGNATURE not in inbound.headers or not settings["secret"]):
            raise Unsigned
        check_hmac(inbound.body, [require_header(inbound.headers, SIGNATURE)], settings["secret"])

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str]:
        return {SIGNATURE: make_hmac(body, settings["secret"][0])}

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        envelope = inbound.json()
        reader, time_key = READERS.get(f"{envelope['resource']}.{envelope['action']}".lower(), (None, ""))
        if reader is None:
            return []
        payload = envelope["payload"]
        conversion = reader(payload, settings)
        conversion.event_id = required_text(envelope, "id")
        times = payload.get(time_key), envelope.get("created_at")
        conversion.occurred_at, flags = first_time(*times, fallback=inbound.received_at)
        conversion.flags += flags
        return [conversion]
