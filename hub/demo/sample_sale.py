"""A connector's own sample, made into a message that its sender could send now: for test sales and the demo.

A test sale goes through the hub's front door like any other message. The mark that makes a test of it
(:data:`hub.store.inbound.TEST_SALE`) is set inside the process, so nobody can send it from outside.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from werkzeug.test import EnvironBuilder, run_wsgi_app

from hub.connecting.connected import Connected
from hub.connecting.registry import registry
from hub.connecting.rehearsal import drive
from hub.connecting.seams import told
from hub.contract.calls import Call, Reply, dump_json
from hub.contract.connector import Source
from hub.contract.conversion import Conversion
from hub.contract.errors import DeliveryError, HubError, TryLater
from hub.contract.inbound import Headers, Inbound
from hub.contract.vocabulary import Kind, Stage, Text
from hub.normalize import needs_fetch, read_message
from hub.steer import connections as steer
from hub.store import Store, inbound, new_id
from hub.testing.samples import SampleError, parse_request, read_json
from hub.verify import prove

FEWEST_DIGITS = 8  # of a fresh id that differ: few enough to read out, too many to be met twice
LONG_ENOUGH = 6  # characters of an id that is also looked for inside of other texts


class NoTestSale(Exception):
    """There can be no test sale; ``message`` says what to do instead."""

    def __init__(self, message: Text) -> None:
        super().__init__(message.en)
        self.message = message


def send(front: Callable[..., Any], store: Store, connected: Connected, at: datetime) -> str:
    """Bring a test sale to the front door (a WSGI application); returns the kept message's id. Raises NoTestSale."""
    message = test_sale(connected, at)
    if message is None:
        raise NoTestSale(instead(connected.source))
    headers = [(name, value) for name, value in message.headers.items() if name not in ("host", "content-length")]
    asked = EnvironBuilder(
        path=message.path,
        query_string=message.query,
        method=message.method,
        headers=headers,
        data=message.body,
        base_url="{0.scheme}://{0.netloc}".format(urlsplit(message.url)),
    )
    mark = new_id()
    run_wsgi_app(front, asked.get_environ() | {inbound.TEST_SALE: mark}, buffered=True)
    with store.read() as tx:
        for newest in inbound.latest(tx, connected.workspace_id, connection_id=connected.id):
            row = inbound.get(tx, newest.id)
            if row is not None and row.headers.get(inbound.TEST_SALE) == mark:
                return str(row.id)
    raise NoTestSale(_NOT_NOW)


_NOT_NOW = Text(
    "The test sale could not be taken just now. Try again in a moment.",
    "La vente de test n'a pas pu être prise. Réessayez dans un instant.",
)


def instead(source: Source) -> Text:
    """How to get a test from a sender whose messages we cannot make."""
    where = source.snippet.menu_path if source.snippet else Text("its webhook settings", "ses réglages de webhooks")
    return Text(
        f"The hub cannot make a message of {source.name} by itself. For a test, have one sent from there ({where.en}), or "
        "buy something in its test mode.",
        f"Le hub ne peut pas fabriquer lui-même un message de {source.name}. Pour un test, faites-en envoyer un depuis son "
        f"interface ({where.fr}), ou achetez quelque chose dans son mode test.",
    )


def signed(connected: Connected, sample: Inbound, at: datetime) -> Inbound | None:
    """``sample`` as its sender would send it to this connection ``at`` that time; None where only it can sign."""
    key = _samples(connected) / "demo.key"
    secret = key.read_bytes() if key.is_file() else b""
    source = connected.source
    try:
        made = told(source, "signing a sample", source.rehearse, sample.body, connected.settings, at, secret)
    except HubError:  # a secret is not filled in yet, most likely
        return None
    if made is None:
        return None
    url = steer.address(connected.row) or ""
    headers = Headers(dict(sample.headers) | {name.lower(): value for name, value in made.items()})
    return replace(sample, headers=headers, received_at=at, path=urlsplit(url).path, url=url)


def sample_of(connected: Connected, name: str) -> Inbound:
    """The sample NAME of the connection's connector. Raises SampleError."""
    file = _samples(connected) / "in" / f"{name}.http"
    return parse_request(file.read_bytes(), str(file))


def test_sale(connected: Connected, at: datetime) -> Inbound | None:
    """A sale that this connection would take from its sender: a sample with ids and a time of its own, signed.

    None where that cannot be done without the sender: it alone can sign, or has to be asked for a part of each message.
    """
    found: Inbound | None = None
    if type(connected.source).columns is not Source.columns:
        return None  # it takes files, which nobody sends
    for name in _names(connected):
        with suppress(SampleError, OSError):
            sample = sample_of(connected, name)
            conversions = _read(connected, signed(connected, sample, at))
            made = signed(connected, _renewed(sample, conversions, at), at) if conversions else None
            if made is None or not _is_new(_read(connected, made), conversions):
                continue
            if any(one.kind is Kind.CONVERSION and one.stage is Stage.PURCHASE for one in conversions):
                return made
            if found is None and any(one.stage for one in conversions):
                found = made
    return found


