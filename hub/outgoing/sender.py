"""The only place that calls out for a connection: sends what its connector's recipes ask for, and gives them the answers.

One recipe at a time (:meth:`Sender.run`), or many at once from one thread (:meth:`Sender.run_many`).
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from hub.connecting.connected import Connected
from hub.connecting.masking import Mask, mask_for
from hub.contract.calls import Call, Recipe, Reply
from hub.contract.errors import DeliveryError
from hub.outgoing.adapter import GuardedAdapter
from hub.outgoing.dialogue import Answer, Dialogue
from hub.outgoing.exchange import Exchange
from hub.outgoing.failures import FAILURES, failure
from hub.outgoing.grants import Ask, renewed
from hub.outgoing.mail import MailConnections
from hub.outgoing.many import Ended, Many
from hub.outgoing.prepared import prepare, reply_of

Start = tuple[Any, Recipe, Exchange]
"""A recipe to be started: under which key its end is told, and where it is noted what was said."""


class Sender:
    """Kept-alive connections for one purpose (a lane, a check). Safe to use from several threads, save run_many."""

    def __init__(self, *, connections: int = 8) -> None:
        self._adapter = GuardedAdapter(kept=connections)
        self._masks: dict[str, tuple[Any, Mask]] = {}
        self._mail = MailConnections()
        self._many = Many(self._mail, self.asker)

    def close(self) -> None:
        self._adapter.close()
        self._many.close()
        self._mail.close()

    def run(self, connected: Connected, recipe: Recipe, exchange: Exchange | None = None) -> Any:
        """Drive ``recipe`` to its end and return its result. DeliveryErrors it does not catch come out here.

        A destination's answers pass through its ``judge``; what it says of the last one is left in ``exchange``.
        """
        mask = self._mask_of(connected) if exchange is not None else str
        dialogue = Dialogue(connected, recipe, exchange, mask)
        answer: Answer | None = None
        while dialogue.go_on(answer):
            answer = dialogue.kept() or dialogue.heard(self._answer(dialogue))
        return dialogue.result

    def run_many(self, connected: Connected, starts: Iterable[Start | float], at_once: int) -> Iterator[Ended]:
        """Drive the recipes of ``starts``, ``at_once`` of them at a time, and tell of each as it ends.

        The next one is asked of ``starts`` only when there is room for it; a number instead of one says how many seconds
        nothing is to be started. What is still on its way when this is closed is broken off.
        """

        def started() -> Iterator[tuple[Any, Dialogue] | float]:
            for start in starts:
                if isinstance(start, float):
                    yield start
                else:
                    key, recipe, exchange = start
                    yield key, Dialogue(connected, recipe, exchange, self._mask_of(connected))

        return self._many.run(started(), at_once)

    def asker(self, connected: Connected) -> Ask:
        """Sends a call for ``connected`` as it is, without writing it down: for tokens, which nobody may read."""
        return lambda call: self._send(call, *call.content(), connected)

    def _answer(self, dialogue: Dialogue) -> Answer:
        call, connected = dialogue.call, dialogue.connected
        try:
            if call.method == "MAIL":
                return self._mail.send(call, connected)
            return self._send(call, dialogue.body, dialogue.content_type, connected)
        except DeliveryError as error:
            return error

    def _send(
        self, call: Call, body: bytes, content_type: str | None, connected: Connected, again: bool = False
    ) -> Reply:
        ask = self.asker(connected)
        try:
            request = prepare(call, body, content_type, connected, ask)
            response = self._adapter.send(request, timeout=call.timeout)
            reply = reply_of(response, request)
        except FAILURES as error:
            raise failure(error, urlsplit(call.url).hostname or "") from None
        if reply.status == 401 and not again:
            used = request.headers.get("Authorization", "")
            if renewed(connected.connector.auth, call, connected, used, ask):
                return self._send(call, body, content_type, connected, again=True)
        return reply

    def _mask_of(self, connected: Connected) -> Mask:
        known = self._masks.get(connected.id)
        if known is None or known[0] is not connected.settings:
            known = self._masks[connected.id] = (connected.settings, mask_for(connected.connector, connected.settings))
        return known[1]


_shared: list[Sender] = []
_shared_lock = threading.Lock()


def shared_sender() -> Sender:
    """This process's sender for what is not a lane: verifications, read-backs, checks of credentials."""
    with _shared_lock:
        if not _shared:
            _shared.append(Sender())
            atexit.register(_shared[0].close)
        return _shared[0]


def run_recipe(connected: Connected, recipe: Recipe) -> Any:
    """Drive a recipe over the shared connections."""
    return shared_sender().run(connected, recipe)
