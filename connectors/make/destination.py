"""Make: each conversion as one flat object, posted to a scenario's custom webhook.

Sources: help.make.com/webhooks (a webhook learns its structure from the first request, requests queue), and
developers.make.com/custom-apps-documentation/app-components/webhooks/dedicated/attached (what subscribes by itself).
"""

from __future__ import annotations

from hub.contract import Limits, Outcome, Reply, Status, Text, TryLater
from hub.contract.settings import hook_address
from hub.toolkit.automation import FlowStarter, HeaderPassword, PasswordHeader

MINUTES = 60.0  # seconds


class MakeSettings(HeaderPassword):
    """The address of the webhook, and its API key if it asks for one."""

    hook_url = hook_address(
        Text("Address of the custom webhook", "Adresse du webhook personnalisé"),
        Text(
            "In Make: module Webhooks › Custom webhook › Add, then Copy address to clipboard.",
            "Dans Make : module Webhooks › Custom webhook › Add, puis Copy address to clipboard.",
        ),
        "https://hook.eu2.make.com/abcdefghijklmnop",
    )


class Make(FlowStarter):
    """One scenario for each webhook."""

    slug = "make"
    name = "Make"
    status = Status.BETA
    homepage = "https://www.make.com"
    Settings = MakeSettings
    auth = PasswordHeader()
    limits = Limits(per_second=25)  # 300 in 10 seconds
    hook_hosts = ("hook.*.make.com", "hook.make.com", "hook.*.make.celonis.com", "hook.integromat.com")

    def judge(self, reply: Reply) -> Outcome | None:
        """A full queue is answered with 400, and empties by itself."""
        if reply.status == 400 and b"queue" in reply.body.lower():
            raise TryLater("The scenario's queue is full. It runs too seldom, or stopped.", after=10 * MINUTES)
        return None
