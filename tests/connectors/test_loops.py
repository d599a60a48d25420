"""What Loops' samples cannot show: a second try, and the subscription of people it knows."""

from __future__ import annotations

from platforms import Platform, record

from connectors.loops.destination import Loops
from hub.contract import Result

SETTINGS = {"api_key": "made-up"}
NO_PROPERTIES = (200, [])
KNOWN = (200, [{"id": "c1", "subscribed": False}])


def test_the_subscription_of_somebody_known_is_never_sent():
    platform = Platform(Loops(), SETTINGS, NO_PROPERTIES, KNOWN)
    platform.deliver(record({"email": "anna@example.com", "email_consent": True, "subscribed": True}))
    assert platform.paths[-1] == "PUT /api/v1/contacts/update"
    assert "subscribed" not in platform.sent[-1]


def test_an_event_that_loops_had_already_counts_as_delivered():
    used = (409, {"success": False, "message": "Idempotency key has been used"})
    platform = Platform(Loops(), SETTINGS, NO_PROPERTIES, KNOWN, (200, {"success": True}), used)
    assert platform.deliver(record({"email": "anna@example.com", "event_name": "purchase"})).result is Result.DUPLICATE
    assert platform.calls[-1].headers == {"Idempotency-Key": "event-r1"}


def test_prepare_names_properties_in_camel_case():
    platform = Platform(Loops(), SETTINGS, (200, [{"key": "hubSummary", "label": "Hub Summary", "type": "string"}]))
    platform.ask("prepare")
    assert {"name": "hubLifetimeValue", "type": "number"} in platform.sent
    assert "hubSummary" not in [each["name"] for each in platform.sent]
