"""Senders that sign nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.contract.connector import Source, Unsigned
from hub.contract.inbound import Inbound


class UnsignedSender(Source):
    """A source whose secret address is all there is: every message counts as *claimed*."""

    signs_body = False

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        """Nothing can be checked."""
        raise Unsigned

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str]:
        return {}
