"""Who loaded the image: a visitor's browser, a backend, or a program that looks at pages for others."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from connectors.pixel.query import Fields, read_fields
from hub.contract import Context, Inbound, NotUnderstood
from hub.contract.intake import read_touch

COOKIE = "hub_visitor"

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
    """Raise NotUnderstood when sites are listed and the hit does not come from one of them."""
    sites = {_site(line) for line in allowed.split()} - {""}
    site = _site(inbound.headers.get("origin") or inbound.headers.get("referer", ""))
    if sites and site not in sites:
        raise NotUnderstood(
            f"The hit came from {site or 'a page that does not say its address'}, which is not among the pages allowed "
            "on this source. Add it there if it is yours, then replay.",
            reason="sender_not_verified",
        )


def cookie(inbound: Inbound) -> str | None:
    """Our own first-party visitor id, when the browser sent one in the form we give it."""
    for pair in re.split("[;,]", inbound.headers.get("cookie", "")):
        name, _, value = pair.strip().partition("=")
        if name == COOKIE and _COOKIE_VALUE.fullmatch(value):
            return value
    return None


def new_visitor(inbound: Inbound) -> str | None:
    """The visitor id that the door has just given this browser: a name for what follows, not somebody we know."""
    value = inbound.headers.get("x-hub-new-visitor", "")
    return value if _COOKIE_VALUE.fullmatch(value) else None


def context(fields: Fields, inbound: Inbound, *, signed: bool) -> Context:
    """The visitor's surroundings: a backend's own address and user agent are left out, what it names is taken."""
    page = inbound.headers.get("referer", "")[:2000]
    agent = inbound.headers.get("user-agent", "")[:500]
    browser = not signed and agent.startswith(("Mozilla/", "Opera/"))
    utm, click_ids = read_touch(fields.firsts())
    page_utm, page_click_ids = read_touch(read_fields(page.partition("?")[2].partition("#")[0]).firsts())
    return Context(
        ip=(inbound.remote_ip if browser else fields.one("ip")[:45] if signed else "") or None,
        user_agent=(agent if browser else fields.one("userAgent")[:500] if signed else "") or None,
        page_url=fields.one("pageUrl") or page or None,
        referrer=fields.one("referrer") or None,
        utm=utm or page_utm,
        click_ids=page_click_ids | click_ids,
    )


def _site(address: str) -> str:
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
        return f"{parts.hostname or ''}:{parts.port}".removesuffix(":None").removesuffix(":443").strip(":")
    except ValueError:
        return ""
