"""What the contract gives sources behind the public door: queries as they really arrive, and who sent them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from hub.contract import Headers, Inbound, NotUnderstood, NotVerified
from hub.toolkit.query_strings import (
    PLACEHOLDER,
    check_signed,
    decoded,
    is_signed,
    raw_text,
    read_fields,
    read_moment,
    read_pairs,
    spellings,
)
from hub.toolkit.signing import make_hmac
from hub.toolkit.visits import (
    NEW_VISITOR,
    bot,
    cookie_allowed,
    name_of_load,
    new_visitor,
    refuse_amount_outside,
    refuse_bots,
    refuse_other_pages,
    surroundings,
    visitor,
)

NOW = datetime(2026, 11, 21, tzinfo=UTC)
KNOWN = spellings(
    ("orderId", "email", "ip", "userAgent", "gclid", "utm_source", "ts", "sig"), also={"order": "orderId"}
)
BROWSER = "Mozilla/5.0 (X11; Linux x86_64)"


def loaded(query: str = "", at: datetime = NOW, **headers: str) -> Inbound:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Inbound(b"", Headers(named), at, "GET", query=query, remote_ip="203.0.113.9")


@pytest.mark.parametrize(
    "text",
    ["order_id=A%201&tag=x", "?order_id=A%201&amp;tag=x", "orderId=A%201&amp;amp;Tag=x", "order-id%3DA%201%26tag%3Dx"],
)
def test_a_query_is_read_whatever_an_editor_did_to_it(text: str) -> None:
    assert [(name, decoded(value)) for name, value in read_pairs(text)] == [("orderid", "A 1"), ("tag", "x")]


def test_what_was_encoded_twice_is_decoded_twice_and_a_percentage_stays_one() -> None:
    assert (decoded("jane%2540b.fr"), decoded("50%25AD"), decoded("caf%E9")) == ("jane@b.fr", "50%AD", "café")


def test_a_program_that_looks_at_pages_is_nobodys_visit() -> None:
    assert bot(loaded(user_agent="Mozilla/5.0 Cubot/3")) == ""
    refuse_bots(loaded(user_agent="Mozilla/5.0"))
    for other in (loaded(user_agent="Slackbot 1.0"), loaded(sec_purpose="prefetch")):
        with pytest.raises(NotUnderstood, match="not counted"):
            refuse_bots(other)


def test_only_pages_that_are_listed_count_once_any_is() -> None:
    hit = loaded(referer="https://shop.example/thanks?order=1")
    refuse_other_pages(hit, "")
    refuse_other_pages(hit, "https://other.example\nshop.example")
    with pytest.raises(NotUnderstood, match=r"shop\.example"):
        refuse_other_pages(hit, "https://other.example")


def test_a_visitor_is_known_by_a_cookie_of_our_own_form_only() -> None:
    assert visitor(loaded(cookie="a=b; hub_visitor=v1.k3Jx8sQ2")) == "v1.k3Jx8sQ2"
    assert visitor(loaded(cookie="hub_visitor=<script>")) is None
    assert new_visitor(loaded(**{NEW_VISITOR: "v1.k3Jx8sQ2"})) == "v1.k3Jx8sQ2"


def test_fields_are_found_by_every_spelling_and_keep_each_value_once() -> None:
    fields = read_fields("order=7&ORDER_ID=8&orderId=7&email=&other=x", KNOWN)
    assert (fields.all("orderId"), fields.one("orderId"), fields.firsts()) == (["7", "8"], "7", {"orderId": "7"})
    assert (fields.one("email"), fields.all("other")) == ("", [])


def test_a_template_that_nobody_filled_in_is_no_value_and_is_named_to_people() -> None:
    fields = read_fields("email={{email}}&orderId=7", KNOWN)
    assert fields.values == {"orderId": ["7"]}
    fields.refuse_placeholders("orderId")
    with pytest.raises(NotUnderstood, match=r"\{\{email\}\} as email.*Liquid") as caught:
        fields.refuse_placeholders("orderId", "email")
    assert caught.value.reason == PLACEHOLDER


def test_a_backends_signature_covers_all_that_stands_before_it_and_ages() -> None:
    said = f"orderId=7&ts={int(NOW.timestamp())}"
    text = f"{said}&sig={make_hmac(said.encode(), 'made-up')}"
    check_signed(text, ["made-up"], NOW + timedelta(minutes=4))
    assert (is_signed(text, ["made-up"]), is_signed(text, []), is_signed(said, ["made-up"])) == (True, False, False)
    for changed, when in ((text.replace("=7", "=8", 1), NOW), (f"{text}&a=b", NOW), (text, NOW + timedelta(minutes=6))):
        with pytest.raises(NotVerified):
            check_signed(changed, ["made-up"], when)


def test_a_time_in_a_query_keeps_its_offset_and_is_never_far_ahead() -> None:
    nine = datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert read_moment("2026-11-20T10:00:00 01:00", NOW) == (nine, [])
    assert read_moment("", NOW) == (NOW, [])
    assert read_moment("2026-12-24", NOW) == read_moment("soon", NOW) == (NOW, ["date_replaced"])


@pytest.mark.parametrize(
    ("query", "with_consent", "always"),
    [("", False, True), ("consent=analytics", True, True), ("Consent=ads", False, False), ("consent=0", False, False)],
)
def test_a_cookie_is_given_as_the_owner_and_the_visitor_allow(query: str, with_consent: bool, always: bool) -> None:
    hit = loaded(query, user_agent=BROWSER)
    assert (cookie_allowed(hit, "with_consent"), cookie_allowed(hit, "always")) == (with_consent, always)
    assert not cookie_allowed(hit, "never")
    assert not cookie_allowed(loaded(query, user_agent="Slackbot 1.0"), "always")


@pytest.mark.parametrize(
    ("minimum", "maximum", "fits"), [(None, None, True), (5, 5, True), (6, None, False), (None, 4, False)]
)
def test_an_amount_may_be_claimed_within_the_owners_limits(
    minimum: int | None, maximum: int | None, fits: bool
) -> None:
    refuse_amount_outside(None, minimum, maximum)
    if fits:
        refuse_amount_outside(Decimal(5), minimum, maximum)
        return
    with pytest.raises(NotUnderstood) as caught:
        refuse_amount_outside(Decimal(5), minimum, maximum)
    assert caught.value.reason == "amount_outside_limits"


def test_the_visitors_surroundings_are_the_browsers_or_what_a_signed_call_names() -> None:
    hit = loaded(
        "ip=198.51.100.7&userAgent=Other&gclid=g", user_agent=BROWSER, referer="https://a.example/?utm_source=m"
    )
    fields = read_fields(raw_text(hit), KNOWN)
    seen, told = surroundings(hit, fields, signed=False), surroundings(hit, fields, signed=True)
    assert (seen.ip, seen.user_agent, told.ip, told.user_agent) == ("203.0.113.9", BROWSER, "198.51.100.7", "Other")
    assert (seen.utm, seen.click_ids) == ({"source": "m"}, {"gclid": "g"})


def test_each_load_has_a_name_of_its_own_whatever_its_signature() -> None:
    def name(query: str, at: datetime = NOW, **headers: str) -> str:
        return name_of_load(loaded(at=at, **headers), read_fields(query, KNOWN))

    first = name("orderId=7&email=a@b.fr")
    assert name("email=a@b.fr&order_id=7&ts=1&sig=2") == first
    others = [name("orderId=8"), name("orderId=7&email=a@b.fr", NOW + timedelta(seconds=1)), name("", cookie="a=b")]
    assert len({first, *others}) == 4
