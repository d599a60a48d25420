"""Google Analytics 4: one event a request, within Google's limits, since Google says nothing when they are passed."""

import json
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from marshmallow import ValidationError

from connectors.ga4.destination import Ga4, Ga4Settings
from hub.contract import BadMapping, Headers, Kind, Record, Refused, Reply, Result, Stage

AT = datetime(2026, 11, 21, 12, 0, 30, 123456, tzinfo=UTC)
SALE = {"email": "ann@example.com", "transaction_id": "A-1", "value": "49.90", "currency": "EUR"}


def settings(**changes):
    return Ga4Settings().load({"measurement_id": "G-AB12CD34EF", "api_secret": "made-up", **changes})


def record(values=SALE, *, kind=Kind.CONVERSION, stage=Stage.PURCHASE, event_id="0123456789abcdef"):
    return Record("r1", event_id, kind, stage, AT, dict(values))


def message(values=SALE, **rest):
    changes = {key: rest.pop(key) for key in ("region", "lead_event_name") if key in rest}
    call = next(Ga4().deliver(record(values, **rest), settings(**changes)))
    return json.loads(call.content()[0])


def sent(values=SALE, **rest):
    (event,) = message(values, **rest)["events"]
    return event["name"], event["params"]


def refused_field(values, **rest):
    with pytest.raises(BadMapping) as caught:
        message(values, **rest)
    return caught.value.field


def digest(text):
    return sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("stage", "name"),
    [
        (Stage.VIEW_CONTENT, "view_item"),
        (Stage.ADD_TO_CART, "add_to_cart"),
        (Stage.INITIATE_CHECKOUT, "begin_checkout"),
        (Stage.COMPLETE_REGISTRATION, "sign_up"),
        (Stage.ADD_PAYMENT_INFO, "add_payment_info"),
        (Stage.PURCHASE, "purchase"),
    ],
)
def test_each_stage_has_googles_own_name(stage, name):
    assert sent(stage=stage)[0] == name


def test_a_lead_is_off_by_default_and_never_goes_by_googles_name():
    assert Stage.LEAD not in Ga4.default_stages
    assert sent(stage=Stage.LEAD)[0] == "CheckoutAbandoned"
    assert sent(stage=Stage.LEAD, lead_event_name="checkout_lost")[0] == "checkout_lost"
    for reserved in ("ga_lost", "google_lost", "firebase_x", "_lost", "1st", "two words", "x" * 41, ""):
        with pytest.raises(ValidationError):
            settings(lead_event_name=reserved)


def test_a_sale_has_its_id_amount_time_and_engagement():
    assert sent()[1] == {"engagement_time_msec": 100, "transaction_id": "A-1", "value": 49.9, "currency": "EUR"}
    assert message()["timestamp_micros"] == 1795262430123456


@pytest.mark.parametrize("empty", ["", "  ", None])
@pytest.mark.parametrize("kind", [Kind.CONVERSION, Kind.RENEWAL, Kind.REFUND])
def test_a_sale_without_an_order_id_is_not_sent_since_google_would_fold_all_into_one(kind, empty):
    assert refused_field({**SALE, "transaction_id": empty}, kind=kind) == "transaction_id"


def test_other_stages_need_no_order_id():
    assert "transaction_id" not in sent({"email": "ann@example.com"}, stage=Stage.VIEW_CONTENT)[1]


def test_a_refund_names_the_order_and_its_positive_amount():
    name, params = sent(kind=Kind.REFUND, stage=None)
    assert name == "refund"
    assert params.items() >= {"transaction_id": "A-1", "value": 49.9, "currency": "EUR"}.items()


def test_a_renewal_is_a_purchase_that_google_does_not_take_for_the_first_one():
    name, params = sent(kind=Kind.RENEWAL, stage=None)
    assert (name, params["transaction_id"]) == ("purchase", "A-1-01234567")


@pytest.mark.parametrize(
    ("change", "field"),
    [({"currency": "Euro"}, "currency"), ({"value": "49,90"}, "value"), ({"value": "-1"}, "value")],
)
def test_an_amount_that_google_would_drop_is_not_sent(change, field):
    assert refused_field({**SALE, **change}) == field


def test_an_amount_without_currency_is_left_out_of_other_stages():
    assert "value" not in sent({"value": "5"}, stage=Stage.ADD_TO_CART)[1]


def test_the_client_id_is_the_last_two_parts_of_the_cookie():
    assert message({**SALE, "client_id": "GA1.1.1234567890.1700000000"})["client_id"] == "1234567890.1700000000"
    assert message({**SALE, "client_id": "GA1.2-2.123.456"})["client_id"] == "123.456"
    assert message({**SALE, "client_id": "123.456"})["client_id"] == "123.456"


def test_without_a_cookie_each_person_has_one_id_for_all_their_events():
    first = message({"email": " Ann@example.com"}, stage=Stage.VIEW_CONTENT, event_id="one")["client_id"]
    second = message(SALE, event_id="two")["client_id"]
    assert first == second
    assert message({**SALE, "email": "bob@example.com"})["client_id"] != first
    assert "ann" not in first
    nobody = {"transaction_id": "A-1"}
    assert message(nobody, event_id="one")["client_id"] == message(nobody, event_id="two")["client_id"]


