"""SendGrid's signed Event Webhook: who unsubscribed, and who called a mail spam.

Sources, under twilio.com/docs/sendgrid/for-developers/tracking-events: event, getting-started-event-webhook-security-features
(ECDSA with SHA-256 over the timestamp and the body).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from hub.contract import Inbound, Secrets, SettingsSchema, Snippet, Text
from hub.toolkit.email_tools import OptOut, OptOuts
from hub.toolkit.paths import required_text
from hub.toolkit.signing import check_timestamp, require_header

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
OPT_OUTS = {"unsubscribe": "unsubscribed", "group_unsubscribe": "unsubscribed from a group", "spamreport": "complained"}


class SendgridOptOutSettings(SettingsSchema):
    """Whose signature counts."""

    public_key = Secrets(
        Text("Verification key", "Clé de vérification"),
        help=Text(
            "SendGrid: Settings, Mail Settings, Event Webhooks, Signed Event Webhook Requests. It starts with MFkw.",
            "SendGrid : Settings, Mail Settings, Event Webhooks, Signed Event Webhook Requests. Elle commence par MFkw.",
        ),
        placeholder="MFkwEwYHKoZIzj0CAQYI…",
    )


class SendgridOptOuts(OptOuts):
    """Unsubscribes and spam reports, signed."""

    slug = "sendgrid"
    name = "SendGrid Marketing"
    homepage = "https://sendgrid.com"
    Settings = SendgridOptOutSettings
    signs_time = True
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "SendGrid › Settings › Mail Settings › Event Webhooks › Create new webhook",
            "SendGrid › Settings › Mail Settings › Event Webhooks › Create new webhook",
        ),
        events=("Spam Reports", "Unsubscribes", "Group Unsubscribes"),
        note=Text("Switch “Signed Event Webhook” on.", "Activez « Signed Event Webhook »."),
    )

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        from hub.toolkit.certificates import check_ecdsa_sha256  # costly to load, so only when needed

        stamp = require_header(inbound.headers, TIMESTAMP)
        check_timestamp(stamp, inbound.received_at)
        signed = stamp.encode("utf-8", "replace") + inbound.body
        check_ecdsa_sha256(signed, require_header(inbound.headers, SIGNATURE), settings["public_key"])

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str]:
        from hub.toolkit.certificates import make_ecdsa_sha256

        stamp = str(int(at.timestamp()))
        return {TIMESTAMP: stamp, SIGNATURE: make_ecdsa_sha256(stamp.encode() + body, key)}

    def read_opt_outs(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[OptOut]:
        """Leaving one group counts as leaving: the hub knows no groups, and rather writes too little."""
        for event in inbound.json():
            reason = OPT_OUTS.get(required_text(event, "event"))
            if reason:
                email, at = required_text(event, "email"), (event.get("timestamp"),)
                yield OptOut(required_text(event, "sg_event_id"), email, at, reason)
