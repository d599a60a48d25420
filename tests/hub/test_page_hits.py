"""What the contract gives sources behind the public door: queries as they really arrive, and who sent them."""

from datetime import UTC, datetime

import pytest

from hub.contract import Headers, Inbound, NotUnderstood
from hub.contract.queries import decoded, read_pairs
from hub.contract.visits import NEW_VISITOR, bot, new_visitor, refuse_bots, refuse_other_pages, visitor


def loaded(**headers: str) -> Inbound:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Inbound(b"", Headers(named), datetime(2026, 11, 21, tzinfo=UTC), "GET")


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
