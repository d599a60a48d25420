"""The door for webhooks: ``/in/<address>``. A 2xx means that the message is on disk."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from hub.connected import Connected
from hub.contract.errors import ConfigError, ConnectorBroken, DeliveryError, InboundError, NotVerified
from hub.contract.inbound import Inbound
from hub.contract.reasons import REASONS
from hub.contract.vocabulary import Trust
from hub.deliver.sender import run_recipe
from hub.doors.intake import hub, keep, keep_refused, now, read_request
from hub.journey import public_url
from hub.receive import NotKept
from hub.settings import settings
from hub.verify import verify

door = Blueprint("webhook_door", __name__)

METHODS = ["GET", "HEAD", "POST", "PUT", "OPTIONS"]


@door.route("/in/<address>", methods=METHODS, provide_automatic_options=False)
def receive_webhook(address: str) -> Response:
    """Verify, keep, answer 200. Set-up calls of senders (GET, HEAD, OPTIONS, challenges) are answered and not kept."""
    try:
        connected = hub().by_address(address)
    except (ConnectorBroken, ConfigError) as error:
        current_app.logger.warning("source at %s… cannot be opened: %s", address[:8], error)
        return _later("This source is not usable at the moment. Its owner sees why on its page.")
    if connected is None:
        return _error(404, "unknown_address", "No source has this address. Copy it again from the source's page.")
    try:
        request.max_content_length = settings().max_body
        body = request.get_data(cache=False, parse_form_data=False)
    except RequestEntityTooLarge:
        return _error(413, "too_large", f"A message may have at most {settings().max_body // 1024} KB.")
    message = read_request(request, public_url(connected.row), body, now())
    try:
        answer = connected.source.handshake(message, connected.settings)
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


def _kept(message: Inbound, connected: Connected, trust: Trust) -> Response:
    receipt = keep(message, connected, trust)
    return jsonify({"received": receipt.inbound_id, "resend": receipt.resend})


def _refuse(message: Inbound, connected: Connected, error: NotVerified) -> Response:
    try:
        keep_refused(message, connected, error)
    except NotKept:
        current_app.logger.warning("a refused message was not kept")
    return _error(401, error.reason, error.message)


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
