"""Discord: alerts in a channel, through its webhook.

Sources, under discord.com/developers/docs: resources/webhook#execute-webhook (body, 204), topics/rate-limits
(``retry_after``), topics/opcodes-and-status-codes (10015 unknown webhook, 50035 invalid form).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hub.contract import Gone, Outcome, Reply, Text, TryLater
from hub.contract.money import decimal
from hub.contract.settings import hook_address
from hub.toolkit.chat import Alert, ChatChannel, ChatSettings
from hub.toolkit.paths import dig, text

LONGEST_LINE = 190  # characters: ten lines stay below the 2,000 of a message
_MARKS = re.compile(r"([\\*_~`|>\[\]@])")


class DiscordSettings(ChatSettings):
    """The webhook of one channel."""

    hook_url = hook_address(
        Text("Webhook URL of the channel", "URL du webhook du salon"),
        Text(
            "Discord: Edit channel › Integrations › Webhooks › New webhook › Copy webhook URL.",
            "Discord : Modifier le salon › Intégrations › Webhooks › Nouveau webhook › Copier l'URL.",
        ),
        "https://discord.com/api/webhooks/123/abc",
    )


class Discord(ChatChannel):
    """A line for each conversion; nobody is ever mentioned."""

    slug = "discord"
    name = "Discord"
    homepage = "https://discord.com"
    Settings = DiscordSettings

    def message(self, alerts: Sequence[Alert]) -> Mapping[str, Any]:
        return {"content": "\n".join(map(_line, alerts)), "allowed_mentions": {"parse": []}}

    def judge(self, reply: Reply) -> Outcome | None:
        """429 says in its body how long to wait; 404 means that the webhook was deleted."""
        body = reply.json()
        if reply.status == 429:
            wait = decimal(text(dig(body, "retry_after")))
            raise TryLater(
                "Discord asks us to slow down (429).", after=float(wait) if wait else None, whole_connection=True
            )
        if reply.status == 404:
            said = text(dig(body, "message")) or ""
            raise Gone("Discord does not know this webhook any more. Make a new one.", status=404, detail=said)
        return None


def _line(alert: Alert) -> str:
    plain = "".join(f" · {detail}" for detail in alert.details)
    shown = _MARKS.sub(r"\\\1", plain)[: LONGEST_LINE - len(alert.title) - 8].rstrip("\\")
    return f"{alert.sign} **{alert.title}**{shown}"
