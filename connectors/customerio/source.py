"""Customer.io's reporting webhooks: who unsubscribed, and who called a mail spam.

Sources: docs.customer.io/api/webhooks (hex HMAC-SHA256 over ``v0:<timestamp>:<body>``; ``object_type`` and ``metric``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from hub.contract import Inbound, Secrets, SettingsSchema, Snippet, Text
from hub.toolkit.conversion_facts import first_text
from hub.toolkit.email_tools import OptOut, OptOuts
from hub.toolkit.paths import required_text
from hub.toolkit.signing import check_hmac, check_timestamp, make_hmac, require_header

SIGNATURE, TIMESTAMP = "X-CIO-Signature", "X-CIO-Timestamp"
OPT_OUTS = {
    ("customer", "unsubscribed"): "unsubscribed",
    ("email", "unsubscribed"): "unsubscribed",
    ("email", "spammed"): "complained",
}


class CustomerioOptOutSettings(SettingsSchema):
    """What Customer.io signs with."""

    secret = Secrets(
        Text("Webhook signing key", "Clé de signature du webhook"),
        help=Text(
            "Customer.io: Data & Integrations, Integrations, Reporting Webhooks, your webhook.",
            "Customer.io : Data & Integrations, Integrations, Reporting Webhooks, votre webhook.",
        ),
    )


class CustomerioOptOuts(OptOuts):
    """Unsubscribes and spam complaints, signed."""

    slug = "customerio"
    name = "Customer.io"
    homepage = "https://customer.io"
    Settings = CustomerioOptOutSettings
    signs_time = True
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "Customer.io › Data & Integrations › Integrations › Reporting Webhooks › Add Reporting Webhook",
            "Customer.io › Data & Integrations › Integrations › Reporting Webhooks › Add Reporting Webhook",
        ),
        events=("Customer: Unsubscribed", "Email: Unsubscribed", "Email: Spammed"),
    )

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        stamp = require_header(inbound.headers, TIMESTAMP)
        check_timestamp(stamp, inbound.received_at)
        signed = b"v0:%s:%s" % (stamp.encode("utf-8", "replace"), inbound.body)
        check_hmac(signed, [require_header(inbound.headers, SIGNATURE)], settings["secret"])

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str]:
        stamp = int(at.timestamp())
        return {TIMESTAMP: str(stamp), SIGNATURE: make_hmac(b"v0:%d:%s" % (stamp, body), settings["secret"][0])}

    def read_opt_outs(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[OptOut]:
        """The person's e-mail stands in one of three places, by the age of the workspace and the kind of event."""
        event = inbound.json()
        reason = OPT_OUTS.get((required_text(event, "object_type"), required_text(event, "metric")))
        if reason:
            data = event["data"]
            email = first_text(data, "identifiers.email", "email_address", "recipient") or required_text(data, "email")
            person = first_text(data, "identifiers.id", "customer_id")
            yield OptOut(required_text(event, "event_id"), email, (event.get("timestamp"),), reason, person)
