"""What was said to another system and what it answered, as people will see it: secrets masked, long bodies cut."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from hub.connecting.masking import Mask
from hub.contract.calls import Call, Outcome, Reply, with_params
from hub.contract.errors import DeliveryError

KEPT_TEXT = 4000  # characters of a body kept for people to read


@dataclass(slots=True)
class Exchange:
    """The calls and answers of one recipe."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    verdict: Outcome | None = None  # what the destination's judge made of the latest answer, if it said anything


class Entry:
    """One call of an exchange, while it is on its way. Without an exchange nothing is written down."""

    __slots__ = ("_began", "_exchange", "_mask", "_shown")

    def __init__(self, exchange: Exchange | None, mask: Mask, call: Call, body: bytes) -> None:
        self._exchange, self._mask = exchange, mask
        self._began = time.monotonic()
        self._shown: dict[str, Any] = {}
        if exchange is not None:
            self._shown = {"call": _shown_call(call, body, mask), "reply": None}
            exchange.calls.append(self._shown)

    def end(self, answer: Reply | DeliveryError) -> None:
        """Write down how it ended."""
        if self._exchange is None:
            return
        self._exchange.seconds += time.monotonic() - self._began
        if isinstance(answer, DeliveryError):
            self._shown["error"] = self._mask(f"{answer.message} {answer.detail}".strip())
        else:
            self._shown["reply"] = _shown_reply(answer, self._mask)


def _shown_call(call: Call, body: bytes, mask: Mask) -> dict[str, Any]:
    return {
        "method": call.method,
        "url": mask(with_params(call.url, dict(call.params or {}))),
        "headers": {name: mask(value) for name, value in call.headers.items()},
        "body": mask(body[: 2 * KEPT_TEXT].decode("utf-8", "replace"))[:KEPT_TEXT],
        "size": len(body),
    }


def _shown_reply(reply: Reply, mask: Mask) -> dict[str, Any]:
    shown = {name: mask(value[:200]) for name, value in reply.headers.items() if name in _SHOWN_HEADERS}
    return {"status": reply.status, "headers": shown, "body": mask(reply.body[:KEPT_TEXT].decode("utf-8", "replace"))}


_SHOWN_HEADERS = frozenset({"content-type", "retry-after", "location", "x-request-id", "request-id", "x-fb-trace-id"})
