"""A form that makes something makes it once, however often its button is pressed.

Each such form carries a number of its own. What it made is remembered for a while in this process; the pages' script
also switches the button off, so this is what stands behind a browser without it.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable

MOST = 2_000

_made: OrderedDict[str, str] = OrderedDict()
_lock = threading.Lock()


def number() -> str:
    """For a new form's hidden field ``once``."""
    return secrets.token_urlsafe(12)


def once(given: str, make: Callable[[], str]) -> str:
    """What ``make`` returned for the form ``given``; it is called the first time only, and again after it raised."""
    if not given:
        return make()
    with _lock:
        known = _made.get(given)
        if known is None:
            known = _made[given] = make()
            if len(_made) > MOST:
                _made.popitem(last=False)
        return known
