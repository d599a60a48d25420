"""Bad webhooks through their door: refused, parked or ignored with a reason; never an error, never gone."""

from __future__ import annotations

import gzip
import io
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from journey.verdicts import messages, rows, told
from journey.world import World, world

from hub.steer import connections as steer
from hub.store import Store, contacts, conversions, inbound, now, orders
from hub.toolkit.signing import make_hmac

SECRET, ROLLED = "whsec_made_up", "whsec_rolled"
OTHER = "whsec_of_another_account"


@pytest.fixture
def hub(store: Store) -> Iterator[World]:
    with world(store) as made:
        yield made


class Stripe:
    """A Stripe source, and its sender, who can be told to do it wrong."""

    def __init__(self, hub: World, **given: Any) -> None:
        self.hub = hub
        self.row = hub.connect("stripe", "source", secret=[SECRET, ROLLED], **given)

    def post(self, body: bytes, signature: str | None = "", status: int = 200, **options: Any) -> Any:
        headers = dict(options.pop("headers", {}))
        if signature is not None:
            headers["Stripe-Signature"] = signature or sign(body)
        answer = self.hub.client.post(f"/in/{self.row['address']}", data=body, headers=headers, **options)
        assert answer.status_code == status, answer.data
        return answer


def sign(body: bytes, at: int | str | None = None, *secrets: str) -> str:
    stamp = int(time.time()) if at is None else at
    made = [make_hmac(f"{stamp}.".encode() + body, secret) for secret in secrets or (SECRET,)]
    return ",".join([f"t={stamp}", *(f"v1={one}" for one in made)])


def sale(number: Any, **event: Any) -> bytes:
    session = {
        "id": f"cs_{number}",
        "object": "checkout.session",
        "mode": "payment",
        "payment_status": "paid",
        "currency": "eur",
        "amount_total": 4900,
        "customer_details": {"email": "anna@example.com"},
    }
    whole = {
        "id": f"evt_{number}",
        "object": "event",
        "type": "checkout.session.completed",
        "created": int(time.time()),
        "livemode": True,
        "data": {"object": session | event.pop("session", {})},
    }
    return json.dumps(whole | event).encode()


def last(hub: World) -> str:
    return str(messages(hub)[-1]["reason"])


# -- signatures --------------------------------------------------------------------------------------------------------


def test_only_the_senders_own_bytes_signed_now_are_believed(hub: World) -> None:
    stripe, body, at = Stripe(hub), sale("a"), int(time.time())
    spaced = json.dumps(json.loads(body), indent=1).encode()
    wrong = {
        "signature_wrong": [
            (body, sign(body, at, OTHER)),
            (spaced, sign(body)),
            (body, f"v1={make_hmac(body, SECRET)}"),
            (body, sign(body, "yesterday")),
            (body, sign(body, "")),
            (body, sign(body).replace("v1=", "v0=")),
            (body, sign(body) + "," + "x" * 10_000),
            (body, "\xff\x00=,;"),
            (body, "t=,v1="),
            (body, f"t={at},v1=é"),
        ],
        "signature_too_old": [
            (body, sign(body, at - 3600)),
            (body, sign(body, "nan")),
        ],
        "signature_from_future": [
            (body, sign(body, at + 3600)),
            (body, sign(body, 10**15)),
            (body, sign(body, "1e400")),
        ],
        "signature_missing": [(body, None), (body, "  ")],
    }
    for reason, tries in wrong.items():
        for raw, signature in tries:
            answer = stripe.post(raw, signature, 401)
            assert answer.json["error"]["reason"] == reason, signature
            assert last(hub) == reason
    assert rows(hub, conversions.conversion) == []
    assert {(row["state"], row["trust"]) for row in messages(hub)} == {("refused", "claimed")}


