"""PayPal IPN: PayPal's own word on a message, asked with the very bytes it sent."""

import pytest
from senders import message, read, reply, trust

from connectors.paypal_ipn.source import PayPalIpn
from hub.contract import Call, NotVerified, Reply, Trust, TryLater

SOURCE = PayPalIpn()
BODY = b"first_name=J%F6rg&receiver_email=seller%40example.com&txn_id=1&payment_status=Completed&mc_gross=1&mc_currency=EUR"
MINE = {"receiver": "Seller@example.com"}


def test_paypal_is_asked_with_the_untouched_body() -> None:
    asked: list[Call] = []

    def verified(call: Call) -> Reply:
        asked.append(call)
        return reply(b"VERIFIED")

    assert trust(SOURCE, message(BODY), MINE, verified) is Trust.PROVEN
    assert asked[0].url == "https://ipnpb.paypal.com/cgi-bin/webscr"
    assert asked[0].body == b"cmd=_notify-validate&" + BODY


@pytest.mark.parametrize(("answer", "error"), [(b"INVALID", NotVerified), (b"<html>busy</html>", TryLater)])
def test_only_verified_is_a_yes(answer: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        trust(SOURCE, message(BODY), MINE, lambda _call: reply(answer))


def test_a_genuine_payment_to_somebody_else_is_refused_without_asking() -> None:
    with pytest.raises(NotVerified):
        trust(SOURCE, message(BODY), {"receiver": "other@example.com"})


@pytest.mark.parametrize(
    ("charset", "name"), [("", "J%F6rg"), ("&charset=UTF-8", "J%C3%B6rg"), ("&charset=windows-1251", "%DE%F0%E8%E9")]
)
def test_names_are_read_in_the_messages_own_charset(charset: str, name: str) -> None:
    body = BODY.replace(b"J%F6rg", name.encode()) + charset.encode()
    assert read(SOURCE, message(body))[0].contact.first_name == ("Юрий" if "1251" in charset else "Jörg")


def test_a_merchant_id_among_several_receivers_will_do() -> None:
    inbound = message(BODY + b"&receiver_id=258DLEHY2BDK6")
    receivers = {"receiver": "other@example.com, 258DLEHY2BDK6"}
    assert trust(SOURCE, inbound, receivers, lambda _call: reply(b"VERIFIED")) is Trust.PROVEN
