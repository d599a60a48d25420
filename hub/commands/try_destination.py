"""``hub preview`` and ``hub judge``: a destination connector without sending. No database, no Redis, no network."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from hub.commands.inputs import EXISTING, SETTINGS, Mistake, headers_in, read_json, sample_settings, say, settings_for
from hub.commands.inputs import destination as destination_named
from hub.connecting.seams import NAIVE
from hub.contract import Conversion, Headers, Reply
from hub.outgoing.answers import judged


@click.command()
@click.argument("destination")
@click.argument("files", nargs=-1, required=True, type=EXISTING)
@click.option("--settings", type=EXISTING, help=SETTINGS)
@click.option("--mapping", type=EXISTING, help="JSON file with a mapping; otherwise the connector's default one.")
def preview(destination: str, files: tuple[Path, ...], settings: Path | None, mapping: Path | None) -> None:
    """Show the calls that the conversions in the FILEs would lead to, one JSON line each; secrets are ***.

    FILE holds one conversion or a list of them, as “hub normalize” prints them. Problems are lines of their own.
    """
    from hub.mapping.preview import preview as previewed
    from hub.mapping.problems import MappingError

    connector = destination_named(destination)
    loaded = settings_for(connector, settings or sample_settings(destination, "destination", files[0]))
    rules = read_json(mapping) if mapping else None
    conversions = [each for path in files for each in _conversions(path)]
    try:
        for line in previewed(connector, loaded, rules, conversions):
            say(line)
    except MappingError as error:
        raise Mistake(error.message) from None


@click.command()
@click.argument("destination")
@click.argument("body", required=False, type=EXISTING)
@click.option("--status", required=True, type=click.IntRange(100, 599), help="The answer's HTTP status.")
@click.option("--headers", type=EXISTING, help="JSON file (or “Name: value” lines) with the answer's headers.")
def judge(destination: str, body: Path | None, status: int, headers: Path | None) -> None:
    """Say which outcome the hub would record for an answer whose body is in the file BODY."""
    connector = destination_named(destination)
    reply = Reply(status, Headers(headers_in(headers)), body.read_bytes() if body else b"")
    outcome = judged(connector, reply, datetime.now(UTC))
    say(
        {
            "outcome": outcome.result.value,
            "after": outcome.after,
            "reason": outcome.reason,
            "detail": outcome.detail,
        }
    )


def _conversions(path: Path) -> list[dict[str, Any]]:
    given = read_json(path)
    conversions = given if isinstance(given, list) else [given]
    if len(conversions) == 1 and isinstance(given, dict) and "conversions" in given:  # a line of “hub normalize”
        conversions = given["conversions"]
    for each in conversions:
        try:
            Conversion.from_dict({"event_id": "preview", **each})
        except NAIVE as error:
            form = "one conversion (a JSON object), or a list of them, as “hub normalize” prints them"
            raise Mistake(f"{path} must hold {form}: {error}") from None
    return list(conversions)
