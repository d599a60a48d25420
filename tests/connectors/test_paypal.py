"""PayPal: whose certificate is believed, what is asked of PayPal, and one sale told by many events."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from authorities import Party
from senders import NOW, message, no_call, read, read_back_and_read, reply, trust, vector

from connectors.paypal.source import PayPal
from connectors.paypal.verification import Transmission
from hub.contract import Call, Headers, Inbound, NotUnderstood, NotVerified, Reply, Stage, Trust, TryLater
from hub.toolkit import certificates

SOURCE = PayPal()
RSA = vector("paypal_rsa")
PINNED = {"webhook_id": RSA["webhook_id"], "certificate_pem": RSA["certificate_pem"]}
ROOT = Party("Root", ca=True)
MIDDLE = Party("Middle", ROOT, ca=True)
SIGNER = Party("messageverificationcerts.paypal.com", MIDDLE)
LATE = Party(
    "messageverificationcerts.paypal.com", MIDDLE, valid=(datetime(2024, 1, 1, tzinfo=UTC), NOW - timedelta(days=1))
)
STRANGER = Party("messageverificationcerts.evil.example", MIDDLE)
BODY = '{"id":"WH-1","event_type":"PAYMENT.SALE.COMPLETED","note":"Jörg €"}'
CERTIFICATE_URL = "https://api.paypal.com/v1/notifications/certs/CERT-1"
Answer = Callable[[Call], Reply]


def derived(body: str = RSA["body"], at: datetime = NOW, **headers: str | None) -> Inbound:
    """The derived vector, with headers replaced (``cert_url="…"``) or left out (None)."""
    changed = {f"PAYPAL-{name.replace('_', '-').upper()}": value for name, value in headers.items()}
    kept = {name: value for name, value in {**RSA["headers"], **changed}.items() if value is not None}
    return message(body, kept, at)


def signed(by: Party, webhook_id: str = "WH-ID", body: str = BODY) -> Inbound:
    sent = Transmission("id-1", "2026-11-21T12:00:00Z", "", CERTIFICATE_URL, "SHA256withRSA")
    headers = {
        "PayPal-Transmission-Id": sent.id,
        "PayPal-Transmission-Time": sent.time,
        "PayPal-Transmission-Sig": by.sign(sent.message(webhook_id, body.encode())),
        "PayPal-Cert-Url": sent.certificate_url,
        "PayPal-Auth-Algo": sent.algorithm,
    }
    return message(body, headers)


def publishing(*chain: Party) -> Answer:
    """PayPal's answer to the question for its certificate."""

    def answer(call: Call) -> Reply:
        assert (call.method, call.url, call.authenticate) == ("GET", CERTIFICATE_URL, False)
        assert call.cache_seconds > 0
        return reply(b"".join(party.pem for party in chain))

    return answer


@pytest.fixture
def _own_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "public_roots", lambda: (ROOT.certificate,))


def test_the_published_message_text_is_built_exactly() -> None:
    found = vector("paypal_message")
    sent = Transmission.read(Headers(found["headers"]))
    assert sent.message(found["webhook_id"], found["body"].encode()).decode() == found["expected_message"]


def test_the_derived_vector_verifies_with_its_certificate_pinned() -> None:
    assert trust(SOURCE, derived(), PINNED) is Trust.PROVEN


def test_the_derived_vector_s_self_signed_certificate_is_refused_when_fetched() -> None:
    def answer(call: Call) -> Reply:
        return reply(RSA["certificate_pem"].encode())

    with pytest.raises(NotVerified, match="public authority"):
        trust(SOURCE, derived(), {"webhook_id": RSA["webhook_id"]}, answer)


@pytest.mark.parametrize(
    "inbound",
    [
        derived(body=RSA["body"].replace("20.00", "90.00")),
        derived(body=json.dumps(json.loads(RSA["body"]))),
        derived(transmission_id="00000000-0000-4000-8000-0000000000ab"),
        derived(transmission_time="2026-11-21T12:00:01Z"),
        derived(transmission_sig="AAAA"),
        derived(auth_algo="SHA1withRSA"),
        derived(auth_algo="none"),
        *(derived(**{name: None}) for name in ("transmission_id", "transmission_time", "transmission_sig")),
        *(derived(**{name: ""}) for name in ("cert_url", "auth_algo")),
    ],
)
def test_a_mutated_message_is_refused(inbound: Inbound) -> None:
    with pytest.raises(NotVerified):
        trust(SOURCE, inbound, PINNED)


