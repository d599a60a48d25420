"""Mailchimp's audience webhooks: who unsubscribed, and who called a mail spam.

Source: mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks (forms, unsigned; a secret belongs into the
address).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from hub.contract import Inbound, Snippet, Status, Text
from hub.toolkit.email_tools import OptOut, UnsignedOptOuts
from hub.toolkit.paths import required_text, text

ABUSE = "abuse"


class MailchimpOptOuts(UnsignedOptOuts):
    """Unsubscribes and spam complaints of one audience."""

    slug = "mailchimp"
    name = "Mailchimp"
    status = Status.BETA
    homepage = "https://mailchimp.com"
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "Mailchimp › Audience › Manage audience › Settings › Webhooks › Create new webhook",
            "Mailchimp › Audience › Gérer l'audience › Paramètres › Webhooks › Créer un webhook",
        ),
        events=("Unsubscribes", "Cleaned emails"),
        note=Text(
            "Add ?secret= and your secret behind the address. Tick the sources subscriber, admin and API.",
            "Ajoutez ?secret= et votre secret derrière l'adresse. Cochez les sources abonné, administrateur et API.",
        ),
    )

    def read_opt_outs(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[OptOut]:
        """An archived or bounced contact has refused nothing."""
        form = {name.replace("data[", "").rstrip("]"): value for name, value in inbound.form().items()}
        kind, reason = required_text(form, "type"), text(form.get("reason"))
        left = kind == "unsubscribe" and (form.get("action") != "delete" or reason == ABUSE)
        if not left and not (kind == "cleaned" and reason == ABUSE):
            return []
        email, at = required_text(form, "email"), required_text(form, "fired_at")
        return [OptOut(f"{kind}:{email}:{at}", email, (at,), "complained" if reason == ABUSE else "unsubscribed")]
