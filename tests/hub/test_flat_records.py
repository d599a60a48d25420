"""Flat records: what flows and the REST API tell, and what is not to be guessed from it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from hub.contract import Consent, Conversion, Kind, NotUnderstood, Stage
from hub.toolkit.cleaning import read_consent
from hub.toolkit.flat_form import read_record

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def read(**record: Any) -> Conversion:
    found = read_record({"stage": "purchase", "email": "a@example.com", **record}, NOW, "EUR", "fallback")
    assert found is not None
    return found


def test_nothing_said_about_consent_is_no_refusal() -> None:
    assert read_consent(None) == Consent()
    assert read_consent({"ads": "yes", "email": "none"}) == Consent(ads=True, email=False)
    assert read().consent == Consent()


@pytest.mark.parametrize(
    ("word", "kind", "stage"),
    [
        ("Purchase", Kind.CONVERSION, Stage.PURCHASE),
        ("add to cart", Kind.CONVERSION, Stage.ADD_TO_CART),
        ("Refund", Kind.REFUND, None),
        ("renewal", Kind.RENEWAL, Stage.PURCHASE),
    ],
)
def test_the_stage_is_a_stage_or_a_kind(word: str, kind: Kind, stage: Stage | None) -> None:
    found = read(stage=word)
    assert (found.kind, found.stage) == (kind, stage)


@pytest.mark.parametrize("word", ["conversion", "sunrise"])
def test_another_word_is_not_used(word: str) -> None:
    assert read_record({"stage": word, "email": "a@example.com"}, NOW) is None


def test_a_refund_is_positive_whatever_its_sign() -> None:
    assert [read(stage="refund", value=value).value for value in ("-5.00", Decimal(-5), "5")] == [5, 5, 5]


def test_a_sale_with_a_minus_is_refused() -> None:
    with pytest.raises(NotUnderstood, match="refund"):
        read(value="-5")


def test_lists_and_texts_with_commas_are_the_same_tags() -> None:
    assert read(tags="a, b").campaigns.tags == read(tags=["a", "b"]).campaigns.tags == ["a", "b"]
    assert read(campaign_ids=[12, 15]).campaigns.ids == ["12", "15"]


def test_lines_of_an_order_are_read_one_by_one() -> None:
    found = read(items=[{"product_id": 9007199254740993, "price": "1.5", "quantity": 2}, {"price": 1}, "noise"])
    assert [(item.product_id, item.price, item.quantity) for item in found.items] == [
        ("9007199254740993", Decimal("1.5"), 2)
    ]


def test_an_id_of_its_own_comes_first() -> None:
    assert read(event_id=17).event_id == "17"
    assert read().event_id == "fallback"
