"""Meta's Conversions API: what is sent, held against Meta's own SDK, and what its answers mean."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256

import pytest
from facebook_business.adobjects.serverside.action_source import ActionSource
from facebook_business.adobjects.serverside.content import Content
from facebook_business.adobjects.serverside.custom_data import CustomData
from facebook_business.adobjects.serverside.event import Event
from facebook_business.adobjects.serverside.event_request import EventRequest
from facebook_business.adobjects.serverside.user_data import UserData
from marshmallow import ValidationError

from connectors.meta.destination import Meta, MetaSettings
from hub.contract import (
    BadCredentials,
    BadMapping,
    Headers,
    Kind,
    Record,
    Refused,
    Reply,
    Result,
    Stage,
    TryLater,
)

AT = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
SALE = {"em": "ann@example.com", "value": Decimal("49.90"), "currency": "eur", "order_id": "A-1"}
VISIT = {"client_user_agent": "Mozilla/5.0", "event_source_url": "https://shop.example/thanks"}


def settings(**changes):
    return MetaSettings().load({"pixel_id": "1234567890123456", "access_token": "made-up", **changes})


def record(values=SALE, *, id="r1", kind=Kind.CONVERSION, stage=Stage.PURCHASE, test=False):
    return Record(id, f"hub-{id}", kind, stage, AT, dict(values), test)


def deliver(*records, answer=None, **changes):
    """(the body that was sent or None, the outcomes)."""
    recipe = Meta().deliver(list(records), settings(**changes))
    try:
        call = next(recipe)
    except StopIteration as stop:
        return None, stop.value
    body = json.loads(call.content()[0])
    answer = {"events_received": len(body["data"]), "messages": []} if answer is None else answer
    with pytest.raises(StopIteration) as stop:
        recipe.send(Reply(200, Headers(), json.dumps(answer).encode()))
    return body, stop.value.value


def event(values=SALE, *, kind=Kind.CONVERSION, stage=Stage.PURCHASE, **changes):
    body, outcomes = deliver(record(values, kind=kind, stage=stage), **changes)
    assert outcomes["r1"].result is Result.DELIVERED, outcomes
    return body["data"][0]


def refused_field(values, *, kind=Kind.CONVERSION, stage=Stage.PURCHASE):
    body, outcomes = deliver(record(values, kind=kind, stage=stage))
    assert body is None
    assert outcomes["r1"].result is Result.BAD_MAPPING
    return outcomes["r1"].field


def judge(status, error=None, body=None):
    return Meta().judge(Reply(status, Headers(), body if body is not None else json.dumps({"error": error}).encode()))


def flat(value):
    """The SDK wraps each identifier in a list; Meta takes both forms."""
    if isinstance(value, dict):
        return {key: flat(part) for key, part in value.items()}
    one_text = isinstance(value, list) and len(value) == 1 and isinstance(value[0], str)
    return value[0] if one_text else value


def test_the_event_equals_what_metas_sdk_makes_of_the_same_sale():
    values = {
        **VISIT,
        "em": " Ann@Example.COM",
        "ph": "+1 (650) 253-0000",
        "fn": "Ann",
        "ln": "O'Neil",
        "ct": "Saint-Denis",
        "st": "CA",
        "zp": "94035-1234",
        "country": "US",
        "external_id": "u-1",
        "client_ip_address": "203.0.113.7",
        "fbc": "fb.1.1596403881668.AbC",
        "fbp": "fb.1.1596403881668.123",
        "value": "74.90",
        "currency": "EUR",
        "order_id": "A-1",
        "content_name": "Course",
        "referrer_url": "https://www.facebook.com/",
        "items": [{"product_id": "p1", "quantity": "2", "price": "12.50"}, {"sku": "s2", "quantity": 1, "price": 49.9}],
    }
    user = UserData(
        email=values["em"],
        phone=values["ph"],
        first_name="Ann",
        last_name="O'Neil",
        city="Saint-Denis",
        state="CA",
        zip_code="94035-1234",
        country_code="US",
        external_id=sha256(b"u-1").hexdigest(),
        client_ip_address="203.0.113.7",
        client_user_agent="Mozilla/5.0",
        fbc=values["fbc"],
        fbp=values["fbp"],
    )
    custom = CustomData(
        value=74.9,
        currency="EUR",
        order_id="A-1",
        content_name="Course",
        content_type="product",
        num_items=3,
        content_ids=["p1", "s2"],
        contents=[Content("p1", quantity=2, item_price=12.5), Content("s2", quantity=1, item_price=49.9)],
    )
    theirs = Event(
        event_name="Purchase",
        event_time=int(AT.timestamp()),
        event_id="hub-r1",
        action_source=ActionSource.WEBSITE,
        event_source_url=values["event_source_url"],
        referrer_url=values["referrer_url"],
        user_data=user,
        custom_data=custom,
    )
    made = json.loads(EventRequest(pixel_id="1", access_token="x", events=[theirs]).get_params()["data"][0])
    made["custom_data"]["currency"] = "EUR"  # the SDK writes it in small letters, Meta's page in capitals
    assert flat(event(values)) == flat(made)


@pytest.mark.parametrize(
    ("stage", "name"),
    [
        (Stage.VIEW_CONTENT, "ViewContent"),
        (Stage.ADD_TO_CART, "AddToCart"),
        (Stage.INITIATE_CHECKOUT, "InitiateCheckout"),
        (Stage.COMPLETE_REGISTRATION, "CompleteRegistration"),
        (Stage.ADD_PAYMENT_INFO, "AddPaymentInfo"),
        (Stage.PURCHASE, "Purchase"),
    ],
)
def test_each_stage_has_metas_own_name(stage, name):
    assert event(stage=stage)["event_name"] == name


def test_a_lead_is_off_by_default_and_never_goes_by_metas_name():
    assert Stage.LEAD not in Meta.default_stages
    assert event(stage=Stage.LEAD)["event_name"] == "CheckoutAbandoned"
    assert event(stage=Stage.LEAD, lead_event_name="CardRefused")["event_name"] == "CardRefused"


def test_a_renewal_is_no_purchase_and_is_tied_to_its_subscription():
    sent = event({**SALE, "subscription_id": "sub_7"}, kind=Kind.RENEWAL)
    assert sent["event_name"] == "RecurringSubscriptionPayment"
    assert sent["user_data"]["subscription_id"] == "sub_7"
    assert refused_field(SALE, kind=Kind.RENEWAL) == "subscription_id"


def test_refunds_are_not_taken():
    assert Kind.REFUND not in Meta.kinds


@pytest.mark.parametrize(
    ("missing", "field"),
    [
        ({"value": None}, "value"),
        ({"currency": None}, "currency"),
        ({"currency": "Euro"}, "currency"),
        ({"value": "49,90 €"}, "value"),
        ({"value": "-5"}, "value"),
        ({"value": "nan"}, "value"),
        ({"value": 10**400}, "value"),
        ({"value": ["5"]}, "value"),
        ({"em": "nobody"}, "em"),
        ({"action_source": "website"}, "client_user_agent"),
    ],
)
def test_a_sale_that_meta_would_refuse_does_not_enter_the_batch(missing, field):
    assert refused_field({**SALE, **missing}) == field


def test_one_bad_sale_does_not_keep_the_others_back():
    bad, good = record({"em": "ann@example.com"}, id="bad"), record(id="good")
    body, outcomes = deliver(bad, good)
    assert [sent["event_id"] for sent in body["data"]] == ["hub-good"]
    assert outcomes["bad"].result is Result.BAD_MAPPING
    assert outcomes["good"].result is Result.DELIVERED


def test_an_amount_without_currency_is_left_out_of_other_stages_and_never_becomes_dollars():
    assert "custom_data" not in event({"em": "ann@example.com", "value": "5"}, stage=Stage.ADD_TO_CART)


def test_a_yen_amount_keeps_its_digits():
    assert event({**SALE, "value": "4900", "currency": "JPY"})["custom_data"]["value"] == 4900


def test_empty_identifiers_are_left_out_and_never_hashed():
    sent = event({**SALE, "ph": "", "fn": " ", "ct": "75008", "country": "Atlantis", "external_id": None, "fbp": "x"})
    assert set(sent["user_data"]) == {"em"}
    assert sha256(b"").hexdigest() not in json.dumps(sent)


def test_what_is_hashed_already_stays_as_it_is():
    digest = sha256(b"ann@example.com").hexdigest()
    assert event({**SALE, "em": digest.upper()})["user_data"]["em"] == digest


def test_addresses_browsers_and_cookies_are_never_hashed():
    plain = {"client_ip_address": "203.0.113.7", "fbp": "fb.1.1596403881668.123", "fbc": "fb.1.1596403881668.AbC.AQ"}
    user = event({**SALE, **VISIT, **plain})["user_data"]
    assert user.items() >= {**plain, "client_user_agent": "Mozilla/5.0"}.items()


def test_a_click_id_without_its_cookie_becomes_one_with_its_case_kept():
    assert event({**SALE, "fbclid": "IwAR_Case"})["user_data"]["fbc"] == f"fb.1.{int(AT.timestamp())}000.IwAR_Case"


def test_a_tracked_visit_is_a_website_event_and_a_webhook_alone_is_not():
    assert event({**SALE, **VISIT})["action_source"] == "website"
    assert event(SALE)["action_source"] == "system_generated"
    assert event({**SALE, "client_user_agent": "Mozilla/5.0"})["action_source"] == "system_generated"
    assert event(SALE, action_source="phone_call")["action_source"] == "phone_call"


def test_a_person_needs_more_than_a_name_and_a_place_to_be_found():
    weak = {"fn": "Ann", "ct": "Paris", "country": "FR", "client_user_agent": "Mozilla/5.0"}
    assert refused_field(weak, stage=Stage.VIEW_CONTENT) == "em"
    for enough in ({"ph": "+33612345678"}, {"client_ip_address": "203.0.113.7"}, {"ln": "Doe"}, {"external_id": "u1"}):
        assert event({**weak, **enough}, stage=Stage.VIEW_CONTENT)


def test_the_event_id_is_the_hubs_unless_the_page_shares_one():
    assert event()["event_id"] == "hub-r1"
    assert event({**SALE, "event_id": "A-1"})["event_id"] == "A-1"


def test_test_and_live_conversions_never_share_a_request():
    assert Meta().group(record(test=True), settings()) != Meta().group(record(), settings())
    assert deliver(record(test=True), test_event_code="TEST1")[0]["test_event_code"] == "TEST1"
    assert "test_event_code" not in deliver(record(), test_event_code="TEST1")[0]


def test_a_test_is_not_sent_without_a_code_to_mark_it():
    body, outcomes = deliver(record(test=True))
    assert body is None
    assert (outcomes["r1"].result, outcomes["r1"].reason) == (Result.SKIPPED, "test_not_sent")


def test_limited_data_use_lets_meta_locate_the_person():
    keys = ("data_processing_options", "data_processing_options_country", "data_processing_options_state")
    assert [event(limited_data_use=True)[key] for key in keys] == [["LDU"], 0, 0]
    assert not set(keys) & set(event())


def test_a_count_that_is_short_and_words_of_meta_become_a_warning():
    _, outcomes = deliver(record(), answer={"events_received": 0, "messages": ["Invalid fbc"]})
    assert outcomes["r1"].result is Result.DELIVERED_WITH_WARNING
    assert outcomes["r1"].detail == "Meta counted 0 of 1 events. Invalid fbc"


@pytest.mark.parametrize("code", [1, 2, 341, 368, 5000, 21009])
@pytest.mark.parametrize("status", [400, 500])
def test_a_passing_fault_is_tried_again_whatever_the_status(code, status):
    with pytest.raises(TryLater) as caught:
        judge(status, {"code": code})
    assert not caught.value.whole_connection


def test_what_meta_calls_transient_is_tried_again():
    with pytest.raises(TryLater):
        judge(400, {"code": 100, "is_transient": True})


@pytest.mark.parametrize("code", [4, 17, 80003])
def test_throttling_slows_the_whole_connection(code):
    with pytest.raises(TryLater) as caught:
        judge(400, {"code": code})
    assert caught.value.whole_connection


@pytest.mark.parametrize("subcode", [None, 460, 463])
@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_dead_token_pauses_the_connection_even_with_status_500(status, subcode):
    with pytest.raises(BadCredentials):
        judge(status, {"code": 190, "error_subcode": subcode})


@pytest.mark.parametrize("subcode", [33, 2804001, 2804007, 2804016, 2804017, 2804019, 2804048, 99, None])
@pytest.mark.parametrize("status", [400, 500, 200])
def test_an_invalid_event_is_refused_for_good_in_metas_own_words(status, subcode):
    with pytest.raises(Refused, match="Meta refused") as caught:
        judge(status, {"code": 100, "error_subcode": subcode, "error_user_msg": "Do this", "message": "(#100)"})
    assert caught.value.detail.endswith("Do this")
    assert not isinstance(caught.value, BadCredentials)


@pytest.mark.parametrize("code", [3, 105, 200])
def test_what_the_token_may_not_do_is_refused_for_good(code):
    with pytest.raises(Refused):
        judge(403, {"code": code})


def test_a_sale_without_value_is_a_matter_of_mapping_and_an_old_one_of_age():
    with pytest.raises(BadMapping) as caught:
        judge(400, {"code": 100, "error_subcode": 2804009})
    assert caught.value.field == "value"
    with pytest.raises(Refused) as old:
        judge(400, {"code": 100, "error_subcode": 2804003})
    assert old.value.reason == "too_old"


@pytest.mark.parametrize("status", [200, 400, 502])
def test_a_web_page_instead_of_data_is_tried_again(status):
    with pytest.raises(TryLater):
        judge(status, body=b"\n<!DOCTYPE html><title>Sorry</title>")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"error": "text"}', b'{"error": {"code": 987654}}', b'{"error": {"code": []}}'],
)
def test_an_answer_without_a_known_code_is_left_to_its_status(body):
    assert judge(400, body=body) is None


def test_ids_and_versions_that_would_bend_the_address_are_not_taken():
    for wrong in ({"pixel_id": "12/../me"}, {"pixel_id": ""}, {"api_version": "v25.0/x"}, {"access_token": " "}):
        with pytest.raises(ValidationError):
            settings(**wrong)


def test_checking_reads_the_pixel_and_says_its_name():
    recipe = Meta().check(settings())
    call = next(recipe)
    assert (call.method, call.url) == ("GET", "https://graph.facebook.com/v25.0/1234567890123456")
    with pytest.raises(StopIteration) as stop:
        recipe.send(Reply(200, Headers(), b'{"name": "Main pixel", "id": "1"}'))
    assert "Main pixel" in stop.value.value


def test_a_token_that_may_only_send_passes_the_check_and_a_wrong_pixel_does_not():
    def check(error):
        recipe = Meta().check(settings())
        next(recipe)
        with pytest.raises((StopIteration, Refused)) as end:
            recipe.throw(error)
        return end.value

    with pytest.raises(Refused) as may_not_read:
        judge(403, {"code": 200, "message": "Missing permission"})
    assert "Send a test" in check(may_not_read.value).value
    with pytest.raises(Refused) as unknown:
        judge(400, {"code": 100, "error_subcode": 33})
    assert check(unknown.value) is unknown.value


def test_odd_values_out_of_a_mapping_do_not_spoil_the_batch():
    odd = {
        **SALE,
        "order_id": 7,
        "content_name": {"en": "Course"},
        "client_ip_address": ["203.0.113.7"],
        "items": "none",
    }
    sent = event(odd)
    assert sent["custom_data"] == {"value": 49.9, "currency": "EUR", "order_id": "7"}
    assert set(sent["user_data"]) == {"em"}