@pytest.mark.parametrize("webhook_id", ["", "WHID0000000000002", "WEBHOOK_ID"])
def test_another_webhook_id_is_refused(webhook_id: str) -> None:
    with pytest.raises(NotVerified):
        trust(SOURCE, derived(), PINNED | {"webhook_id": webhook_id})


@pytest.mark.parametrize("late", [timedelta(seconds=-300), timedelta(0), timedelta(days=3, hours=12)])
def test_a_retry_is_accepted_for_as_long_as_paypal_tries(late: timedelta) -> None:
    assert trust(SOURCE, derived(at=NOW + late), PINNED) is Trust.PROVEN


@pytest.mark.parametrize("late", [timedelta(seconds=-301), timedelta(days=4, seconds=1)])
def test_a_stale_or_future_transmission_is_refused(late: timedelta) -> None:
    with pytest.raises(NotVerified) as refused:
        trust(SOURCE, derived(at=NOW + late), PINNED)
    assert refused.value.reason == ("signature_from_future" if late < timedelta(0) else "signature_too_old")


def test_the_pinned_certificate_must_be_in_force() -> None:
    late = signed(LATE)
    with pytest.raises(NotVerified, match="expired"):
        trust(SOURCE, late, {"webhook_id": "WH-ID", "certificate_pem": LATE.pem.decode()})


@pytest.mark.parametrize(
    "url",
    [
        "http://api.paypal.com/cert",
        "https://paypal.com.evil.com/cert",
        "https://evilpaypal.com/cert",
        "https://evil.com/api.paypal.com",
        "https://evil.com#.paypal.com",
        "https://evil.com?.paypal.com",
        "https://evil.com\\.paypal.com/cert",
        "https://api.paypal.com@evil.com/cert",
        "https://user:pass@api.paypal.com/cert",
        "https://@api.paypal.com/cert",
        "https://api.paypal.com:8443/cert",
        "https://api.paypal.com:99999/cert",
        "https://127.0.0.1/cert",
        "https://[::1]/cert",
        "https://аpi.pаypal.com/cert",
        "file:///etc/passwd",
        "//api.paypal.com/cert",
        "cert",
    ],
)
def test_a_certificate_is_fetched_from_paypal_only(url: str) -> None:
    with pytest.raises(NotVerified):
        trust(SOURCE, derived(cert_url=url), {"webhook_id": RSA["webhook_id"]}, no_call)


@pytest.mark.usefixtures("_own_root")
@pytest.mark.parametrize("chain", [(SIGNER, MIDDLE), (SIGNER, ROOT, MIDDLE)])
def test_a_published_certificate_with_its_intermediates_is_believed(chain: tuple[Party, ...]) -> None:
    assert trust(SOURCE, signed(SIGNER), {"webhook_id": "WH-ID"}, publishing(*chain)) is Trust.PROVEN


@pytest.mark.usefixtures("_own_root")
@pytest.mark.parametrize(
    ("by", "chain"),
    [
        (SIGNER, (SIGNER,)),
        (MIDDLE, (SIGNER, MIDDLE)),
        (LATE, (LATE, MIDDLE)),
        (STRANGER, (STRANGER, MIDDLE)),
        (SIGNER, (STRANGER, SIGNER, MIDDLE)),
    ],
    ids=["intermediate missing", "signed by another key", "expired", "other name", "other certificate first"],
)
def test_any_other_published_certificate_is_refused(by: Party, chain: tuple[Party, ...]) -> None:
    with pytest.raises(NotVerified):
        trust(SOURCE, signed(by), {"webhook_id": "WH-ID"}, publishing(*chain))


@pytest.mark.parametrize("answer", [reply(b"gone", 404), reply(b"<html>"), reply(b"")])
def test_a_certificate_that_is_none_is_refused(answer: Reply) -> None:
    with pytest.raises(NotVerified):
        trust(SOURCE, signed(SIGNER), {"webhook_id": "WH-ID"}, lambda _call: answer)


