"""Kit's webhook endpoints: who unsubscribed, and who called a mail spam.

Sources, under developers.kit.com/webhooks: delivery-format, event-types, verifying-signatures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from hub.contract import Inbound, Secrets, SettingsSchema, Snippet, Text
from hub.toolkit.email_tools import OptOut, OptOuts
from hub.toolkit.hmac_source import TimedHmacSource
from hub.toolkit.paths import required_text

OPT_OUTS = {"subscriber.unsubscribed": "unsubscribed", "subscriber.complained": "complained"}


class KitOptOutSettings(SettingsSchema):
    """What Kit signs with."""

    secret = Secrets(
        Text("Endpoint secret", "Secret du point d'accès"),
        help=Text(
            "Kit shows it once, when the webhook endpoint is created. One a line while you rotate it.",
            "Kit l'affiche une fois, à la création du webhook. Un par ligne pendant un changement.",
        ),
    )


class KitOptOuts(TimedHmacSource, OptOuts):
    """Unsubscribes and spam complaints, signed."""

    slug = "kit"
    name = "Kit (ConvertKit)"
    homepage = "https://kit.com"
    Settings = KitOptOutSettings
    signature_header = "X-Kit-Signature"
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "app.kit.com/webhooks › Create endpoint (not the older Rules and /v4/webhooks)",
            "app.kit.com/webhooks › Create endpoint (pas les anciennes règles ni /v4/webhooks)",
        ),
        events=tuple(OPT_OUTS),
    )

    def read_opt_outs(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[OptOut]:
        for event in inbound.json()["events"]:
            reason = OPT_OUTS.get(required_text(event, "type"))
            if reason:
                email = required_text(event, "data.subscriber.email_address")
                yield OptOut(required_text(event, "id"), email, (event.get("created"),), reason)
