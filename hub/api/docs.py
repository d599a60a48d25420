"""The page that shows people the calls. Made from the OpenAPI document, with no script and nothing from elsewhere."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template

from hub.api.frame import PREFIX
from hub.settings import settings

METHODS = ("get", "post", "put", "patch", "delete")


def pages(spec: Any) -> Blueprint:
    """The blueprint with the page; ``spec`` is the API's APISpec."""
    blueprint = Blueprint("api_pages", __name__, url_prefix=PREFIX, template_folder="templates", static_folder="static")

    @blueprint.get("/docs")
    def docs() -> Response:
        page = Response(
            render_template("api/docs.html", groups=groups(spec.to_dict()), base=settings().base_url + PREFIX)
        )
        page.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'self'; frame-ancestors 'none'"
        return page

    return blueprint


def groups(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The calls by tag: name, description and ``calls``: method, path, summary, status, query, body, answer.

    ``query``, ``body`` and ``answer`` are lists of (name, type, what it means), the required ones of a body marked "*".
    """
    schemas = document.get("components", {}).get("schemas", {})
    found = {tag["name"]: {**tag, "calls": []} for tag in document.get("tags", [])}
    for path, operations in document.get("paths", {}).items():
        for method in METHODS:
            operation = operations.get(method)
            if operation is not None:
                found[operation["tags"][0]]["calls"].append(_call(path, method, operation, schemas))
    return [group for group in found.values() if group["calls"]]


def _call(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    status, answer = next((code, said) for code, said in operation["responses"].items() if code.startswith("2"))
    query = [
        _row(one["name"], one["schema"], one) for one in operation.get("parameters", []) if one.get("in") == "query"
    ]
    return {
        "method": method.upper(),
        "path": path.removeprefix(PREFIX),
        "summary": operation.get("summary", ""),
        "query": query,
        "body": _rows(_content(operation.get("requestBody", {})), schemas),
        "status": status,
        "answer": _rows(_content(answer), schemas),
    }


def _content(part: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = part.get("content", {}).get("application/json", {}).get("schema", {})
    return found


def _rows(schema: dict[str, Any], schemas: dict[str, Any]) -> list[tuple[str, str, str]]:
    whole = _resolved(schema, schemas)
    if whole.get("type") == "array":
        return _rows(whole["items"], schemas)
    page = whole.get("properties", {}).get("items")
    if page is not None:
        return [(f"items[].{name}", kind, text) for name, kind, text in _rows(page["items"], schemas)] + [
            ("next", "string", "")
        ]
    required = whole.get("required", [])
    properties = whole.get("properties", {}).items()
    return [_row(f"{name}*" if name in required else name, part, part) for name, part in properties]


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found


def _row(name: str, schema: dict[str, Any], about: dict[str, Any]) -> tuple[str, str, str]:
    words = schema.get("enum")
    kind = " | ".join(str(word) for word in words if word is not None) if words else str(schema.get("type", ""))
    return name, kind, about.get("description", "") or schema.get("description", "")
