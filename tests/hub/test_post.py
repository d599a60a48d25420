"""Mail over a real mail server: encrypted or not at all, checked addresses only, and every answer with its meaning."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mailbox_server import Mailbox
from rows import connection_row

from hub.connecting.connected import Connected
from hub.contract import Category, Destination, MailServer
from hub.contract.errors import BadCredentials, DeliveryError, Refused, TryLater
from hub.outgoing.exchange import Exchange
from hub.outgoing.guard import tls_context
from hub.outgoing.sender import Sender
from hub.settings import settings
from hub.toolkit.mail import greeting, mail


class Postcard(Destination):
    """Sends one message."""

    slug, name, category, auth = "postcard", "Postcard", Category.EMAIL, MailServer()

    def deliver(self, record: Any, settings: Any) -> Any:
        reply = yield mail(settings["sender"], record, "Bonjour Été", "Line one\n.\nLine é\n", idempotency_key="d1")
        return reply.body.decode()


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    made = Mailbox(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.certificate))
    tls_context.cache_clear()  # it is made once in a process
    yield made
    made.close()
    tls_context.cache_clear()


@pytest.fixture
def sender() -> Iterator[Sender]:
    made = Sender()
    yield made
    made.close()


def connected(box: Mailbox, **changes: Any) -> Connected:
    return Connected(connection_row("c1"), Postcard(), box.settings(**changes))


def send(sender: Sender, to: Connected, address: str = "anna@example.com", talk: Exchange | None = None) -> Any:
    return sender.run(to, Postcard().deliver(address, to.settings), talk)


def test_a_message_arrives_as_it_was_written(box: Mailbox, sender: Sender) -> None:
    talk = Exchange()
    assert "queued as" in send(sender, connected(box), talk=talk)
    (message,) = box.messages
    assert box.envelopes == [("bonjour@example.com", ["anna@example.com"])]
    assert message["Subject"] == "Bonjour Été"
    assert message["From"] == "Atelier <bonjour@example.com>"
    assert message["Message-ID"] == "<d1@example.com>"
    assert message["Date"].datetime is not None
    assert message.get_content().splitlines() == ["Line one", ".", "Line é"]
    (entry,) = talk.calls
    assert entry["call"]["method"] == "MAIL"
    assert entry["reply"]["status"] == 250


def test_one_connection_serves_a_whole_turn(box: Mailbox, sender: Sender) -> None:
    for number in range(5):
        send(sender, connected(box), f"p{number}@example.com")
    assert len(box.messages) == 5
    assert box.connections == 2  # one greeting in clear, one after STARTTLS


def test_many_messages_leave_side_by_side(box: Mailbox, sender: Sender) -> None:
    to = connected(box)
    starts = [(n, Postcard().deliver(f"p{n}@example.com", to.settings), Exchange()) for n in range(5)]
    ended = list(sender.run_many(to, starts, 4))
    assert [one.error for one in ended] == [None] * 5
    assert sorted(to for _, (to,) in box.envelopes) == [f"p{n}@example.com" for n in range(5)]


def test_a_server_that_hung_up_meanwhile_is_called_again(box: Mailbox, sender: Sender) -> None:
    send(sender, connected(box))
    ((_, server),) = sender._mail._kept.values()
    server.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]  # connected by then
    send(sender, connected(box))
    assert len(box.messages) == 2


def test_tls_from_the_first_byte(tmp_path: Path, box: Mailbox, sender: Sender) -> None:
    other = Mailbox(tmp_path, tls=True)
    send(sender, connected(other, security="tls"))
    other.close()
    assert len(other.messages) == 1


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        ("450 4.2.1 Mailbox busy", TryLater, "destination_not_accepting"),
        ("421 4.3.2 Closing", TryLater, "destination_not_accepting"),
        ("550 5.1.1 No such user", Refused, "refused_by_destination"),
        ("552 5.2.2 Mailbox full", Refused, "refused_by_destination"),
        ("530 5.7.0 Authentication required", BadCredentials, "credentials_refused"),
    ],
)
@pytest.mark.parametrize("late", [False, True], ids=["recipient", "message"])
def test_every_answer_has_its_meaning(
    box: Mailbox, sender: Sender, answer: str, error: type[DeliveryError], reason: str, late: bool
) -> None:
    if late:
        box.at_the_end = answer
    else:
        box.refusals["anna@example.com"] = answer
    with pytest.raises(DeliveryError) as caught:
        send(sender, connected(box))
    assert (type(caught.value), caught.value.reason) == (error, reason)
    assert answer[4:] in caught.value.detail
    assert getattr(caught.value, "whole_connection", False) is answer.startswith("421")
    box.at_the_end, box.refusals = "", {}
    send(sender, connected(box))  # and the next one is served
    assert len(box.messages) == 1


def test_a_wrong_password_is_bad_credentials_and_stays_secret(box: Mailbox, sender: Sender) -> None:
    talk = Exchange()
    with pytest.raises(BadCredentials) as caught:
        send(sender, connected(box, password="wrong-password"), talk=talk)
    assert "535" in caught.value.detail
    assert "wrong-password" not in f"{caught.value.message} {caught.value.detail} {talk.calls}"


def test_a_greeting_proves_the_credentials_and_sends_nothing(box: Mailbox, sender: Sender) -> None:
    def check() -> Any:
        return (yield greeting()).status

    assert sender.run(connected(box), check()) == 250
    assert box.messages == []
    with pytest.raises(BadCredentials):
        sender.run(Connected(connection_row("c2"), Postcard(), box.settings(username="nobody")), check())


def test_without_encryption_no_password_leaves(tmp_path: Path, box: Mailbox, sender: Sender) -> None:
    plain = Mailbox(tmp_path, plain=True)
    with pytest.raises(BadCredentials, match="STARTTLS"):
        send(sender, connected(plain))
    plain.close()
    assert plain.messages == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_is_not_trusted(
    tmp_path: Path, box: Mailbox, sender: Sender, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    tls_context.cache_clear()
    other = Mailbox(tmp_path, tls=security == "tls")
    with pytest.raises(TryLater, match="certificate"):
        send(sender, connected(other, security=security))
    other.close()
    assert other.messages == []


def test_an_address_inside_is_refused_and_never_opened(
    box: Mailbox, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", "")
    settings.cache_clear()
    with pytest.raises(Refused) as caught:
        send(sender, connected(box))
    assert caught.value.reason == "address_refused"
    assert box.connections == 0


def test_a_server_that_is_not_there_or_silent_is_tried_again(box: Mailbox, sender: Sender) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        deaf = Connected(connection_row("c3"), Postcard(), box.settings(port=port))

        def quickly() -> Any:
            call = mail("a@example.com", "b@example.com", "x", "x")
            call.timeout = 0.2
            yield call

        with pytest.raises(TryLater, match="in time"):
            sender.run(deaf, quickly())
    with pytest.raises(TryLater, match="cannot be reached"):
        send(sender, deaf)


@pytest.mark.parametrize("address", ["anna@example.com\r\nRCPT TO:<eve@example.com>", "anna@example.com\nX: y"])
def test_a_line_break_in_an_address_goes_nowhere(box: Mailbox, sender: Sender, address: str) -> None:
    with pytest.raises(ValueError, match="line"):
        send(sender, connected(box), address)
    assert box.messages == []


def test_headers_are_not_folded_into_encoded_words() -> None:
    link = f"<https://hub.example.org/u/{'A1b2' * 40}>"
    call = mail("a@example.com", "b@example.com", "x", "x", headers={"List-Unsubscribe": link})
    assert f"List-Unsubscribe: {link}\r\n".encode() in (call.body or b"")
    with pytest.raises(ValueError, match="printable"):
        mail("a@example.com", "b@example.com", "x", "x", headers={"X": "a\r\nBcc: eve@example.com"})
