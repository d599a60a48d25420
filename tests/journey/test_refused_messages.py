"""How many messages that nobody can vouch for are kept: enough to see what is wrong, too few to fill the disk."""

import time
from collections import Counter
from collections.abc import Iterator

import pytest
from journey.verdicts import rows
from journey.world import World, world

from hub.doors.intake import MOST_REFUSED
from hub.store import Store, inbound


@pytest.fixture
def hub(store: Store) -> Iterator[World]:
    with world(store) as made:
        yield made


def test_of_a_flood_of_forged_messages_a_minutes_worth_is_kept_for_each_source(
    hub: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    flooded, calm = (hub.source("webhook", scheme="hmac_hex", header="X-Signature", secret="s") for _ in range(2))
    send_forged(hub, flooded, MOST_REFUSED + 5)
    send_forged(hub, calm, 1)
    assert kept(hub) == [1, MOST_REFUSED]
    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() + 61)
    send_forged(hub, flooded, 1)
    assert kept(hub) == [1, MOST_REFUSED + 1]


def send_forged(hub: World, address: str, times: int) -> None:
    """Each is answered alike, kept or not."""
    for _ in range(times):
        answer = hub.client.post(f"/in/{address}", data=b"{}", headers={"X-Signature": "0" * 64})
        assert answer.status_code == 401


def kept(hub: World) -> list[int]:
    return sorted(Counter(row["connection_id"] for row in rows(hub, inbound.inbound)).values())
