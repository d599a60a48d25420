"""Amounts and currencies as people and checkouts write them. The rule is in hub/toolkit/amounts.py."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.contract import NotUnderstood
from hub.contract.money import EXPONENTS
from hub.toolkit.amounts import currencies_in, parse_amount, read_currency, read_money

READ = [
    ("49.99", "EUR", "49.99"),
    ("49,99", "EUR", "49.99"),
    ("1.234,56", "EUR", "1234.56"),
    ("1,234.56", "EUR", "1234.56"),
    ("$49.99", "USD", "49.99"),
    ("49.99 €", "EUR", "49.99"),
    ("49,99€", "EUR", "49.99"),
    ("EUR 49.99", "EUR", "49.99"),
    ("$49.99 USD", "USD", "49.99"),
    ("R$ 1.234,56", "BRL", "1234.56"),
    ("kr 500", "SEK", "500"),
    ("4 999", "EUR", "4999"),
    ("4\u00a0999,00 €", "EUR", "4999.00"),
    ("4\u202f999", "EUR", "4999"),
    ("1'234.50", "CHF", "1234.50"),
    ("1,23,456.00", "INR", "123456.00"),
    ("1.234.567", "EUR", "1234567"),
    ("٤٩٫٩٩", "EUR", "49.99"),
    ("\u200f49.99\u200b", "EUR", "49.99"),
    ("+5", "EUR", "5"),
    ("0", "EUR", "0"),
    (".5", "EUR", "0.5"),
    ("5.", "EUR", "5"),
    ("49,-", "EUR", "49"),
    ("49.9900", "EUR", "49.99"),
    ("49.989999999999995", "EUR", "49.99"),
    ("4999", "JPY", "4999"),
    ("¥4,999", "JPY", "4999"),
    ("4.999", "JPY", "4999"),
    ("4999.00", "JPY", "4999"),
    ("1.234", "KWD", "1.234"),
    ("0.001", "KWD", "0.001"),
    ("1,234", "EUR", "1234"),
    ('49.99"/>', "EUR", "49.99"),
    ("&euro;49.99", "EUR", "49.99"),
]
REFUSED = [
    ("-49.99", "EUR", "negative"),
    ("−49.99", "EUR", "negative"),
    ("-$5", "USD", "negative"),
    ("(49.99)", "EUR", "negative"),
    ("0.001", "EUR", "more decimals"),
    ("49.99", "JPY", "more decimals"),
    ("12.345", "EUR", "two ways"),
    ("12,345", "KWD", "two ways"),
    ("1e3", "EUR", "exponent"),
    ("1e309", "EUR", "exponent"),
    ("Infinity", "EUR", "finite"),
    ("NaN", "EUR", "finite"),
    ("0x10", "EUR", "hexadecimal"),
    ("1" * 40, "EUR", "too large"),
    ("1" * 400, "EUR", "too long"),
    ("12,34,56", "EUR", "no usual way"),
    ("4 99", "EUR", "no usual way"),
    ("1.234.56", "EUR", "no usual way"),
    ("5²", "EUR", "not a number"),
    ("free", "EUR", "not a number"),
    ("49.99 BTC", "EUR", "not a number"),
    ("€5 USD", "EUR", "two currencies"),
    ("49.99 €", "USD", "currency given with it"),
    ("<b>5</b>", "EUR", "not a number"),
    ("", "EUR", "not a number"),
]


@pytest.mark.parametrize(("text", "currency", "value"), READ)
def test_an_amount_is_read_as_its_writer_meant_it(text, currency, value):
    assert parse_amount(text, currency) == Decimal(value)


@pytest.mark.parametrize(("text", "currency", "said"), REFUSED)
def test_an_amount_that_is_none_or_could_be_two_is_refused_with_a_sentence(text, currency, said):
    with pytest.raises(ValueError, match=said):
        parse_amount(text, currency)


def test_a_point_before_three_digits_is_never_guessed_without_a_currency():
    with pytest.raises(ValueError, match="two ways"):
        parse_amount("12.345")


def test_digits_past_the_smallest_unit_are_kept_as_written_when_there_are_none():
    assert str(parse_amount("49.9", "EUR")) == "49.9"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("usd", {"USD"}),
        (" Eur ", {"EUR"}),
        ("US$", {"USD"}),
        ("€", {"EUR"}),
        ("£", {"GBP"}),
        ("XXX", None),
        ("BTC", None),
        ("EURO", None),
        ("", None),
        (None, None),
    ],
)
def test_a_currency_is_a_code_or_an_unmistakable_symbol(text, codes):
    assert read_currency(text) == codes


def test_a_dollar_sign_stands_for_many_currencies_and_never_silently_for_the_american():
    assert {"USD", "CAD", "AUD", "MXN"} <= read_currency("$")
    assert len(currencies_in("$49.99")) > 10
    assert currencies_in("49.99") is None


@pytest.mark.parametrize(
    ("amount", "currency", "default", "expected"),
    [
        ("49.99", "EUR", "", ("49.99", "EUR")),
        ("49.99", "", "GBP", ("49.99", "GBP")),
        ("49.99 €", "", "", ("49.99", "EUR")),
        ("49.99 €", "", "USD", ("49.99", "EUR")),
        ("$49.99", "", "CAD", ("49.99", "CAD")),
        ("$49.99", "AUD", "CAD", ("49.99", "AUD")),
        ("49.99", "$", "USD", ("49.99", "USD")),
        ("4.999", "jpy", "", ("4999", "JPY")),
        (Decimal("49.99"), "EUR", "", ("49.99", "EUR")),
        (Decimal("49.989999999999995"), "EUR", "", ("49.99", "EUR")),
        (4999, "JPY", "", ("4999", "JPY")),
        (0, "EUR", "", ("0", "EUR")),
    ],
)
def test_the_messages_own_words_come_before_the_default_currency(amount, currency, default, expected):
    value, code = read_money(amount, currency, default)
    assert (value, code) == (Decimal(expected[0]), expected[1])


@pytest.mark.parametrize(
    ("amount", "currency", "default", "reason"),
    [
        ("49.99", "", "", "currency_unknown"),
        ("$49.99", "", "", "currency_unknown"),
        ("$49.99", "", "EUR", "currency_unknown"),
        ("$49.99", "EUR", "", "currency_unknown"),
        ("49.99", "BTC", "EUR", "currency_unknown"),
        ("49.99", "XXX", "EUR", "currency_unknown"),
        ("49.99", "EURO", "EUR", "currency_unknown"),
        ("49.99 €", "USD", "", "currency_unknown"),
        ("12.345", "EUR", "", "amount_not_readable"),
        ("€5 USD", "", "", "amount_not_readable"),
        ("-5", "EUR", "", "amount_not_readable"),
        (Decimal(-5), "EUR", "", "amount_not_readable"),
        (Decimal("1E+30"), "EUR", "", "amount_not_readable"),
        (True, "EUR", "", "amount_not_readable"),
        ([], "EUR", "", "amount_not_readable"),
    ],
)
def test_money_that_cannot_be_counted_says_which_of_the_two_is_wrong(amount, currency, default, reason):
    with pytest.raises(NotUnderstood) as caught:
        read_money(amount, currency, default)
    assert caught.value.reason == reason


@pytest.mark.parametrize("amount", [None, "", "  "])
def test_no_amount_is_no_money_and_no_error(amount):
    assert read_money(amount, "EUR", "") == (None, None)


@given(
    st.decimals(min_value=0, max_value=10**9, places=2),
    st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", "."), ("", "."), ("", ",")]),
)
def test_every_common_way_of_grouping_reads_back_as_the_same_sum(value, marks):
    group, point = marks
    text = f"{value:,.2f}".replace(",", "\0").replace(".", point).replace("\0", group)
    assert parse_amount(text, "EUR") == value


LIKELY = st.from_regex(r"[$€]?[\d., ']{1,12} ?[A-Z]{0,3}", fullmatch=True)


@given(st.text(max_size=80) | LIKELY, st.sampled_from(sorted(EXPONENTS)))
def test_no_text_makes_anything_but_a_payable_amount_or_a_sentence(text, currency):
    try:
        value, said = parse_amount(text, currency), "The amount"
    except ValueError as error:
        value, said = Decimal(0), str(error)
    assert value.is_finite()
    assert value >= 0
    assert said.startswith("The amount")
