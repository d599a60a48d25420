"""Stripe: the published signature scheme, units of odd currencies, and one sale told by many objects."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from senders import message, read, read_back_and_read, reply, trust, vector

from connectors.stripe.source import Stripe
from hub.contract import Call, Inbound, Kind, NotUnderstood, NotVerified, Refused, Reply, Stage, Trust

SOURCE = Stripe()
VECTOR = vector("stripe")
HEADER = "Stripe-Signature"
SIGNED = datetime.fromtimestamp(VECTOR["signed_at"], UTC)
SIGNATURE: str = VECTOR["headers"][HEADER]
GOOD = SIGNATURE.partition("v1=")[2]
SECRET = {"secret": VECTOR["secret"]}


def sent(signature: str | None = SIGNATURE, body: str = VECTOR["body"], late: int = 0) -> Inbound:
    headers = {} if signature is None else {HEADER: signature}
    return message(body, headers, SIGNED + timedelta(seconds=late))


def event(kind: str, thing: dict[str, Any], **more: Any) -> Inbound:
    data = {"object": thing, **more}
    return message(
        {"id": "evt_1", "object": "event", "type": kind, "created": 1763720000, "livemode": True, "data": data}
    )


def session(**more: Any) -> dict[str, Any]:
    sale = {"id": "cs_1", "object": "checkout.session", "mode": "payment", "payment_status": "paid"}
    return {**sale, "amount_total": 4900, "currency": "eur", "payment_intent": "pi_1", **more}


def signed_with(key: bytes, time: str = str(VECTOR["signed_at"])) -> str:
    digest = hmac.new(key, f"{time}.{VECTOR['body']}".encode(), hashlib.sha256).hexdigest()
    return f"t={time},v1={digest}"


def test_the_derived_vector_verifies() -> None:
    assert trust(SOURCE, sent(), SECRET) is Trust.PROVEN


def test_one_good_signature_among_several_is_enough() -> None:
    assert trust(SOURCE, sent(VECTOR["headers_rotation"][HEADER]), SECRET) is Trust.PROVEN


def test_either_secret_verifies_while_the_secret_is_rolled() -> None:
    assert trust(SOURCE, sent(), {"secret": ["whsec_next", VECTOR["secret"]]}) is Trust.PROVEN


@pytest.mark.parametrize("late", [300, -300])
def test_five_minutes_either_way_are_accepted(late: int) -> None:
    assert trust(SOURCE, sent(late=late), SECRET) is Trust.PROVEN


@pytest.mark.parametrize("late", [301, -301, 86_400 * 365])
def test_a_stale_or_future_signature_is_refused(late: int) -> None:
    with pytest.raises(NotVerified) as refused:
        trust(SOURCE, sent(late=late), SECRET)
    assert refused.value.reason == ("signature_from_future" if late < 0 else "signature_too_old")


@pytest.mark.parametrize(
    "inbound",
    [
        sent(body=VECTOR["body"].replace("2000", "9000")),
        sent(None),
        sent(""),
        sent(f"v1={GOOD}"),
        sent(f"t={VECTOR['signed_at']}"),
        sent(f"t={VECTOR['signed_at']},v0={GOOD}"),
        sent(f"t={VECTOR['signed_at']},v1="),
        sent(f"t={VECTOR['signed_at'] + 1},v1={GOOD}"),
        sent(f"t=nan,v1={GOOD}"),
        sent(signed_with(VECTOR["secret"].removeprefix("whsec_").encode())),
        sent(f"{SIGNATURE},{'v1=0,' * 2000}"),
    ],
    ids=[
        "body changed",
        "no header",
        "empty header",
        "no time",
        "no signature",
        "only v0",
        "empty v1",
        "another time",
        "time is NaN",
        "key without whsec_",
        "endless header",
    ],
)
def test_a_mutated_message_is_refused(inbound: Inbound) -> None:
    with pytest.raises(NotVerified):
        trust(SOURCE, inbound, SECRET)


@pytest.mark.parametrize("secret", ["", [], "whsec_wrong"])
def test_a_wrong_or_empty_secret_is_refused(secret: Any) -> None:
    with pytest.raises(NotVerified):
        trust(SOURCE, sent(signed_with(b"")), {"secret": secret})


@pytest.mark.parametrize(
    ("currency", "minor", "value"),
    [
        ("usd", 4900, "49.00"),
        ("jpy", 4900, "4900"),
        ("kwd", 4900, "4.900"),
        ("mga", 4900, "4900"),
        ("isk", 500, "5.00"),
        ("ugx", 500, "5.00"),
        ("huf", 4900, "49.00"),
    ],
)
def test_amounts_follow_stripe_s_own_units(currency: str, minor: int, value: str) -> None:
    [sale] = read(SOURCE, event("checkout.session.completed", session(currency=currency, amount_total=minor)))
    assert (str(sale.value), sale.currency) == (value, currency.upper())


def test_every_telling_of_one_sale_shares_an_id() -> None:
    intent = {"id": "pi_1", "object": "payment_intent", "amount": 4900, "currency": "eur", "latest_charge": "ch_1"}
    charge = {"id": "ch_1", "object": "charge", "amount_refunded": 100, "currency": "eur", "payment_intent": "pi_1"}
    case = {"id": "dp_1", "object": "dispute", "amount": 4900, "currency": "eur", "charge": "ch_1", "status": "lost"}
    told = [
        event("checkout.session.completed", session()),
        event("payment_intent.payment_failed", intent),
        event("charge.refunded", charge),
        event("charge.dispute.closed", case | {"payment_intent": "pi_1"}),
    ]
    names = [{one.order_id, *one.order_aliases} for each in told for one in read(SOURCE, each)]
    assert len(names) == 4
    assert set.intersection(*names) == {"pi_1"}


def test_intents_and_charges_are_the_purchase_only_when_chosen() -> None:
    intent = {"id": "pi_1", "object": "payment_intent", "amount_received": 4900, "currency": "eur"}
    paid = event("payment_intent.succeeded", intent)
    assert read(SOURCE, paid) == []
    [sale] = read(SOURCE, paid, {"purchase_events": "payments"})
    assert (sale.stage, sale.value) == (Stage.PURCHASE, Decimal("49.00"))
    assert read(SOURCE, event("checkout.session.completed", session()), {"purchase_events": "payments"}) == []


@pytest.mark.parametrize(("mode", "count"), [("both", 1), ("live", 1), ("test", 0)])
def test_a_live_event_counts_unless_only_tests_are_wanted(mode: str, count: int) -> None:
    assert len(read(SOURCE, event("checkout.session.completed", session()), {"mode": mode})) == count


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("subscription_create", Kind.CONVERSION),
        ("manual", Kind.CONVERSION),
        ("subscription_cycle", Kind.RENEWAL),
        ("subscription_update", Kind.RENEWAL),
    ],
)
def test_a_later_period_of_a_subscription_is_a_renewal(reason: str, kind: Kind) -> None:
    invoice = {"id": "in_1", "object": "invoice", "amount_paid": 1500, "currency": "eur", "billing_reason": reason}
    [sale] = read(SOURCE, event("invoice.paid", invoice))
    assert (sale.kind, sale.stage, sale.order_id) == (kind, Stage.PURCHASE, "in_1")


def test_a_subscription_s_first_invoice_joins_its_checkout_session() -> None:
    plan = session(mode="subscription", payment_intent=None, invoice="in_1", subscription="sub_1")
    invoice = {"id": "in_1", "object": "invoice", "amount_paid": 4900, "currency": "eur", "subscription": "sub_1"}
    [opened] = read(SOURCE, event("checkout.session.completed", plan))
    [paid] = read(SOURCE, event("invoice.paid", invoice | {"billing_reason": "subscription_create"}))
    assert (opened.order_id, opened.subscription_id) == (paid.order_id, paid.subscription_id) == ("in_1", "sub_1")


@pytest.mark.parametrize("amount", [None, "", -1, "12.5", True, 10**30])
def test_a_purchase_without_a_usable_amount_is_parked(amount: Any) -> None:
    with pytest.raises(NotUnderstood):
        read(SOURCE, event("checkout.session.completed", session(amount_total=amount)))


def test_a_free_purchase_is_worth_nothing_and_is_one() -> None:
    free = session(amount_total=0, payment_status="no_payment_required", payment_intent=None)
    [sale] = read(SOURCE, event("checkout.session.completed", free))
    assert (sale.stage, sale.value, sale.order_id) == (Stage.PURCHASE, Decimal("0.00"), "cs_1")


def test_a_thin_event_says_what_to_choose_instead() -> None:
    thin = {"id": "evt_1", "object": "v2.core.event", "type": "v1.billing.meter.error", "related_object": {}}
    with pytest.raises(NotUnderstood, match="snapshot"):
        read(SOURCE, message(thin))


def test_the_products_of_a_checkout_sale_are_read_back() -> None:
    asked: list[Call] = []

    def answer(call: Call) -> Reply:
        asked.append(call)
        line = {"description": "Course", "price": {"id": "price_1", "product": "prod_1"}, "quantity": 2}
        return reply({"data": [line | {"amount_total": 4900}]})

    sale = event("checkout.session.completed", session(id="cs_1/../x"))
    [read_sale] = read_back_and_read(SOURCE, sale, {"api_key": "rk_1"}, answer)
    assert [call.url for call in asked] == ["https://api.stripe.com/v1/checkout/sessions/cs_1%2F..%2Fx/line_items"]
    assert [(item.product_id, item.name, item.price) for item in read_sale.items] == [
        ("prod_1", "Course", Decimal("24.50"))
    ]


def test_a_key_that_may_not_read_costs_the_products_only() -> None:
    def refuse(call: Call) -> Reply:
        raise Refused("The key may not read this.", status=403)

    [sale] = read_back_and_read(SOURCE, event("checkout.session.completed", session()), {"api_key": "rk_1"}, refuse)
    assert (sale.value, sale.items) == (Decimal("49.00"), [])


def test_nothing_is_read_back_without_a_key() -> None:
    settings = SOURCE.Settings().load({})
    assert not SOURCE.needs_fetch(event("checkout.session.completed", session()), settings)
