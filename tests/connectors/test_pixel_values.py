"""What a pixel's hit says: amounts and currencies, stage, time, consent."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hits import NOW, read, reason, settings
from marshmallow import ValidationError

from hub.contract import Stage

# Money


@pytest.mark.parametrize(
    ("query", "value", "currency"),
    [
        ("amount=49.99&currency=USD", "49.99", "USD"),
        ("amount=49.99&currency=usd", "49.99", "USD"),
        ("amount=49.99&currency=US$", "49.99", "USD"),
        ("amount=49,99&currency=%E2%82%AC", "49.99", "EUR"),
        ("amount=%E2%82%AC49.99", "49.99", "EUR"),
        ("amount=4%C2%A0999&currency=EUR", "4999", "EUR"),
        ("amount=+5&currency=EUR", "5", "EUR"),
        ("amount=%2B5&currency=EUR", "5", "EUR"),
        ("amount=0&currency=EUR", "0", "EUR"),
        ("amount=4999&currency=JPY", "4999", "JPY"),
        ("amount=1.234&currency=KWD", "1.234", "KWD"),
        ("amount=5&amount=5&currency=EUR&currency=eur", "5", "EUR"),
    ],
)
def test_money_is_read_with_its_currency(query, value, currency):
    conversion = read(f"orderId=1&{query}")
    assert (conversion.value, conversion.currency) == (Decimal(value), currency)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("amount=12.345&currency=EUR", "amount_not_readable"),
        ("amount=-49.99&currency=EUR", "amount_not_readable"),
        ("amount=1e3&currency=EUR", "amount_not_readable"),
        ("amount=1e309&currency=EUR", "amount_not_readable"),
        ("amount=0x10&currency=EUR", "amount_not_readable"),
        ("amount=free&currency=EUR", "amount_not_readable"),
        ("amount=5&amount=6&currency=EUR", "amount_not_readable"),
        ("amount=49.99", "currency_unknown"),
        ("amount=$49.99", "currency_unknown"),
        ("amount=49.99&currency=XXX", "currency_unknown"),
        ("amount=49.99&currency=BTC", "currency_unknown"),
        ("amount=49.99&currency=EURO", "currency_unknown"),
        ("amount=49.99&currency=EUR&currency=USD", "currency_unknown"),
        ("amount=49.99%20%E2%82%AC&currency=USD", "currency_unknown"),
    ],
)
def test_money_that_cannot_be_counted_is_kept_with_its_reason(query, expected):
    assert reason(f"orderId=1&{query}") == expected


def test_the_default_currency_fills_a_gap_and_nothing_else():
    assert read("orderId=1&amount=5", currency="CHF").currency == "CHF"
    assert reason("orderId=1&amount=5&currency=BTC", currency="CHF") == "currency_unknown"
    assert read("orderId=1", currency="CHF").currency is None


@pytest.mark.parametrize("amount", ["0.99", "5000.01"])
def test_an_amount_outside_the_limits_is_kept(amount):
    assert reason(f"orderId=1&amount={amount}&currency=EUR", minimum=1, maximum=5000) == "amount_outside_limits"


@pytest.mark.parametrize("query", ["amount=1", "amount=5000", "amount=", ""])
def test_an_amount_at_the_limits_and_no_amount_are_inside(query):
    assert read(f"orderId=1&currency=EUR&{query}", minimum=1, maximum=5000).order_id == "1"


def test_limits_the_wrong_way_round_are_refused_in_the_form():
    with pytest.raises(ValidationError):
        settings(minimum=10, maximum=5)


# Stage, time, test, consent


@pytest.mark.parametrize("name", ["AddToCart", "add_to_cart", "addtocart", "Add to cart", "ADD-TO-CART"])
def test_a_stage_may_be_named_in_any_spelling(name):
    assert read(f"orderId=1&stage={name}").stage is Stage.ADD_TO_CART


def test_the_stage_is_the_sources_when_the_hit_names_none():
    assert read("orderId=1&stage={{stage}}", stage="lead").stage is Stage.LEAD


def test_a_stage_that_is_none_is_not_counted_as_a_purchase():
    assert reason("orderId=1&stage=refund") == "event_not_used"


@pytest.mark.parametrize(
    ("text", "moment", "flags"),
    [
        ("2026-11-20T09:30:00Z", datetime(2026, 11, 20, 9, 30, tzinfo=UTC), []),
        ("2026-11-20T10:30:00+01:00", datetime(2026, 11, 20, 9, 30, tzinfo=UTC), []),
        ("2026-11-20 09:30", datetime(2026, 11, 20, 9, 30, tzinfo=UTC), []),
        ("1795167000", datetime(2026, 11, 20, 9, 30, tzinfo=UTC), []),
        ("", NOW, []),
        ("yesterday", NOW, ["date_replaced"]),
        ("1970-01-01", NOW, ["date_replaced"]),
        ("9999-12-31", NOW, ["date_replaced"]),
        ("2026-12-24", NOW, ["date_replaced"]),
    ],
)
def test_a_back_dated_hit_keeps_its_own_date_and_an_impossible_one_takes_todays(text, moment, flags):
    conversion = read(f"orderId=1&time={text}")
    assert (conversion.occurred_at, conversion.flags) == (moment, flags)


@pytest.mark.parametrize(("text", "expected"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_a_test_purchase_says_so(text, expected):
    assert read(f"orderId=1&test={text}").test is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (None, None, None)),
        ("1", (True, True, True)),
        ("0", (False, False, False)),
        ("ads,email", (True, True, False)),
        ("Analytics", (False, False, True)),
        ("whatever", (None, None, None)),
    ],
)
def test_consent_is_what_was_named_and_unknown_when_nothing_was(text, expected):
    consent = read(f"orderId=1&consent={text}").consent
    assert (consent.ads, consent.email, consent.analytics) == expected
