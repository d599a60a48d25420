"""Zapier: each conversion as one flat object, posted to a Zap's address.

Sources, all under docs.zapier.com: platform/build/cli-hook-trigger (410 means the Zap is gone),
integrations/build/deduplication (a constant ``id``), platform/build/operating-constraints (30 calls a second and hook,
10,000 in five minutes and user). ``app/`` holds the Zapier integration that finds the address by itself.
"""

from __future__ import annotations

from hub.contract import Limits, SettingsSchema, Text
from hub.contract.settings import hook_address
from hub.toolkit.automation import FlowStarter


class ZapierSettings(SettingsSchema):
    """The address of the Zap."""

    hook_url = hook_address(
        Text("Webhook address of the Zap", "Adresse du webhook du Zap"),
        Text(
            "In Zapier: trigger “Webhooks by Zapier”, event “Catch Hook”, then copy the address.",
            "Dans Zapier : déclencheur « Webhooks by Zapier », événement « Catch Hook », puis copiez l'adresse.",
        ),
        "https://hooks.zapier.com/hooks/catch/123456/abcdef/",
    )


class Zapier(FlowStarter):
    """Separate, stable fields (never a JSON text to take apart), for a Zap to use one by one."""

    slug = "zapier"
    name = "Zapier"
    homepage = "https://zapier.com"
    Settings = ZapierSettings
    limits = Limits(per_second=25)
    hook_hosts = ("hooks.zapier.com", "*")  # its app came first: who says nothing else subscribes as a Zap
