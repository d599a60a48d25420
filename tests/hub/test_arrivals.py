"""What the pages ask of the stored rows, on both databases."""

from datetime import timedelta

from shop import Shop

from hub.report import arrivals, health, today
from hub.report.arrivals import Filters
from hub.store import Store, connections, new_id, now


def test_the_live_list_pages_by_key_newest_first(store: Store) -> None:
    shop = Shop(store)
    ids = [shop.hit(f"email=p{number}%40example.com&orderId={number}") for number in range(7)]
    with store.read() as tx:
        first, before = arrivals.latest(tx, shop.workspace_id, Filters(), limit=3)
        second, then = arrivals.latest(tx, shop.workspace_id, Filters(), before=before, limit=3)
        last, end = arrivals.latest(tx, shop.workspace_id, Filters(), before=then, limit=3)
    assert [each.row["id"] for each in first + second + last] == ids[::-1]
    assert end == ""
    assert first[0].first["order_id"] == "6"


def test_a_filter_on_what_was_read_finds_every_fitting_message_once(store: Store) -> None:
    shop = Shop(store)
    leads = [shop.hit(f"email=l{number}%40example.com&orderId=l{number}&stage=lead") for number in range(5)]
    shop.hit("email=a%40example.com&orderId=s")
    found: list[str] = []
    before = ""
    with store.read() as tx:
        for _ in range(3):
            page, before = arrivals.latest(tx, shop.workspace_id, Filters(stage="lead"), before=before, limit=2)
            found += [each.row["id"] for each in page]
    assert (found, before) == (leads[::-1], "")


def test_an_id_made_now_is_above_the_floor_of_now() -> None:
    at = now()
    assert arrivals.id_floor(at) < new_id()
    assert arrivals.id_floor(at + timedelta(minutes=5)) > new_id()


def test_the_day_in_numbers_counts_sales_leads_and_each_currency_by_itself(store: Store) -> None:
    shop = Shop(store)
    shop.hit("email=a%40example.com&orderId=1&amount=49.99&currency=EUR")
    shop.hit("email=b%40example.com&orderId=2&amount=10&currency=USD")
    shop.hit("email=c%40example.com&orderId=3&stage=lead")
    shop.hit("email=d%40example.com&orderId=4&amount=900&currency=EUR&test=1")
    at = now()
    with store.read() as tx:
        found = today.numbers(tx, shop.workspace_id, at - timedelta(hours=1), at + timedelta(hours=1))
        before = today.numbers(tx, shop.workspace_id, at - timedelta(hours=9), at - timedelta(hours=8))
    assert (found.sales, found.leads) == (2, 1)
    assert {currency: str(amount) for currency, amount in found.net.items()} == {"EUR": "49.99", "USD": "10.00"}
    assert (before.sales, before.leads, before.net) == (0, 0, {})


def test_each_connection_has_its_line_of_health(store: Store) -> None:
    shop = Shop(store)
    shop.hit()
    shop.hit("email={{email}}&amount=5&currency=EUR")
    shop.fail(shop.deliveries[0]["id"])
    with store.read() as tx:
        rows = connections.connections_of(tx, shop.workspace_id)
        source, destination = health.strip(tx, shop.workspace_id, now(), rows)
        later = health.strip(tx, shop.workspace_id, now() + timedelta(hours=30), rows)[0]
    assert (source.number, source.good, source.trouble) == (2, 1, 1)
    assert (destination.number, destination.good, destination.trouble) == (1, 0, 1)
    assert source.last is not None
    assert (later.number, later.last) == (0, source.last)


def test_set_up_steps_are_done_when_they_were_seen(store: Store) -> None:
    shop = Shop(store)

    def steps() -> today.SetUp:
        with store.read() as tx:
            sources = connections.connections_of(tx, shop.workspace_id, "source")
            return today.set_up(tx, shop.workspace_id, sources, {"pixel"})

    assert not steps().begun
    shop.hit("email=t%40example.com&orderId=T&amount=5&currency=EUR&test=1")
    assert (steps().paid, steps().pixel, steps().test, steps().results) == (False, True, True, False)
