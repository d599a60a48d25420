"""Activepieces: each conversion as one flat object, posted to a flow's Catch Webhook trigger.

What answers for a flow that is off or gone is not documented; the usual statuses are taken as they stand.
"""

from __future__ import annotations

from hub.contract import Status, Text
from hub.contract.settings import hook_address
from hub.toolkit.automation import FlowStarter, HeaderPassword, PasswordHeader


class ActivepiecesSettings(HeaderPassword):
    """The live address, and the header of its “Header” authentication."""

    hook_url = hook_address(
        Text("Live URL of the Catch Webhook trigger", "Live URL du déclencheur Catch Webhook"),
        Text(
            "In Activepieces: trigger Webhook › Catch Webhook › Live URL (the test URL only fills in sample data).",
            "Dans Activepieces : déclencheur Webhook › Catch Webhook › Live URL (la Test URL ne sert qu'aux exemples).",
        ),
        "https://cloud.activepieces.com/api/v1/webhooks/abc",
    )


class Activepieces(FlowStarter):
    """A published flow, on Activepieces' cloud or a machine of one's own."""

    slug = "activepieces"
    name = "Activepieces"
    status = Status.BETA
    homepage = "https://www.activepieces.com"
    Settings = ActivepiecesSettings
    auth = PasswordHeader()
    hook_hosts = ("cloud.activepieces.com",)
