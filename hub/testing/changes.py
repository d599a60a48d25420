"""Ways to change a message: for tampering with it, and for finding out what breaks when a field is odd."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlencode

from hub.contract import Headers, Inbound
from hub.contract.calls import dump_json
from hub.toolkit.dates import parse_time
from hub.toolkit.paths import text

STAND_IN = "forged"
WRONG_VALUES: tuple[Any, ...] = (None, "", "x", {}, [], -1, True, 10**30)
_WRONG_TEXTS = ("", "x", "-1", "[]", "1e400", "\x00")
_NO_NAMES: tuple[Any, ...] = (None, {})  # what a field that names something may hold when there is nothing to name
_REMOVED = object()
_NEAR = timedelta(days=1)
# A Unix time in seconds or milliseconds, or ISO 8601; what matches ends with the seconds.
_TIME = re.compile(r"(?<![\w.])(?:\d{10}(?=(?:\d{3})?(?!\w))|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)")

Pairs = list[tuple[str, str]]
Path = tuple[Any, ...]


@dataclass(frozen=True)
class Part:
    """A header, query field or body field of a message, which may be taken away or replaced."""

    name: str
    _edit: Callable[[Any], Inbound]

    def removed(self) -> Inbound:
        return self._edit(_REMOVED)

    def forged(self) -> Inbound:
        return self._edit(STAND_IN)


def parts(inbound: Inbound) -> Iterator[Part]:
    """Every header and query field, and every field at the top of the body."""
    for name in inbound.headers:
        yield Part(f"the header {name}", partial(_with_header, inbound, name))
    query = _pairs(inbound.query)
    for index, (name, _) in enumerate(query):
        yield Part(f"{name} in the query", partial(_with_query, inbound, query, index))
    data = _parsed(inbound.body)
    if isinstance(data, dict):
        for name in data:
            yield Part(f"{name} in the body", partial(_with_json, inbound, data, (name,)))
    elif data is None:
        form = _form(inbound)
        for index, (name, _) in enumerate(form):
            yield Part(f"{name} in the body", partial(_with_form, inbound, form, index))


def tampered(inbound: Inbound) -> Iterator[tuple[str, Inbound]]:
    """The message with its body changed a little, in ways that a signature must notice."""
    body = inbound.body
    for position in sorted({0, len(body) // 2, len(body) - 1}) if body else ():
        changed = body[:position] + bytes([body[position] ^ 1]) + body[position + 1 :]
        yield f"byte {position} of the body changed", replace(inbound, body=changed)
    yield "a byte added to the body", replace(inbound, body=body + b" ")
    if body:
        yield "the last byte of the body gone", replace(inbound, body=body[:-1])
        yield "an empty body", replace(inbound, body=b"")


def odd_fields(inbound: Inbound, ids: frozenset[str], most: int) -> Iterator[Inbound]:
    """The message with single fields gone, or of another type, wherever fields stand.

    Each field whose value stands in one of ``ids`` is always changed. Of the changes of all others, of which there may
    be hundreds, ``most`` are drawn, the same ones each time. Wrong values take turns from field to field.
    """
    naming: list[Callable[[], Inbound]] = []
    others: list[Callable[[], Inbound]] = []
    for number, (value, edit, is_text) in enumerate(_fields(inbound)):
        odd = (_REMOVED, *_WRONG_TEXTS) if is_text else (_REMOVED, WRONG_VALUES[number % len(WRONG_VALUES)])
        if _names(value, ids):
            naming += [partial(edit, each) for each in (odd if is_text else (_REMOVED, *_NO_NAMES))]
        else:
            others += [partial(edit, each) for each in odd]
    drawn = Random(0).sample(others, min(most, len(others)))  # noqa: S311 - no secret, only an even spread
    yield from (change() for change in (*naming, *drawn))


def moved_times(inbound: Inbound) -> Iterator[tuple[str, Inbound]]:
    """Each header that shows a time near the message's arrival, and the message with that time a second off."""
    for name, shown in inbound.headers.items():
        for found in _TIME.finditer(shown):
            moment, last = parse_time(found[0]), found.end() - 1
            if moment is not None and abs(moment - inbound.received_at) < _NEAR:
                digit = "1" if shown[last] == "0" else "0"
                yield name, _with_header(inbound, name, f"{shown[:last]}{digit}{shown[last + 1 :]}")


