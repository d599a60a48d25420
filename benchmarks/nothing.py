"""The yardsticks: a Flask app whose one view does nothing, and a bare loop of prepared ``requests`` sends.

python -m benchmarks.nothing serve                    the app, by the hub's own server with the hub's settings
python -m benchmarks.nothing send PORT COUNT THREADS  prints one JSON object: sent, seconds, cpu (seconds)
"""

from __future__ import annotations

import json
import sys
import threading
import time

import requests
from flask import Flask
from requests.adapters import HTTPAdapter


def application() -> Flask:
    """A Flask app with one view, which answers 204."""
    app = Flask("nothing")

    @app.route("/nothing", methods=["GET", "POST"])
    def nothing() -> tuple[str, int]:
        return "", 204

    return app


def send(url: str, count: int, threads: int) -> dict[str, float]:
    """POST the same prepared request ``count`` times, and read the answers."""
    adapter = HTTPAdapter(pool_maxsize=threads)
    prepared = requests.Request("POST", url, json=BODY, headers={"User-Agent": "bare"}).prepare()
    left = iter(range(count))

    def work() -> None:
        for _ in left:
            response = adapter.send(prepared, timeout=(10, 10))
            assert response.status_code == 200, response.status_code
            assert response.content == b"{}"

    began, cpu = time.monotonic(), time.process_time()
    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return {"sent": count, "seconds": time.monotonic() - began, "cpu": time.process_time() - cpu}


BODY = {"type": "conversion.purchase.created", "timestamp": "2026-11-21T12:00:00Z", "data": {"note": "x" * 1200}}
"""As long as what the webhook destination sends of a checkout."""


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        from hub.serve import serve

        serve("benchmarks.nothing:application")
    else:
        print(json.dumps(send(f"http://127.0.0.1:{sys.argv[2]}/", int(sys.argv[3]), int(sys.argv[4]))))
