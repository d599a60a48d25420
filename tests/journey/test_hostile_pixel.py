"""Bad hits through the pixel's door: always an image, never an error, and a reason that people can act on."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journey.verdicts import messages, rows, told
from journey.world import World, world

from hub.doors.pixel import GIF, LONGEST_QUERY
from hub.store import Store, campaigns, contacts, conversions, orders

URL = "/v1/conversion/pixel/1"
ANNA = "email=anna%40example.com"
COOKIE = "hub_visitor=v1.k3Jx8sQ2nWm5tR7y"


@pytest.fixture
def hub(store: Store) -> Iterator[World]:
    with world(store) as made:
        made.source("pixel")
        yield made


def load(hub: World, query: str = "", method: str = "GET", result: str = "recorded", **options: Any) -> None:
    """One hit. Asserts that it is answered with the image."""
    client = hub.client.application.test_client(use_cookies=False)  # so that cookies go as the test writes them
    answer = client.open(URL, method=method, query_string=query, **options)
    assert answer.content_type == "image/gif"
    assert answer.data == (b"" if method == "HEAD" else GIF)
    assert answer.status_code < 500
    assert answer.headers["X-Hub-Result"] == result


def sums(hub: World) -> dict[str, Decimal]:
    """What the ledger adds up to, a currency."""
    found: dict[str, Decimal] = {}
    for row in rows(hub, orders.ledger):
        found[row["currency"]] = found.get(row["currency"], Decimal(0)) + row["amount"]
    return found


# -- the pixel's own paragraph -----------------------------------------------------------------------------------------

NOBODY, ADDED, TEMPLATE, BOT = "no_usable_identity", "order_added", "placeholder_not_replaced", "bot_or_preview"

FIELDS = {
    "webinarId=&email=&amount=&currency=&orderId=&productId=&productName=": NOBODY,
    "": NOBODY,
    "webinarId=3&amount=49.99&currency=EUR": NOBODY,
    "orderId=a1": ADDED,
    f"{ANNA}&{ANNA}&orderId=a2": ADDED,
    "email=a%40b.fr&email=c%40d.fr": NOBODY,
    "orderId=a3&webinarId=0": ADDED,
    "orderId=a4&webinarId=1&webinarId=2&webinarId=1": ADDED,
    "orderId=a5" + "".join(f"&webinarId={number}" for number in range(200)): ADDED,
    "orderId=a6&webinarId=abc": ADDED,
    "orderId=a7&webinarId=-3": ADDED,
    f"orderId=a8&webinarId={10**20}": ADDED,
    "orderId=a9&webinarId=3&tag=launch": ADDED,
    "orderId=b1&tag=launch&tag=autumn": ADDED,
    "orderId=b2&tag=nobody-carries-it": ADDED,
    "orderId=b3&amp;amount=5&amp;currency=EUR": ADDED,
    "orderId=b4&amount=5%22/%3E&currency=EUR": ADDED,
    'orderId=b5&amount=5&currency=EUR"/>': ADDED,
    "ORDERID=b6&AMOUNT=5&CURRENCY=eur": ADDED,
    "order id=b7&a m o u n t=5&currency=EUR": ADDED,
    "orderId=b8#fragment": ADDED,
    "orderId%3Db9%26amount%3D5%26currency%3DEUR": ADDED,
    "orderId=c1&firstName=J%E9r%F4me": ADDED,
    "orderId=c2&productName=%F0%9F%8E%A8": ADDED,
    "orderId=c3&firstName=%E2%80%AEevil%E2%80%8B": ADDED,
    "orderId=c4%00&firstName=a%00b&productName=%00": ADDED,
    "orderId=c5&productName=" + "a" * 8000: ADDED,
    "orderId=c6&email=%ED%A0%80%40b.fr": ADDED,
    "&&&=&=x&%&%zz=%zz&orderId=c7": ADDED,
    "orderId=c8&phone=" + "9" * 3000 + "&firstName=" + "x" * 3000: ADDED,
    "orderId=c9&consent=perhaps&test=maybe&time=yesterday&ip=999.1.1.1": ADDED,
    "orderId=d1&stage=refund": "event_not_used",
}
TOKENS = (
    "{{email}}",
    "{email}",
    "{checkout.email}",
    "__AMOUNT__",
    "%EMAIL%",
    "[ORDER_ID]",
    "REPLACE",
    "OPTIONAL",
    "undefined",
    "null",
    "NaN",
    "[object Object]",
)


def test_every_field_that_a_page_can_get_wrong_has_its_reason(hub: World) -> None:
    told(hub, FIELDS, lambda query: load(hub, query))
    kept = rows(hub, orders.order)
    assert len(kept) == sum(reason == ADDED for reason in FIELDS.values())
    assert sums(hub) == {"EUR": 30}
    counted = {row["external_id"] for row in rows(hub, campaigns.campaign)}
    assert {"0", "abc", "-3", str(10**20), "199"} <= counted


def test_two_tags_and_an_unknown_one_are_kept_as_told(hub: World) -> None:
    told(hub, {"orderId=1&tag=launch&tag=autumn": ADDED}, lambda query: load(hub, query))
    (row,) = rows(hub, conversions.conversion)
    assert (row["data"]["campaigns"]["tags"], row["data"]["flags"]) == (["launch"], ["only_first_tag_used"])


def test_a_placeholder_nobody_filled_in_is_named_and_counts_nothing(hub: World) -> None:
    told(
        hub, {f"email={quote(text)}&amount=5&currency=EUR": TEMPLATE for text in TOKENS}, lambda query: load(hub, query)
    )
    assert (rows(hub, orders.order), rows(hub, contacts.contact)) == ([], [])


@pytest.mark.parametrize("text", ["jane+shop@b.fr", "jane%2Bshop@b.fr", "jane%252Bshop%2540b.fr", "JANE+shop%40B.FR"])
def test_a_plus_in_an_address_is_the_same_person_however_it_is_encoded(hub: World, text: str) -> None:
    load(hub, f"email={text}&orderId=1")
    messages(hub)
    assert [row["email"] for row in rows(hub, contacts.contact)] == ["jane+shop@b.fr"]


def test_programs_that_look_at_pages_for_others_are_kept_and_not_counted(hub: World) -> None:
    query = f"{ANNA}&amount=5&currency=EUR"
    load(hub, query, "HEAD")
    for headers in (
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Moz": "prefetch"},
        {"X-Purpose": "preview"},
        {"User-Agent": "facebookexternalhit/1.1"},
        {"User-Agent": "Mozilla/5.0 (via ggpht.com GoogleImageProxy)"},
        {"User-Agent": "YahooMailProxy; https://help.yahoo.com"},
        {"User-Agent": "Slackbot-LinkExpanding 1.0"},
    ):
        load(hub, query, headers=headers)
    assert {row["reason"] for row in messages(hub)} == {BOT}
    assert rows(hub, conversions.conversion) == []


def test_other_methods_get_the_image_too_and_only_a_form_is_read(hub: World) -> None:
    load(hub, "orderId=1", "OPTIONS", "method_not_used")
    for method in ("PUT", "PATCH", "DELETE"):
        load(hub, "orderId=1", method, "method_not_used")
    load(hub, "", "POST", data={"orderId": "2", "amount": "5", "currency": "EUR"})
    load(hub, "orderId=3", environ_overrides={"SERVER_PROTOCOL": "HTTP/1.0"})
    load(hub, "orderId=4", headers={"User-Agent": ""})
    assert [row["reason"] for row in messages(hub)] == [ADDED, ADDED, ADDED]


def test_a_number_nobody_has_goes_to_the_oldest_pixel(hub: World) -> None:
    for place, number in enumerate(("", "/", "/0", "/999999999999999999999", "/-1", "/x", "/%00", "/1%2F2")):
        answer = hub.client.get(f"/v1/conversion/pixel{number}?orderId=n{place}")
        assert (answer.status_code, answer.data == GIF) in ((200, True), (404, False))
    assert {row["reason"] for row in messages(hub)} == {ADDED}


def test_a_query_that_is_far_too_long_is_answered_and_its_coming_is_kept(hub: World) -> None:
    load(hub, "orderId=1&productName=" + "a" * (LONGEST_QUERY - 30))
    load(hub, "orderId=2&productName=" + "a" * LONGEST_QUERY, result="too_large")
    load(hub, "", "POST", "too_large", data=b"orderId=3&productName=" + b"a" * LONGEST_QUERY)
    assert [row["reason"] for row in messages(hub)] == [ADDED, "too_large", "too_large"]
    assert all(len(row["query"]) + len(row["body"]) <= LONGEST_QUERY for row in messages(hub))


def test_a_forged_cookie_is_nobody_and_a_real_one_somebody(hub: World) -> None:
    forged = {"hub_visitor=<script>": NOBODY, "\\;=": NOBODY}
    real = {f"a=b; {COOKIE}": ADDED, "hub_visitor=" + "x" * 5000: ADDED}
    told(hub, forged | real, lambda cookie: load(hub, "webinarId=3", headers={"Cookie": cookie}))


def test_hundreds_of_hits_from_one_address_are_all_kept_and_one_sale(hub: World) -> None:
    for _ in range(300 if hub.store.sqlite else 50):
        load(hub, f"{ANNA}&orderId=1&amount=5&currency=EUR")
    found = messages(hub)
    assert {row["reason"] for row in found} == {ADDED, "amount_replaced"}
    assert sums(hub) == {"EUR": 5}


# -- amounts -----------------------------------------------------------------------------------------------------------

UNREADABLE, UNKNOWN = "amount_not_readable", "currency_unknown"

AMOUNTS = {
    "49.99|EUR": "49.99",
    "49,99|EUR": "49.99",
    "1.234,56|EUR": "1234.56",
    "1,234.56|EUR": "1234.56",
    "$49.99|USD": "49.99",
    "49.99 €|": "49.99",
    "EUR 49.99|": "49.99",
    "4 999|EUR": "4999",
    "4\u00a0999|EUR": "4999",
    "٤٩٫٩٩|EUR": "49.99",
    "-49.99|EUR": UNREADABLE,
    "+5|EUR": "5",
    "0|EUR": "0",
    "0.001|EUR": UNREADABLE,
    "1e3|EUR": UNREADABLE,
    "1e309|EUR": UNREADABLE,
    "Infinity|EUR": UNREADABLE,
    ".5|EUR": "0.5",
    "5.|EUR": "5",
    "12.345|EUR": UNREADABLE,
    "9" * 40 + "|EUR": UNREADABLE,
    "0x10|EUR": UNREADABLE,
    "4999|JPY": "4999",
    "1.234|KWD": "1.234",
    "5|usd": "5",
    "5|US$": "5",
    "5|€": "5",
    "5|XXX": UNKNOWN,
    "5|BTC": UNKNOWN,
    "5|": UNKNOWN,
    "5|EURO": UNKNOWN,
}


def test_every_way_of_writing_an_amount_is_counted_or_explained(hub: World) -> None:
    names = {case: f"o{place}" for place, case in enumerate(AMOUNTS)}

    def send(case: str) -> None:
        amount, _, currency = case.rpartition("|")
        load(hub, urlencode({"orderId": names[case], "amount": amount, "currency": currency}))

    refused = (UNREADABLE, UNKNOWN)
    told(hub, {case: found if found in refused else ADDED for case, found in AMOUNTS.items()}, send)
    gross = {row["display_id"]: row["gross"] for row in rows(hub, orders.order)}
    assert gross == {names[case]: Decimal(found) for case, found in AMOUNTS.items() if found not in refused}


def test_two_currencies_for_one_order_are_never_added_up(hub: World) -> None:
    cases = [
        ("orderId=1&amount=5&currency=EUR", ADDED),
        ("orderId=1&amount=6&currency=USD", "amount_replaced"),
        ("orderId=2&amount=6&currency=USD&currency=EUR", UNKNOWN),
        ("orderId=3&amount=6&amount=7&currency=USD", UNREADABLE),
    ]
    told(hub, cases, lambda query: load(hub, query))
    assert {currency: amount for currency, amount in sums(hub).items() if amount} == {"USD": 6}


# -- identity ----------------------------------------------------------------------------------------------------------

PEOPLE = {
    "A@B.C": "a@b.c",
    "jane+shop@b.fr": "jane+shop@b.fr",
    "j.a.n.e@b.fr": "j.a.n.e@b.fr",
    " A@b.fr ": "a@b.fr",
    "mailto:a@b.fr": "a@b.fr",
    "a@münchen.de": "a@xn--mnchen-3ya.de",
    '"jane"@b.fr': '"jane"@b.fr',
    "jérôme@b.fr": "jérôme@b.fr",
    "je\u0301ro\u0302me@b.fr": "jérôme@b.fr",
    "a@b.fr;c@d.fr": None,
    "a@b.fr,c@d.fr": None,
    "jane.example.org": None,
    "x" * 310 + "@b.fr": None,
    "@": None,
    "a@": None,
    "jane@localhost": None,
}


def test_every_way_of_writing_an_address_is_one_person_or_explained(hub: World) -> None:
    offers = {text: str(place) for place, text in enumerate(PEOPLE)}
    told(
        hub,
        {text: NOBODY if email is None else ADDED for text, email in PEOPLE.items()},
        lambda text: load(hub, f"email={quote(text)}&webinarId={offers[text]}"),
    )
    assert {row["email"] for row in rows(hub, contacts.contact)} == set(PEOPLE.values()) - {None}


def test_many_orders_of_one_person_and_many_persons_on_one_cookie_stay_apart(hub: World) -> None:
    count = 150 if hub.store.sqlite else 30
    for number in range(count):
        load(hub, f"{ANNA}&orderId=o{number}&amount=1&currency=EUR")
    for number in range(count):
        load(hub, f"email=p{number}%40example.com&orderId=q{number}", headers={"Cookie": COOKIE})
    load(hub, "orderId=last", headers={"Cookie": COOKIE})
    assert {row["reason"] for row in messages(hub)} == {ADDED}
    assert len(rows(hub, contacts.contact)) == count + 1
    assert sums(hub) == {"EUR": count}
    people = {row["id"]: row["email"] for row in rows(hub, contacts.contact)}
    assert people[rows(hub, orders.order)[-1]["contact_id"]] == "p0@example.com"


# -- anything ----------------------------------------------------------------------------------------------------------

HEADER = st.tuples(
    st.sampled_from(
        ["Cookie", "Content-Type", "User-Agent", "Referer", "Origin", "Content-Encoding", "Sec-Purpose", "X"]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60),
)
PIECES = st.sampled_from(
    [
        "email=",
        "orderId=",
        "amount=",
        "currency=EUR",
        "&",
        "=",
        "%",
        "%00",
        "%FF",
        "a@b.fr",
        "1e9",
        "+",
        ";",
        "sig=",
        "&sig=",
        "{{x}}",
        "time=",
        "9999-12-31",
        "consent=",
        "webinarId=",
        "\xff",
        "%ED%A0%80",
        "test=1",
        "stage=",
        "lead",
    ]
)


def test_nothing_that_can_be_sent_to_the_pixel_is_an_error(hub: World) -> None:
    hub.client.get(URL)

    @settings(
        max_examples=200 if hub.store.sqlite else 40,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        method=st.sampled_from(["GET", "GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE"]),
        query=st.lists(PIECES, max_size=12).map("".join) | st.text(st.characters(max_codepoint=255), max_size=80),
        headers=st.lists(HEADER, max_size=4),
        body=st.binary(max_size=200),
    )
    def always_an_image(method: str, query: str, headers: list[tuple[str, str]], body: bytes) -> None:
        environ = {"QUERY_STRING": query}
        answer = hub.client.open(URL, method=method, headers=headers, data=body, environ_overrides=environ)
        assert answer.status_code < 500
        assert answer.data == (b"" if method == "HEAD" else GIF)

    always_an_image()
    assert messages(hub)
