"""Headers that name a certificate: what a connector declares is all that differs between senders."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from authorities import Party
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from senders import NOW, no_call, reply

from hub.connecting.rehearsal import drive
from hub.contract import Call, Headers, NotVerified, Recipe, Reply
from hub.toolkit import certificates
from hub.toolkit.certified_headers import FUTURE, CertifiedHeaders, ask_sender, with_message

ROOT = Party("Root", ca=True)
SIGNER, OTHER = Party("keys.acme.example", ROOT), Party("keys.acme.example", ROOT)
KEY = SIGNER.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
BODY = b'{"id": 1}'
QUESTION = Call.post("https://acme.example/verify", body=BODY)


class AcmeHeaders(CertifiedHeaders):
    header_names = ("Acme-Id", "Acme-Time", "Acme-Signature", "Acme-Certificate", "Acme-Algorithm")
    domain = "acme.example"
    test_certificate_url = "https://keys.acme.example/1"

    def message(self, receiver: str, body: bytes) -> bytes:
        return f"{receiver}.{self.id}.{self.time}.".encode() + body


DELIVERY = AcmeHeaders.read(Headers(AcmeHeaders.make("shop-1", BODY, NOW, KEY)))


@pytest.fixture(autouse=True)
def _own_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "public_roots", lambda: (ROOT.certificate,))


def checked(
    *receivers: str, delivery: AcmeHeaders = DELIVERY, body: bytes = BODY, pinned: Party | None = SIGNER
) -> Recipe:
    return delivery.check_signature(receivers, body, pinned.pem.decode() if pinned else "", NOW)


@pytest.mark.parametrize("receivers", [("shop-1",), ("shop-2", "shop-1"), ("shop-1", "shop-2")])
def test_what_is_signed_for_any_of_the_receivers_is_believed(receivers: tuple[str, ...]) -> None:
    DELIVERY.check(NOW, 60)
    drive(checked(*receivers), no_call)


@pytest.mark.parametrize(
    "recipe",
    [
        lambda: checked("shop-2"),
        lambda: checked("shop-2", "shop-3"),
        lambda: checked("shop-1", body=b'{"id": 2}'),
        lambda: checked("shop-1", "shop-2", pinned=OTHER),
        lambda: checked("shop-1", delivery=replace(DELIVERY, id="another")),
        lambda: checked("shop-1", delivery=replace(DELIVERY, signature="")),
    ],
    ids=["another receiver", "other receivers", "another body", "another key", "another id", "no signature"],
)
def test_whatever_was_not_signed_so_is_refused(recipe: Iterator[Call]) -> None:
    with pytest.raises(NotVerified, match="does not match"):
        drive(recipe(), no_call)


@pytest.mark.parametrize("receivers", [(), ("",), ("", "shop-1")])
def test_without_a_receiver_nothing_is_believed(receivers: tuple[str, ...]) -> None:
    with pytest.raises(NotVerified) as refused:
        drive(checked(*receivers), no_call)
    assert refused.value.reason == "secret_not_set"


def test_an_unpinned_certificate_is_fetched_from_the_address_in_the_header() -> None:
    asked: list[str] = []

    def answer(call: Call) -> Reply:
        asked.append(call.url)
        return reply(SIGNER.pem)

    drive(checked("shop-1", pinned=None), answer)
    assert asked == [AcmeHeaders.test_certificate_url]


@pytest.mark.parametrize(
    "delivery",
    [
        replace(DELIVERY, time="yesterday"),
        replace(DELIVERY, time=(NOW - timedelta(seconds=61)).isoformat()),
        replace(DELIVERY, time=(NOW + timedelta(seconds=FUTURE + 1)).isoformat()),
        replace(DELIVERY, algorithm="none"),
        replace(DELIVERY, certificate_url="https://acme.example.evil.example/1"),
        replace(DELIVERY, certificate_url="http://keys.acme.example/1"),
    ],
    ids=["no time", "too old", "from the future", "another algorithm", "another domain", "not https"],
)
def test_headers_that_say_anything_else_are_refused(delivery: AcmeHeaders) -> None:
    with pytest.raises(NotVerified):
        delivery.check(NOW, 60)


@pytest.mark.parametrize("missing", AcmeHeaders.header_names)
def test_every_header_is_needed(missing: str) -> None:
    headers = AcmeHeaders.make("shop-1", BODY, NOW, KEY) | {missing: ""}
    with pytest.raises(NotVerified, match=missing):
        AcmeHeaders.read(Headers(headers))


def test_a_sender_that_says_yes_is_believed() -> None:
    drive(ask_sender(QUESTION, "verdict", "ours"), lambda _call: reply({"verdict": "ours"}))


@pytest.mark.parametrize(
    "answer",
    [reply({"verdict": "no"}), reply({}), reply(["ours"]), reply(b"ours"), reply({"verdict": "ours"}, 503)],
)
def test_a_sender_that_says_anything_else_is_not(answer: Reply) -> None:
    with pytest.raises(NotVerified):
        drive(ask_sender(QUESTION, "verdict", "ours"), lambda _call: answer)


def test_a_message_stands_in_the_question_byte_for_byte() -> None:
    body = b'{"a":  1.00, "b":"\\u00e9"}\n'
    question = with_message({"id": "shop-1"}, "event", body)
    assert body in question
    assert json.loads(question) == {"id": "shop-1", "event": json.loads(body)}


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{", b'{}, "id": {}', b"\xff", b"[" * 100_000])
def test_a_message_that_could_change_the_question_is_refused(body: bytes) -> None:
    with pytest.raises(NotVerified):
        with_message({"id": "shop-1"}, "event", body)
