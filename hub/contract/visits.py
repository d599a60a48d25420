"""Who loaded a page's image: a visitor's browser, or a program that looks at pages for others. For sources behind the
public door (``door = "pixel"``).
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from hub.contract.errors import NotUnderstood
from hub.contract.inbound import Inbound

VISITOR_COOKIE = "hub_visitor"
NEW_VISITOR = "x-hub-new-visitor"
"""A header that the door alone writes: the visitor id it has just given a browser that had none."""

_BOTS = re.compile(
    # Mail image proxies, link previews and crawlers, by the names their makers publish. A Cubot is a telephone.
    r"googleimageproxy|yahoomailproxy|facebookexternalhit|slack-imgproxy|whatsapp/|skypeuripreview|bingpreview|"
    r"mediapartners-google|google-read-aloud|pinterest/0|embedly|vkshare|crawler|spider|(?<!cu)bot(?:[-/;:.) ]|$)",
    re.IGNORECASE,
)
_AHEAD_HEADERS = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_COOKIE_VALUE = re.compile(r"[A-Za-z0-9._-]{8,128}")


def bot(inbound: Inbound) -> str:
    """What makes this load nobody's visit, in words; empty for a real one."""
    if inbound.method not in ("GET", "POST"):
        return f"a {inbound.method} request, which shows no image"
    for header in _AHEAD_HEADERS:
        if re.search(r"prefetch|prerender|preview", inbound.headers.get(header, ""), re.IGNORECASE):
            return "a page loaded ahead, which nobody has seen yet"
    found = _BOTS.search(inbound.headers.get("user-agent", ""))
    return f"a program that looks at pages for others ({found[0].strip(' ;)')})" if found else ""


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


def _site(address: str) -> str:
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
        return f"{parts.hostname or ''}:{parts.port}".removesuffix(":None").removesuffix(":443").strip(":")
    except ValueError:
        return ""
