"""The address guard: every outgoing connection is checked at the moment it is made, and goes to the address checked.

Looking at the text of a URL is not enough: a name may resolve inside, or change between the check and the use. So the
check sits where the socket is opened, on the resolved address, and that very address is connected to. Redirects are
never followed. The owner of the installation may allow private addresses (HUB_ALLOW_ADDRESSES).
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any, cast
from urllib.parse import urlsplit

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidURL
from urllib3 import Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import LocationValueError
from urllib3.util.connection import create_connection

from hub.contract.errors import Refused
from hub.deliver.deadline import AnswersInTime
from hub.settings import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# IANA special-purpose ranges that Python 3.11's is_global still calls public, or that carry another address inside.
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4", "64:ff9b::/96",
        "64:ff9b:1::/48", "::/96", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16",
        "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip


class AddressRefused(Exception):
    """The address is not one that the hub may call."""


def check_url(url: str) -> None:
    """Raise Refused for what can be told from the text alone: scheme, missing host, credentials, our own address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise Refused("Only full http:// and https:// addresses can be called.", reason="address_refused")
    if parts.username is not None or parts.password is not None:
        raise Refused("An address may not carry a user name or password.", reason="address_refused")
    if _is_own(host, port):
        raise Refused("This is the hub's own address: it would send to itself without end.", reason="address_refused")


def resolve(host: str, port: int) -> list[str]:
    """The IP addresses of ``host`` that may be called, best first. Raises AddressRefused when there is none."""
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    good = [address for address in dict.fromkeys(found) if is_public(address) or settings().allowed(address, port)]
    if not good:
        raise AddressRefused(
            f"{host} leads to an address inside a private network, which the hub does not call. Use a public address, or "
            "let the installation's owner allow it (HUB_ALLOW_ADDRESSES)."
        )
    return good


def open_socket(
    host: str, port: int, timeout: Any, source_address: Any = None, socket_options: Any = None
) -> socket.socket:
    """A connection to the first address of ``host`` that may be called and answers. Raises AddressRefused or OSError."""
    failure: OSError | None = None
    for address in resolve(host, port):
        try:
            return create_connection((address, port), timeout, source_address, socket_options)
        except OSError as error:
            failure = error
    raise failure or OSError("no address")


def is_public(text: str) -> bool:
    """Whether an IP address is reachable by everyone: not loopback, private, link-local, metadata, multicast …

    Addresses that carry an IPv4 address inside (compatible, NAT64, 6to4, Teredo) are never public here; a mapped one is
    what it carries.
    """
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return is_public(str(address.ipv4_mapped))
    return address.is_global and not address.is_multicast and not any(address in network for network in _NEVER)


def _is_own(host: str, port: int | None) -> bool:
    own = urlsplit(settings().base_url)
    usual = (None, 80, 443)  # with and without TLS it is the same hub
    same_port = port == own.port or (port in usual and own.port in usual)
    return same_port and host.rstrip(".") == (own.hostname or "").rstrip(".")


class GuardedAdapter(HTTPAdapter):
    """requests' transport, with connections that only open to checked addresses.

    ``send`` is requests' own without what the hub does not use (cookies, proxies, retries, decoding), which takes longer
    than the sending itself (benchmarks/deliveries.py). What goes wrong is told in urllib3's words.
    """

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _GuardedHttpPool, "https": _GuardedHttpsPool}

    def send(
        self, request: PreparedRequest, stream: bool = True, timeout: Any = None, verify: Any = True, cert: Any = None,
        proxies: Any = None,
    ) -> Response:  # fmt: skip
        """The answer, its body unread in ``raw``."""
        try:
            pool = self.get_connection_with_tls_context(request, verify)
        except LocationValueError as error:
            raise InvalidURL(str(error), request=request) from error
        response = Response()
        assert isinstance(pool, HTTPConnectionPool)  # noqa: S101 - ours are; this tells the type checker
        response.raw = raw = pool.urlopen(
            request.method or "", request.path_url, body=request.body, headers=request.headers, retries=False,
            redirect=False, assert_same_host=False, timeout=Timeout(connect=timeout[0], read=timeout[1]),
            preload_content=False, decode_content=False,
        )  # fmt: skip
        response.status_code = raw.status
        response.headers = cast(Any, raw.headers)  # case-blind too, and as it is
        response.request, response.url = request, request.url or ""
        return response


class _Guarded:
    """Replaces urllib3's step from a host name to an open socket; and headers leave together with their body."""

    _body_follows = False
    _held = b""

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **rest: Any) -> None:
        self._body_follows, self._held = isinstance(body, bytes) and bool(body), b""
        super().request(method, url, body, headers, **rest)  # type: ignore[misc]  # the next class in line has it

    def send(self, data: Any) -> None:
        if self._body_follows:
            self._body_follows, self._held = False, data
            return
        held, self._held = self._held, b""
        super().send(held + data)  # type: ignore[misc]  # the next class in line has it

    def _new_conn(self) -> socket.socket:
        host, port = self._dns_host, self.port  # type: ignore[attr-defined]  # the next class in line has them
        return open_socket(host.strip("[]"), port, self.timeout, self.source_address, self.socket_options)  # type: ignore[attr-defined]  # the next class in line has them


class _GuardedHttp(_Guarded, AnswersInTime, HTTPConnection):
    pass


class _GuardedHttps(_Guarded, AnswersInTime, HTTPSConnection):
    pass


class _GuardedHttpPool(HTTPConnectionPool):
    ConnectionCls = _GuardedHttp


class _GuardedHttpsPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedHttps
