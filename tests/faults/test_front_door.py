"""The door as it stands behind the real server: however a message comes in, and whatever the hub itself runs in."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from receivers import SECRET
from scene import Scene, running_scene
from sqlalchemy import select

from hub.store import inbound
from hub.toolkit.signing import make_hmac

pytestmark = pytest.mark.faults

BODY = json.dumps(
    {"event": "order.paid", "orderId": "1", "amount": "49.99", "currency": "EUR", "note": "x" * 3000}
).encode()


@pytest.fixture
def scene(key: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("HTTP_PROXY", "http://someone:made-up-password@proxy.example:3128")
    data = tmp_path / "data"
    with running_scene(data, f"sqlite:///{data / 'hub.db'}") as made:
        yield made


def test_a_message_comes_in_whole_in_pieces_or_not_at_all(scene: Scene) -> None:
    assert ask(scene, sized(BODY), BODY) == 200
    assert ask(scene, sized(BODY), BODY[:10], BODY[10:2000], BODY[2000:]) == 200
    chunks = b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (100, BODY[:100], len(BODY) - 100, BODY[100:])
    assert ask(scene, "Transfer-Encoding: chunked", chunks[:50], chunks[50:]) == 200
    assert ask(scene, sized(BODY), BODY[:1000], hang_up=True) in (400, None)  # the answer may find nobody
    assert ask(scene, "Content-Length: 99999999", BODY) == 413
    with scene.store.read() as tx:
        kept = list(tx.execute(select(inbound.inbound)).mappings())
    assert sorted(row["reason"] for row in kept if row["state"] == inbound.REFUSED) == ["too_large"]
    good = [row for row in kept if row["state"] != inbound.REFUSED]
    assert [(row["body"], row["trust"], row["resends"]) for row in good] == [(BODY, "proven", 2)]
    assert not [row for row in kept if "proxy" in str(row["headers"]).lower()]


def sized(body: bytes) -> str:
    return f"Content-Length: {len(body)}"


def ask(scene: Scene, length: str, *pieces: bytes, hang_up: bool = False) -> int | None:
    """The status of the answer; None: there was none."""
    head = (
        f"POST /in/{scene.shop.address} HTTP/1.1\r\nHost: hub\r\nX-Signature: {make_hmac(BODY, SECRET)}\r\n"
        f"Content-Type: application/json\r\n{length}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", scene.hub.port), timeout=20) as line:
        line.sendall(head.encode())
        for piece in pieces:
            line.sendall(piece)
            time.sleep(0.05)
        if hang_up:
            line.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(line)
        try:
            answer.begin()
        except (http.client.HTTPException, OSError):
            return None
        finally:
            answer.close()
        return answer.status
