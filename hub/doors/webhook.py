"""The door for webhooks: ``/in/<address>``. A 2xx means that the message is on disk."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify, request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from hub.connected import Connected
from hub.contract.calls import Reply
from hub.contract.errors import ConfigError, ConnectorBroken, DeliveryError, InboundError, NotVerified
from hub.contract.inbound import Inbound
from hub.contract.reasons import REASONS
from hub.contract.vocabulary import Trust
from hub.deliver.sender import run_recipe
from hub.doors.intake import hub, keep, keep_refused, now, read_request
from hub.journey import public_url
from hub.reading import NAIVE
from hub.receive import NotKept
from hub.settings import settings
from hub.verify import verify

door = Blueprint("webhook_door", __name__)

METHODS = ["GET", "HEAD", "POST", "PUT", "OPTIONS"]


@door.route("/in/<address>", methods=METHODS, provide_automatic_options=False)
def receive_webhook(address: str) -> Response:
    """Verify, keep, answer 200. Set-up calls of senders (GET, HEAD, OPTIONS, challenges) are answered and not kept."""
    try:
        connected = hub().by_address(address) if address.isascii() and address.isprintable() else None
        if connected is None:
            return _error(404, "unknown_address", "No source has this address. Copy it again from the source's page.")
        return _receive(connected)
    except (ConnectorBroken, ConfigError) as error:
        current_app.logger.warning("source at %s… cannot be opened: %s", address[:8], error)
        return _later("This source is not usable at the moment. Its owner sees why on its page.")
    except Exception:
        current_app.logger.exception("a message at %s… could not be taken", address[:8])
        return _later("The message could not be taken just now.")


def _receive(connected: Connected) -> Response:
    try:
        request.max_content_length = settings().max_body
        body = request.get_data(cache=False, parse_form_data=False)
    except RequestEntityTooLarge:
        return _too_large(connected)
    except ClientDisconnected:
        return _error(400, "cut_short", "The message was cut short on the way. Send it again.")
    message = read_request(request, public_url(connected.row), body, now())
    try:
        answer = _greeting(message, connected)
        if answer is not None:
            return Response(answer.body, answer.status, dict(answer.headers))
        if request.method in ("GET", "HEAD", "OPTIONS") and not body and not request.query_string:
            return jsonify({"ready": True, "say": "Send messages here with POST."})
        trust = verify(message, connected, run_recipe)
        return _kept(message, connected, trust)
    except NotVerified as error:
        return _refuse(message, connected, error)
    except InboundError as error:
        return _refuse(message, connected, NotVerified(error.message, detail=error.detail, reason=error.reason))
    except DeliveryError as error:
        return _later(f"The sender could not be verified just now: {error.message}")
    except NotKept as error:
        return _later(str(error))


def _greeting(message: Inbound, connected: Connected) -> Reply | None:
    try:
        return connected.source.handshake(message, connected.settings)
    except NAIVE:  # not in the form of a set-up call, so it is none
        return None


def _too_large(connected: Connected) -> Response:
    """Only that it came is kept."""
    message = f"A message may have at most {settings().max_body // 1024} KB."
    said = f"{request.content_length} bytes were announced." if request.content_length else ""
    raw = read_request(request, public_url(connected.row), b"", now())
    _keep_refused(raw, connected, InboundError(message, detail=said, reason="too_large"))
    return _error(413, "too_large", message)


def _kept(message: Inbound, connected: Connected, trust: Trust) -> Response:
    receipt = keep(message, connected, trust)
    said = f'{{"received":"{receipt.inbound_id}","resend":{"true" if receipt.resend else "false"}}}'
    return Response(said, content_type="application/json")


def _refuse(message: Inbound, connected: Connected, error: NotVerified) -> Response:
    _keep_refused(message, connected, error)
    return _error(401, error.reason, error.message)


def _keep_refused(message: Inbound, connected: Connected, error: InboundError) -> None:
    try:
        keep_refused(message, connected, error)
    except NotKept:
        current_app.logger.warning("a refused message was not kept")


def _later(message: str) -> Response:
    response = _error(503, "try_again", message)
    response.headers["Retry-After"] = "5"
    return response


def _error(status: int, reason: str, message: str) -> Response:
    words = REASONS.get(reason)
    body = {"reason": reason, "message": message}
    if words is not None:
        body["action"] = words.action.en
    response = jsonify({"error": body})
    response.status_code = status
    return response
