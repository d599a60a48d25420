"""The door for pixels: ``/v1/conversion/pixel/<n>?…``. Always a valid image, so that no thank-you page is disturbed.

The header ``X-Hub-Result`` says what became of the hit: ``recorded`` (it is on disk), or a reason.
"""

from __future__ import annotations

import base64
import logging
import uuid

from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.http import dump_cookie

from hub.connecting.connected import PIXEL_DOOR, Connected
from hub.connecting.seams import told
from hub.contract.errors import HubError, InboundError
from hub.contract.inbound import Headers, Inbound
from hub.doors.front import Answer, Arrival, Door
from hub.doors.intake import NEW_VISITOR, VISITOR_COOKIE, Hub, keep, keep_refused, now
from hub.receive import NotConfirmed, NotKept
from hub.settings import settings
from hub.verify import verify, without_asking

log = logging.getLogger(__name__)

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
"""One transparent pixel, 43 bytes."""

LONGEST_QUERY = 65_536
THIRTEEN_MONTHS = 34_128_000  # seconds; what the CNIL accepts for a measuring cookie

TAKEN = ("GET", "HEAD", "POST")


def receive_pixel(hub: Hub, arrival: Arrival, number: str) -> Answer:
    """Keep the hit, answer with the image. Any number is taken (R2): an unknown one goes to the oldest pixel."""
    try:
        if arrival.method not in TAKEN:
            return _image("method_not_used", 200 if arrival.method == "OPTIONS" else 405)
        connected = hub.by_number(int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None)
        return _image("no_pixel_source", 404) if connected is None else _receive(hub, arrival, connected)
    except NotConfirmed as error:
        log.warning("pixel hit not confirmed: %s", error)
        return _image("not_confirmed", 503)
    except (HubError, NotKept) as error:
        log.warning("pixel hit not kept: %s", error)
    except Exception:
        log.exception("pixel hit not kept")
    return _image("not_recorded", 503)


DOORS: dict[str, Door] = {PIXEL_DOOR: receive_pixel}


def _receive(hub: Hub, arrival: Arrival, connected: Connected) -> Answer:
    try:
        if len(arrival.query) > LONGEST_QUERY:
            return _too_large(hub, arrival, connected)
        body = arrival.body(min(settings().max_body, LONGEST_QUERY))
    except RequestEntityTooLarge:
        return _too_large(hub, arrival, connected)
    except ClientDisconnected:
        return _image("cut_short", 400)
    return _kept(hub, arrival, arrival.message(_url(arrival), body, now()), connected)


def _too_large(hub: Hub, arrival: Arrival, connected: Connected) -> Answer:
    """Only its beginning is kept."""
    message = arrival.message(_url(arrival), b"", now())
    message.query = message.query[:1000]
    error = InboundError(f"A hit may have at most {LONGEST_QUERY // 1024} KB.", reason="too_large")
    keep_refused(hub, message, connected, error)
    return _image("too_large", 413)


def _url(arrival: Arrival) -> str:
    return f"{settings().base_url}{arrival.path}"


def _kept(hub: Hub, arrival: Arrival, message: Inbound, connected: Connected) -> Answer:
    visitor = _new_visitor(message, connected)
    try:
        trust = verify(message, connected, without_asking)
    except InboundError as error:
        kept = keep_refused(hub, message, connected, error)
        return _image(error.reason, 200 if kept is not None else 429)
    keep(hub, message, connected, trust)
    answer = _image("recorded", 200)
    if visitor:
        cookie = dump_cookie(
            VISITOR_COOKIE,
            visitor,
            max_age=THIRTEEN_MONTHS,
            secure=arrival.is_secure,
            httponly=True,
            samesite="None" if arrival.is_secure else "Lax",
        )
        answer.headers.append(("Set-Cookie", cookie))
    return answer


def _new_visitor(message: Inbound, connected: Connected) -> str | None:
    """A visitor id for a browser that has none, where the source's settings and the visitor's consent allow it."""
    if "cookie" in message.headers:
        return None
    source = connected.source
    try:
        if not told(source, "deciding on a cookie", source.may_set_cookie, message, connected.settings):
            return None
    except HubError as error:  # the hit is none the worse for it
        log.warning("no cookie is given: %s", error.detail)
        return None
    visitor = uuid.uuid4().hex
    message.headers = Headers([*message.headers.items(), (NEW_VISITOR, visitor)])
    return visitor


def _image(result: str, status: int) -> Answer:
    return Answer(status, GIF, [*_HEADERS, ("X-Hub-Result", result)])


_HEADERS = (
    ("Content-Type", "image/gif"),
    ("Cache-Control", "no-store, no-cache, must-revalidate, private"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("X-Content-Type-Options", "nosniff"),
)
