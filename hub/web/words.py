"""How facts are written on a page: moments, money, people, states. All are filters in the templates."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_currency, format_decimal
from flask import Flask
from flask_babel import gettext, ngettext
from markupsafe import Markup

from hub.contract.conversion import parse_iso
from hub.contract.errors import BadMapping, HubError
from hub.contract.reasons import REASONS
from hub.contract.vocabulary import KIND_LABELS, STAGE_LABELS, Text
from hub.store.base import now
from hub.web.language import language, said
from hub.web.session import current

TONES = {
    # what a state means to people, by the four colors: recorded · waiting · needs · stopped
    "received": "waiting",
    "reading": "waiting",
    "done": "recorded",
    "ignored": "stopped",
    "parked": "needs",
    "refused": "needs",
    "waiting": "waiting",
    "delivered": "recorded",
    "not_sent": "stopped",
    "failed": "needs",
    "active": "recorded",
    "paused": "stopped",
    "needs_you": "needs",
    "off": "stopped",
    "counted": "recorded",
    "test": "waiting",
    "recovered": "recorded",
    "replaced": "stopped",
}


def register(app: Flask) -> None:
    """Give the templates these words."""
    app.add_template_filter(moment)
    app.add_template_filter(ago)
    app.add_template_filter(money)
    app.add_template_filter(number)
    app.add_template_filter(said)
    app.add_template_filter(reason)
    app.add_template_filter(action)
    app.add_template_filter(own_words)
    app.add_template_filter(stage)
    app.add_template_filter(kind)
    app.add_template_filter(tone)
    app.add_template_filter(state)
    app.add_template_filter(email)
    app.add_template_filter(pretty)
    app.add_template_filter(size)
    app.add_template_filter(fact)
    app.add_template_filter(identified)


def moment(value: datetime | str | None, seconds: bool = True) -> Markup:
    """A time in the workspace's zone, the exact UTC on hover."""
    at = _aware(value)
    if at is None:
        return Markup("—")
    local = at.astimezone(_zone())
    pattern = "d MMM y, HH:mm:ss" if seconds else "d MMM y, HH:mm"
    shown = format_datetime(local, pattern, tzinfo=local.tzinfo, locale=language())
    exact = at.astimezone(UTC)
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        exact.isoformat(), exact.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3], shown
    )


def ago(value: datetime | str | None) -> str:
    """ "3 minutes ago" or "in 28 minutes". Goes beside :func:`moment`, never alone."""
    at = _aware(value)
    if at is None:
        return ""
    return str(format_timedelta(at - now(), add_direction=True, threshold=1.2, locale=language()))


def money(value: Any, currency: str | None) -> str:
    """An amount with its currency, as the language writes it. Empty for no amount."""
    if value is None or value == "":
        return ""
    amount = Decimal(str(value))
    if not currency:
        return str(format_decimal(amount, locale=language()))
    return str(
        format_currency(amount, currency, locale=language(), currency_digits=amount == amount.to_integral_value())
    )


def number(value: int) -> str:
    return str(format_decimal(value, locale=language()))


def size(count: int) -> str:
    """Bytes, as people say them."""
    if count < 1024:
        return str(ngettext("%(num)s byte", "%(num)s bytes", count))
    return f"{format_decimal(Decimal(count) / 1024, '#,##0.#', locale=language())} kB"


def reason(code: str | None) -> str:
    """The closed list's sentence for a reason."""
    known = REASONS.get(code or "")
    return said(known.said) if known else code or ""


def action(code: str | None) -> str:
    """What to do about a reason; empty when there is nothing to do."""
    known = REASONS.get(code or "")
    nothing = REASONS["waiting"].action
    return said(known.action) if known and known.action != nothing else ""


def troubled(error: HubError) -> Markup:
    """What went wrong and what to do about it, in the page's language, then the connector's own words."""
    headline = Markup("{}. {}").format(reason(error.reason), action(error.reason))
    # Of a grant the words say no more than the reason does.
    return headline if error.reason.startswith("grant_") else headline + Markup(" ") + own_words(error.message)


