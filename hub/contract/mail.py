"""An e-mail as a Call, for destinations whose ``auth`` is a :class:`~hub.contract.auth.MailServer`."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP

from hub.contract.calls import Call

_POLICY = SMTP.clone(cte_type="7bit")


def mail(
    sender: str, to: str, subject: str, text: str, *, html: str = "", headers: Mapping[str, str] | None = None,
    idempotency_key: str | None = None,
) -> Call:  # fmt: skip
    """One message (RFC 5322) to one person. ``sender`` may have a display name.

    ``headers``: List-Unsubscribe and the like, ASCII; they are never folded, since a long address would be encoded by
    that and read by nobody. A line break in any header is a ValueError. The Message-ID is made of ``idempotency_key``, so
    that a second try can be told to be the same message. The sender adds the date. The Reply's status is the server's
    SMTP code: 250 when it took the message.
    """
    message = EmailMessage(policy=_POLICY)
    message["From"], message["To"], message["Subject"] = sender, to, subject
    if idempotency_key:
        message["Message-ID"] = f"<{idempotency_key}@{sender.rpartition('@')[2].strip('> ') or 'localhost'}>"
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    lines = [f"{name}: {value}" for name, value in (headers or {}).items()]
    if not all(line.isascii() and line.isprintable() for line in lines):
        raise ValueError("A header may only have printable ASCII characters.")
    head = "".join(f"{line}\r\n" for line in lines).encode()
    return Call("MAIL", f"mailto:{to}", body=head + message.as_bytes(), idempotency_key=idempotency_key)


def greeting() -> Call:
    """Log in and say nothing: answered with 250 when server, user name and password are right."""
    return Call("MAIL", "mailto:")
