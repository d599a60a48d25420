"""The door for webhooks: ``/in/<address>``. A 2xx means that the message is on disk."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from hub.connecting.connected import WEBHOOK_DOOR, Connected, public_url
from hub.connecting.seams import NAIVE, guarded
from hub.contract.calls import dump_json
from hub.contract.errors import ConnectorBroken, HubError, InboundError
from hub.contract.inbound import Inbound
from hub.contract.reasons import REASONS
from hub.doors.front import Answer, Arrival, Door
from hub.doors.intake import Hub, keep, keep_refused, keep_unproven, now
from hub.receive import NotConfirmed, NotKept, Receipt
from hub.settings import settings
from hub.verify import MustAsk, verify, without_asking

log = logging.getLogger(__name__)

METHODS = ("GET", "HEAD", "POST", "PUT", "OPTIONS")


def receive_webhook(hub: Hub, arrival: Arrival, address: str) -> Answer:
    """Verify, keep, answer 200. Set-up calls of senders (GET, HEAD, OPTIONS, challenges) are answered and not kept."""
    if arrival.method not in METHODS:
        return _error(405, "method_not_used", "Send messages here with POST.")
    try:
        connected = hub.by_address(address) if address.isascii() and address.isprintable() else None
        if connected is None:
            return _error(404, "unknown_address", "No source has this address. Copy it again from the source's page.")
        return _receive(hub, arrival, connected)
    except ConnectorBroken as error:
        log.warning("source at %s… cannot be opened: %s", address[:8], error)
        return _later("This source is not usable at the moment. Its owner sees why on its page.")
    except Exception:
        log.exception("a message at %s… could not be taken", address[:8])
        return _later("The message could not be taken just now.")


DOORS: dict[str, Door] = {WEBHOOK_DOOR: receive_webhook}


def _receive(hub: Hub, arrival: Arrival, connected: Connected) -> Answer:
    try:
        body = arrival.body(settings().max_body)
    except RequestEntityTooLarge:
        return _too_large(hub, arrival, connected)
    except ClientDisconnected:
        return _error(400, "cut_short", "The message was cut short on the way. Send it again.")
    message = arrival.message(public_url(connected.row), body, now())
    try:
        greeted = _greeting(message, connected)
        if greeted is not None:
            return greeted
        if arrival.method in ("GET", "HEAD", "OPTIONS") and not body and not arrival.query:
            return _json(200, {"ready": True, "say": "Send messages here with POST."})
        receipt = _keep(hub, message, connected)
        if receipt is None:
            return _later("Too many messages wait to be proven by their sender. Send it again in a minute.")
        return _json(200, {"received": receipt.inbound_id, "resend": receipt.resend})
    except InboundError as error:
        _keep_refused(hub, message, connected, error)
        return _error(401, error.reason, error.message)
    except ConnectorBroken as error:  # kept for people to see, and asked for again
        _keep_refused(hub, message, connected, error)
        return _later(error.message)
    except HubError as error:
        return _later(f"The sender could not be verified just now: {error.message}")
    except NotConfirmed as error:
        return _later(str(error), "not_confirmed")
    except NotKept as error:
        return _later(str(error))


def _keep(hub: Hub, message: Inbound, connected: Connected) -> Receipt | None:
    try:
        trust = verify(message, connected, without_asking)
    except MustAsk:  # a sender that answers slowly must not hold up the others: it is asked after the 2xx
        return keep_unproven(hub, message, connected)
    return keep(hub, message, connected, trust)


def _greeting(message: Inbound, connected: Connected) -> Answer | None:
    with guarded(connected.connector, "answering a set-up call"):
        try:
            reply = connected.source.handshake(message, connected.settings)
        except NAIVE:  # not in the form of a set-up call, so it is none
            return None
        if reply is None:
            return None
        headers = [(str(name), str(value)) for name, value in reply.headers.items()]
        return Answer(HTTPStatus(reply.status).value, bytes(reply.body), headers)


def _too_large(hub: Hub, arrival: Arrival, connected: Connected) -> Answer:
    """Only that it came is kept."""
    message = f"A message may have at most {settings().max_body // 1024} KB."
    said = f"{arrival.length} bytes were announced." if arrival.length else ""
    raw = arrival.message(public_url(connected.row), b"", now())
    _keep_refused(hub, raw, connected, InboundError(message, detail=said, reason="too_large"))
    return _error(413, "too_large", message)


def _keep_refused(hub: Hub, message: Inbound, connected: Connected, error: HubError) -> None:
    try:
        keep_refused(hub, message, connected, error)
    except NotKept:
        log.warning("a refused message was not kept")


def _later(message: str, reason: str = "try_again") -> Answer:
    answer = _error(503, reason, message)
    answer.headers.append(("Retry-After", "5"))
    return answer


def _error(status: int, reason: str, message: str) -> Answer:
    words = REASONS.get(reason)
    said = {"reason": reason, "message": message}
    if words is not None:
        said["action"] = words.action.en
    return _json(status, {"error": said})


def _json(status: int, content: dict[str, Any]) -> Answer:
    return Answer(status, dump_json(content), [("Content-Type", "application/json")])