def own_words(text: str, code: str = "") -> Markup:
    """A sentence that a connector or the hub made when no page was asked for: as a detail, marked as the English it is.

    ``code`` is the reason it belongs to: what a mapping lacks is said in the workspace's language.
    """
    language_of = Markup("") if code == BadMapping.reason else Markup(' lang="en"')
    return Markup('<span class="said"{}>{}</span>').format(language_of, text)


def stage(code: str | None) -> str:
    """A stage's short name, "Purchase"; its label begins with it."""
    label = STAGE_LABELS.get(code or "")
    return said(label).split(":")[0].strip() if label else code or ""


def kind(code: str | None) -> str:
    label = KIND_LABELS.get(code or "")
    return said(label).split(":")[0].strip() if label else code or ""


def tone(code: str | None) -> str:
    """Which of the four colors a state has."""
    return TONES.get(code or "", "waiting")


def state(code: str | None) -> str:
    """A state in one word."""
    return _states().get(code or "", code or "")


def email(address: str | None) -> str:
    """An address, masked for those who may not see it."""
    if not address or "@" not in address:
        return address or ""
    someone = current()
    if someone is not None and someone.sees_addresses:
        return address
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}•••@{domain[:1]}•••.{domain.rpartition('.')[2]}"


def pretty(value: Any) -> str:
    """JSON people can read, every digit as it was sent; a text that is no JSON stays as it is."""
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_float=_as_sent, parse_int=_as_sent)
        except (ValueError, RecursionError):
            return str(value)
    shown = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    return re.sub(f'"{_NUMBER}([^"]*)"', r"\1", shown)


_NUMBER = "\ue000"  # a private-use character: marks what was a number, so that it is written without quotes


def _as_sent(digits: str) -> str:
    return _NUMBER + digits


def fact(value: Any) -> str:
    """One value of a conversion, as a list of fields shows it."""
    return str(gettext("yes") if value is True else gettext("no") if value is False else value)


def identified(way: str) -> str:
    """How a person was recognized."""
    ways = {
        "email": gettext("recognized by the e-mail"),
        "external_id": gettext("recognized by the sender's own id"),
        "cookie": gettext("recognized by the visitor cookie"),
        "click_id": gettext("recognized by the click on an ad"),
        "order": gettext("recognized by the order"),
        "none": gettext("not recognized"),
    }
    return str(ways.get(way, way))


def spoken(text: Text | str) -> str:
    """A sentence that may or may not know both languages."""
    return said(text) if isinstance(text, Text) else text


def zone_names() -> list[str]:
    """Every time zone's name, for the set-up form."""
    from zoneinfo import available_timezones  # reads a directory tree; only the set-up page asks

    return sorted(
        name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix", "right"))
    )


def _states() -> dict[str, str]:
    return {
        "received": gettext("Waiting to be read"),
        "reading": gettext("Being read"),
        "done": gettext("Recorded"),
        "ignored": gettext("Not counted"),
        "parked": gettext("Set aside"),
        "refused": gettext("Refused"),
        "waiting": gettext("Waiting"),
        "delivered": gettext("Delivered"),
        "not_sent": gettext("Not sent"),
        "failed": gettext("Failed"),
        "active": gettext("Working"),
        "paused": gettext("Paused"),
        "needs_you": gettext("Needs you"),
        "off": gettext("Switched off"),
        "counted": gettext("Counted"),
        "test": gettext("Test, not counted"),
        "recovered": gettext("Recovered"),
        "replaced": gettext("Replaced"),
        "proven": gettext("proven"),
        "claimed": gettext("claimed"),
        "manual": gettext("by hand"),
        "imported": gettext("imported"),
    }


def _aware(value: datetime | str | None) -> datetime | None:
    if not value:
        return None
    at = parse_iso(value) if isinstance(value, str) else value
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _zone() -> ZoneInfo:
    someone = current()
    try:
        return ZoneInfo(someone.workspace.time_zone if someone else "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
