"""What ad platforms share: identifiers in each form, sales, order lines, batches."""

from __future__ import annotations

from hashlib import sha256

import pytest

from hub.connecting.rehearsal import drive
from hub.contract import BadMapping, Call, Outcome, Record, Refused, Stage
from hub.toolkit import ads
from hub.toolkit.ads import AdPlatform, RowsRefused

ANN = {"email": " Ann@Example.COM", "phone": "06 12 34 56 78", "country": "France", "region": "Loire", "external_id": 7}


def test_each_form_is_made_of_the_same_facts():
    wanted = {form: form for form in ads.FORMS}
    assert ads.identifiers(ANN, wanted) == {
        "email": "ann@example.com",
        "google_email": "ann@example.com",
        "phone": "+33612345678",
        "phone_digits": "33612345678",
        "region": "loire",
        "country": "fr",
        "external_id": "7",
    }


def test_hashes_are_of_the_normalized_form_and_a_digest_is_not_hashed_again():
    digest = sha256(b"ann@example.com").hexdigest()
    assert ads.hashed(ANN, {"em": "email"}) == {"em": digest}
    assert ads.hashed({"email": digest.upper()}, {"em": "email"}) == {"em": digest}


def test_mapped_values_are_found_by_their_facts():
    assert ads.by_fact({"em": "a@b.example", "other": 1}, {"em": "email", "ph": "phone"}) == {
        "email": "a@b.example",
        "phone": None,
    }


def test_texts_keep_their_case_and_leave_out_what_is_none():
    facts = {"ttclid": "E.C.P.Case", "ip": "", "user_agent": ["M"], "order": 12345678901234567890}
    assert ads.texts(facts, {name: name for name in (*facts, "missing")}) == {
        "ttclid": "E.C.P.Case",
        "order": "12345678901234567890",
    }


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ({"value": "49.90", "currency": "eur"}, (49.9, "EUR")),
        ({"value": "4900", "currency": "JPY"}, (4900, "JPY")),
        ({"value": 0, "currency": "EUR"}, (0, "EUR")),
        ({"value": "5"}, None),
        ({"currency": "EUR"}, None),
        ({"value": "5", "currency": "Euro"}, None),
    ],
)
def test_an_amount_never_goes_without_its_currency(facts, found):
    assert ads.price(facts, needed=False) == found


@pytest.mark.parametrize(
    ("facts", "field"), [({"value": "5"}, "currency"), ({"currency": "EUR"}, "value"), ({"value": "-1"}, "value")]
)
def test_a_sale_without_amount_or_currency_names_the_field(facts, field):
    with pytest.raises(BadMapping) as caught:
        ads.price(facts, needed=True)
    assert caught.value.field == field


@pytest.mark.parametrize("given", ["nan", "inf", "1e13", "49,90", [5], {"a": 1}, 10**400])
def test_what_is_no_amount_is_said_and_not_sent(given):
    with pytest.raises(BadMapping):
        ads.number("value", given)


def test_order_lines_need_an_id_and_count_one_unless_they_say_more():
    given = [
        {"product_id": "p1", "quantity": "2", "price": "12.50", "name": "Brush"},
        {"sku": "s2"},
        {"name": "no id"},
        "text",
    ]
    found = ads.lines(given)
    assert [(line.id, line.quantity, line.price) for line in found] == [("p1", 2, 12.5), ("s2", 1, None)]
    assert ads.pieces(found) == 3
    assert ads.lines("none") == ads.lines(None) == []


class Strict(AdPlatform):
    """Refuses whole batches, and names the rows whose value is bad."""

    slug = "strict"
    name = "Strict"

    def event(self, record, settings):
        return record.values

    def request(self, events, first, settings):
        return Call.post("https://strict.example", json=list(events))


def answer(call):
    bad = {row: "bad" for row, event in enumerate(call.json) if event.get("bad")}
    if bad:
        raise RowsRefused(bad, "No.", status=400)


def records(number, *bad):
    return [
        Record(f"r{each}", f"e{each}", None, Stage.PURCHASE, None, {"n": each, "bad": each in bad})  # type: ignore[arg-type]  # what this test does not look at
        for each in range(number)
    ]


def test_rows_that_the_platform_names_are_left_out_and_the_others_sent_again(monkeypatch):
    monkeypatch.setattr(Strict, "told", lambda self, reply, sent: self.preset_outcomes(sent, Outcome.delivered()))
    told = drive(Strict().deliver(records(5, 1, 3), {}), answer)
    assert {name for name, outcome in told.items() if outcome.result == "refused"} == {"r1", "r3"}
    assert len(told) == 5


def test_a_batch_of_which_every_row_is_named_ends_with_a_verdict_on_each():
    told = drive(Strict().deliver(records(2, 0, 1), {}), answer)
    assert {outcome.detail for outcome in told.values()} == {"bad"}


def test_an_empty_batch_asks_nothing():
    assert drive(Strict().deliver([], {}), answer) == {}


def test_a_refusal_of_the_empty_probe_is_as_good_as_a_yes():
    def refuse(call):
        raise Refused("empty", status=400)

    assert drive(Strict().check({}), refuse).startswith("Strict answers")


def test_order_lines_are_said_in_the_platforms_words_without_what_is_not_known():
    bought = ads.lines([{"product_id": "p1", "name": "Course", "quantity": 2, "price": 9.5}, {"sku": "s2"}])
    keys = {"content_id": "id", "title": "name", "price": lambda line: None if line.price is None else str(line.price)}
    assert ads.line_objects(bought, keys) == [
        {"content_id": "p1", "title": "Course", "price": "9.5"},
        {"content_id": "s2"},
    ]