def _samples(connected: Connected) -> Path:
    return registry().entry(connected.connector.slug).folder / "samples"


def _names(connected: Connected) -> Iterator[str]:
    """The samples of the demo, then all others."""
    folder = _samples(connected)
    shown: list[str] = []
    with suppress(SampleError):
        shown = read_json(folder / "demo.json").get("source", {}).get("messages", [])
    yield from shown
    yield from (file.stem for file in sorted((folder / "in").glob("*.http")) if file.stem not in shown)


def _read(connected: Connected, message: Inbound | None) -> list[Conversion]:
    """What the hub would make of the message without asking anyone; [] when that is nothing, or not possible."""
    if message is None:
        return []
    source, settings = connected.source, connected.settings
    try:
        drive(prove(source, message, settings), _nobody)
        return [] if needs_fetch(source, message, settings) else read_message(source, message, settings)
    except (HubError, DeliveryError):
        return []


def _is_new(found: list[Conversion], before: list[Conversion]) -> bool:
    orders = {one.order_id for one in before if one.order_id}
    return bool(found) and not any(one.order_id in orders for one in found)


def _nobody(call: Call) -> Reply:
    raise TryLater(f"needs the network: {call.method} {call.url}")


def _renewed(sample: Inbound, conversions: list[Conversion], at: datetime) -> Inbound:
    """The same message about another sale at another time: every id of its conversions is replaced wherever it stands."""
    fresh = _Fresh(conversions, at)
    headers = Headers({name: fresh.text(value) for name, value in sample.headers.items()})
    return replace(sample, body=fresh.body(sample), headers=headers, query=fresh.form(sample.query))


class _Fresh:
    def __init__(self, conversions: list[Conversion], at: datetime) -> None:
        self._at = at
        self._times = {one.occurred_at for one in conversions}
        ids: set[str] = set()
        for one in conversions:
            named = (one.event_id, one.order_id, one.subscription_id, one.money_id, *one.order_aliases)
            for text in filter(None, named):
                # An event's id is often made of several: "refund:1001".
                ids |= {text, *(part for part in re.split(r"[:#/|]", text) if _MAY_BE_ID.search(part))}
        self._ids = {text: _like(text) for text in sorted(ids, key=len, reverse=True)}

    def body(self, sample: Inbound) -> bytes:
        if "form" in sample.headers.get("content-type", ""):
            return self.form(sample.body.decode()).encode()
        with suppress(ValueError, HubError):
            return dump_json(self._value(sample.json()))
        return sample.body

    def form(self, text: str) -> str:
        return urlencode([(name, self._value(value)) for name, value in parse_qsl(text, keep_blank_values=True)])

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._value(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self._value(part) for part in value]
        if isinstance(value, int) and not isinstance(value, bool):
            return int(self.text(str(value)))
        return self.text(value) if isinstance(value, str) else value

    def text(self, text: str) -> str:
        core = text.strip(" #\"'")
        if core in self._ids:
            return text.replace(core, self._ids[core], 1)
        for moment in self._times:
            seconds = int(moment.timestamp())
            if text in (str(seconds), str(seconds * 1000)):
                return str(int(self._at.timestamp()) * (1 if text == str(seconds) else 1000))
            if (style := _style_of(text, moment)) is not None:
                return f"{self._at:{style}}"
        if text[:1] in "{[":
            with suppress(ValueError):  # JSON within a text
                return json.dumps(self._value(json.loads(text)))
        for old, new in self._ids.items():
            if len(old) >= LONG_ENOUGH:
                text = re.sub(rf"(?<![0-9A-Za-z]){re.escape(old)}(?![0-9A-Za-z])", new.replace("\\", r"\\"), text)
        return text


_MAY_BE_ID = re.compile(r"^(?!\d{4}-\d\d-\d\d).*\d")
"""A part of an event's id that has a digit and is no date."""


def _style_of(text: str, moment: datetime) -> str | None:
    """How ``text`` writes ``moment``, for strftime; None when it is not that time. Without a zone it is UTC."""
    with suppress(ValueError):
        said = datetime.fromisoformat(text) if len(text) >= len("2026-11-21T12:00") else None
        if said is not None and said.replace(tzinfo=said.tzinfo or UTC) == moment:
            return f"%Y-%m-%d{text[10]}%H:%M:%S{'' if said.tzinfo is None else '+00:00'}"
    return None


def _like(old: str) -> str:
    """Another id of the same form: its digits changed, and more added where they are few."""
    digits = sum(map(str.isdigit, old))
    more = "0" * max(0, FEWEST_DIGITS - digits)
    return re.sub(r"[0-9]", lambda _: random.choice("123456789"), old + more)  # noqa: S311 - a name, not a secret
