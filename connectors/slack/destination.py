"""Slack: alerts in a channel, through an incoming webhook.

Sources, under docs.slack.dev: messaging/sending-messages-using-incoming-webhooks (body, errors),
messaging/formatting-message-text (what is escaped), apis/web-api/rate-limits (one message a second).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from hub.contract import Gone, Outcome, Reply, Text
from hub.contract.settings import hook_address
from hub.toolkit.chat import Alert, ChatChannel, ChatSettings


class SlackSettings(ChatSettings):
    """The webhook of one channel."""

    hook_url = hook_address(
        Text("Webhook URL of the channel", "URL du webhook du canal"),
        Text(
            "Slack: api.slack.com/apps › your app › Incoming Webhooks › Add New Webhook.",
            "Slack : api.slack.com/apps › votre app › Incoming Webhooks › Add New Webhook.",
        ),
        "https://hooks.slack.com/services/T000/B000/XXXX",
    )


class Slack(ChatChannel):
    """A line for each conversion."""

    slug = "slack"
    name = "Slack"
    homepage = "https://slack.com"
    Settings = SlackSettings

    def message(self, alerts: Sequence[Alert]) -> Mapping[str, Any]:
        lines = [
            f"{alert.sign} *{alert.title}*" + "".join(f" · {escape(detail, quote=False)}" for detail in alert.details)
            for alert in alerts
        ]
        return {"text": "\n".join(lines), "unfurl_links": False}

    def judge(self, reply: Reply) -> Outcome | None:
        """A webhook that was taken back, or whose channel is gone, answers 404."""
        if reply.status == 404:
            said = reply.body[:100].decode("utf-8", "replace")
            raise Gone("Slack does not know this webhook any more. Make a new one.", status=404, detail=said)
        return None
