"""PayPal's Instant Payment Notification: set-up, and PayPal's own word on each message (paypal/ipn-code-samples)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from connectors.paypal_ipn.messages import read_message
from hub.contract import Call, Conversion, Inbound, NotVerified, Recipe, Reply, Snippet, Source, TryLater
from hub.contract.settings import Mode, SettingsSchema, Words
from hub.contract.vocabulary import Category, Kind, Stage, Text

POSTBACKS = {
    "live": "https://ipnpb.paypal.com/cgi-bin/webscr",
    "sandbox": "https://ipnpb.sandbox.paypal.com/cgi-bin/webscr",
}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class PayPalIpnSettings(SettingsSchema):
    receiver = Words(
        Text("Your PayPal e-mail or merchant ID", "Votre e-mail PayPal ou identifiant marchand"),
        help=Text(
            "Your primary e-mail. Messages for other accounts are refused: PayPal confirms them too, so this is what makes "
            "them yours. Several, separated by commas.",
            "Votre e-mail principal. Les messages pour d'autres comptes sont refusés : PayPal les confirme aussi, c'est ce "
            "qui les fait vôtres. Plusieurs, séparés par des virgules.",
        ),
        placeholder="seller@example.com",
    )
    mode = Mode()


class PayPalIpn(Source):
    """Payments, subscriptions and refunds of an older PayPal account, by IPN."""

    slug = "paypal_ipn"
    name = "PayPal IPN"
    category = Category.PAYMENTS
    homepage = "https://www.paypal.com"
    Settings = PayPalIpnSettings
    stages = frozenset({Stage.PURCHASE, Stage.LEAD})
    kinds = frozenset({Kind.CONVERSION, Kind.REFUND, Kind.CANCELLATION, Kind.PENDING})
    signs_body = False  # nothing here can tell: PayPal compares the body when it is asked
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "PayPal › Account Settings › Website payments › Notifications (Instant payment notifications) › Update",
            "PayPal › Paramètres du compte › Paiements sur site marchand › Notifications instantanées de paiement › Modifier",
        ),
        note=Text(
            "For older integrations. If PayPal's webhooks are on as well, each sale comes twice under other ids: keep one.",
            "Pour les intégrations anciennes. Si les webhooks de PayPal sont aussi actifs, la même vente arrive deux fois "
            "sous d'autres identifiants : n'en gardez qu'un.",
        ),
    )

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> Recipe:
        """PayPal is sent its message back, byte for byte, and says VERIFIED; the receiver must be this account."""
        mine = [each.strip().lower() for each in settings["receiver"].split(",") if each.strip()]
        if not mine:
            raise NotVerified(
                "No receiver is set on this source, so nobody's payments are yours.", reason="secret_not_set"
            )
        form = inbound.form("latin-1")
        if not any(form.get("receiver_email" if "@" in each else "receiver_id", "").lower() == each for each in mine):
            raise NotVerified("The payment was made to another PayPal account than the one set on this source.")
        body = b"cmd=_notify-validate&" + inbound.body
        reply: Reply = yield Call.post(POSTBACKS[settings["mode"]], body=body, headers=dict(FORM), authenticate=False)
        verdict = reply.body.strip()
        if verdict == b"INVALID":
            raise NotVerified("PayPal says it did not send this message (a sandbox message needs the mode Sandbox).")
        if verdict != b"VERIFIED":
            raise TryLater("PayPal gave no verdict on its message.")

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        conversion = read_message(inbound)
        if conversion is None:
            return []
        conversion.test |= settings["mode"] == "sandbox"
        return [conversion]