def test_an_unreachable_paypal_is_no_verdict() -> None:
    def unreachable(call: Call) -> Reply:
        raise TryLater("No route to PayPal.")

    with pytest.raises(TryLater):
        trust(SOURCE, signed(SIGNER), {"webhook_id": "WH-ID"}, unreachable)


@pytest.mark.usefixtures("_own_root")
def test_the_simulator_is_believed_only_when_switched_on_and_then_all_is_a_test() -> None:
    simulated = signed(SIGNER, webhook_id="WEBHOOK_ID")
    with pytest.raises(NotVerified):
        trust(SOURCE, simulated, {"webhook_id": "WH-ID"}, publishing(SIGNER, MIDDLE))
    switched_on = {"webhook_id": "WH-ID", "accept_simulator": True}
    assert trust(SOURCE, simulated, switched_on, publishing(SIGNER, MIDDLE)) is Trust.PROVEN
    [conversion] = read(SOURCE, capture(), switched_on)
    assert conversion.test


ASKING = {"webhook_id": "WH-ID", "verify_with": "postback", "client_id": "id", "client_secret": "secret"}


def test_paypal_is_asked_with_the_event_s_own_text() -> None:
    asked: list[Call] = []

    def answer(call: Call) -> Reply:
        asked.append(call)
        return reply({"verification_status": "SUCCESS"})

    odd = '{"id": "WH-1",  "amount":1.00,"note":"\\u00e9é"}\n'
    assert trust(SOURCE, signed(SIGNER, body=odd), ASKING | {"mode": "sandbox"}, answer) is Trust.PROVEN
    [call] = asked
    content, _ = call.content()
    assert call.url == "https://api-m.sandbox.paypal.com/v1/notifications/verify-webhook-signature"
    assert odd.encode() in content
    assert json.loads(content)["webhook_event"]["id"] == "WH-1"
    assert json.loads(content)["webhook_id"] == "WH-ID"
    assert call.authenticate


@pytest.mark.parametrize(
    "answer",
    [
        reply({"verification_status": "FAILURE"}),
        reply({}),
        reply([]),
        reply(b"SUCCESS"),
        reply({"verification_status": "SUCCESS"}, 500),
    ],
)
def test_any_answer_but_success_is_a_refusal(answer: Reply) -> None:
    with pytest.raises(NotVerified):
        trust(SOURCE, signed(SIGNER), ASKING, lambda _call: answer)


def test_asking_paypal_without_credentials_is_refused() -> None:
    with pytest.raises(NotVerified) as refused:
        trust(SOURCE, signed(SIGNER), {"webhook_id": "WH-ID", "verify_with": "postback"})
    assert refused.value.reason == "secret_not_set"


def test_a_body_cannot_smuggle_fields_into_the_question() -> None:
    asked: list[bytes] = []

    def answer(call: Call) -> Reply:
        asked.append(call.content()[0])
        return reply({"verification_status": "SUCCESS"})

    smuggled = '{"id":"WH-1"}, "webhook_id": "ATTACKER", "x": {}'
    with pytest.raises(NotVerified):
        trust(SOURCE, signed(SIGNER, body=smuggled), ASKING, answer)
    assert asked == []


def event(kind: str, resource: dict[str, Any]) -> Inbound:
    return message({"id": "WH-1", "event_type": kind, "create_time": "2026-11-21T11:59:00Z", "resource": resource})


def capture(**more: Any) -> Inbound:
    up = {"rel": "up", "href": "https://api.paypal.com/v2/checkout/orders/ORDER1"}
    resource = {"id": "CAPTURE1", "amount": {"value": "49.00", "currency_code": "EUR"}, "links": [up]}
    return event("PAYMENT.CAPTURE.COMPLETED", resource | more)


