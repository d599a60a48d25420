"""Recording conversions, contacts and tags through the API, and finding them again."""

from __future__ import annotations

from typing import Any

import pytest
from calling import Caller

from hub.run.reader import read_messages
from hub.store import connections, inbound

SALE = {"stage": "purchase", "email": "Nora@example.com", "order_id": "#S-7", "value": "49,99 €", "event_id": "row-7"}


def recorded(call: Caller, path: str, body: Any) -> Any:
    answer = call("POST", path, body)
    assert answer.status_code == 202, answer.get_data(as_text=True)
    read_messages(call.store, call.workspace_id, 10)
    return answer.get_json()


def test_a_record_becomes_a_proven_conversion_that_is_found_by_its_order_id(call: Caller) -> None:
    said = recorded(call, "/conversions", SALE | {"utm_source": "fair"})
    assert (said["order_id"], said["value"], said["currency"], said["email"]) == (
        "S-7",
        "49.99",
        "EUR",
        "nora@example.com",
    )
    (found,) = call.get("/conversions?order=s-7")["items"]
    assert found["trust"] == "proven"
    assert found["data"]["context"]["utm"] == {"source": "fair"}
    assert call.get("/conversions?order=none-such") == {"items": [], "next": None}


def test_the_same_record_again_is_counted_once(call: Caller) -> None:
    first, second = (recorded(call, "/conversions", SALE) for _ in range(2))
    assert first["id"] == second["id"]
    assert len(call.get("/conversions")["items"]) == 1


def test_records_come_in_by_one_source_which_the_first_call_sets_up(call: Caller) -> None:
    for number in (1, 2):
        recorded(call, "/conversions", SALE | {"event_id": str(number)})
    recorded(call, "/conversions?connector=make", SALE | {"event_id": "3"})
    with call.store.read() as tx:
        names = [row["name"] for row in connections.connections_of(tx, call.workspace_id, "source")]
    assert names == ["Pixel", "Zapier (API)", "Make (API)"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/conversions", {"email": "a@example.com"}, "stage"),
        ("/conversions", {"stage": "sunrise", "email": "a@example.com"}, "stage"),
        ("/conversions", {"stage": "purchase"}, "record"),
        ("/conversions", SALE | {"value": "12.345"}, "record"),
        ("/conversions", SALE | {"value": {"amount": 5}}, "record"),
        ("/conversions?connector=none", SALE, "connector"),
        ("/contacts", {"first_name": "Nora"}, "email"),
        ("/contacts", {"email": "nobody"}, "record"),
        ("/contacts/tags", {"email": "a@example.com", "tag": ""}, "tag"),
    ],
)
def test_a_record_that_cannot_be_used_is_refused_by_field_and_not_kept(
    call: Caller, path: str, body: dict[str, Any], field: str
) -> None:
    answer = call("POST", path, body)
    assert answer.status_code == 422, answer.get_data(as_text=True)
    assert list(answer.get_json()["error"]["fields"]) == [field]
    with call.store.read() as tx:
        assert inbound.latest(tx, call.workspace_id) == []


def test_a_contact_is_made_and_then_updated(call: Caller) -> None:
    recorded(call, "/contacts", {"email": "nora@example.com", "first_name": "Nora", "consent_email": True})
    recorded(call, "/contacts", {"email": "nora@example.com", "first_name": "Leonora"})
    recorded(call, "/contacts", {"email": "nora@example.com", "first_name": "Nora", "consent_email": True})
    (found,) = call.get("/contacts?email=Nora@example.com")["items"]
    assert found["data"]["first_name"] == "Nora"
    assert call.get(f"/contacts/{found['id']}")["consents"] == {"email": True}


def test_a_tag_ties_the_contact_to_the_campaigns_that_carry_it(call: Caller) -> None:
    recorded(call, "/contacts/tags", {"email": "nora@example.com", "tag": "vip, spring"})
    (found,) = call.get("/conversions")["items"]
    assert found["kind"] == "contact"
    assert found["data"]["campaigns"]["tags"] == ["vip", "spring"]
