"""Brevo's webhooks: who unsubscribed, and who called a mail spam.

Sources: developers.brevo.com/docs/marketing-webhooks, docs/transactional-webhooks, docs/secured-webhooks (unsigned; the
address may carry a secret), docs/batched-webhooks (a list of events).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from hub.contract import Inbound, Snippet, Text
from hub.toolkit.email_tools import OptOut, UnsignedOptOuts
from hub.toolkit.paths import required_text

OPT_OUTS = {"unsubscribe": "unsubscribed", "unsubscribed": "unsubscribed", "spam": "complained"}


class BrevoOptOuts(UnsignedOptOuts):
    """Unsubscribes and spam complaints, of campaigns and of transactional mail."""

    slug = "brevo"
    name = "Brevo"
    homepage = "https://www.brevo.com"
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "Brevo › your name › Settings › Webhooks › Add a new webhook",
            "Brevo › votre nom › Paramètres › Webhooks › Ajouter un webhook",
        ),
        events=("Unsubscribed", "Marked as spam"),
        note=Text(
            "Add ?secret= and your secret behind the address.", "Ajoutez ?secret= et votre secret derrière l'adresse."
        ),
    )

    def read_opt_outs(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[OptOut]:
        told = inbound.json()
        for event in told if isinstance(told, list) else [told]:
            reason = OPT_OUTS.get(required_text(event, "event"))
            if reason:
                email, at = required_text(event, "email"), required_text(event, "ts_event")
                yield OptOut(f"{reason}:{email}:{at}", email, (event["ts_event"],), reason)
