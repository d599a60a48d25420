"""An e-mail as a Call, for destinations whose ``auth`` is a :class:`~hub.contract.auth.MailServer`."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP

from hub.contract.calls import Call


def mail(
    sender: str, to: str, subject: str, text: str, *, html: str = "", headers: Mapping[str, str] | None = None,
    idempotency_key: str | None = None,
) -> Call:  # fmt: skip
    """One message (RFC 5322). ``sender`` may have a display name. ``headers``: List-Unsubscribe and the like.

    Line breaks in the header values are refused by the standard library with a ValueError. The Message-ID is made of
    ``idempotency_key``, so that a second try can be told to be the same message. The Reply's status is the server's SMTP
    code: 250 when it took the message.
    """
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, to, subject
    if idempotency_key:
        message["Message-ID"] = f"<{idempotency_key}@{sender.rpartition('@')[2].strip('> ') or 'localhost'}>"
    for name, value in (headers or {}).items():
        message[name] = value
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return Call("MAIL", f"mailto:{to}", body=message.as_bytes(), idempotency_key=idempotency_key)
