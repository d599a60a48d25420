"""Receivers that are broken, slow or hostile, on real sockets; each called alone, and as a lane calls many at once."""

from __future__ import annotations

import gzip
import signal
import socket
import ssl
import time
import zlib

import pytest
import requests
from outgoing.receivers import WHOLE, Ask, Authority, Receive, after_request, answering, read_request
from requests.exceptions import ConnectTimeout, ReadTimeout, SSLError

from hub.contract.errors import Refused, TryLater
from hub.outgoing import curl
from hub.outgoing.curl import LONGEST_ANSWER, BadCertificate, NameNotFound, NotConnected
from hub.outgoing.failures import failure
from hub.outgoing.guard import AddressRefused
from hub.settings import settings

# -- who is not called -------------------------------------------------------------------------------------------------


def test_a_server_that_proves_its_name_is_trusted(ask: Ask, receive: Receive, authority: Authority) -> None:
    receiver = receive(after_request(WHOLE), authority.context())
    assert ask(receiver.url).content == b"{}"


def test_an_unknown_authority_is_not_trusted(
    ask: Ask, receive: Receive, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    curl.authorities.cache_clear()
    asked: list[bytes] = []
    receiver = receive(answering(WHOLE, asked=asked), authority.context())
    with pytest.raises(BadCertificate):
        ask(receiver.url)
    assert asked == []


def test_an_expired_certificate(ask: Ask, receive: Receive, authority: Authority) -> None:
    asked: list[bytes] = []
    receiver = receive(answering(WHOLE, asked=asked), authority.context(days=-1))
    with pytest.raises(BadCertificate, match="expired") as caught:
        ask(receiver.url)
    assert asked == []
    said = failure(caught.value, "shop.example.com")
    assert isinstance(said, TryLater)
    assert said.message.startswith("The certificate of shop.example.com is not valid.")


def test_a_certificate_for_another_name(ask: Ask, receive: Receive, authority: Authority) -> None:
    asked: list[bytes] = []
    receiver = receive(answering(WHOLE, asked=asked), authority.context("shop.example.com"))
    with pytest.raises(BadCertificate):
        ask(receiver.url)
    assert asked == []


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1 is deprecated")
def test_tls_1_0_is_too_old(ask: Ask, receive: Receive, authority: Authority) -> None:
    context = authority.context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    asked: list[bytes] = []
    receiver = receive(answering(WHOLE, asked=asked), context)
    with pytest.raises(SSLError) as caught:
        ask(receiver.url)
    assert asked == []
    assert "TLS 1.2" in failure(caught.value, "old.example.com").message
    context.maximum_version = context.minimum_version = ssl.TLSVersion.TLSv1_2
    assert ask(receiver.url).status_code == 200


def test_a_redirect_to_an_inner_address_is_not_followed(ask: Ask, receive: Receive) -> None:
    asked: list[bytes] = []
    inner = receive(answering(WHOLE, asked=asked))
    location = f"HTTP/1.1 302 Found\r\nLocation: {inner.url}\r\nContent-Length: 0\r\n\r\n".encode()
    response = ask(receive(answering(location)).url)
    assert (response.status_code, response.headers["location"], asked) == (302, inner.url, [])


def test_a_name_that_resolves_inside(ask: Ask, receive: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    """localhost is looked up for real."""
    asked: list[bytes] = []
    receiver = receive(answering(WHOLE, asked=asked))
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", "")
    settings.cache_clear()
    with pytest.raises(AddressRefused) as caught:
        ask(f"http://localhost:{receiver.port}/")
    assert (receiver.connections, asked) == (0, [])
    assert isinstance(failure(caught.value, "localhost"), Refused)


def test_a_name_that_changes_between_two_look_ups(
    ask: Ask, receive: Receive, monkeypatch: pytest.MonkeyPatch, names: dict[str, str]
) -> None:
    """The name leads outside while it is entered, and inside when it is called: what counts is where the socket goes."""
    asked: list[bytes] = []
    allowed, inner = receive(answering(WHOLE)), receive(answering(WHOLE, WHOLE, asked=asked))
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{allowed.port}")
    settings.cache_clear()
    names["rebound.example.com"] = "127.0.0.1"
    assert ask(f"http://rebound.example.com:{allowed.port}/").status_code == 200
    names["rebound.example.com"] = "127.0.0.2"
    with pytest.raises(AddressRefused):
        ask(f"http://rebound.example.com:{inner.port}/")
    with pytest.raises(AddressRefused):  # the first connection is over, so the name is looked up anew
        ask(f"http://rebound.example.com:{allowed.port}/")
    assert (allowed.connections, inner.connections, asked) == (1, 0, [])


def test_nobody_there_and_no_such_name_are_told_apart_from_silence(ask: Ask, receive: Receive) -> None:
    receiver = receive(answering())
    receiver.close()
    with pytest.raises(NotConnected):
        ask(receiver.url)
    with pytest.raises(NameNotFound):
        ask("http://nobody.invalid/")


def test_a_host_that_takes_no_connection_in_time_was_sent_nothing(ask: Ask) -> None:
    """A server whose queue of connections is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        port = server.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        began = time.monotonic()
        with pytest.raises(ConnectTimeout):
            ask(f"http://127.0.0.1:{port}/", timeout=0.3)
        assert time.monotonic() - began < 2
        for one in waiting:
            one.close()


def test_names_of_today_are_called_by_their_names_of_today(ask: Ask, receive: Receive, names: dict[str, str]) -> None:
    """IDNA 2008: in 2003 straße.de was strasse.de, which may be somebody else's."""
    asked: list[bytes] = []
    receiver = receive(answering(WHOLE, asked=asked))
    names["xn--strae-oqa.example.com"] = "127.0.0.1"
    ask(f"http://straße.example.com:{receiver.port}/")
    assert f"Host: xn--strae-oqa.example.com:{receiver.port}".encode() in asked[0]


# -- answers -----------------------------------------------------------------------------------------------------------

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n%s\r\n"


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


def packed(content: bytes, encoding: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s" % (
        encoding,
        len(content),
        content,
    )


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_packed_answer_is_unpacked(ask: Ask, receive: Receive, encoding: str) -> None:
    asked: list[bytes] = []
    pack = {"gzip": gzip.compress, "deflate": zlib.compress}[encoding]
    receiver = receive(answering(packed(pack(b'{"id": 1}'), encoding.encode()), asked=asked))
    assert ask(receiver.url).json() == {"id": 1}
    assert b"gzip" in asked[0].lower().partition(b"accept-encoding:")[2].partition(b"\r\n")[0]


def test_a_gzip_bomb_is_cut(ask: Ask, receive: Receive) -> None:
    bomb = gzip.compress(b"\0" * 200_000_000, 9)
    receiver = receive(after_request(packed(bomb, b"gzip")))
    began = time.monotonic()
    assert ask(receiver.url).content == b"\0" * LONGEST_ANSWER
    assert time.monotonic() - began < 5


def test_an_endless_body_is_cut(ask: Ask, receive: Receive) -> None:
    def behave(line: socket.socket) -> None:
        read_request(line)
        line.sendall(HEAD % b"")
        while True:
            line.sendall(chunk(b"x" * 10_000))

    receiver = receive(behave)
    assert ask(receiver.url).content == b"x" * LONGEST_ANSWER
    assert receiver.done.wait(5)  # it was hung up on


def test_endless_headers_are_an_error(ask: Ask, receive: Receive) -> None:
    def behave(line: socket.socket) -> None:
        read_request(line)
        line.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            line.sendall(b"X-More: %s\r\n" % (b"x" * 1000))

    receiver = receive(behave)
    with pytest.raises(requests.ConnectionError):
        ask(receiver.url)
    assert receiver.done.wait(5)


def test_one_byte_a_second_ends_in_time(ask: Ask, receive: Receive) -> None:
    receiver = receive(after_request(b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n", *[b"x"] * 60, pause=0.3))
    began = time.monotonic()
    with pytest.raises(ReadTimeout) as caught:
        ask(receiver.url, timeout=0.5)
    assert 0.9 < time.monotonic() - began < 2
    assert "did not answer in time" in failure(caught.value, "slow.example.com").message


def test_silence_ends_before_the_whole_time_is_up(ask: Ask, receive: Receive) -> None:
    receiver = receive(after_request(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"", pause=15))
    began = time.monotonic()
    with pytest.raises(ReadTimeout):
        ask(receiver.url, timeout=4)
    assert 3.5 < time.monotonic() - began < 7.5


def test_a_signal_ends_the_wait_and_its_exception_is_not_lost(ask: Ask, receive: Receive) -> None:
    """So a worker's time limit ends a call (RQ sends SIGALRM)."""

    class TimeIsUp(Exception):
        pass

    def ring(*_: object) -> None:
        raise TimeIsUp

    before = signal.signal(signal.SIGALRM, ring)
    receiver = receive(after_request(b"", pause=10))
    began = time.monotonic()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(TimeIsUp):
            ask(receiver.url, timeout=8)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - began < 3
    answered = receive(answering(WHOLE))
    assert ask(answered.url).content == b"{}"


def test_413_while_we_still_send(ask: Ask, receive: Receive) -> None:
    """It refuses by the headers alone, reads nothing more, and hangs up."""

    def behave(line: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += line.recv(1000)
        line.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 7\r\nConnection: close\r\n\r\ntoo big")
        time.sleep(0.2)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # hangs up with a reset

    response = ask(receive(behave).url, b"x" * 50_000_000)
    assert (response.status_code, response.content) == (413, b"too big")


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{",
        HEAD % b"" + b"10\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Len",
        b"",
    ],
    ids=["after the headers", "in the body", "in a chunk", "in the headers", "without a word"],
)
def test_a_connection_that_ends_too_early_may_have_taken_the_request(ask: Ask, receive: Receive, said: bytes) -> None:
    receiver = receive(after_request(said))
    with pytest.raises(requests.ConnectionError) as caught:
        ask(receiver.url)
    assert not isinstance(caught.value, (NotConnected, ConnectTimeout, SSLError))
    assert isinstance(failure(caught.value, "half.example.com"), TryLater)


def test_100_continue_and_early_hints_come_before_the_answer(ask: Ask, receive: Receive) -> None:
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
    response = ask(receive(after_request(early + WHOLE)).url)
    assert (response.status_code, response.content) == (200, b"{}")
    assert "x-early" not in response.headers


def test_chunks_with_trailers(ask: Ask, receive: Receive) -> None:
    said = HEAD % b"Trailer: X-After\r\n" + chunk(b"ab") + chunk(b"cd") + b"0\r\nX-After: 1\r\n\r\n"
    receiver = receive(answering(said, WHOLE))
    response = ask(receiver.url)
    assert (response.content, "x-after" in response.headers) == (b"abcd", False)
    assert ask(receiver.url).content == b"{}"
    assert receiver.connections == 1
