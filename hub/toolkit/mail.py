"""E-mails as Calls, for destinations whose ``auth`` is a :class:`~hub.contract.auth.MailServer`."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from hashlib import sha256

from marshmallow import ValidationError, validate

from hub.contract.calls import Call
from hub.contract.settings import Choice, Number, Secret, SettingsSchema, Words
from hub.contract.vocabulary import Text
from hub.toolkit.people import email as normal_email

_POLICY = SMTP.clone(cte_type="7bit")


def is_address(value: str) -> None:
    """Marshmallow's validator of one ASCII address, with or without a display name."""
    found = normal_email(parseaddr(value)[1])
    if value and (found is None or not found.isascii()):
        raise ValidationError("Enter an e-mail address such as hello@example.com.")


class MailSettings(SettingsSchema):
    """What :class:`~hub.contract.auth.MailServer` reads, and who the e-mails are from."""

    host = Words(
        Text("Mail server", "Serveur de messagerie"),
        help=Text("Your provider's SMTP host.", "L'hôte SMTP de votre fournisseur."),
        placeholder="smtp.example.com",
        required=True,
        validate=validate.Regexp(r"[A-Za-z0-9.:-]{1,253}\Z", error="Enter a host name such as smtp.example.com."),
    )
    port = Number(
        Text("Port", "Port"),
        help=Text("587 for STARTTLS, 465 for TLS.", "587 pour STARTTLS, 465 pour TLS."),
        load_default=587,
        validate=validate.Range(1, 65535),
    )
    security = Choice(
        Text("Encryption", "Chiffrement"),
        {"starttls": Text("STARTTLS", "STARTTLS"), "tls": Text("TLS from the start", "TLS dès le début")},
        help=Text("Nothing is sent unencrypted.", "Rien n'est envoyé sans chiffrement."),
        load_default="starttls",
    )
    username = Words(
        Text("User name", "Nom d'utilisateur"),
        help=Text("Often the whole e-mail address.", "Souvent l'adresse e-mail entière."),
        load_default="",
    )
    password = Secret(
        Text("Password", "Mot de passe"),
        help=Text(
            "Of the mailbox, or an app password if it has two-step sign-in.",
            "Celui de la boîte, ou un mot de passe d'application en cas de double authentification.",
        ),
        load_default="",
    )
    sender = Words(
        Text("From", "De"),
        help=Text("An address this server may send from.", "Une adresse que ce serveur peut utiliser."),
        placeholder="Atelier <hello@example.com>",
        required=True,
        validate=is_address,
    )


def mail(
    sender: str,
    to: str,
    subject: str,
    text: str,
    *,
    html: str = "",
    headers: Mapping[str, str] | None = None,
    idempotency_key: str | None = None,
) -> Call:
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
        message.set_boundary(f"=_{sha256(f'{text}{html}'.encode()).hexdigest()[:40]}")  # the same at each try
    lines = [f"{name}: {value}" for name, value in (headers or {}).items()]
    if not all(line.isascii() and line.isprintable() for line in lines):
        raise ValueError("A header may only have printable ASCII characters.")
    head = "".join(f"{line}\r\n" for line in lines).encode()
    return Call("MAIL", f"mailto:{to}", body=head + message.as_bytes(), idempotency_key=idempotency_key)


def greeting() -> Call:
    """Log in and say nothing: answered with 250 when server, user name and password are right."""
    return Call("MAIL", "mailto:")
