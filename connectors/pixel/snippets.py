"""The code a person pastes: an image, a script that reads the page's own address, or Shopify's sandboxed pixel."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from connectors.pixel.platforms import PLATFORMS, Platform
from hub.contract import Choice, Currency, Paste, SettingsSchema, Switch, Text, Words
from hub.contract.vocabulary import STAGE_LABELS
from hub.toolkit.bundled_files import read_template, read_words

FIELDS = ("email", "amount", "currency", "orderId", "productId", "productName")  # in the order of the pixel's fields
Pairs = Sequence[tuple[str, str]]


_WORDS = read_words(__name__)["snippets"]
_SCRIPT, _SHOPIFY = read_template(__name__, "script.html"), read_template(__name__, "shopify.js")


class SnippetForm(SettingsSchema):
    """What the snippet builder asks."""

    platform = Choice(
        **_WORDS["platform"],
        choices={key: platform.name for key, platform in PLATFORMS.items()},
        load_default="own",
    )
    webinars = Words(**_WORDS["webinars"], load_default="")
    tag = Words(**_WORDS["tag"], load_default="")
    currency = Currency(**_WORDS["currency"], load_default="")
    stage = Choice(
        **_WORDS["stage"],
        choices={"": Text("As set on the source", "Celle de la source")} | STAGE_LABELS,
        load_default="",
    )
    email = Words(**_WORDS["email"], load_default="")
    order = Words(**_WORDS["order"], load_default="")
    amount = Words(**_WORDS["amount"], load_default="")
    page_currency = Words(**_WORDS["page_currency"], load_default="")
    consent = Switch(**_WORDS["consent"])


def build_snippets(address: str, choices: Mapping[str, Any]) -> list[Paste]:
    """Every snippet that fits the chosen platform. ``address`` is the pixel's, without a query."""
    platform = PLATFORMS[choices["platform"]]
    fixed = _fixed(choices)
    if platform.takes == "shopify":
        code = shopify_snippet(address, fixed)
        return [_paste(Text("Shopify pixel", "Pixel Shopify"), code, platform)]
    pasted = [
        _paste(Text("Image", "Image"), image_snippet(address, [*fixed, *_page_fields(platform, choices)]), platform)
    ]
    if platform.where_free:
        title = Text("Image, free products", "Image, produits gratuits")
        pasted.append(_paste(title, image_snippet(address, fixed), platform, platform.where_free))
    parameters = _parameters(platform, choices)
    if parameters:
        currency = [("currency", choices["currency"])] if choices["currency"] and "currency" not in parameters else []
        code = script_snippet(address, [*fixed, *currency], parameters)
        pasted.append(_paste(Text("Script", "Script"), code, platform))
    return pasted


def image_snippet(address: str, fields: Pairs) -> str:
    """A transparent image. Placeholders stay as they are; everything else in ``fields`` is URL-encoded."""
    query = "&".join(f"{name}={value if _is_template(value) else quote(value, safe='')}" for name, value in fields)
    return f'<img src="{html.escape(address)}?{query}" width="1" height="1" alt="">'


def script_snippet(address: str, fixed: Pairs, parameters: Mapping[str, str]) -> str:
    """Reads the page's own address and appends the image to the body on load. ES5, no dependency, no eval.

    ``parameters``: pixel field → the page's parameter. A parameter that the page does not have leaves its field out.
    """
    return _SCRIPT.replace("ADDRESS", _js(_with_query(address, fixed))).replace("NAMES", _js(dict(parameters)))


def shopify_snippet(address: str, fixed: Pairs) -> str:
    """For Shopify's custom pixels, which run without a page: no image, a request instead."""
    return _SHOPIFY.replace("ADDRESS", _js(_with_query(address, fixed)))


def _paste(title: Text, code: str, platform: Platform, where: Text | None = None) -> Paste:
    said = [text for text in (platform.standing, platform.note) if text]
    note = Text(" ".join(part.en for part in said), " ".join(part.fr for part in said))
    return Paste(title, code, where or platform.where, note if said else None)


def _fixed(choices: Mapping[str, Any]) -> list[tuple[str, str]]:
    ids = [part for part in re.split(r"[\s,;]+", choices["webinars"]) if part]
    targets = [("webinarId", part) for part in ids] or ([("tag", choices["tag"])] if choices["tag"] else [])
    stage = [("stage", choices["stage"])] if choices["stage"] else []
    return [*targets, *stage, *([("consent", "analytics")] if choices["consent"] else [])]


def _page_fields(platform: Platform, choices: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each field with its placeholder, in the pixel's order; without one it stays empty, to be filled in or left."""
    known: dict[str, str] = {"currency": choices["currency"], **platform.placeholders}
    names = [*FIELDS, *(name for name in platform.placeholders if name not in FIELDS)]
    wanted = names if not platform.placeholders else [name for name in names if known.get(name)]
    return [(name, known.get(name, "")) for name in wanted]


def _parameters(platform: Platform, choices: Mapping[str, Any]) -> dict[str, str]:
    asked = {"email": "email", "orderId": "order", "amount": "amount", "currency": "page_currency"}
    chosen = {name: choices[field] for name, field in asked.items() if choices[field]}
    usual = {name: parameter for name, parameter in platform.parameters.items() if not choices.get(name)}
    return chosen or usual


def _with_query(address: str, fixed: Pairs) -> str:
    # A first field that is always there lets every other one begin with "&".
    return f"{address}?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in [("v", "1"), *fixed])


def _is_template(value: str) -> bool:
    return value.startswith("{")


def _js(value: Any) -> str:
    """JSON that can stand inside a script element."""
    return json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
