"""Where the hub never sends to, whatever a person or a name server says: addresses inside, and itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pycurl
import pytest
from journey.verdicts import messages, rows
from journey.world import LocalReceiver, World, world

from hub.contract.reasons import REASONS
from hub.outgoing import curl
from hub.settings import settings
from hub.steer.errors import Invalid
from hub.store import Store, deliveries, replays

INSIDE = [
    "http://127.0.0.1/",
    "http://localhost/",
    "http://0/",
    "http://0.0.0.0/",
    "http://[::1]/",
    "http://[::]/",
    "http://127.1/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://240.0.0.1/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[fc00::1]/",
    "http://[fec0::1]/",
    "http://[fe80::1%25lo]/",
    "http://127.0.0.1.:80/",
    "http://[100::1]/",
]
DISGUISED = [
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[2001:0:7f00:1::]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://0251.0376.0251.0376/",
    "http://2852039166/",
    "http://①②⑦.0.0.1/",
    "http://127.0.0.1:22/",
    "http://127.0.0.1:6379/",
    "http://[::1]:5432/",
    "http://localhost:1/",
]
NAMED = [
    "http://inside.example.com/",
    "https://inside.example.com/",
    "http://metadata.example.com/",
    "http://six.example.com/",
    "http://both-inside.example.com/",
    "http://INSIDE.example.com./",
]
CARRYING = [
    "http://user:password@receiver.example.com/",
    "http://user@receiver.example.com/",
    "http://:@receiver.example.com/",
    "http://receiver.example.com@127.0.0.1/",
    "https://hub.example.org/in/abc",
    "http://hub.example.org/",
    "https://HUB.example.org.:443/",
    "https://hub.example.org:80/in/x",
]
NO_ADDRESS = [
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "ftp://receiver.example.com/",
    "javascript:alert(1)",
    "//receiver.example.com/",
    "receiver.example.com",
    "http://",
    "http:///path",
    "https://[::1",
    "http://[zz]/",
    "dict://127.0.0.1:11211/",
    "data:text/plain,x",
    "http://a:99999/",
    "http://a:0/",
]

NOWHERE = ["http://nobody.invalid/", "http://0x7f.invalid/"]

NAMES = {
    "inside.example.com": ["10.1.2.3"],
    "metadata.example.com": ["169.254.169.254"],
    "six.example.com": ["fd00:ec2::254"],
    "both-inside.example.com": ["127.0.0.1", "::1"],
    "receiver.example.com": ["93.184.215.14"],
    "mixed.example.com": ["10.0.0.1", "93.184.215.14"],
}
PUBLIC = "93.184.215.14"


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The world's name servers: what the names above lead to. Numbers are read by libcurl itself."""
    names = dict(NAMES)

    class Named(pycurl.Curl):
        """Told anew before each request where the names lead, as a name server would."""

        def setopt(self, option: int, value: Any) -> None:
            super().setopt(option, value)
            if option == pycurl.URL:
                spelled = [(f"{name}{dot}", ",".join(names[name])) for name in names for dot in ("", ".")]
                told = [f"{name}:{port}:{leads_to}" for name, leads_to in spelled for port in (80, 443, 8080)]
                super().setopt(pycurl.RESOLVE, told)

    monkeypatch.setattr(pycurl, "Curl", Named)
    return names


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The addresses that a socket is opened for. None of them answers."""
    asked: list[Any] = []

    def new_socket(address: Any) -> int:
        asked.append((address.addr[0], address.addr[1]))
        return pycurl.SOCKET_BAD

    monkeypatch.setattr(curl, "new_socket", new_socket)
    return asked


@pytest.fixture
def hub(database_url: str, store: Store, monkeypatch: pytest.MonkeyPatch, resolver: Any) -> Iterator[World]:
    """A hub at https://hub.example.org that may call nothing inside, and whose sockets reach nobody."""
    forbid_inside(monkeypatch)
    with world(store) as made:
        made.source("pixel")
        yield made


