"""Reading a list that comes in pages."""

from __future__ import annotations

from collections.abc import Callable, Generator

from hub.contract.calls import Call, Reply

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