class Slow(io.BytesIO):
    """A body that comes over a slow line: a read gives what has arrived."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(100 if size is None or size < 0 else min(size, 100))


@pytest.mark.parametrize(
    "way",
    [
        "plain",
        "second secret",
        "several",
        "twice",
        "lower case",
        "no content type",
        "wrong content type",
        "charset",
        "gzip",
        "chunked",
        "in pieces",
        "expect",
    ],
)
def test_a_genuine_message_is_taken_however_it_is_wrapped(hub: World, way: str) -> None:
    stripe, body = Stripe(hub), sale("b")
    at = int(time.time())
    good, bad = sign(body, at), make_hmac(body, OTHER)
    address = f"/in/{stripe.row['address']}"
    if way == "gzip":
        body = gzip.compress(body)
        stripe.post(body, headers={"Content-Encoding": "gzip"})
    elif way in ("chunked", "in pieces"):
        environ = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
        if way == "in pieces":
            environ = {"wsgi.input": Slow(body), "CONTENT_LENGTH": str(len(body))}
        answer = hub.client.post(address, headers={"Stripe-Signature": good}, environ_overrides=environ)
        assert answer.status_code == 200
    else:
        ways: dict[str, dict[str, Any]] = {
            "plain": {},
            "second secret": {"signature": sign(body, at, ROLLED)},
            "several": {"signature": f"{good.split(',')[0]},v1={bad},{good.split(',')[1]},v0={bad}"},
            "twice": {
                "signature": None,
                "headers": [("Stripe-Signature", good), ("Stripe-Signature", f"t={at},v1={bad}")],
            },
            "lower case": {"signature": None, "headers": {"stripe-signature": good}},
            "no content type": {},
            "wrong content type": {"content_type": "image/png"},
            "charset": {"content_type": "application/json; charset=klingon"},
            "expect": {"headers": {"Expect": "100-continue"}},
        }
        options = ways[way]
        if way == "twice":
            assert hub.client.post(address, data=body, headers=options["headers"]).status_code == 200
        else:
            stripe.post(body, **options)
    assert last(hub) == "order_added"
    assert [row["gross"] for row in rows(hub, orders.order)] == [49]


def test_a_secret_that_was_never_set_verifies_nothing(hub: World) -> None:
    address = hub.source("webhook", scheme="hmac_hex", header="X-Signature")
    body = b'{"order_id": "1"}'
    answer = hub.client.post(f"/in/{address}", data=body, headers={"X-Signature": make_hmac(body, "")})
    assert (answer.status_code, last(hub)) == (401, "secret_not_set")


# -- bodies ------------------------------------------------------------------------------------------------------------

DEEP = b'{"id": "evt_d", "object": "event", "livemode": true, "data": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"


def test_genuine_messages_that_nobody_can_read_are_parked(hub: World) -> None:
    stripe = Stripe(hub)
    cases = {
        "empty": b"",
        "spaces": b"  \n",
        "no JSON": b"<xml/>",
        "cut": sale("c")[:-40],
        "null": b"null",
        "text": b'"text"',
        "number": b"1e400",
        "array": b"[" + sale("c1") + b"]",
        "empty object": b"{}",
        "deep": DEEP,
        "NaN": b'{"a": NaN}',
        "no data": b'{"id": "evt_c2", "object": "event", "type": "invoice.paid", "livemode": true}',
        "null object": sale("c3", data={"object": None}),
        "wrong types": sale("c4", session={"amount_total": {"a": 1}}),
        "negative": sale("c5", session={"amount_total": -4900}),
        "huge": sale("c6", session={"amount_total": 10**30}),
        "no currency": sale("c7", session={"currency": None}),
        "not gzip": b"not gzip",
        "thin": b'{"object": "v2.core.event"}',
        "new status": sale("c8", session={"payment_status": "half"}),
        "latin": sale("c9").replace(b"anna", b"ann\xe9"),
    }

    def send(name: str) -> None:
        stripe.post(cases[name], headers={"Content-Encoding": "gzip"} if name == "not gzip" else {})

    told(hub, dict.fromkeys(cases, "not_understood") | {"no currency": "currency_unknown"}, send)
    assert {row["state"] for row in messages(hub)} == {"parked"}
    assert rows(hub, conversions.conversion) == []


def test_what_is_odd_but_clear_is_counted(hub: World) -> None:
    stripe = Stripe(hub)
    doubled = sale("d1").replace(b'"amount_total": 4900', b'"amount_total": 1, "amount_total": 4900')
    cases = {
        "twice the same key": doubled,
        "number as text": sale("d2", session={"amount_total": "4900"}),
        "unknown version": sale("d3", api_version="2099-01-01.tulip", novelty={"deep": [1, {}]}),
        "year 1970": sale("d4", created=1),
        "year 9999": sale("d5", created=253402300799),
        "no date": sale("d6", created=None),
        "NUL": sale("d7", session={"customer_details": {"email": "anna@example.com", "name": "A\x00nna \ud800"}}),
        "byte order mark": b"\xef\xbb\xbf" + sale("d8"),
        "UTF-16": sale("d9").decode().encode("utf-16"),
        "long": sale("d10", session={"metadata": {"note": "x" * 900_000}}),
        "long id": sale("d" * 900),
    }
    told(hub, dict.fromkeys(cases, "order_added"), lambda name: stripe.post(cases[name]))
    assert {row["gross"] for row in rows(hub, orders.order)} == {49}
    assert len(rows(hub, orders.order)) == len(cases)


def test_the_same_event_again_is_counted_as_a_copy_whatever_it_says(hub: World) -> None:
    stripe = Stripe(hub)
    stripe.post(sale("e"))
    stripe.post(sale("e", session={"amount_total": 100_000, "id": "cs_other"}))
    assert [row["reason"] for row in messages(hub)] == ["order_added", "duplicate_event"]
    assert [row["gross"] for row in rows(hub, orders.order)] == [49]


def test_a_body_that_is_too_large_or_cut_short_is_not_acknowledged(hub: World) -> None:
    stripe = Stripe(hub)
    stripe.post(b"x" * 5_000_000, status=413)
    (row,) = messages(hub)
    assert (row["reason"], row["state"], bytes(row["body"])) == ("too_large", "refused", b"")
    assert "5000000 bytes" in row["detail"]
    body = sale("f")
    environ = {"wsgi.input": io.BytesIO(body[:50]), "CONTENT_LENGTH": str(len(body))}
    answer = hub.client.post(
        f"/in/{stripe.row['address']}", headers={"Stripe-Signature": sign(body)}, environ_overrides=environ
    )
    assert (answer.status_code, answer.json["error"]["reason"]) == (400, "cut_short")
    assert len(messages(hub)) == 1


def test_a_bomb_of_gzip_is_parked(hub: World) -> None:
    stripe = Stripe(hub)
    stripe.post(gzip.compress(b" " * 20_000_000), headers={"Content-Encoding": "gzip"})
    assert last(hub) == "not_understood"


# -- meaning -----------------------------------------------------------------------------------------------------------


def test_live_at_a_test_address_and_the_reverse_count_nothing(hub: World) -> None:
    for mode, is_live, reason in (
        ("live", False, "event_not_used"),
        ("test", True, "event_not_used"),
        ("both", False, "test_not_counted"),
    ):
        Stripe(hub, mode=mode).post(sale(f"g{mode}", livemode=is_live))
        assert last(hub) == reason
    assert rows(hub, orders.ledger) == []


def test_an_unknown_event_is_ignored_and_a_known_one_of_a_paused_source_waits(hub: World) -> None:
    stripe = Stripe(hub)
    stripe.post(sale("h1", type="customer.created"))
    stripe.post(sale("h2", type="nobody.knows"))
    assert [row["reason"] for row in messages(hub)] == ["event_not_used", "event_not_used"]
    with hub.store.write() as tx:
        steer.pause(tx, now(), stripe.row["id"])
    stripe.post(sale("h3"))
    assert last(hub) == "source_paused"
    held = messages(hub)[-1]["id"]
    with hub.store.write() as tx:
        steer.resume(tx, now(), stripe.row["id"])
        inbound.read_again(tx, hub.workspace_id, [held], now())
    assert last(hub) == "order_added"


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-20T09:30:00Z",
        "2026-11-20T10:30:00+01:00",
        "2026-11-20 09:30:00",
        "2026-11-20T09:30:00.000000",
        1795167000,
        1795167000000,
        "1795167000",
        "Fri, 20 Nov 2026 09:30:00 GMT",
        "01:30:00 Nov 20, 2026 PST",
        "2026-11-20 01:30:00 PST",
    ],
)
def test_a_date_in_any_of_ten_forms_is_the_same_moment(hub: World, written: Any) -> None:
    address = hub.source("webhook")
    hub.client.post(f"/in/{address}", json={"order_id": "1", "created_at": written})
    assert last(hub) == "order_added"
    (row,) = rows(hub, conversions.conversion)
    assert (row["occurred_at"].isoformat(), row["data"]["flags"]) == ("2026-11-20T09:30:00+00:00", [])


@pytest.mark.parametrize(
    "written", ["1970-01-01", "9999-12-31T23:59:59Z", 0, -1, 1e300, "soon", "2026-13-45", [], {}, True]
)
def test_a_date_that_is_none_is_replaced_by_the_arrival(hub: World, written: Any) -> None:
    address = hub.source("webhook")
    hub.client.post(f"/in/{address}", json={"order_id": "1", "created_at": written})
    assert last(hub) == "order_added"
    (row,), (message,) = rows(hub, conversions.conversion), messages(hub)
    assert row["occurred_at"] == message["received_at"]


def test_a_form_in_an_odd_charset_names_the_same_person(hub: World) -> None:
    address = hub.source("webhook")
    body = "order_id=1&email=anna%40example.com&first_name=J%E9r%F4me&amount=49,00&currency=EUR".encode("cp1252")
    hub.client.post(f"/in/{address}", data=body, content_type="application/x-www-form-urlencoded; charset=windows-1252")
    assert last(hub) == "order_added"
    assert rows(hub, contacts.contact)[0]["email"] == "anna@example.com"


def test_numbers_as_texts_and_texts_as_numbers(hub: World) -> None:
    address = hub.source("webhook")
    hub.client.post(f"/in/{address}", json={"order_id": 1001, "amount": "49.00", "currency": "EUR", "email": "a@b.fr"})
    hub.client.post(f"/in/{address}", json={"order_id": "1001", "amount": 49, "currency": "EUR", "customer_id": 7})
    assert [row["reason"] for row in messages(hub)] == ["order_added", "amount_replaced"]
    assert [row["gross"] for row in rows(hub, orders.order)] == [49]


def test_set_up_calls_are_answered_and_not_kept(hub: World) -> None:
    address = f"/in/{hub.source('webhook')}"
    challenge = {"type": "url_verification", "challenge": "abc123"}
    assert hub.client.post(address, json=challenge).data == b"abc123"
    assert hub.client.post(address, json={**challenge, "challenge": "<script>"}).status_code == 200
    for method in ("GET", "HEAD", "OPTIONS"):
        assert hub.client.open(address, method=method).status_code == 200
    assert [row["reason"] for row in messages(hub)] == ["no_usable_identity"]


def test_an_address_nobody_has_is_said_to_be_unknown(hub: World) -> None:
    for guess in ("x", "%00", "x" * 5000, "..%2f", "%F0%9F%8E%A8", "a%20b"):
        answer = hub.client.post(f"/in/{guess}", data=b"{}")
        assert answer.status_code == 404, guess
    assert messages(hub) == []
