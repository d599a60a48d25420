"""Calendly: the vector, and the time that its signature carries."""

from datetime import UTC, datetime, timedelta

import pytest
from senders import message, trust, vector

from connectors.calendly.source import Calendly
from hub.contract import NotVerified, Trust

SOURCE = Calendly()
VECTOR = vector("calendly")
KEY = {"secret": VECTOR["secret"]}
SIGNED_AT = datetime.fromtimestamp(1705314600, UTC)


@pytest.mark.parametrize("off", [-179, 0, 179])
def test_the_published_vector_verifies_near_its_time(off: int) -> None:
    inbound = message(VECTOR["body"], VECTOR["headers"], SIGNED_AT + timedelta(seconds=off))
    assert trust(SOURCE, inbound, KEY) is Trust.PROVEN


@pytest.mark.parametrize("off", [-181, 181])
def test_it_is_refused_more_than_three_minutes_off(off: int) -> None:
    with pytest.raises(NotVerified) as refused:
        trust(SOURCE, message(VECTOR["body"], VECTOR["headers"], SIGNED_AT + timedelta(seconds=off)), KEY)
    assert refused.value.reason == ("signature_from_future" if off < 0 else "signature_too_old")
