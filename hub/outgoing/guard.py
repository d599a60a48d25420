"""The address guard: every outgoing connection is checked at the moment it is made, and goes to the address checked.

Looking at the text of a URL is not enough: a name may resolve inside, or change between the check and the use. So the
check sits where the socket is opened, on the resolved address, and that very address is connected to. Redirects are
never followed. The owner of the installation may allow private addresses (HUB_ALLOW_ADDRESSES).

Through a proxy of the owner's (HUB_OUTGOING_PROXY) the hub looks up no names: an address written as a number is still
checked here, and it is for the proxy to keep names from leading inside.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from contextlib import suppress
from functools import lru_cache
from socket import create_connection
from urllib.parse import urlsplit

import certifi

from hub.contract.errors import Refused
from hub.settings import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# IANA special-purpose ranges that Python 3.11's is_global still calls public, or that carry another address inside.
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "240.0.0.0/4",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "::/96",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)


class AddressRefused(Exception):
    """``host`` leads to no address that the hub may call."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host} leads to an address inside a private network, which the hub does not call. Use a public address, or "
            "let the installation's owner allow it (HUB_ALLOW_ADDRESSES)."
        )


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


def may_call(address: str, port: int) -> bool:
    """Whether ``address``, an IP, is public, or allowed by the owner for this port."""
    return is_public(address) or settings().allowed(address, port)


def check_for_proxy(host: str, port: int) -> None:
    """Raise AddressRefused when ``host`` is this machine's name, or the number of an address that may not be called."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        name = "127.0.0.1"
    with suppress(OSError):
        name = socket.inet_ntoa(socket.inet_aton(name))  # 127.1, 0x7f000001 and 2130706433 are numbers too
    with suppress(ValueError):
        ipaddress.ip_address(name.partition("%")[0])
        if not may_call(name, port):
            raise AddressRefused(host)


def resolve(host: str, port: int) -> list[str]:
    """The IP addresses of ``host`` that may be called, best first. Raises AddressRefused when there is none."""
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    good = [address for address in dict.fromkeys(found) if may_call(address, port)]
    if not good:
        raise AddressRefused(host)
    return good


def open_socket(host: str, port: int, timeout: float) -> socket.socket:
    """A connection to the first address of ``host`` that may be called and answers. Raises AddressRefused or OSError."""
    failure: OSError | None = None
    for address in resolve(host, port):
        try:
            return create_connection((address, port), timeout)
        except OSError as error:
            failure = error
    raise failure or OSError("no address")


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """What certificates are checked by: the system's authorities and certifi's."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


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
