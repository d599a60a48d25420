"""A real mail server on this machine, with a certificate that its clients are told to trust."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "atelier", "made-up-password"


class Mailbox:
    """Keeps what it is sent. ``refusals`` maps a recipient to the answer it gets instead."""

    def __init__(self, folder: Path, *, tls: bool = False, plain: bool = False) -> None:
        self.messages: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.refusals: dict[str, str] = {}
        self.at_the_end = ""  # said to the message itself, instead of taking it
        self.connections = 0
        self.certificate = folder / "mail.pem"
        if not self.certificate.exists():
            write_certificate(self.certificate)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate)
        options: dict[str, Any] = {"authenticator": self._authenticate, "auth_require_tls": not tls and not plain}
        if not tls and not plain:
            options |= {"tls_context": context, "require_starttls": True}
        self._controller = _AnyPort(self, hostname="127.0.0.1", port=0, ssl_context=context if tls else None, **options)
        self._controller.start()
        self.port = self._controller.port

    def _authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=False)

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, hostname: str, responses: Any) -> Any:  # noqa: N802 - aiosmtpd's names
        session.host_name = hostname
        self.connections += not session.ssl or not hasattr(session, "counted")
        session.counted = True
        return responses

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 - aiosmtpd's names
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's names
        if self.at_the_end:
            return self.at_the_end
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        self.messages.append(message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]  # bytes, as asked for
        return "250 2.0.0 Ok: queued as 4F1"

    def settings(self, **changes: Any) -> dict[str, Any]:
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "security": "starttls",
            "username": USER,
            "password": PASSWORD,
            "sender": "Atelier <bonjour@example.com>",
        } | changes

    def close(self) -> None:
        self._controller.stop()


class _AnyPort(Controller):
    """The system chooses the port. Whoever is still connected when it stops is cut off."""

    def factory(self) -> SMTP:
        made = super().factory()
        self.__dict__.setdefault("sessions", []).append(made)
        return made

    def stop(self, no_assert: bool = False) -> None:
        asyncio.run_coroutine_threadsafe(self._hang_up(), self.loop).result(5)
        super().stop(no_assert)

    async def _hang_up(self) -> None:
        for session in self.__dict__.get("sessions", []):
            for transport in (session.transport, session._original_transport):
                if transport is not None:
                    transport.abort()
        await asyncio.sleep(0.02)  # aborted transports close in the loop's next turns

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]  # started by then
        super()._trigger_server()


def write_certificate(path: Path) -> None:
    """A self-signed certificate for 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
