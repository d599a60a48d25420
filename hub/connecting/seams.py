"""The one way to call connector code: whatever it raises becomes an error with a reason, for that call alone.

Three ways, by what is called: :func:`guarded` runs any lines that touch a connector, :func:`told` calls a method that
answers at once, and :func:`asking` makes a recipe that cannot hurt whoever drives it.

What passes through every seam is about the job and not about the connector: :class:`TimeLimit`, a Ctrl-C, and an error of
our own database.
"""

from __future__ import annotations

import math
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from hub.contract.calls import Call, Recipe, Reply
from hub.contract.connector import Connector
from hub.contract.errors import ConnectorBroken, DeliveryError, HubError
from hub.contract.reasons import REASONS

# What a naive connector raises on a message of another form than it was written for.
NAIVE = (KeyError, TypeError, IndexError, AttributeError, ValueError, ArithmeticError, RecursionError)

LONGEST_THOUGHT = 5.0
"""Seconds of the processor that a connector may take for one message: reading one takes less than a thousandth of it."""

T = TypeVar("T")


class TimeLimit(BaseException):
    """The job's time is up. This is never a verdict about a message, a record or a connection.

    It is no Exception, so that it passes through each ``except Exception``, ours and the connectors'. Who catches it
    keeps what is known by then, leaves the rest waiting, and raises it again.
    """


class Endless(BaseException):
    """A connector thought for longer than :data:`LONGEST_THOUGHT` about one message. Seams make a verdict of it.

    It is no Exception, so that no ``except Exception`` of the connector keeps it.
    """


def is_about_us(error: BaseException) -> bool:
    """Whether it says something about the hub or its job, and nothing about the connector that was called."""
    database = sys.modules.get("sqlalchemy.exc")  # who has not loaded it, small commands, cannot meet its errors
    ours = (TimeLimit, KeyboardInterrupt, *((database.SQLAlchemyError,) if database else ()))
    return isinstance(error, ours)


@contextmanager
def guarded(connector: Connector, doing: str) -> Iterator[None]:
    """Run connector code in this block. Raises ConnectorBroken for whatever it raises that is no HubError.

    An error of our own database passes as it is: it says nothing about the connector that was called when it happened.
    ``doing`` ends the sentence "The connector … failed while …", as in "preparing the destination".
    """
    try:
        yield
    except BaseException as error:
        if is_about_us(error) or (isinstance(error, HubError) and _is_whole(error)):
            raise
        raise broken(connector, doing, error) from error


def told(connector: Connector, doing: str, method: Callable[..., T], *arguments: Any) -> T:
    """What ``method`` of the connector answers. Raises HubErrors only."""
    with guarded(connector, doing):
        return method(*arguments)


def asking(connector: Connector, doing: str, method: Callable[..., Recipe | None], *arguments: Any) -> Recipe:
    """The recipe that ``method`` of the connector makes; without any call where it makes None.

    It begins when it is driven. It raises HubErrors only, and yields nothing but Calls.
    """
    recipe: Any = told(connector, doing, method, *arguments)
    if recipe is None:
        return None
    if not isinstance(recipe, Generator):
        raise ConnectorBroken(_sentence(connector, doing), detail=f"a {type(recipe).__name__} where a recipe belongs")
    answer: Reply | DeliveryError | None = None
    while True:
        try:
            call = _next_call(connector, doing, recipe, answer)
        except _Ended as end:
            return end.result
        try:
            answer = yield call
        except DeliveryError as error:
            answer = error


class _Ended(Exception):
    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result


def _next_call(connector: Connector, doing: str, recipe: Any, answer: Any) -> Call:
    with guarded(connector, doing):
        try:
            call = recipe.throw(answer) if isinstance(answer, DeliveryError) else recipe.send(answer)
        except StopIteration as stop:
            ended = _Ended(stop.value)
        else:
            if not isinstance(call, Call):
                raise TypeError(f"the recipe yields a {type(call).__name__} where a Call belongs")
            return call
    raise ended


def broken(connector: Connector, doing: str, error: BaseException) -> ConnectorBroken:
    """What ``error``, raised by connector code, is for people: whose fault it is, and what to do."""
    return ConnectorBroken(_sentence(connector, doing), detail=where(error))


def _sentence(connector: Connector, doing: str) -> str:
    name = getattr(connector, "name", None) or getattr(connector, "slug", "?")
    return (
        f"The connector {name} failed while {doing}. This is a fault of the connector: report it, and try again after an "
        "update."
    )


def _is_whole(error: HubError) -> bool:
    """Whether it says what people can be told: a stranger's subclass may forget half of it."""
    said = (getattr(error, "message", None), getattr(error, "detail", None))
    after = getattr(error, "after", None)
    is_span = after is None or (isinstance(after, int | float) and math.isfinite(after))
    return all(isinstance(text, str) for text in said) and error.reason in REASONS and is_span


class at_most:  # noqa: N801 - it is written like the function it stands for; one costs three times as much
    """Raise :class:`Endless` in this block after :data:`LONGEST_THOUGHT`; in the main thread only, where jobs run.

    The clock counts what this process computes, so that a busy machine is no verdict, and is another than the one that
    ends a job.
    """

    __slots__ = ("_runs",)

    def __enter__(self) -> None:
        self._runs = threading.current_thread() is threading.main_thread()
        if self._runs:
            _hang_the_bell()
            signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST_THOUGHT)

    def __exit__(self, *_: object) -> None:
        if self._runs:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)


@cache
def _hang_the_bell() -> None:
    signal.signal(signal.SIGVTALRM, _ring)


def _ring(*_: Any) -> None:
    raise Endless(f"it did not end within {LONGEST_THOUGHT:g} seconds of the processor")


def where(error: BaseException) -> str:
    """The error and the place in the connector where it was raised, for the log."""
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    place = ""
    if step is not None:
        file = Path(step.tb_frame.f_code.co_filename)
        place = f" at {file.parent.name}/{file.name}:{step.tb_lineno}"
    return f"{type(error).__name__}: {_words(error)}{place}"


def _words(error: BaseException) -> str:
    try:
        return str(error)[:200]
    except Exception:  # noqa: BLE001 - a stranger's error may fail to say what it is
        return ""
