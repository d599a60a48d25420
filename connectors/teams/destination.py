"""Microsoft Teams: alerts in a channel or chat, as an Adaptive Card posted to a Workflows address.

Sources: support.microsoft.com “Create incoming webhooks with Workflows for Microsoft Teams”,
learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using (body),
adaptivecards.io/explorer (TextBlock). The flow answers before it has posted, so its 2xx proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import ValidationError

from hub.contract import Gone, Outcome, Reply, Result, SecretUrl, Text
from hub.toolkit.chat import Alert, ChatChannel, ChatSettings

_MARKS = re.compile(r"([\\*_`\[\]])")  # what a TextBlock reads as Markdown


def _check_address(address: str) -> None:
    if ".office.com/" in address:
        raise ValidationError("Office 365 connectors no longer work. In Teams, make a workflow and paste its address.")


class TeamsSettings(ChatSettings):
    """The address of one workflow."""

    hook_url = SecretUrl(
        Text("Address of the workflow", "Adresse du workflow"),
        help=Text(
            "Teams: channel › ••• › Workflows › “Send webhook alerts to a channel” › copy the URL.",
            "Teams : canal › ••• › Workflows › « Envoyer des alertes de webhook vers un canal » › copiez l'URL.",
        ),
        placeholder="https://….environment.api.powerplatform.com/…&sig=…",
        required=True,
        validate=_check_address,
    )


class Teams(ChatChannel):
    """A block for each conversion, in one card."""

    slug = "teams"
    name = "Microsoft Teams"
    homepage = "https://www.microsoft.com/microsoft-teams"
    Settings = TeamsSettings

    def message(self, alerts: Sequence[Alert]) -> Mapping[str, Any]:
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": [{"type": "TextBlock", "wrap": True, "text": _line(alert)} for alert in alerts],
        }
        return {
            "type": "message",
            "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
        }

    def judge(self, reply: Reply) -> Outcome | None:
        """A workflow that was deleted answers 404."""
        if reply.status == 404:
            raise Gone("Teams does not know this workflow any more. Make a new one.", status=404)
        return Outcome(Result.ACCEPTED_UNVERIFIED) if reply.ok else None


def _line(alert: Alert) -> str:
    return f"{alert.sign} **{alert.title}**" + "".join(" · " + _MARKS.sub(r"\\\1", part) for part in alert.details)
