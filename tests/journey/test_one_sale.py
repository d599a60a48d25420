"""One sale, told by many messages in any order, any number of times, in any batches: one order, the right ledger."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from journey.sale import Atelier, Told, at, paypal, pixel, stripe, thinkific, webhook

from hub.contract import Trust
from hub.store import Store

EXAMPLES = int(os.environ.get("HUB_TEST_EXAMPLES", "10"))  # of each sale; a few hundred look deeper, and take minutes

BUYER = {"payer_id": "PAYER1", "email_address": "Anna@Example.com", "name": {"given_name": "Anna", "surname": "Roy"}}
EUR_49 = {"value": "49.00", "currency_code": "EUR"}
OF_ORDER = {"supplementary_data": {"related_ids": {"order_id": "PPORDER"}}}

PAYPAL = [
    pixel(
        1, email="anna@example.com", orderId="PPORDER", amount="49.00", currency="EUR", webinarId="3", firstName="A."
    ),
    paypal(0, "CHECKOUT.ORDER.APPROVED", id="PPORDER", payer=BUYER, purchase_units=[{"amount": EUR_49}]),
    paypal(2, "PAYMENT.CAPTURE.COMPLETED", id="PPCAPTURE", amount=EUR_49, **OF_ORDER),
    paypal(
        3,
        "CHECKOUT.ORDER.COMPLETED",
        id="PPORDER",
        payer=BUYER,
        purchase_units=[{"amount": EUR_49, "payments": {"captures": [{"id": "PPCAPTURE", "status": "COMPLETED"}]}}],
    ),
    pixel(4, orderId="pporder", amount="1", currency="EUR", webinarId="3", consent="ads"),
    pixel(5, email="anna@example.com", orderId="#PPORDER", amount="4900", currency="EUR", webinarId="4"),
    paypal(
        6,
        "PAYMENT.CAPTURE.REFUNDED",
        id="PPREFUND",
        amount={"value": "10.00", "currency_code": "EUR"},
        supplementary_data={"related_ids": {"capture_id": "PPCAPTURE"}},
    ),
    paypal(
        7,
        "CUSTOMER.DISPUTE.CREATED",
        dispute_id="PPDISPUTE",
        dispute_amount=EUR_49,
        disputed_transactions=[{"seller_transaction_id": "PPCAPTURE"}],
    ),
    paypal(
        9,
        "CUSTOMER.DISPUTE.RESOLVED",
        dispute_id="PPDISPUTE",
        dispute_amount=EUR_49,
        dispute_outcome={"outcome_code": "RESOLVED_SELLER_FAVOUR"},
        disputed_transactions=[{"seller_transaction_id": "PPCAPTURE"}],
    ),
]


def test_a_paypal_sale(store: Store) -> None:
    books = in_any_order(store, PAYPAL)
    assert set(books.orders()) == {"PPORDER"}
    order = books.orders()["PPORDER"]
    assert (order["gross"], order["refunded"], order["disputed"], order["status"]) == (49, 10, 0, "paid")
    purchase = one(books, stage="purchase")
    assert (purchase["trust"], purchase["value"], purchase["state"]) == ("proven", 49, "counted")
    assert purchase["data"]["campaigns"]["ids"] == ["3", "4"]


def charge(minute: int, number: str) -> Told:
    return paypal(
        minute,
        "PAYMENT.SALE.COMPLETED",
        id=f"SALE{number}",
        billing_agreement_id="I-PLAN",
        amount={"total": "19.00", "currency": "EUR"},
    )


PAYPAL_PLAN = [
    charge(1, "A"),
    charge(31, "B"),
    charge(59, "C"),
    pixel(32, orderId="SALEB", amount="19.00", currency="EUR", email="anna@example.com"),
    pixel(33, orderId="SALEC", amount="19.00", currency="EUR", time="2026-01-01T00:00:00Z"),
    paypal(40, "PAYMENT.SALE.REFUNDED", id="RB", sale_id="SALEB", amount={"total": "19.00", "currency": "EUR"}),
    paypal(70, "BILLING.SUBSCRIPTION.CANCELLED", id="I-PLAN", subscriber={"email_address": "anna@example.com"}),
]


def test_a_paypal_subscription_has_one_new_sale_and_the_rest_are_renewals(store: Store) -> None:
    books = in_any_order(store, PAYPAL_PLAN)
    kinds = {row["data"]["order_id"]: row["kind"] for row in books.conversions() if row["stage"] == "purchase"}
    assert kinds == {"SALEA": "conversion", "SALEB": "renewal", "SALEC": "renewal"}
    assert {name: row["status"] for name, row in books.orders().items()} == {
        "SALEA": "paid",
        "SALEB": "refunded",
        "SALEC": "paid",
    }


CUSTOMER = {"email": "anna@example.com", "name": "Anna Roy"}
REFUNDED = {"id": "ch_1", "object": "charge", "payment_intent": "pi_1", "billing_details": CUSTOMER}
NOTHING_YET = {"amount_refunded": 0}

STRIPE = [
    stripe(
        1,
        "payment_intent.payment_failed",
        id="pi_1",
        object="payment_intent",
        amount=4900,
        last_payment_error={"message": "Card declined"},
    ),
    stripe(
        3,
        "checkout.session.completed",
        id="cs_1",
        object="checkout.session",
        mode="payment",
        payment_status="paid",
        amount_total=4900,
        payment_intent="pi_1",
        customer_details=CUSTOMER,
        metadata={"webinarId": "3"},
    ),
    pixel(4, orderId="cs_1", email="anna@example.com", amount="49", currency="EUR", tag="launch"),
    stripe(10, "charge.refunded", **REFUNDED, amount_refunded=1000, before=NOTHING_YET),
    stripe(11, "charge.refunded", **REFUNDED, amount_refunded=2000, before={"amount_refunded": 1000}),
    stripe(12, "refund.created", id="re_1", object="refund", amount=1000, payment_intent="pi_1", status="succeeded"),
    stripe(13, "refund.created", id="re_2", object="refund", amount=1000, payment_intent="pi_1", status="succeeded"),
    stripe(14, "refund.updated", id="re_2", object="refund", amount=1000, payment_intent="pi_1", status="succeeded"),
]


def test_a_stripe_sale_whose_refunds_are_told_by_two_kinds_of_event(store: Store) -> None:
    books = in_any_order(store, STRIPE)
    (order,) = books.orders().values()
    assert (order["gross"], order["refunded"], order["status"]) == (49, 20, "paid")
    assert one(books, stage="lead")["state"] == "recovered"


def invoice(minute: int, number: str, event: str = "paid", **more: Any) -> Told:
    amounts = {"amount_paid": 1900, "amount_due": 1900, "customer": "cus_1", "customer_email": "anna@example.com"}
    return stripe(minute, f"invoice.{event}", id=number, object="invoice", subscription="sub_1", **amounts, **more)


STRIPE_PLAN = [
    stripe(
        1,
        "checkout.session.completed",
        id="cs_9",
        object="checkout.session",
        mode="subscription",
        payment_status="paid",
        amount_total=1900,
        invoice="in_1",
        subscription="sub_1",
        customer="cus_1",
        customer_details=CUSTOMER,
    ),
    invoice(2, "in_1", billing_reason="subscription_create", payment_intent="pi_9"),
    invoice(31, "in_2", "payment_failed", billing_reason="subscription_cycle"),
    invoice(33, "in_2", billing_reason="subscription_cycle"),
    stripe(40, "charge.refunded", **REFUNDED | {"payment_intent": "pi_9", "amount_refunded": 1900}, before=NOTHING_YET),
    stripe(50, "customer.subscription.deleted", id="sub_1", object="subscription", customer="cus_1"),
]


def test_a_stripe_subscription(store: Store) -> None:
    books = in_any_order(store, STRIPE_PLAN)
    assert {name: (row["gross"], row["status"]) for name, row in books.orders().items()} == {
        "in_1": (19, "refunded"),
        "in_2": (19, "paid"),
    }


STUDENT = {"id": 7, "email": "anna@example.com", "first_name": "Anna", "last_name": "Roy"}
COURSE = {"id": 73, "order_number": "1001", "amount_cents": 9900, "user": STUDENT, "product_name": "Watercolors"}


def transaction(minute: int, action: str, **more: Any) -> Told:
    order = {**COURSE, "order_number": None, "created_at": at(0)}  # not every message says the number
    own = {"id": 22, "amount": 99, "currency": "eur", "created_at": at(1), "refunded": False, "order": order, **more}
    return thinkific(minute, f"order_transaction.{action}", **own)


THINKIFIC = [
    thinkific(0, "user.signup", created_at=at(-9), **STUDENT),
    pixel(1, orderId="1001", amount="99.00", currency="EUR", productName="Watercolors", webinarId="3"),
    pixel(2, orderId="1001", amount="99.00", currency="EUR", consent="1"),
    transaction(3, "succeeded"),
    thinkific(4, "order.created", created_at=at(0), **COURSE),
    transaction(20, "refunded", refunded=True, refunded_amount=99),
]


def test_a_thinkific_sale_whose_page_knows_only_the_number(store: Store) -> None:
    books = in_any_order(store, THINKIFIC)
    (order,) = books.orders().values()
    assert (order["display_id"], order["gross"], order["refunded"], order["status"]) == ("73", 99, 99, "refunded")
    assert order["currency"] == "EUR"


VISITOR = "v1.k3Jx8sQ2nWm5tR7y"

PEOPLE = [
    pixel(0, cookie=VISITOR, stage="ViewContent", webinarId="3"),
    pixel(1, cookie=VISITOR, stage="AddToCart", webinarId="3", gclid="G1"),
    pixel(2, cookie=VISITOR, amount="49", currency="EUR", webinarId="3"),
    pixel(3, email="anna@example.com", amount="59", currency="EUR", webinarId="3"),
    pixel(4, cookie=VISITOR, orderId="1001", amount="49", currency="EUR", email="typo@example.com", firstName="Typo"),
    pixel(5, cookie=VISITOR, orderId="1001", amount="49", currency="EUR", consent="0"),
    webhook(
        6,
        trust=Trust.PROVEN,
        order_id="1001",
        amount="49.00",
        currency="EUR",
        email="anna@example.com",
        customer_id="c1",
        first_name="Anna",
        consent="1",
    ),
    webhook(7, kind="cancellation", customer_id="c1"),
    webhook(8, kind="contact", customer_id="c1", last_name="Roy"),
    pixel(9, stage="lead", email="anna@example.com", webinarId="3", firstName="Annie"),
]


def test_people_known_by_cookie_by_two_addresses_and_by_a_customer_number(store: Store) -> None:
    books = in_any_order(store, PEOPLE)
    assert books.orders()["1001"]["gross"] == 49
    # The hits without an order id are one sale of that person for that webinar, worth what the latest says.
    assert books.orders()[""]["gross"] == 59
    names = {name: data.get("first_name") for name, data in books.books()["contacts"]}
    assert names == {"email:anna@example.com": "Anna", "email:typo@example.com": "Typo"}


def test_a_person_known_by_cookie_only_becomes_the_one_who_gives_an_address(store: Store) -> None:
    messages = [
        pixel(0, cookie=VISITOR, stage="ViewContent", webinarId="3", consent="analytics", gclid="G1"),
        pixel(1, cookie=VISITOR, stage="AddToCart", webinarId="3", phone="0102030405"),
        pixel(2, cookie=VISITOR, amount="49", currency="EUR", webinarId="3"),
        pixel(3, email="anna@example.com", amount="59", currency="EUR", webinarId="3"),
        pixel(4, stage="ViewContent", email="anna@example.com", webinarId="3"),
        pixel(5, cookie=VISITOR, orderId="7", email="anna@example.com", consent="email,analytics"),
    ]
    books = in_any_order(store, messages)
    ((name, told),) = books.books()["contacts"]
    assert (name, told["phone"]) == ("email:anna@example.com", "0102030405")
    assert len([row for row in books.conversions() if row["stage"] == "view_content"]) == 1
    assert {name: row["gross"] for name, row in books.orders().items()} == {"7": 0, "": 59}


def test_a_test_takes_no_real_money_out_of_the_books_and_adds_none(store: Store) -> None:
    messages = [
        pixel(1, orderId="5", email="a@b.fr", amount="10", currency="EUR"),
        pixel(2, orderId="5", email="a@b.fr", amount="99", currency="EUR", test="1"),
        webhook(3, order_id="5", kind="refund", refund_id="r", amount="4", currency="EUR"),
        webhook(4, trust=Trust.PROVEN, order_id="6", email="a@b.fr", amount="12", currency="EUR", test=True),
        pixel(5, orderId="6", email="a@b.fr", amount="12", currency="EUR"),
    ]
    books = in_any_order(store, messages)
    assert (books.orders()["5"]["gross"], books.orders()["5"]["refunded"]) == (10, 4)
    assert (books.orders()["6"]["gross"], books.orders()["6"]["test"]) == (0, True)


def test_amount_currency_and_status_change_until_the_last_word(store: Store) -> None:
    messages = [
        webhook(1, order_id="8", kind="pending", amount="50", currency="EUR", email="a@b.fr"),
        webhook(2, order_id="8", stage="lead", email="a@b.fr", reason="refused"),
        webhook(3, order_id="8", email="a@b.fr"),
        webhook(4, order_id="8", amount="50", currency="EUR", email="a@b.fr"),
        webhook(5, order_id="8", amount="40", currency="USD", email="a@b.fr"),
        pixel(500_000, orderId="8", amount="45", currency="USD", email="A@B.FR"),
    ]
    books = in_any_order(store, messages)
    order = books.orders()["8"]
    assert (order["gross"], order["currency"], order["status"]) == (45, "USD", "paid")


def test_one_event_id_with_two_contents_counts_once_and_always_the_same(store: Store) -> None:
    messages = [
        webhook(1, event_id="e", order_id="9", amount="10", currency="EUR", email="a@b.fr"),
        webhook(2, event_id="e", order_id="9", amount="12", currency="EUR", email="a@b.fr"),
        webhook(3, event_id="e", order_id="10", amount="12", currency="EUR", email="a@b.fr"),
    ]
    books = in_any_order(store, messages)
    assert {name: row["gross"] for name, row in books.orders().items()} == {"9": 10}


# -- the property ------------------------------------------------------------------------------------------------------


def in_any_order(store: Store, messages: list[Told]) -> Atelier:
    """The books of the messages as they come, after having seen that every other way of coming ends the same."""
    plain = Atelier(store)
    for message in messages:
        plain.read([message])
    assert {state for state, _, _ in plain.verdicts()} == {"done"}, plain.verdicts()
    expected = plain.books()
    assert expected["strays"] == 0

    @settings(
        max_examples=EXAMPLES if store.sqlite else 2,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[phase for phase in Phase if phase is not Phase.shrink],
    )
    @given(arrivals(len(messages)))
    def ends_the_same(batches: list[list[int]]) -> None:
        atelier = Atelier(store)
        for batch in batches:
            atelier.read([messages[place] for place in batch])
        found = atelier.books()
        for part, rows in expected.items():
            assert found[part] == rows, part

    ends_the_same()
    return plain


@st.composite
def arrivals(draw: st.DrawFn, count: int) -> list[list[int]]:
    """Every message at least once, some again, in any order, cut into batches anywhere."""
    again = draw(st.lists(st.integers(0, count - 1), max_size=4))
    order = draw(st.permutations([*range(count), *again]))
    batches: list[list[int]] = [[]]
    for place in order:
        if batches[-1] and draw(st.booleans()):
            batches.append([])
        batches[-1].append(place)
    return batches


def one(books: Atelier, **wanted: Any) -> Any:
    (found,) = [row for row in books.conversions() if all(row[name] == value for name, value in wanted.items())]
    return found
