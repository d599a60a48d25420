"""What CRM connectors share: fields found by any writing of their name, one entry a person, what an answer means."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hub.contract import (
    BadCredentials,
    BadMapping,
    Call,
    Field,
    Headers,
    Kind,
    Record,
    Refused,
    Reply,
    Result,
    Text,
    TryLater,
)
from hub.toolkit.crm import (
    HUB_KEYS,
    by_account_key,
    find_or_create,
    hub_key,
    listed_field,
    listed_fields,
    people_of,
    refusal,
    row_outcome,
    said,
    title,
)


@pytest.mark.parametrize("key", HUB_KEYS)
def test_a_field_is_the_hubs_in_every_writing_a_crm_has_for_it(key):
    salesforce = "_".join(part.capitalize() for part in key.split("_")) + "__c"
    for name in (title(key), key.upper(), salesforce, f"cf_{key}", f"x_{key}", f"contact.{key}"):
        assert hub_key(name) == key


@pytest.mark.parametrize("name", [None, "", "Summary", "hub", "Hub summary of last year", 7])
def test_other_fields_are_not_the_hubs(name):
    assert hub_key(name) is None


def test_a_listed_field_keeps_the_accounts_own_key_unless_it_is_the_hubs():
    shoe = listed_field("cf_9", "Shoe size", "decimal", types={"decimal": "number"}, options=[(1, "S"), (None, "x")])
    assert (shoe.key, shoe.type, shoe.options, shoe.group) == ("cf_9", "number", (("1", "S"),), "account")
    summary = listed_field("cf_8", "Hub summary", "textarea", types={})
    assert (summary.key, summary.group) == ("hub_summary", "profile")


def test_a_list_of_fields_is_read_by_paths_and_odd_rows_are_passed_over():
    rows = [
        {"id": 9, "about": {"title": "Shoe size"}, "kind": "pick", "all": [{"v": "s", "t": "Small"}], "must": True},
        {"id": 8, "about": {"title": "Hub summary"}, "locked": False},
        {"id": 7, "about": {"title": "Computed"}, "locked": True},
        {"about": {"title": "No id"}},
        "not an object",
        None,
    ]
    found = listed_fields(
        rows,
        "id",
        "about.title",
        "kind",
        types={"pick": "list"},
        prefix="custom.",
        options="all[]",
        option=("v", "t"),
        required="must",
        wanted=lambda row: not row.get("locked"),
    )
    assert list(found) == ["custom.9", "custom.8"]
    shoe, summary = found.values()
    assert (shoe.key, shoe.type, shoe.options, shoe.required) == ("custom.9", "list", (("s", "Small"),), True)
    assert (summary.key, summary.type, summary.required) == ("hub_summary", "text", False)
    assert listed_fields(None, "id", "about.title", types={}) == {}


@pytest.mark.parametrize(
    ("verdict", "field", "result"),
    [
        ("later", "", Result.TRY_LATER),
        ("slower", "", Result.TRY_LATER),
        ("field", "Email", Result.BAD_MAPPING),
        ("field", "", Result.REFUSED),
        ("credentials", "", Result.REFUSED),
        (None, "", Result.REFUSED),
    ],
)
def test_a_verdict_on_one_row_of_a_batch_is_an_outcome(verdict, field, result):
    outcome = row_outcome(verdict, "its words", field)
    assert (outcome.result, outcome.detail, outcome.field or "") == (result, "its words", field)


def test_values_go_by_the_accounts_keys_and_what_it_lacks_is_named():
    listed = {"cf_8": Field("hub_summary", Text("Purchase summary", "Résumé"))}
    found, left_out = by_account_key(
        {"email": "a@example.com", "hub_summary": "1 order", "hub_orders": 1, "hub_offer": ""}, listed, {"email"}
    )
    assert {key: value for key, (_, value) in found.items()} == {"cf_8": "1 order"}
    assert left_out == "Left out, since the account has no such field: Hub orders."


def test_a_batch_says_each_person_once_and_the_latest_value_wins():
    def record(id, minute, **values):
        at = datetime(2026, 11, 20, 12, minute, tzinfo=UTC)
        return Record(id, id, Kind.CONVERSION, None, at, values)

    outcomes = {}
    [anna] = people_of(
        [
            record("late", 9, Email="Anna@Example.com ", City="Paris", Name=""),
            record("early", 1, Email="anna@example.com", City="Lyon", Name="Anna"),
            record("nobody", 2, City="Lyon"),
        ],
        "Acme",
        "Email",
        outcomes,
    )
    assert anna.values == {"Email": "anna@example.com", "City": "Paris", "Name": "Anna"}
    assert [each.id for each in anna.records] == ["early", "late"]
    assert list(outcomes) == ["nobody"]


@pytest.mark.parametrize(("body", "second"), [(b'{"id":"7"}', "PATCH /7"), (b"{}", "POST /")])
def test_somebody_found_is_updated_and_somebody_new_is_created(body, second):
    steps = find_or_create(
        Call.get("/find"), lambda reply: reply.json().get("id"), lambda known: Call.patch(f"/{known}"), Call.post("/")
    )
    next(steps)
    call = steps.send(Reply(200, Headers(), body))
    assert f"{call.method} {call.url}" == second


def test_a_verdict_becomes_the_error_that_says_what_happens_next():
    slower = refusal("Acme", "slower", "limit", after=30.0)
    assert isinstance(slower, TryLater)
    assert (slower.whole_connection, slower.after) == (True, 30.0)
    later = refusal("Acme", "later", "locked")
    assert isinstance(later, TryLater)
    assert not later.whole_connection
    assert isinstance(refusal("Acme", "credentials", "no"), BadCredentials)
    field = refusal("Acme", "field", "too long", field="City")
    assert isinstance(field, BadMapping)
    assert field.field == "City"
    assert type(refusal("Acme", "refused", "no")) is Refused


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"errors": [{"detail": "a"}, {"detail": "b"}]}', "a; b"),
        (b'{"errors": [{"detail": ""}], "message": "c"}', "c"),
        (b'{"message": ["d", "e"]}', "d; e"),
        (b"<html>", ""),
    ],
)
def test_a_crms_own_words_are_found_wherever_it_puts_them(body, words):
    assert said(Reply(422, Headers(), body), "errors[].detail", "message") == words
