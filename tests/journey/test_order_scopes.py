"""Whose order 1001 is it? Sources of one shop tell of the same orders; two shops that count alike are kept apart."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from click.testing import CliRunner
from journey.shops import load, sell, shop
from journey.verdicts import messages, rows
from journey.world import World, world

from hub.cli import main
from hub.connecting.registry import registry
from hub.settings import settings
from hub.steer import connections as steer
from hub.steer.errors import Invalid
from hub.store import Store, connections, now, orders


@pytest.fixture
def hub(store: Store) -> Iterator[World]:
    with world(store) as made:
        yield made


def sales(hub: World) -> list[Decimal]:
    return sorted(row["gross"] for row in rows(hub, orders.order))


def test_two_shops_that_both_count_from_1001_have_two_orders(hub: World) -> None:
    first, second = shop(hub), shop(hub)
    assert sell(hub, first, 1001, "100.00") == "order_added"
    assert sell(hub, second, 1001, "40.00") == "order_added"
    assert sales(hub) == [40, 100]
    assert sum(row["amount"] for row in rows(hub, orders.ledger)) == 140


def test_the_shop_its_pixel_and_the_processor_tell_of_one_order(hub: World) -> None:
    pixel, first = hub.connect("pixel", "source", currency="EUR"), shop(hub)
    processor = hub.connect("webhook", "source")
    load(hub, pixel, 1001, "100.00")
    sell(hub, first, 1001, "100.00")
    paid = {"id": "capture", "order_id": "1001", "amount": "100.00", "currency": "EUR", "email": "anna@example.com"}
    assert hub.client.post(f"/in/{processor['address']}", json=paid).status_code == 200
    assert messages(hub)[-1]["state"] == "done"
    assert sales(hub) == [100]


def test_a_pixel_that_is_told_its_shop_meets_the_shops_orders(hub: World) -> None:
    first, second = shop(hub), shop(hub)
    with hub.store.write() as tx:
        beside = steer.connect(
            tx,
            now(),
            hub.workspace_id,
            connector="pixel",
            role="source",
            name="Pixel of the second shop",
            settings={"currency": "EUR"},
            same_orders_as=second["id"],
        )
        pixel = connections.get_connection(tx, beside)
    load(hub, pixel, 1001, "40.00")  # before its webhook comes
    sell(hub, first, 1001, "100.00")
    sell(hub, second, 1001, "40.00")
    assert sales(hub) == [40, 100]


def test_two_sources_are_joined_on_purpose_and_parted_again(hub: World) -> None:
    first, second = shop(hub), shop(hub)
    with hub.store.write() as tx:
        steer.change(tx, now(), second["id"], same_orders_as=first["id"])
    sell(hub, first, 1001, "100.00")
    assert sell(hub, second, 1001, "40.00") == "amount_replaced"
    assert sales(hub) == [40]
    with hub.store.write() as tx:
        steer.change(tx, now(), second["id"], same_orders_as="own")
    assert sell(hub, second, 1002, "7.00") == "order_added"
    assert sell(hub, first, 1002, "8.00") == "order_added"
    assert sales(hub) == [7, 8, 40]


def test_a_third_shop_has_orders_of_its_own_too(hub: World) -> None:
    for number, source in enumerate([shop(hub), shop(hub), shop(hub)]):
        sell(hub, source, 1001, f"{number + 1}.00")
    assert sales(hub) == [1, 2, 3]


def test_a_scope_of_its_own_is_no_beginning_of_a_common_name(hub: World) -> None:
    shop(hub)
    second, pixel = shop(hub), hub.connect("pixel", "source", currency="EUR")
    sell(hub, second, 1001, "40.00")
    assert load(hub, pixel, f"#{second['number']}/1001", "1.00") == "order_added"
    assert sales(hub) == [1, 40]


def test_a_source_that_is_not_there_is_no_choice(hub: World) -> None:
    first = shop(hub)
    for nobody in ("no such id", first["id"]):
        with pytest.raises(Invalid), hub.store.write() as tx:
            steer.change(tx, now(), first["id"], same_orders_as=nobody)


def test_the_command_joins_two_sources(hub: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.commands.connections.check", lambda _: None)  # this store has no alembic version
    first, second = shop(hub), shop(hub)
    assert settings().database_url == hub.store.url
    done = CliRunner().invoke(main, ["connections", "orders", second["id"], first["id"]])
    assert done.exit_code == 0, done.output
    with hub.store.read() as tx:
        joined = connections.get_connection(tx, second["id"])
        assert joined is not None
        assert joined["order_scope"] == ""
    refused = CliRunner().invoke(main, ["connections", "orders", second["id"], "nobody"])
    assert refused.exit_code == 2
    assert "Choose another source" in refused.output


def test_which_senders_count_orders_for_themselves_is_said_by_their_connectors() -> None:
    sources = [registry().source(entry.slug) for entry in registry().all() if "source" in entry.roles]
    counting = {one.slug for one in sources if one.own_order_numbers}
    assert {"shopify", "woocommerce", "bigcommerce", "thrivecart", "samcart", "thinkific", "chargebee"} == counting
    assert not {"pixel", "paypal", "stripe", "csv", "webhook", "zapier"} & counting
