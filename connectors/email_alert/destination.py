"""An e-mail to the owner about each sale, refund or failed payment, over the owner's own mail server (RFC 5321)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from marshmallow import ValidationError

from hub.contract import (
    BadCredentials,
    Batch,
    Category,
    Choice,
    Limits,
    LongWords,
    MailServer,
    Outcome,
    Recipe,
    Record,
    Refused,
    Text,
)
from hub.toolkit.chat import Alert, ChatChannel, alert
from hub.toolkit.mail import MailSettings, greeting, is_address, mail

MOST = 10  # recipients


class AlertSettings(MailSettings):
    """The mail server, who is told, and in which language."""

    to = LongWords(
        Text("To", "À"),
        help=Text("Your own addresses, one a line.", "Vos propres adresses, une par ligne."),
        placeholder="me@example.com",
        required=True,
        validate=lambda value: _recipients(value),
    )
    language = Choice(
        Text("Language", "Langue"),
        {"en": Text("English", "Anglais"), "fr": Text("French", "Français")},
        help=Text("The words in the e-mails.", "Les mots dans les e-mails."),
        load_default="en",
    )


class EmailAlert(ChatChannel):
    """One e-mail for what happens at once, to each of the owner's addresses."""

    slug = "email_alert"
    name = "E-mail alert"
    category = Category.EMAIL
    Settings = AlertSettings
    auth = MailServer()
    default_mapping: ClassVar[Mapping[str, Any]] = {
        **ChatChannel.default_mapping,
        "buyer": {"text": "{{ contact.first_name }} {{ contact.last_name }} {{ contact.email }}", "do": ["trim"]},
    }
    batch = Batch(max_records=50)
    limits = Limits(concurrency=1)

    def check(self, settings: Mapping[str, Any]) -> Recipe:
        """Log in, send nothing."""
        yield greeting()
        return f"{settings['host']} accepts the login."

    def deliver(self, record: Sequence[Record], settings: Mapping[str, Any]) -> Recipe:
        """The same e-mail to each address. The Message-ID is that of its first record and the place in the list."""
        alerts = [alert(each, settings["language"]) for each in record]
        subject = _subject(alerts)
        body = "\n\n".join("\n".join((f"{one.sign} {one.title}", *one.details)) for one in alerts)
        recipients, refused = _recipients(settings["to"]), list[Refused]()
        for number, to in enumerate(recipients):
            key = f"{record[0].id}-{number}" if number else record[0].id
            try:
                yield mail(settings["sender"], to, subject, f"{body}\n", idempotency_key=key)
            except BadCredentials:
                raise
            except Refused as error:  # one dead mailbox must not send the others the same again
                refused.append(error)
        if len(refused) == len(recipients):
            raise refused[0]
        warning = "; ".join(error.detail or error.message for error in refused)
        return self.preset_outcomes(record, Outcome.delivered(warning))


def _subject(alerts: Sequence[Alert]) -> str:
    first = " · ".join((f"{alerts[0].sign} {alerts[0].title}", *alerts[0].details[:2]))
    return f"{first} (+{len(alerts) - 1})" if len(alerts) > 1 else first


def _recipients(value: str) -> list[str]:
    found = value.replace(",", "\n").replace(";", "\n").split()
    for address in found:
        is_address(address)
    if not 1 <= len(found) <= MOST:
        raise ValidationError(f"Enter one to {MOST} e-mail addresses, one a line.")
    return found
