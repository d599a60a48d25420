"""The door for pixels: ``/v1/conversion/pixel/<n>?…``. Always a valid image, so that no thank-you page is disturbed.

The header ``X-Hub-Result`` says what became of the hit: ``recorded`` (it is on disk), or a reason.
"""

from __future__ import annotations

import base64
import uuid

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from hub.connected import Connected
from hub.contract.errors import ConfigError, DeliveryError, HubError, InboundError
from hub.contract.inbound import Headers, Inbound
from hub.deliver.sender import run_recipe
from hub.doors.intake import NEW_VISITOR, VISITOR_COOKIE, hub, keep, keep_refused, now, read_request
from hub.receive import NotKept
from hub.settings import settings
from hub.verify import verify

door = Blueprint("pixel_door", __name__)

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
"""One transparent pixel, 43 bytes."""

LONGEST_QUERY = 65_536
THIRTEEN_MONTHS = 34_128_000  # seconds; what the CNIL accepts for a measuring cookie

TAKEN = ("GET", "HEAD", "POST")
METHODS = [*TAKEN, "OPTIONS", "PUT", "PATCH", "DELETE"]


_RULE = {"methods": METHODS, "provide_automatic_options": False, "strict_slashes": False}


@door.route("/v1/conversion/pixel", defaults={"number": ""}, **_RULE)
@door.route("/v1/conversion/pixel/<number>", **_RULE)
def receive_pixel(number: str) -> Response:
    """Keep the hit, answer with the image. Any number is taken (R2): an unknown one goes to the oldest pixel."""
    try:
        if request.method not in TAKEN:
            return _image("method_not_used", 200 if request.method == "OPTIONS" else 405)
        connected = hub().by_number(int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None)
        return _image("no_pixel_source", 404) if connected is None else _receive(connected)
    except (HubError, ConfigError, NotKept) as error:
        current_app.logger.warning("pixel hit not kept: %s", error)
    except Exception:
        current_app.logger.exception("pixel hit not kept")
    return _image("not_recorded", 503)


def _receive(connected: Connected) -> Response:
    try:
        if len(request.query_string) > LONGEST_QUERY:
            return _too_large(connected)
        request.max_content_length = min(settings().max_body, LONGEST_QUERY)
        body = request.get_data(cache=False, parse_form_data=False)
    except RequestEntityTooLarge:
        return _too_large(connected)
    except ClientDisconnected:
        return _image("cut_short", 400)
    return _kept(read_request(request, _public_url(), body, now()), connected)


def _too_large(connected: Connected) -> Response:
    """Only its beginning is kept."""
    message = read_request(request, _public_url(), b"", now())
    message.query = message.query[:1000]
    error = InboundError(f"A hit may have at most {LONGEST_QUERY // 1024} KB.", reason="too_large")
    keep_refused(message, connected, error)
    return _image("too_large", 413)


def _kept(message: Inbound, connected: Connected) -> Response:
    cookie = _new_visitor(message, connected)
    try:
        trust = verify(message, connected, run_recipe)
    except InboundError as error:
        kept = keep_refused(message, connected, error)
        return _image(error.reason, 200 if kept is not None else 429)
    except DeliveryError:
        return _image("not_recorded", 503)
    keep(message, connected, trust)
    response = _image("recorded", 200)
    if cookie:
        response.set_cookie(
            VISITOR_COOKIE, cookie, max_age=THIRTEEN_MONTHS, secure=request.is_secure, httponly=True,
            samesite="None" if request.is_secure else "Lax",
        )  # fmt: skip
    return response


def _public_url() -> str:
    return f"{settings().base_url}{request.path}"


def _new_visitor(message: Inbound, connected: Connected) -> str | None:
    """A visitor id for a browser that has none, where the source's settings and the visitor's consent allow it."""
    if "cookie" in message.headers or not connected.source.may_set_cookie(message, connected.settings):
        return None
    visitor = uuid.uuid4().hex
    message.headers = Headers([*message.headers.items(), (NEW_VISITOR, visitor)])
    return visitor


def _image(result: str, status: int) -> Response:
    return Response(GIF, status, [*_HEADERS, ("X-Hub-Result", result)], content_type="image/gif")


_HEADERS = (
    ("Cache-Control", "no-store, no-cache, must-revalidate, private"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("X-Content-Type-Options", "nosniff"),
)