def renamed(inbound: Inbound, name: str, identity_headers: tuple[str, ...] = ()) -> Iterator[Inbound]:
    """The message with each single text, one after the other, replaced by ``name``: one of them is the event's type."""
    for header in identity_headers:
        yield _with_header(inbound, header.lower(), name)
    data = _parsed(inbound.body)
    if isinstance(data, dict | list):
        yield from (_with_json(inbound, data, path, name) for path in _text_paths(data))
    else:
        form = _form(inbound)
        yield from (_with_form(inbound, form, index, name) for index in range(len(form)))
    query = _pairs(inbound.query)
    yield from (_with_query(inbound, query, index, name) for index in range(len(query)))
    yield from (_with_fetched(inbound, path, name) for path in _text_paths(inbound.fetched))


def in_currency(inbound: Inbound, currency: str, code: str) -> Inbound:
    """The message with every ``currency`` replaced by ``code``, amounts untouched."""
    body = inbound.body
    for old, new in ((currency, code), (currency.lower(), code.lower())):
        for left, right in ((b'"', b'"'), (b"=", b"&")):
            body = body.replace(left + old.encode() + right, left + new.encode() + right)
    fetched = dump_json(inbound.fetched)
    for old, new in ((currency, code), (currency.lower(), code.lower())):
        fetched = fetched.replace(f'"{old}"'.encode(), f'"{new}"'.encode())
    return replace(inbound, body=body, fetched=json.loads(fetched))


def _with_header(inbound: Inbound, name: str, value: Any) -> Inbound:
    kept = [(each, text) for each, text in inbound.headers.items() if each != name]
    return replace(inbound, headers=Headers(kept if value is _REMOVED else [*kept, (name, value)]))


def _with_query(inbound: Inbound, pairs: Pairs, index: int, value: Any) -> Inbound:
    query = urlencode(_with_pair(pairs, index, value))
    return replace(inbound, query=query, url=inbound.url.replace(inbound.query, query))


def _with_form(inbound: Inbound, pairs: Pairs, index: int, value: Any) -> Inbound:
    return replace(inbound, body=urlencode(_with_pair(pairs, index, value), encoding="latin-1").encode())


def _with_json(inbound: Inbound, data: Any, path: Path, value: Any) -> Inbound:
    return replace(inbound, body=json.dumps(_edited(data, path, value)).encode())


def _with_fetched(inbound: Inbound, path: Path, value: Any) -> Inbound:
    return replace(inbound, fetched=_edited(inbound.fetched, path, value))


def _with_pair(pairs: Pairs, index: int, value: Any) -> Pairs:
    middle = [] if value is _REMOVED else [(pairs[index][0], value)]
    return [*pairs[:index], *middle, *pairs[index + 1 :]]


def _edited(data: Any, path: Path, value: Any) -> Any:
    """A copy of ``data`` that differs at ``path`` and shares the rest."""
    key, *rest = path
    copy = data.copy()
    if rest:
        copy[key] = _edited(copy[key], tuple(rest), value)
    elif value is _REMOVED:
        del copy[key]
    else:
        copy[key] = value
    return copy


def _paths(data: Any, path: Path = ()) -> Iterator[Path]:
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from _paths(value, (*path, key))


def _text_paths(data: Any) -> Iterator[Path]:
    for path in _paths(data):
        if isinstance(_at(data, path), str):
            yield path


def _at(data: Any, path: Path) -> Any:
    for key in path:
        data = data[key]
    return data


def _fields(inbound: Inbound) -> Iterator[tuple[Any, Callable[[Any], Inbound], bool]]:
    """Every field of the body, the query and what was read back: its value, its edit, whether it can only be text."""
    data, query = _parsed(inbound.body), _pairs(inbound.query)
    if isinstance(data, dict | list):
        for path in _paths(data):
            yield _at(data, path), partial(_with_json, inbound, data, path), False
    else:
        form = _form(inbound)
        for index, (_, value) in enumerate(form):
            yield value, partial(_with_form, inbound, form, index), True
    for index, (_, value) in enumerate(query):
        yield value, partial(_with_query, inbound, query, index), True
    for path in _paths(inbound.fetched):
        yield _at(inbound.fetched, path), partial(_with_fetched, inbound, path), False


def _names(value: Any, ids: frozenset[str]) -> bool:
    """Whether the value is one of ``ids``, or, unless it is very short, a part of one."""
    said = text(value)
    return said is not None and (said in ids or (len(said) > 3 and any(said in each for each in ids)))


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _form(inbound: Inbound) -> Pairs:
    return parse_qsl(inbound.body.decode("latin-1"), keep_blank_values=True, encoding="latin-1")


def _pairs(query: str) -> Pairs:
    return parse_qsl(query, keep_blank_values=True)
