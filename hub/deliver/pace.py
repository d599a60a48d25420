"""A platform's rate limit."""

from __future__ import annotations

import time


class Pace:
    """Says when the next call may be made, so that there are at most ``per_second`` a second. None: no limit."""

    def __init__(self, per_second: float | None) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._next = 0.0

    def rest(self) -> float:
        """The seconds until the next call may be made."""
        return max(0.0, self._next - time.monotonic()) if self._gap else 0.0

    def take(self) -> None:
        """A call is made now."""
        self._next = max(self._next, time.monotonic()) + self._gap

    def wait(self) -> None:
        """Until the next call may be made, which is made then."""
        time.sleep(self.rest())
        self.take()