def test_every_telling_of_one_sale_shares_an_id() -> None:
    unit = {"amount": {"value": "49.00", "currency_code": "EUR"}, "payments": {"captures": [{"id": "CAPTURE1"}]}}
    refund = {
        "id": "REFUND1",
        "amount": {"value": "9.00", "currency_code": "EUR"},
        "links": [{"rel": "up", "href": "https://api.paypal.com/v2/payments/captures/CAPTURE1"}],
    }
    dispute = {
        "dispute_id": "PP-1",
        "disputed_transactions": [{"seller_transaction_id": "CAPTURE1"}],
        "dispute_amount": {"value": "49.00", "currency_code": "EUR"},
    }
    told = [
        capture(),
        event("CHECKOUT.ORDER.COMPLETED", {"id": "ORDER1", "purchase_units": [unit]}),
        event("PAYMENT.CAPTURE.REFUNDED", refund),
        event("CUSTOMER.DISPUTE.CREATED", dispute),
    ]
    names = [{one.order_id, *one.order_aliases} for each in told for one in read(SOURCE, each)]
    assert names == [{"ORDER1", "CAPTURE1"}, {"ORDER1", "CAPTURE1"}, {"CAPTURE1"}, {"CAPTURE1"}]


def test_several_events_under_the_simulator_s_one_id_stay_apart() -> None:
    ids = {
        read(SOURCE, event(kind, {"id": "I-1"}))[0].event_id
        for kind in ("BILLING.SUBSCRIPTION.CANCELLED", "BILLING.SUBSCRIPTION.SUSPENDED")
    }
    assert len(ids) == 2


def test_a_custom_id_that_may_repeat_names_no_sale() -> None:
    [sale] = read(SOURCE, capture(custom_id="member-7", invoice_id="INV-9"))
    assert "INV-9" in sale.order_aliases
    assert "member-7" not in sale.order_aliases
    assert sale.extra["custom_id"] == "member-7"


def test_the_payee_is_never_the_buyer() -> None:
    [sale] = read(SOURCE, capture(payee={"email_address": "shop@example.com", "merchant_id": "M1"}))
    assert (sale.contact.email, sale.contact.external_id) == (None, None)


def test_the_buyer_is_read_back_from_the_order() -> None:
    def answer(call: Call) -> Reply:
        assert call.url == "https://api-m.paypal.com/v2/checkout/orders/ORDER1"
        return reply({"id": "ORDER1", "payer": {"email_address": "dana@example.com", "payer_id": "P1"}})

    [sale] = read_back_and_read(SOURCE, capture(), {"client_id": "id", "client_secret": "secret"}, answer)
    assert (sale.contact.email, str(sale.value)) == ("dana@example.com", "49.00")


def test_nothing_is_read_back_without_credentials_or_when_the_buyer_is_known() -> None:
    known = capture(payer={"email_address": "dana@example.com"})
    assert not SOURCE.needs_fetch(capture(), SOURCE.Settings().load({}))
    assert not SOURCE.needs_fetch(known, SOURCE.Settings().load({"client_id": "id", "client_secret": "secret"}))


def test_a_subscription_s_charge_leaves_it_to_the_hub_whether_it_is_the_first() -> None:
    sale = {"id": "SALE1", "amount": {"total": "10.00", "currency": "EUR"}, "billing_agreement_id": "I-1"}
    [charge] = read(SOURCE, event("PAYMENT.SALE.COMPLETED", sale))
    assert (charge.stage, charge.subscription_id, charge.order_id) == (Stage.PURCHASE, "I-1", "SALE1")
    assert charge.flags == ["maybe_renewal"]


@pytest.mark.parametrize("mode", ["live", "sandbox"])
def test_everything_from_the_sandbox_is_a_test(mode: str) -> None:
    [sale] = read(SOURCE, capture(), {"mode": mode})
    assert sale.test is (mode == "sandbox")


@pytest.mark.parametrize(
    "amount",
    [None, {}, {"value": "49.00"}, {"currency_code": "EUR"}, {"value": "-1", "currency_code": "EUR"}, {"value": "x"}],
)
def test_a_sale_without_a_usable_amount_is_parked(amount: Any) -> None:
    with pytest.raises(NotUnderstood):
        read(SOURCE, capture(amount=amount))


def test_a_refund_of_nobody_knows_what_is_parked() -> None:
    with pytest.raises(NotUnderstood):
        read(SOURCE, event("PAYMENT.CAPTURE.REFUNDED", {"id": "R1", "amount": {"value": "1", "currency_code": "EUR"}}))
