"""WooCommerce: the ping at activation, which is not signed."""

import pytest
from senders import message, read

from connectors.woocommerce.source import WooCommerce

SOURCE = WooCommerce()


def test_the_unsigned_ping_is_answered_and_is_no_conversion() -> None:
    ping = message("webhook_id=4", {"Content-Type": "application/x-www-form-urlencoded"})
    answer = SOURCE.handshake(ping, {})
    assert answer is not None
    assert answer.status == 200
    assert read(SOURCE, ping) == []


@pytest.mark.parametrize("body", ['{"id":727}', "webhook_id=4&order=1", "webhook_id=x", ""])
def test_nothing_else_is_taken_for_the_ping(body: str) -> None:
    assert SOURCE.handshake(message(body), {}) is None
