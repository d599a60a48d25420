"""One recipe on its way: what it asks for next, and what the answers mean to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hub.connecting.connected import Connected
from hub.connecting.masking import Mask
from hub.contract.calls import MOST_CALLS, Call, Recipe, Reply
from hub.contract.errors import DeliveryError, Refused
from hub.outgoing import reply_cache
from hub.outgoing.answers import by_status, judge
from hub.outgoing.exchange import Entry, Exchange

Answer = Reply | DeliveryError
"""What a recipe goes on with: an answer, or the error that is raised at its yield."""


class Dialogue:
    """Drives ``recipe`` and notes in ``exchange`` what is said. A destination's answers pass through its ``judge``."""

    def __init__(self, connected: Connected, recipe: Recipe, exchange: Exchange | None, mask: Mask) -> None:
        self.connected = connected
        self.result: Any = None
        self.call: Call
        self.body = b""
        self.content_type: str | None = None
        self._recipe, self._exchange, self._mask = recipe, exchange, mask
        self._is_destination = connected.row.role == "destination"
        self._calls = 0
        self._place: reply_cache.Place | None = None
        self._entry: Entry

    def go_on(self, answer: Answer | None) -> bool:
        """Give the recipe its ``answer``. True: ``call`` is what it asks for next; False: it ended with ``result``.

        What the recipe raises comes out here. Raises Refused when it makes more than MOST_CALLS calls.
        """
        try:
            if isinstance(answer, DeliveryError):
                self.call = self._recipe.throw(answer)
            else:
                self.call = self._recipe.send(answer)  # type: ignore[arg-type]  # the first send takes None
        except StopIteration as end:
            self.result = end.value
            return False
        self._calls += 1
        if self._calls > MOST_CALLS:
            self._recipe.close()
            raise Refused(
                f"The connector {self.connected.connector.name} made {MOST_CALLS} calls for one message and would go on. "
                "Report it, then replay after the fix.",
                reason="connector_broken",
            )
        self.body, self.content_type = self.call.content()
        return True

    def kept(self) -> Answer | None:
        """What an earlier answer to the same call means, where the connector takes one; None: the call has to be made."""
        self._place = None
        if self.call.cache_seconds:
            self._place = reply_cache.place_of(self.call, self.body, self.connected)
            kept = reply_cache.find(self._place)
            if kept is not None:
                return self._meaning(kept)
        self._entry = Entry(self._exchange, self._mask, self.call, self.body)
        return None

    def heard(self, answer: Answer) -> Answer:
        """Write down the answer to ``call``, and find what it means."""
        self._entry.end(answer)
        if isinstance(answer, DeliveryError):
            return answer
        if self._place is not None and answer.ok:
            reply_cache.keep(self._place, answer, self.call.cache_seconds)
        return self._meaning(answer)

    def _meaning(self, reply: Reply) -> Answer:
        if not self._is_destination:
            return reply if reply.ok else by_status(reply, datetime.now(UTC))
        try:
            verdict = judge(self.connected.destination, reply, datetime.now(UTC))
        except DeliveryError as error:
            return error
        if self._exchange is not None:
            self._exchange.verdict = verdict
        return reply
