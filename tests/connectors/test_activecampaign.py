"""What ActiveCampaign's samples cannot show: who may join a list, tags that exist, orders that come twice or late."""

from __future__ import annotations

from platforms import Platform, record

from connectors.activecampaign.destination import ActiveCampaign
from hub.contract import Kind, Result, Stage

SETTINGS = {"url": "https://acme.api-us1.com/", "api_key": "made-up"}
FIELDS = (200, {"fields": []})
SYNCED = (200, {"contact": {"id": "5"}})
ORDER = {"email": "anna@example.com", "order.id": "1001", "order.total": 49.995, "order.currency": "EUR"}


def answers(*found):
    """The shop, then what is found of the customer, the order and the cart."""
    return FIELDS, SYNCED, (200, {"connections": [{"id": "1"}]}), *((200, each) for each in found)


def test_nobody_joins_a_list_without_consent():
    platform = Platform(ActiveCampaign(), SETTINGS | {"list_id": "3"}, FIELDS, SYNCED)
    platform.deliver(record({"email": "anna@example.com"}))
    assert not any("contactLists" in path for path in platform.paths)


def test_whoever_left_the_list_stays_away():
    left = (200, {"contactLists": [{"list": "3", "status": "2"}]})
    platform = Platform(ActiveCampaign(), SETTINGS | {"list_id": "3"}, FIELDS, SYNCED, left)
    platform.deliver(record({"email": "anna@example.com", "email_consent": True}))
    assert "POST /api/3/contactLists" not in platform.paths


def test_a_tag_is_found_in_any_case_and_made_only_when_it_is_missing():
    tags = (200, {"tags": [{"id": "8", "tag": "purchase-old"}, {"id": "9", "tag": "PURCHASE"}]})
    platform = Platform(ActiveCampaign(), SETTINGS, FIELDS, SYNCED, tags)
    platform.deliver(record({"email": "anna@example.com", "tags": ["purchase"]}))
    assert "POST /api/3/tags" not in platform.paths
    assert platform.sent[-1] == {"contactTag": {"contact": "5", "tag": "9"}}


def test_an_order_that_is_there_is_updated_in_cents():
    found = answers({"ecomCustomers": [{"id": "4"}]}, {"ecomOrders": [{"id": "6"}]})
    platform = Platform(ActiveCampaign(), SETTINGS | {"orders": True}, *found)
    platform.deliver(record(ORDER))
    assert platform.paths[-1] == "PUT /api/3/ecomOrders/6"
    assert platform.sent[-1]["ecomOrder"]["totalPrice"] == 5000


def test_a_paid_cart_becomes_the_order():
    found = answers({"ecomCustomers": [{"id": "4"}]}, {"ecomOrders": []}, {"ecomOrders": [{"id": "7"}]})
    platform = Platform(ActiveCampaign(), SETTINGS | {"orders": True}, *found)
    platform.deliver(record(ORDER))
    assert platform.paths[-1] == "PUT /api/3/ecomOrders/7"
    assert platform.sent[-1]["ecomOrder"]["externalid"] == "1001"


def test_late_news_of_a_cart_given_up_does_not_touch_the_paid_order():
    found = answers({"ecomCustomers": [{"id": "4"}]}, {"ecomOrders": [{"id": "6"}]})
    platform = Platform(ActiveCampaign(), SETTINGS | {"orders": True}, *found)
    platform.deliver(record(ORDER, stage=Stage.LEAD))
    assert not any(path.startswith(("PUT", "POST /api/3/ecomOrders")) for path in platform.paths)


def test_a_refund_changes_the_amount_and_leaves_the_lines():
    found = answers({"ecomCustomers": [{"id": "4"}]}, {"ecomOrders": [{"id": "6"}]})
    platform = Platform(ActiveCampaign(), SETTINGS | {"orders": True}, *found)
    platform.deliver(record({**ORDER, "order.total": 39.99}, kind=Kind.REFUND, stage=None))
    order = platform.sent[-1]["ecomOrder"]
    assert order["totalPrice"] == 3999
    assert "orderProducts" not in order
    assert "externalCreatedDate" not in order


def test_a_refund_of_an_order_that_is_not_there_makes_none():
    found = answers({"ecomCustomers": [{"id": "4"}]}, {"ecomOrders": []}, {"ecomOrders": []})
    platform = Platform(ActiveCampaign(), SETTINGS | {"orders": True}, *found)
    outcome = platform.deliver(record(ORDER, kind=Kind.REFUND, stage=None))
    assert "POST /api/3/ecomOrders" not in platform.paths
    assert outcome.result is Result.DELIVERED_WITH_WARNING


def test_the_shop_is_made_for_the_first_order():
    made = (201, {"connection": {"id": "2"}})
    platform = Platform(ActiveCampaign(), SETTINGS | {"orders": True}, FIELDS, SYNCED, (200, {"connections": []}), made)
    platform.deliver(record(ORDER))
    assert platform.sent[-1]["ecomOrder"]["connectionid"] == "2"
