"""The OpenAPI document, and the page made from it."""

from __future__ import annotations

import re

from calling import Caller


def test_the_document_describes_every_call(call: Caller) -> None:
    document = call.app.test_client().get("/api/v1/openapi.json").get_json()
    assert document["openapi"].startswith("3.")
    described = {(method, path) for path, operations in document["paths"].items() for method in operations}
    routed = {
        (method.lower(), re.sub(r"<(\w+)>", r"{\1}", rule.rule))
        for rule in call.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint.partition(".")[0] in {tag["name"] for tag in document["tags"]}
    }
    assert {pair for pair in described if pair[0] != "parameters"} == routed
    assert all(
        operation.get("summary")
        for operations in document["paths"].values()
        for method, operation in operations.items()
        if method != "parameters"
    )


def test_the_page_lists_every_call_and_asks_nothing_of_other_hosts(call: Caller) -> None:
    client = call.app.test_client()
    page = client.get("/api/v1/docs")
    text = page.get_data(as_text=True)
    for path in ("/me", "/connections/{connection_id}", "/replay/failed", "/hooks", "/samples/{event}"):
        assert f"<code>{path}</code>" in text
    assert not re.findall(r"(?:src|href)=[\"'](?:https?:)?//", text)
    assert "<script" not in text
    styles = re.findall(r'rel="stylesheet" href="([^"]+)"', text)
    with client.get(styles[0]) as sheet:
        assert sheet.status_code == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
