"""Zapier: each conversion as one flat object, posted to a Zap's address.

Sources, all under docs.zapier.com: platform/build/cli-hook-trigger (410 means the Zap is gone),
integrations/build/deduplication (a constant ``id``), platform/build/operating-constraints (30 calls a second and hook,
10,000 in five minutes and user). ``app/`` holds the Zapier integration that finds the address by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from hub.contract import (
    ANY_FIELDS,
    Call,
    Category,
    Destination,
    Kind,
    Limits,
    Recipe,
    Record,
    SecretUrl,
    SettingsSchema,
    Text,
)


class ZapierSettings(SettingsSchema):
    """The address of the Zap."""

    hook_url = SecretUrl(
        Text("Webhook address of the Zap", "Adresse du webhook du Zap"),
        help=Text(
            "In Zapier: trigger “Webhooks by Zapier”, event “Catch Hook”, then copy the address.",
            "Dans Zapier : déclencheur « Webhooks by Zapier », événement « Catch Hook », puis copiez l'adresse.",
        ),
        placeholder="https://hooks.zapier.com/hooks/catch/123456/abcdef/",
        required=True,
    )


class Zapier(Destination):
    """Separate, stable fields (never a JSON text to take apart), for a Zap to use one by one."""

    slug = "zapier"
    name = "Zapier"
    category = Category.AUTOMATION
    homepage = "https://zapier.com"
    Settings = ZapierSettings
    kinds = frozenset(Kind)
    fields = ANY_FIELDS
    default_mapping: ClassVar[Mapping[str, Any]] = {"*": {"from": "*"}}
    limits = Limits(per_second=25)
    subscribes = True

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """One POST. ``id`` is the same in every try and differs between a purchase and its refund."""
        status = record.stage if record.kind is Kind.CONVERSION else record.kind
        fields = {**record.values, "id": f"{record.event_id}_{status}"}
        yield Call.post(settings["hook_url"], json=fields, idempotency_key=fields["id"])
