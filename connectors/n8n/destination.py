"""n8n: each conversion as one flat object, posted to a workflow's Webhook node.

Source: docs.n8n.io/integrations/builtin/core-nodes/n8n-nodes-base.webhook (test and production address, authentication).
"""

from __future__ import annotations

from hub.contract import Outcome, Refused, Reply, Text
from hub.contract.settings import hook_address
from hub.toolkit.automation import FlowStarter, HeaderPassword, PasswordHeader


class N8nSettings(HeaderPassword):
    """The production address, and the header of its “Header Auth”."""

    hook_url = hook_address(
        Text("Production URL of the Webhook node", "Production URL du nœud Webhook"),
        Text(
            "In n8n: Webhook node › Webhook URLs › Production URL; HTTP Method POST; then publish the workflow.",
            "Dans n8n : nœud Webhook › Webhook URLs › Production URL ; HTTP Method POST ; puis publiez le workflow.",
        ),
        "https://n8n.example.com/webhook/abcd-1234",
    )


class N8n(FlowStarter):
    """A workflow's Webhook node, on n8n's cloud or a machine of one's own."""

    slug = "n8n"
    name = "n8n"
    homepage = "https://n8n.io"
    Settings = N8nSettings
    auth = PasswordHeader()
    hook_hosts = ("*.n8n.cloud",)

    def judge(self, reply: Reply) -> Outcome | None:
        """The test address lives for two minutes; the production address while the workflow is active."""
        if reply.status == 404:
            raise Refused(
                "n8n does not know this address. Use the Production URL (/webhook/, not /webhook-test/), the method POST, "
                "and activate the workflow.",
                status=404,
                detail=reply.body[:300].decode("utf-8", "replace"),
            )
        return None
