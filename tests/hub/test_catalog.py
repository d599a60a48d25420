"""The fields a person can pick, the flat form, the mapping's input, and the preview that shows it all."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from hub.contract import (
    Basic,
    Batch,
    Call,
    Category,
    Contact,
    Conversion,
    Destination,
    Field,
    Item,
    Kind,
    Outcome,
    Recipe,
    Record,
    Refused,
    Secret,
    SettingsSchema,
    Stage,
    Text,
)
from hub.contract.conversion import Campaigns, Consent, Context
from hub.mapping.catalog import FIELDS, customer_summary, facts, flat
from hub.mapping.preview import preview
from hub.mapping.rules import compile_mapping
from hub.toolkit.cleaning import CLICK_IDS, UTM_NAMES

SAMPLES = {field.key: field.sample for field in FIELDS}
CONVERSION = Conversion(
    event_id="theirs",
    stage=Stage.PURCHASE,
    occurred_at=datetime(2026, 11, 20, 18, 42, 7, tzinfo=UTC),
    order_id="1001",
    value=Decimal("49.99"),
    currency="EUR",
    subscription_id="sub_4821",
    coupon="WELCOME10",
    offer="spring-launch",
    reason="refused: card declined",
    contact=Contact(**{name: SAMPLES[name] for name in Contact.__slots__}),
    items=[Item("p-17", "WB-01", "Watercolour Basics", Decimal(1), Decimal("49.99"), "course")],
    campaigns=Campaigns(["3"], ["spring"]),
    context=Context(
        **{name: SAMPLES[name] for name in ("ip", "user_agent", "page_url", "referrer")},
        utm={name: SAMPLES[f"utm_{name}"] for name in UTM_NAMES},
        click_ids={name: SAMPLES[name] for name in CLICK_IDS},
    ),
    consent=Consent(True, True, True),
)
ORDER = {"id": "1001", "gross": "49.99", "refunded": "0", "net": Decimal("49.99"), "currency": "EUR", "status": "paid"}
CUSTOMER = {
    "lifetime_value": Decimal("149.97"),
    "currency": "EUR",
    "orders": 3,
    "first_purchase_at": datetime(2026, 3, 2, 9, 15, tzinfo=UTC),
    "last_purchase_at": "2026-11-20T18:42:07Z",
    "last_product": "Watercolour",
}
FULL = facts(CONVERSION.to_dict(), SAMPLES["event_id"], ORDER, CUSTOMER, ["Spring webinar"], trust="proven")


def test_the_flat_form_and_the_catalog_are_the_same_fields_with_the_same_samples() -> None:
    assert flat(FULL) == SAMPLES
    assert json.loads(json.dumps(flat(FULL))) == SAMPLES


def test_a_picked_field_is_what_the_flat_form_has() -> None:
    rules = {
        field.key: field.rule for field in FIELDS if field.key not in ("items", "customer_lifetime_value_formatted")
    }
    values = compile_mapping(rules).apply(FULL).values
    assert values == {key: SAMPLES[key] for key in rules}


def test_every_field_reads_in_both_languages_and_has_a_snake_case_key() -> None:
    assert len(SAMPLES) == len(FIELDS)
    for field in FIELDS:
        assert field.label.en
        assert field.label.fr
        assert field.key.isidentifier()
        assert field.key == field.key.lower()


def test_what_is_missing_or_odd_is_left_out_of_the_flat_form() -> None:
    bare = facts(Conversion("e", Kind.CONTACT).to_dict(), "evt_1")
    assert flat(bare) == {
        "id": "evt_1",
        "event_id": "evt_1",
        "kind": "contact",
        "occurred_at": "1970-01-01T00:00:00Z",
        "test": False,
        "recurring": False,
    }
    odd = bare | {
        "value": "much",
        "items": [{"price": "free", "name": "x"}, "what"],
        "contact": [1],
        "customer": "Anna",
    }
    assert flat(odd)["product_name"] == "x"
    assert "value" not in flat(odd)


@pytest.mark.parametrize(
    ("language", "orders", "said"),
    [
        ("en", 3, "3 orders, 149.97 EUR, last 2026-11-21: Watercolour Basics"),
        ("fr", 3, "3 commandes, 149,97 EUR, dernière le 2026-11-21 : Watercolour Basics"),
        ("en", 1, "1 order, 149.97 EUR, last 2026-11-21: Watercolour Basics"),
        ("en", 0, "No orders yet"),
        ("fr", 0, "Aucune commande"),
    ],
)
def test_the_customer_is_summed_up_in_one_line(language: str, orders: int, said: str) -> None:
    last = datetime(2026, 11, 20, 23, 42, tzinfo=UTC)
    summary = customer_summary(
        orders, Decimal("149.97"), "EUR", last, "Watercolour Basics", language=language, time_zone="Europe/Paris"
    )
    assert summary == said


def test_a_purchase_alone_tells_its_order_and_its_customer() -> None:
    alone = facts(CONVERSION.to_dict(), "evt_1")
    assert alone["event_id"] == "evt_1"
    assert alone["order"] == ORDER | {"net": "49.99"}
    assert alone["customer"]["orders"] == 1
    assert alone["customer"]["summary"] == "1 order, 49.99 EUR, last 2026-11-20: Watercolour Basics"
    assert alone["campaign_names"] == ["3"]


def test_a_refund_alone_does_not_pretend_to_know_what_is_left() -> None:
    refund = replace(CONVERSION, kind=Kind.REFUND, stage=None)
    alone = facts(refund.to_dict(), "evt_2")
    assert alone["order"]["refunded"] == "49.99"
    assert alone["order"]["net"] is None
    assert alone["order"]["status"] == "refunded"
    assert alone["customer"].get("summary") is None


@pytest.mark.parametrize(
    ("kind", "stage", "status"),
    [
        (Kind.CONVERSION, Stage.LEAD, "lead"),
        (Kind.CONVERSION, Stage.INITIATE_CHECKOUT, "open"),
        (Kind.PENDING, None, "pending"),
        (Kind.DISPUTE, None, "disputed"),
        (Kind.CANCELLATION, None, "cancelled"),
    ],
)
def test_other_conversions_alone_tell_the_state_of_their_order(kind: Kind, stage: Stage | None, status: str) -> None:
    assert facts(replace(CONVERSION, kind=kind, stage=stage).to_dict(), "e")["order"]["status"] == status


class _Settings(SettingsSchema):
    key = Secret(Text("Key", "Clé"))


class Crm(Destination):
    """Stands for a CRM with an upsert: asks, then writes."""

    slug = "crm"
    name = "CRM"
    category = Category.CRM
    Settings = _Settings
    auth = Basic("key", user="anystring")
    fields = (Field("email", Text("E-mail", "E-mail"), "email", required=True),)
    default_mapping: ClassVar[Mapping[str, Any]] = {
        "email": {"from": "contact.email"},
        "value": {"from": "value", "as": "money"},
        "born": {"from": "extra.born", "as": "date"},
    }
    stages = frozenset({Stage.PURCHASE})
    sends_tests = False

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        key = settings["key"]
        found = yield Call.get("https://crm.example/find", params={"email": record.values["email"], "k": key})
        if record.values["email"] == "refuse@example.com":
            raise Refused("That person is blocked.")
        known = found.json().get("id")
        body = {**record.values, "note": f"sent with {key}", "paid": Decimal("49.90")}
        yield Call.post(f"https://crm.example/{known or 'new'}?key={key}", json=body, idempotency_key=record.event_id)


class Batched(Crm):
    """The same, many at a time, with an outcome for each."""

    auth = Crm.auth
    batch = Batch(max_records=2)

    def deliver(self, record: Any, settings: Mapping[str, Any]) -> Recipe:
        yield Call.post("https://crm.example/batch", form={"n": str(len(record)), "key": settings["key"]})
        return {record[0].id: Outcome.skipped("test_not_sent", "by hand"), record[1].id: Outcome.refused("made up")}


SETTINGS = {"key": "s3cret/key+1"}


def shown(destination: Destination, *conversions: Conversion, **rest: Any) -> list[dict[str, Any]]:
    return list(preview(destination, SETTINGS, rest.pop("rules", None), conversions, **rest))


def test_a_preview_shows_each_call_in_order() -> None:
    first, second = shown(Crm(), CONVERSION)
    assert first == {
        "method": "GET",
        "url": "https://crm.example/find?email=anna.martin%40example.com&k=***",
        "headers": {"Authorization": "Basic ***"},
        "body": None,
        "records": ["theirs"],
    }
    assert second["url"] == "https://crm.example/new?key=***"
    assert second["headers"]["Idempotency-Key"] == "theirs"
    assert second["body"] == {"email": "anna.martin@example.com", "value": 49.99, "note": "sent with ***", "paid": 49.9}


def test_no_form_of_a_secret_is_shown() -> None:
    text = json.dumps(shown(Crm(), CONVERSION))
    for form in ("s3cret/key+1", "s3cret%2Fkey%2B1", "s3cret", b64encode(b"anystring:s3cret/key+1").decode()):
        assert form not in text


def test_further_secrets_are_masked_too() -> None:
    assert "anna.martin" not in json.dumps(shown(Crm(), CONVERSION, secrets=["anna.martin@example.com"]))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"stage": Stage.LEAD}, "The destination does not take this stage"),
        ({"kind": Kind.REFUND, "stage": None}, "The destination does not take this stage"),
        ({"test": True}, "Test, not sent"),
        ({"contact": Contact()}, "email: A required field is empty."),
    ],
)
def test_what_would_not_be_sent_is_a_problem_and_no_call(change: dict[str, Any], problem: str) -> None:
    assert shown(Crm(), replace(CONVERSION, **change)) == [{"record": "theirs", "problem": problem}]


def test_a_field_that_cannot_be_made_is_told_beside_the_call() -> None:
    warning, *calls = shown(Crm(), replace(CONVERSION, extra={"born": "long ago"}))
    assert warning == {"record": "theirs", "problem": "born: The value is not a date or time."}
    assert len(calls) == 2


def test_a_refusal_by_the_recipe_is_told_after_its_calls() -> None:
    refused = replace(CONVERSION, contact=Contact("refuse@example.com"))
    assert shown(Crm(), refused)[1:] == [{"record": "theirs", "problem": "That person is blocked."}]


def test_a_batch_goes_out_in_one_call_and_made_up_verdicts_are_not_told() -> None:
    call, problem = shown(Batched(), CONVERSION, replace(CONVERSION, event_id="second"))
    assert call["records"] == ["theirs", "second"]
    assert call["body"] == {"n": "2", "key": "***"}
    assert problem == {"record": "theirs", "problem": "Test, not sent: by hand"}


def test_a_preview_speaks_french_and_reads_a_bare_file() -> None:
    bare = {"stage": "lead", "order": {"id": "7"}}
    lines = list(preview(Crm(), SETTINGS, {}, [bare], language="fr"))
    assert lines == [{"record": "preview", "problem": "La destination ne prend pas cette étape"}]


@pytest.mark.parametrize(
    "odd", [{"kind": "sale"}, {"value": "much"}, {"occurred_at": "today"}, {"items": [5]}, [], "x"]
)
def test_a_file_that_holds_no_conversion_is_a_problem_and_stops_no_other(odd: Any) -> None:
    first, *others = preview(Crm(), SETTINGS, None, [odd, CONVERSION])
    assert first["record"] == "preview"
    assert first["problem"].startswith("The conversion cannot be read")
    assert [line["method"] for line in others] == ["GET", "POST"]


def test_a_preview_uses_what_is_known_beside_the_conversion() -> None:
    known = CONVERSION.to_dict() | {"customer": CUSTOMER, "campaign_names": ["Spring webinar"]}
    rules = {"email": {"from": "customer.summary"}, "names": {"from": "campaign_names"}}
    *_, call = preview(Crm(), SETTINGS, rules, [known])
    assert call["body"]["email"] == "3 orders, 149.97 EUR, last 2026-11-20: Watercolour"
    assert call["body"]["names"] == ["Spring webinar"]