@pytest.mark.parametrize(
    "cookie",
    [
        "GS1.1.1700000000.3.1.1700000100.0.0.0",
        "GS2.1.s1700000000$o3$g1$t1700000100$j60$l0$h0",
        "1700000000",
        1700000000,
    ],
)
def test_the_session_id_is_read_from_either_form_of_the_cookie(cookie):
    assert sent({**SALE, "session_id": cookie})[1]["session_id"] == "1700000000"


def test_lines_of_an_order_become_items_and_nameless_ones_are_left_out():
    lines = [
        {"product_id": "p1", "name": "Course", "quantity": "2", "price": "12.50", "category": "Art"},
        {"price": "1"},
    ]
    assert sent({**SALE, "items": lines})[1]["items"] == [
        {"item_id": "p1", "item_name": "Course", "price": 12.5, "quantity": 2, "item_category": "Art"}
    ]


def test_hashed_identifiers_go_only_beside_a_user_id():
    person = {
        **SALE,
        "email": "Ann.Doe+x@gmail.com",
        "phone": "+33 6 12 34 56 78",
        "first_name": " Ann ",
        "last_name": "Doe",
        "city": "Paris",
        "postal_code": "75008",
        "country": "France",
    }
    assert "user_data" not in message(person)
    body = message({**person, "user_id": "u-1"})
    assert body["user_id"] == "u-1"
    assert body["user_data"] == {
        "sha256_email_address": [digest("anndoe+x@gmail.com")],
        "sha256_phone_number": [digest("+33612345678")],
        "address": [
            {
                "sha256_first_name": digest("ann"),
                "sha256_last_name": digest("doe"),
                "city": "Paris",
                "postal_code": "75008",
                "country": "FR",
            }
        ],
    }
    assert "user_data" not in message({"transaction_id": "A-1", "user_id": "u-1"})


def test_consent_is_said_only_when_it_is_known():
    assert "consent" not in message({**SALE, "ad_user_data": None})
    said = message({**SALE, "ad_user_data": True, "ad_personalization": False})["consent"]
    assert said == {"ad_user_data": "GRANTED", "ad_personalization": "DENIED"}


def test_any_other_field_is_a_parameter_cut_to_the_length_that_google_keeps():
    params = sent({**SALE, "webinar": "w" * 150, "page_location": "u" * 1500, "page_referrer": "r" * 500, "seats": 3})[
        1
    ]
    assert [len(params[key]) for key in ("webinar", "page_location", "page_referrer")] == [100, 1000, 420]
    assert params["seats"] == 3


@pytest.mark.parametrize("name", ["ga_x", "google_x", "firebase_x", "_x", "gtag.x", "two words", "é", "1x", "x" * 41])
def test_a_parameter_name_that_google_reserves_or_cannot_read_is_refused(name):
    assert refused_field({**SALE, name: "1"}) == name


def test_a_parameter_is_one_value():
    assert refused_field({**SALE, "tags": ["a", "b"]}) == "tags"


def test_the_26th_parameter_is_refused_and_25_are_not():
    room = 25 - len(sent()[1])
    assert len(sent({**SALE, **{f"p{number}": "x" for number in range(room)}})[1]) == 25
    assert refused_field({**SALE, **{f"p{number}": "x" for number in range(room + 1)}}) == f"p{room}"


def test_nothing_empty_is_sent():
    assert "coupon" not in sent({**SALE, "coupon": ""})[1]
    assert "page_location" not in sent({**SALE, "page_location": None})[1]


def test_the_european_address_is_used_when_chosen():
    def url(**changes):
        return next(Ga4().deliver(record(), settings(**changes))).url

    assert url() == "https://www.google-analytics.com/mp/collect"
    assert url(region="eu") == "https://region1.google-analytics.com/mp/collect"


def test_a_2xx_is_only_accepted_never_delivered():
    verdict = Ga4().judge(Reply(204, Headers()))
    assert verdict is not None
    assert verdict.result is Result.ACCEPTED_UNVERIFIED
    assert Ga4().judge(Reply(503, Headers())) is None


def test_tests_are_never_sent_since_nothing_can_mark_them():
    assert Ga4.sends_tests is False


def test_checking_asks_the_address_that_keeps_nothing_and_repeats_googles_words():
    def check(answer):
        recipe = Ga4().check(settings())
        assert next(recipe).url == "https://www.google-analytics.com/debug/mp/collect"
        with pytest.raises((StopIteration, Refused)) as end:
            recipe.send(Reply(200, Headers(), json.dumps(answer).encode()))
        return end.value

    assert "Realtime" in check({"validationMessages": []}).value
    said = check({"validationMessages": [{"description": "Invalid measurement_id", "validationCode": "VALUE_INVALID"}]})
    assert isinstance(said, Refused)
    assert "Invalid measurement_id" in said.message
