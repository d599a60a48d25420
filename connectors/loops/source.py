"""Loops' webhooks: who unsubscribed, and who called a mail spam.

Sources, under loops.so/docs: webhooks (Standard Webhooks), api-reference/webhooks/contact-unsubscribed,
api-reference/webhooks/email-spam-reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from hub.contract import Inbound, Secrets, SettingsSchema, Snippet, Text
from hub.toolkit.email_tools import OptOut, OptOuts
from hub.toolkit.paths import dig, required_text, text
from hub.toolkit.signing import check_standard, sign_standard

OPT_OUTS = {"contact.unsubscribed": "unsubscribed", "email.spamReported": "complained"}


class LoopsOptOutSettings(SettingsSchema):
    """What Loops signs with."""

    secret = Secrets(
        Text("Signing secret", "Secret de signature"),
        help=Text(
            "Loops: Settings, Webhooks. It starts with whsec_.", "Loops : Settings, Webhooks. Commence par whsec_."
        ),
        placeholder="whsec_…",
    )


class LoopsOptOuts(OptOuts):
    """Unsubscribes and spam complaints, signed."""

    slug = "loops"
    name = "Loops"
    homepage = "https://loops.so"
    Settings = LoopsOptOutSettings
    signs_time = True
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text("Loops › Settings › Webhooks", "Loops › Settings › Webhooks"),
        events=tuple(OPT_OUTS),
        note=Text("Loops has one webhook for each team.", "Loops n'a qu'un webhook par équipe."),
    )

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        check_standard(inbound.headers, inbound.body, settings["secret"], inbound.received_at)

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str]:
        return sign_standard("msg_test", int(at.timestamp()), body, settings["secret"])

    def read_opt_outs(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[OptOut]:
        event = inbound.json()
        name = required_text(event, "eventName")
        if name in OPT_OUTS:
            email, at = required_text(event, "contactIdentity.email"), required_text(event, "eventTime")
            person = text(dig(event, "contactIdentity.userId"))
            yield OptOut(f"{name}:{email}:{at}", email, (event["eventTime"],), OPT_OUTS[name], person)
