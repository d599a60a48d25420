"""Calls to this installation itself: whether its port is free, whether it answers, the demo's messages.

Nobody but the owner's own commands says where these go, so no address guard stands in between.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping

import pycurl

from hub.settings import Settings


def is_free(host: str, port: int) -> bool:
    """Whether this process could listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def call(
    chosen: Settings,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    seconds: float = 20.0,
) -> int:
    """The status that the hub of these settings answers with. Raises OSError when it does not answer in ``seconds``."""
    host = "127.0.0.1" if chosen.host in ("0.0.0.0", "::") else chosen.host  # noqa: S104 - not bound, called
    curl = pycurl.Curl()
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.PROXY, "")
    curl.setopt(pycurl.PATH_AS_IS, 1)
    curl.setopt(pycurl.URL, f"http://{f'[{host}]' if ':' in host else host}:{chosen.port}{path}")
    curl.setopt(pycurl.TIMEOUT_MS, int(seconds * 1000))
    curl.setopt(pycurl.WRITEFUNCTION, len)  # as many bytes as there are were taken
    if body or method == "POST":
        curl.setopt(pycurl.POSTFIELDS, body)
    given = {"expect": "", "content-type": "", **{name.lower(): value for name, value in (headers or {}).items()}}
    given.pop("content-length", None)  # libcurl counts
    curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}".strip().encode("latin-1") for name, value in given.items()])
    curl.setopt(pycurl.CUSTOMREQUEST, method)
    try:
        curl.perform()
        return int(curl.getinfo(pycurl.RESPONSE_CODE))
    except pycurl.error as error:
        raise OSError(str(error.args[1])) from None
    finally:
        curl.close()
