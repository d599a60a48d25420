"""Reading and sending again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from shop import SALE, Shop

from hub.steer import replay as steer
from hub.steer import routes
from hub.store import Store, inbound, now


@pytest.fixture
def shop(store: Store) -> Shop:
    return Shop(store)


def test_a_message_read_again_counts_once(shop: Shop) -> None:
    message = shop.hit()
    with shop.store.write() as tx:
        assert steer.inbound_again(tx, now(), shop.workspace_id, [message, "nothing"]) == 1
    assert shop.message(message)["state"] == inbound.RECEIVED
    shop.read()
    assert shop.message(message)["state"] == inbound.DONE
    assert len(shop.conversions) == 1
    assert len(shop.deliveries) == 1


def test_what_was_proven_stays_so_and_all_else_is_verified_again(shop: Shop) -> None:
    refused = shop.hit(state=inbound.REFUSED, reason="signature_wrong")
    proven = shop.hit(SALE.replace("1001", "1002"), trust="proven")
    with shop.store.write() as tx:
        steer.inbound_again(tx, now(), shop.workspace_id, [refused, proven])
    assert shop.message(refused)["reason"] == "replayed"
    assert shop.message(proven)["reason"] == "waiting"
    assert shop.message(proven)["trust"] == "proven"


def test_nothing_of_another_workspace_is_replayed(shop: Shop) -> None:
    message = shop.hit()
    other = Shop(shop.store, "Other")
    shop.fail(shop.deliveries[0]["id"])
    with shop.store.write() as tx:
        assert steer.inbound_again(tx, now(), other.workspace_id, [message]) == 0
        assert steer.deliveries_again(tx, now(), other.workspace_id, [shop.deliveries[0]["id"]]).number == 0
        assert steer.failed_again(tx, now(), other.workspace_id).number == 0


@pytest.mark.parametrize("mapping", ["new", "old"])
def test_a_delivery_goes_again_with_the_mapping_that_was_chosen(shop: Shop, mapping: steer.MappingChoice) -> None:
    shop.hit()
    first = shop.route["mapping_id"]
    shop.fail(shop.deliveries[0]["id"])
    with shop.store.write() as tx:
        routes.save_mapping(tx, now(), shop.route["id"], {"mail": {"from": "contact.email"}})
        assert steer.deliveries_again(tx, now(), shop.workspace_id, [shop.deliveries[0]["id"]], mapping).number == 1
    (again,) = shop.deliveries
    assert (again["state"], again["tries"]) == ("waiting", 1)
    assert again["mapping_id"] == (first if mapping == "old" else None)


def test_a_delivery_whose_route_is_gone_stays_as_it_is(shop: Shop) -> None:
    shop.hit()
    shop.fail(shop.deliveries[0]["id"])
    with shop.store.write() as tx:
        routes.remove(tx, now(), shop.route["id"])
        assert steer.deliveries_again(tx, now(), shop.workspace_id, [shop.deliveries[0]["id"]]).number == 0
    assert shop.deliveries[0]["state"] == "failed"


def test_all_that_failed_since_a_time_goes_again(shop: Shop) -> None:
    shop.hit()
    shop.fail(shop.deliveries[0]["id"])
    with shop.store.write() as tx:
        assert steer.failed_again(tx, now(), shop.workspace_id, since=now() + timedelta(hours=1)).number == 0
        assert steer.failed_again(tx, now(), shop.workspace_id, connection_id=shop.source_id).number == 0
        assert (
            steer.failed_again(tx, now(), shop.workspace_id, shop.destination_id, now() - timedelta(hours=1)).number
            == 1
        )
    assert shop.deliveries[0]["state"] == "waiting"
