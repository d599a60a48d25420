"""Judges a load of a page's image: did a visitor's browser or a program load it, and what can be believed of it?

For sources behind the public door (``door = "pixel"``), whose address anyone can call.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from urllib.parse import urlsplit

from hub.contract.conversion import Consent, Context, iso
from hub.contract.errors import NotUnderstood
from hub.contract.inbound import Inbound
from hub.toolkit.cleaning import CLICK_IDS, UTM_NAMES, read_consent, read_touch
from hub.toolkit.query_strings import Fields, raw_text, read_fields, spellings
from hub.toolkit.signing import fingerprint

VISITOR_COOKIE = "hub_visitor"
NEW_VISITOR = "x-hub-new-visitor"
"""A header that the door alone writes: the visitor id it has just given a browser that had none."""

_BOTS = re.compile(
    # Mail image proxies, link previews and crawlers, by the names their makers publish. A Cubot is a telephone.
    r"googleimageproxy|yahoomailproxy|facebookexternalhit|slack-imgproxy|whatsapp/|skypeuripreview|bingpreview|"
    r"mediapartners-google|google-read-aloud|pinterest/0|embedly|vkshare|crawler|spider|(?<!cu)bot(?:[-/;:.) ]|$)",
    re.IGNORECASE,
)
_AHEAD = re.compile(r"prefetch|prerender|preview", re.IGNORECASE)
_AHEAD_HEADERS = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_COOKIE_VALUE = re.compile(r"[A-Za-z0-9._-]{8,128}")


def bot(inbound: Inbound) -> str:
    """What makes this load nobody's visit, in words; empty for a real one."""
    if inbound.method not in ("GET", "POST"):
        return f"a {inbound.method} request, which shows no image"
    if any(header in inbound.headers and _AHEAD.search(inbound.headers[header]) for header in _AHEAD_HEADERS):
        return "a page loaded ahead, which nobody has seen yet"
    program = _program(inbound.headers.get("user-agent", ""))
    return f"a program that looks at pages for others ({program})" if program else ""


@lru_cache(maxsize=256)
def _program(user_agent: str) -> str:
    """The name it goes by, if its user agent is one of a program."""
    found = _BOTS.search(user_agent)
    return found[0].strip(" ;)") if found else ""


def refuse_bots(inbound: Inbound) -> None:
    """Raise NotUnderstood when nobody saw the page."""
    what = bot(inbound)
    if what:
        raise NotUnderstood(f"This was {what}. It is kept and not counted.", reason="bot_or_preview")


def refuse_other_pages(inbound: Inbound, allowed: str) -> None:
    """Raise NotUnderstood when ``allowed`` lists sites (one a line) and the hit does not come from one of them."""
    sites = {_site(line) for line in allowed.split()} - {""}
    site = _site(inbound.headers.get("origin") or inbound.headers.get("referer", ""))
    if sites and site not in sites:
        raise NotUnderstood(
            f"The hit came from {site or 'a page that does not say its address'}, which is not among the pages allowed "
            "on this source. Add it there if it is yours, then replay.",
            reason="sender_not_verified",
        )


def refuse_amount_outside(value: Decimal | None, minimum: int | None, maximum: int | None) -> None:
    """Raise NotUnderstood when ``value`` is outside what anyone may claim. A limit that is None is none."""
    if value is None:
        return
    if (minimum is not None and value < minimum) or (maximum is not None and value > maximum):
        raise NotUnderstood(
            f"The amount {value} is outside the limits of this source ({minimum or 0} to {maximum or 'any'}).",
            reason="amount_outside_limits",
        )


def cookie_allowed(inbound: Inbound, rule: str) -> bool:
    """Whether the door may give this browser our cookie; never to a bot.

    ``rule`` is the owner's: ``with_consent``, once the query's ``consent`` allows analytics; ``always``, unless it refuses
    them; ``never``.
    """
    if rule == "never":
        return False
    if rule == "with_consent" and "consent" not in inbound.query.lower() and not inbound.body:
        return False
    if bot(inbound):
        return False
    try:
        allowed = _consent(inbound)
    except NotUnderstood:
        return False
    return allowed.analytics is True if rule == "with_consent" else allowed.analytics is not False


def visitor(inbound: Inbound) -> str | None:
    """Our own first-party visitor id, when the browser sent one in the form we give it."""
    for pair in re.split("[;,]", inbound.headers.get("cookie", "")):
        name, _, value = pair.strip().partition("=")
        if name == VISITOR_COOKIE and _COOKIE_VALUE.fullmatch(value):
            return value
    return None


def new_visitor(inbound: Inbound) -> str | None:
    """The visitor id that the door has just given this browser: a name for what follows, not somebody we know."""
    value = inbound.headers.get(NEW_VISITOR, "")
    return value if _COOKIE_VALUE.fullmatch(value) else None


def surroundings(inbound: Inbound, fields: Fields, *, signed: bool) -> Context:
    """The visitor's browser and page, with the UTM values and click ids of the query, else of the page's address.

    A backend's own address and user agent are left out. What ``fields`` names is taken: ``pageUrl`` and ``referrer`` from
    anyone, ``ip`` and ``userAgent`` from whoever ``signed``. Our cookie is not looked at.
    """
    page = inbound.headers.get("referer", "")[:2000]
    agent = inbound.headers.get("user-agent", "")[:500]
    browser = not signed and agent.startswith(("Mozilla/", "Opera/"))
    utm, click_ids = read_touch(fields.firsts())
    page_utm, page_click_ids = read_touch(read_fields(page.partition("?")[2].partition("#")[0], _TOUCHES).firsts())
    return Context(
        ip=(inbound.remote_ip if browser else fields.one("ip")[:45] if signed else "") or None,
        user_agent=(agent if browser else fields.one("userAgent")[:500] if signed else "") or None,
        page_url=fields.one("pageUrl") or page or None,
        referrer=fields.one("referrer") or None,
        utm=utm or page_utm,
        click_ids=page_click_ids | click_ids,
    )


def name_of_load(inbound: Inbound, fields: Fields) -> str:
    """A name for this one load. A page loaded again is another, so the visitor and the time are part of it.

    A signature is not: the time it was made at and its digits say nothing of the sale.
    """
    said = sorted((name, *values) for name, values in fields.values.items() if name not in ("ts", "sig"))
    loaded_by = (inbound.headers.get("cookie", ""), inbound.headers.get("user-agent", ""), inbound.remote_ip)
    return fingerprint(repr((said, loaded_by, iso(inbound.received_at))).encode())


_TOUCHES = spellings((*CLICK_IDS, *(f"utm_{part}" for part in UTM_NAMES)))


def _consent(inbound: Inbound) -> Consent:
    return read_consent(read_fields(raw_text(inbound), {"consent": "consent"}).one("consent"))


def _site(address: str) -> str:
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
        return f"{parts.hostname or ''}:{parts.port}".removesuffix(":None").removesuffix(":443").strip(":")
    except ValueError:
        return ""