def forbid_inside(monkeypatch: pytest.MonkeyPatch, *allowed: str) -> None:
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", ",".join(allowed))
    monkeypatch.setenv("HUB_BASE_URL", "https://hub.example.org")
    settings.cache_clear()


def sell(hub: World) -> None:
    hub.client.get("/v1/conversion/pixel/1?orderId=1&email=anna%40example.com")
    assert messages(hub)[-1]["reason"] in ("order_added", "joined_known_sale")


def outcomes(hub: World) -> dict[str, tuple[str, str]]:
    """By delivery: its state and reason."""
    return {row["connection_id"]: (row["state"], row["reason"]) for row in rows(hub, deliveries.delivery)}


@pytest.mark.parametrize(
    "group", [INSIDE, DISGUISED, NAMED, CARRYING], ids=["inside", "disguised", "named", "carrying"]
)
def test_an_address_inside_is_refused_with_a_reason_and_never_opened(
    hub: World, opened: list[Any], group: list[str]
) -> None:
    urls = {hub.destination("webhook", url=url): url for url in group}
    sell(hub)
    found = outcomes(hub)
    assert {urls[one]: said for one, said in found.items() if said != ("failed", "address_refused")} == {}
    assert len(found) == len(group)
    assert opened == []
    assert REASONS["address_refused"].said.fr


def test_a_name_that_leads_nowhere_is_asked_for_again_and_opens_nothing(hub: World, opened: list[Any]) -> None:
    for url in NOWHERE:
        hub.destination("webhook", url=url)
    sell(hub)
    assert set(outcomes(hub).values()) == {("waiting", "destination_not_accepting")}
    assert opened == []


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_what_is_no_web_address_is_refused_in_the_form(hub: World, url: str) -> None:
    with pytest.raises(Invalid):
        hub.destination("webhook", url=url)


def test_of_a_name_with_addresses_in_and_outside_only_the_outside_is_called(hub: World, opened: list[Any]) -> None:
    hub.destination("webhook", url="http://mixed.example.com:8080/")
    sell(hub)
    assert opened == [(PUBLIC, 8080)]
    assert set(outcomes(hub).values()) == {("waiting", "destination_not_accepting")}


def test_a_name_that_changes_between_two_look_ups_gains_nothing(
    hub: World, opened: list[Any], resolver: dict[str, list[str]]
) -> None:
    """What is connected to is what is checked, each time a connection is made."""
    hub.destination("webhook", url="http://receiver.example.com/")
    sell(hub)
    assert opened == [(PUBLIC, 80)]
    resolver["receiver.example.com"] = ["127.0.0.1"]
    (row,) = rows(hub, deliveries.delivery)
    with hub.store.write() as tx:
        replays.replan(tx, [row["id"]], row["created_at"])
    hub.work()
    assert opened == [(PUBLIC, 80)]
    assert set(outcomes(hub).values()) == {("failed", "address_refused")}


def test_a_redirect_inside_is_not_followed(hub: World, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = LocalReceiver()
    with redirecting(f"{inside.url}/secret") as url:
        forbid_inside(monkeypatch, url.removeprefix("http://"))
        hub.destination("webhook", url=url)
        sell(hub)
    assert inside.received == []
    inside.close()
    assert set(outcomes(hub).values()) == {("waiting", "destination_not_accepting")}


def test_the_owner_may_allow_one_address_and_port_and_no_other(hub: World, monkeypatch: pytest.MonkeyPatch) -> None:
    other = LocalReceiver()
    forbid_inside(monkeypatch, hub.receiver.url.removeprefix("http://"))
    allowed, refused = hub.destination("webhook", url=hub.receiver.url), hub.destination("webhook", url=other.url)
    sell(hub)
    other.close()
    assert outcomes(hub) == {allowed: ("delivered", "delivered"), refused: ("failed", "address_refused")}
    assert (len(hub.receiver.received), other.received) == (1, [])


class redirecting:  # noqa: N801 - used as a function
    """A server on this machine that sends everyone to ``location``."""

    def __init__(self, location: str) -> None:
        class Endpoint(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(302)
                self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)

    def __enter__(self) -> str:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
