"""Reads back from a platform: one object, or a list that comes in pages."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from hub.contract.calls import Call, Reply
from hub.contract.errors import BadCredentials, Refused

MOST_PAGES = 20  # an account with more is cut off here: a drop-down of thousands helps nobody


def read_pages(
    first: Call, following: Callable[[Reply], Call | None], *, most: int = MOST_PAGES
) -> Generator[Call, Reply, list[Reply]]:
    """Ask for ``first``, then for whatever ``following`` makes of each answer, until it says None.

    Use it as ``replies = yield from read_pages(...)``. At most ``most`` pages are read.
    """
    call: Call | None = first
    replies: list[Reply] = []
    while call is not None and len(replies) < most:
        reply = yield call
        replies.append(reply)
        call = following(reply)
    return replies


def read_object(call: Call, *, needed: bool = False) -> Generator[Call, Reply, dict[str, Any]]:
    """The JSON object that ``call`` is answered with; {} when the platform refuses it, or answers with anything else.

    Use it as ``found = yield from read_object(...)``. ``needed``: a refusal of the credentials is raised, so that their
    owner hears of it: without this object the message says nothing.
    """
    try:
        reply = yield call
    except BadCredentials:
        if needed:
            raise
        return {}
    except Refused:
        return {}
    found = reply.json() if reply.ok else None
    return found if isinstance(found, dict) else {}


def try_call(call: Call, sentence: str) -> Generator[Call, Reply, str]:
    """The recipe of a ``check``: ``sentence``, if the platform takes ``call``."""
    yield call
    return sentence
