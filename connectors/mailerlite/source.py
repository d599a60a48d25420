"""MailerLite's webhooks: who unsubscribed, and who called a mail spam.

Source: developers.mailerlite.com/docs/webhooks (hex HMAC-SHA256 of the body; several events in one message when the webhook
is batchable). The form of a message was not confirmed: the event's name is looked for in two places, else the subscriber's
status stands for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from hub.contract import Inbound, Secrets, SettingsSchema, Snippet, Status, Text
from hub.toolkit.conversion_facts import first_text
from hub.toolkit.email_tools import OptOut, OptOuts
from hub.toolkit.paths import dig, required_text
from hub.toolkit.signing import check_hmac, make_hmac, require_header

SIGNATURE = "Signature"
OPT_OUTS = {
    "subscriber.unsubscribed": "unsubscribed",
    "subscriber.spam_reported": "complained",
    "unsubscribed": "unsubscribed",
    "junk": "complained",
}


class MailerliteOptOutSettings(SettingsSchema):
    """What MailerLite signs with."""

    secret = Secrets(
        Text("Webhook secret", "Secret du webhook"),
        help=Text(
            "MailerLite: Integrations, Webhooks; shown with the webhook.",
            "MailerLite : Intégrations, Webhooks ; affiché avec le webhook.",
        ),
    )


class MailerliteOptOuts(OptOuts):
    """Unsubscribes and spam complaints, signed."""

    slug = "mailerlite"
    name = "MailerLite"
    status = Status.BETA
    homepage = "https://www.mailerlite.com"
    Settings = MailerliteOptOutSettings
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text("MailerLite › Integrations › Webhooks", "MailerLite › Intégrations › Webhooks"),
        events=("subscriber.unsubscribed", "subscriber.spam_reported"),
    )

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        check_hmac(inbound.body, [require_header(inbound.headers, SIGNATURE)], settings["secret"])

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str]:
        return {SIGNATURE: make_hmac(body, settings["secret"][0])}

    def read_opt_outs(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[OptOut]:
        message = inbound.json()
        for event in message.get("events") or [message]:
            person = next(
                (each for path in ("data.subscriber", "subscriber", "data") if (each := dig(event, path))), event
            )
            name = first_text(event, "event", "type") or required_text(person, "status")
            reason = OPT_OUTS.get(name)
            if reason:
                email = required_text(person, "email")
                at = first_text(person, "unsubscribed_at") or required_text(person, "updated_at")
                yield OptOut(f"{reason}:{email}:{at}", email, (at,), reason)
