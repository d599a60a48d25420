"""Mail goes out here: over a person's own SMTP server, always encrypted, to addresses the guard has checked.

Sources: RFC 5321 (section 4.2.1: 4yz is a passing failure, 5yz a lasting one), RFC 4954 section 6 (answers to a login),
RFC 3207 (STARTTLS). Whatever the server answers becomes a Reply with its code; what its code means is said by
:func:`hub.outgoing.answers.judge`.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from email.utils import formatdate, parseaddr
from typing import Any

from hub.connecting.connected import Connected
from hub.contract.calls import Call, Reply
from hub.contract.errors import BadCredentials, DeliveryError, Refused, TryLater
from hub.contract.inbound import Headers
from hub.outgoing.guard import AddressRefused, open_socket, tls_context

LONGEST_IDLE = 60.0  # seconds after which a kept connection is not used again


@dataclass
class MailConnections:
    """The mail connections of one sender. One is kept for each connection of the hub, others are opened beside it."""

    _kept: dict[str, tuple[float, smtplib.SMTP]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, call: Call, connected: Connected) -> Reply:
        """Send the message, or only log in where there is none. A DeliveryError is raised for all but an answer."""
        host = str(connected.settings["host"])
        try:
            server = self._take(connected.id) or _opened(connected.settings, call.timeout)
            reply = _sent(server, call)
        except AddressRefused as error:
            raise Refused(str(error), reason="address_refused") from None
        except smtplib.SMTPAuthenticationError as error:
            raise _not_let_in(error, host) from None
        except smtplib.SMTPNotSupportedError as error:
            raise BadCredentials(f"{host} does not offer what the settings ask for: {error}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise _unreachable(error, host) from None
        except ValueError as error:
            raise Refused("The message cannot be sent as it is.", detail=str(error)[:200]) from None
        self._keep(connected.id, server, reply)
        return reply

    def close(self) -> None:
        """Let go of all connections."""
        with self._lock:
            kept, self._kept = self._kept, {}
        for _, server in kept.values():
            _hang_up(server)

    def _take(self, connection_id: str) -> smtplib.SMTP | None:
        with self._lock:
            since, server = self._kept.pop(connection_id, (0.0, None))
        if server is None:
            return None
        with suppress(smtplib.SMTPException, OSError):
            if time.monotonic() - since < LONGEST_IDLE and server.noop()[0] == 250:
                return server
        _hang_up(server)
        return None

    def _keep(self, connection_id: str, server: smtplib.SMTP, reply: Reply) -> None:
        with self._lock:
            if reply.status != _CLOSING and connection_id not in self._kept:
                self._kept[connection_id] = (time.monotonic(), server)
                return
        _hang_up(server)


_CLOSING = 421  # the server ends the connection, RFC 5321 section 3.8


def _opened(settings: Mapping[str, Any], timeout: float) -> smtplib.SMTP:
    host, port = str(settings["host"]), int(settings["port"])
    server: smtplib.SMTP
    if settings.get("security") == "tls":
        server = _GuardedTls(host, port, timeout=timeout, context=tls_context())
    else:
        server = _Guarded(host, port, timeout=timeout)
    try:
        if not isinstance(server, _GuardedTls):
            server.starttls(context=tls_context())
        if settings.get("username"):
            server.login(str(settings["username"]), str(settings.get("password") or ""))
    except BaseException:
        server.close()
        raise
    return server


def _sent(server: smtplib.SMTP, call: Call) -> Reply:
    """What the server says in the end: to the message, or to the first command it does not take."""
    try:
        if not call.body:
            return _said(*server.noop())
        sender = parseaddr(BytesHeaderParser().parsebytes(call.body)["From"] or "")[1]
        server.ehlo_or_helo_if_needed()
        code: int
        words: bytes | str
        code, words = server.mail(sender)
        if _taken(code):
            code, words = server.rcpt(call.url.removeprefix("mailto:"))
        if _taken(code):
            code, words = server.data(f"Date: {formatdate()}\r\n".encode() + call.body)
    except smtplib.SMTPDataError as error:
        code, words = error.smtp_code, error.smtp_error
    except BaseException:
        server.close()
        raise
    if not _taken(code):
        with suppress(smtplib.SMTPException, OSError):
            server.rset()
    return _said(code, words)


def _taken(code: int) -> bool:
    return 200 <= code < 300


def _said(code: int, words: bytes | str) -> Reply:
    return Reply(code, Headers(), words if isinstance(words, bytes) else words.encode())


def _not_let_in(error: smtplib.SMTPAuthenticationError, host: str) -> DeliveryError:
    words = _said(error.smtp_code, error.smtp_error).body.decode("utf-8", "replace")[:200]
    detail = f"{error.smtp_code} {words}"
    if error.smtp_code < 500:
        return TryLater(f"{host} lets nobody log in at the moment. The hub will try again.", detail=detail)
    return BadCredentials(f"{host} refused the user name or password. Enter them again, then resume.", detail=detail)


def _hang_up(server: smtplib.SMTP) -> None:
    with suppress(smtplib.SMTPException, OSError):
        server.quit()
    server.close()


def _unreachable(error: Exception, host: str) -> TryLater:
    if isinstance(error, ssl.SSLCertVerificationError):
        what = f"The certificate of {host} is not valid."
    elif isinstance(error, TimeoutError) or "timed out" in str(error):
        what = f"{host} did not answer in time."
    elif isinstance(error, socket.gaierror):
        what = f"The name {host} cannot be found."
    else:
        what = f"The mail server {host} cannot be reached, or broke off."
    return TryLater(f"{what} The hub will try again.", detail=f"{type(error).__name__}: {error}"[:200])


class _Guarded(smtplib.SMTP):
    """Connects to nothing but addresses that the guard has checked."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return open_socket(host, port, timeout)


class _GuardedTls(smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self.context.wrap_socket(open_socket(host, port, timeout), server_hostname=host)
