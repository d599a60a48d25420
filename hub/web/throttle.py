"""How many wrong logins are borne, per e-mail and per network address.

Counted in this process's memory: a restart forgives, and several web processes each count for themselves, which
multiplies the figures below by their number and no more.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

WINDOW = 15 * 60  # seconds
PER_EMAIL = 8
PER_ADDRESS = 30
MOST_KEYS = 20_000


class Throttle:
    """Remembers failures for ``WINDOW`` seconds. ``clock`` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[tuple[str, str], deque[float]] = {}
        self._lock = threading.Lock()

    def wait(self, email: str, address: str) -> int:
        """Seconds until another try is heard; 0: now."""
        with self._lock:
            return max(self._wait(("email", email), PER_EMAIL), self._wait(("address", address), PER_ADDRESS))

    def failed(self, email: str, address: str) -> None:
        with self._lock:
            if len(self._failures) > MOST_KEYS:
                self._forget_old()
            for key in (("email", email), ("address", address)):
                self._failures.setdefault(key, deque(maxlen=PER_ADDRESS)).append(self._clock())

    def succeeded(self, email: str) -> None:
        """The right password clears its own e-mail's count, never the address's."""
        with self._lock:
            self._failures.pop(("email", email), None)

    def forget(self) -> None:
        """Forgive everybody."""
        with self._lock:
            self._failures.clear()

    def _wait(self, key: tuple[str, str], most: int) -> int:
        times = self._failures.get(key)
        while times and times[0] <= self._clock() - WINDOW:
            times.popleft()
        if not times or len(times) < most:
            return 0
        return int(times[-most] + WINDOW - self._clock()) + 1

    def _forget_old(self) -> None:
        old = self._clock() - WINDOW
        self._failures = {key: times for key, times in self._failures.items() if times and times[-1] > old}
