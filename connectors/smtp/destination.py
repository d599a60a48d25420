"""E-mails to customers over the owner's own mail server, each with a one-click way out.

Sources: RFC 5321 (SMTP), RFC 8058 and RFC 2369 (List-Unsubscribe), support.google.com/a/answer/81126 (what Gmail asks of
senders).
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parseaddr
from html import escape
from typing import Any, ClassVar

from hub.contract import (
    BadMapping,
    Call,
    Category,
    Choice,
    Destination,
    Field,
    Kind,
    Limits,
    LongWords,
    MailServer,
    Recipe,
    Record,
    Refused,
    Stage,
    Text,
    Words,
)
from hub.toolkit.email_tools import require_email
from hub.toolkit.mail import MailSettings, greeting, is_address, mail
from hub.toolkit.paths import text

WAY_OUT = Text("Stop these e-mails", "Ne plus recevoir ces e-mails")


class SmtpSettings(MailSettings):
    """The mail server, where answers go, and what stands below each e-mail."""

    reply_to = Words(
        Text("Answers to", "Réponses à"),
        help=Text("Empty: to the sender.", "Vide : à l'expéditeur."),
        load_default="",
        validate=is_address,
    )
    footer = LongWords(
        Text("Footer", "Pied de page"),
        help=Text(
            "Who writes, with the postal address that the law asks for. The way to unsubscribe follows it.",
            "Qui écrit, avec l'adresse postale que la loi exige. Le lien de désinscription suit.",
        ),
        load_default="",
    )
    language = Choice(
        Text("Language of the link", "Langue du lien"),
        {"en": Text("English", "Anglais"), "fr": Text("French", "Français")},
        help=Text("Of the words before the unsubscribe link.", "Des mots devant le lien de désinscription."),
        load_default="en",
    )


class Smtp(Destination):
    """Sends one e-mail for each conversion of its route."""

    slug = "smtp"
    name = "E-mail (SMTP)"
    category = Category.EMAIL
    Settings = SmtpSettings
    auth = MailServer()
    kinds = frozenset({Kind.CONVERSION, Kind.RENEWAL, Kind.REFUND, Kind.CANCELLATION})
    default_stages = frozenset({Stage.LEAD})
    purpose = "email"
    fields = (
        Field("email", Text("To", "À"), "email", required=True),
        Field("subject", Text("Subject", "Objet"), required=True, max_length=200),
        Field("body", Text("Text", "Texte"), required=True),
        Field(
            "html",
            Text("The same as HTML", "Le même en HTML"),
            help=Text(
                "Optional. Write {{ contact.first_name | escape }}, so that nobody's name becomes markup.",
                "Facultatif. Écrivez {{ contact.first_name | escape }} pour qu'aucun nom ne devienne du code.",
            ),
        ),
        Field("unsubscribe_url", Text("Unsubscribe address", "Adresse de désinscription"), required=True),
    )
    default_mapping: ClassVar[Mapping[str, Any]] = {
        "email": {"from": "contact.email"},
        "subject": {"text": "Your order is waiting"},
        "body": {
            "text": "Hello {{ contact.first_name }},\n\nyour payment for {{ items[0].name | default: offer }} did not go "
            "through. You can take it up again here:\n{{ context.page_url }}\n"
        },
        "unsubscribe_url": {"from": "unsubscribe_url"},
    }
    max_age = 2 * 24 * 3600  # a reminder that comes days late does harm
    limits = Limits(concurrency=1)
    sends_tests = False  # it would be sent to a customer

    def check(self, settings: Mapping[str, Any]) -> Recipe:
        """Log in, send nothing."""
        yield greeting()
        return f"{settings['host']} accepts the login."

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """One e-mail. Its Message-ID is the delivery's, so that a second try can be told to be the same."""
        yield _message(record, settings)


def _message(record: Record, settings: Mapping[str, Any]) -> Call:
    to = require_email(record, "A mail server")
    if not to.isascii():
        raise Refused("Mail servers differ on addresses with accents, so none is written to.")
    url = text(record.values.get("unsubscribe_url")) or ""
    if not url.startswith(("https://", "http://")) or not url.isprintable() or not url.isascii():
        raise BadMapping("unsubscribe_url", "The way to unsubscribe must be a full address: map the hub's own.")
    subject = " ".join((text(record.values.get("subject")) or "").split())
    body, html = text(record.values.get("body")) or "", text(record.values.get("html")) or ""
    if not subject or not body:
        raise BadMapping("body", "An e-mail needs a subject and a text.")
    language, footer = settings["language"], settings["footer"]
    words = WAY_OUT.in_(language)
    link = "" if url in body else f"{words} : {url}" if language == "fr" else f"{words}: {url}"
    below = "\n".join(part for part in (footer, link) if part)
    if html:
        html += "".join(f"<p>{escape(line)}</p>" for line in footer.splitlines())
        html += "" if escape(url) in html else f'<p><a href="{escape(url)}">{words}</a></p>'
    headers = {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    if settings["reply_to"]:
        headers["Reply-To"] = parseaddr(settings["reply_to"])[1]
    body = f"{body.rstrip()}\n\n-- \n{below}\n" if below else body
    return mail(settings["sender"], to, subject, body, html=html, headers=headers, idempotency_key=record.id)
