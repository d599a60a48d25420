"""Drip's webhooks: who unsubscribed from everything, and who called a mail spam.

Source: developer.drip.com, webhooks and webhook events (unsigned; the address may carry a secret).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from hub.contract import Inbound, Snippet, Status, Text
from hub.toolkit.email_tools import OptOut, UnsignedOptOuts
from hub.toolkit.paths import dig, required_text, text

OPT_OUTS = {"subscriber.unsubscribed_all": "unsubscribed", "subscriber.complained": "complained"}


class DripOptOuts(UnsignedOptOuts):
    """Unsubscribes and spam complaints of one account."""

    slug = "drip"
    name = "Drip"
    status = Status.BETA
    homepage = "https://www.drip.com"
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text("Drip › Settings › Webhooks › New webhook", "Drip › Settings › Webhooks › New webhook"),
        events=("Unsubscribed from all mailings", "Complained"),
        note=Text(
            "Add ?secret= and your secret behind the address.", "Ajoutez ?secret= et votre secret derrière l'adresse."
        ),
    )

    def read_opt_outs(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[OptOut]:
        message = inbound.json()
        reason = OPT_OUTS.get(required_text(message, "event"))
        if reason:
            email, at = required_text(message, "data.subscriber.email"), required_text(message, "occurred_at")
            person = text(dig(message, "data.subscriber.user_id"))
            yield OptOut(f"{reason}:{email}:{at}", email, (at,), reason, person)
