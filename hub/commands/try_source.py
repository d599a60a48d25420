"""``hub normalize`` and ``hub verify``: a source connector on messages in files. No database, no Redis, no network."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from hub.commands.inputs import EXISTING, SETTINGS, headers_in, message_in, moment, sample_settings, say, settings_for
from hub.commands.inputs import source as source_named
from hub.connecting.rehearsal import drive, show
from hub.contract import Call, DeliveryError, HubError, Inbound, NotVerified, Reply, Source, Trust, TryLater
from hub.contract.conversion import iso
from hub.contract.inbound import Headers
from hub.normalize import needs_fetch, read_back, read_message
from hub.verify import prove


@click.command()
@click.argument("source")
@click.argument("files", nargs=-1, required=True, type=EXISTING)
@click.option("--settings", type=EXISTING, help=SETTINGS)
@click.option("--headers", type=EXISTING, help="JSON file (or “Name: value” lines) with the message's headers.")
def normalize(source: str, files: tuple[Path, ...], settings: Path | None, headers: Path | None) -> None:
    """Show the conversions in raw messages, one JSON line a FILE.

    FILE holds a body byte for byte, a whole request (.http), or the address of a pixel hit (.url).
    """
    connector = source_named(source)
    pairs = headers_in(headers)
    for path in files:
        loaded = settings_for(connector, settings or sample_settings(source, "source", path))
        say({"file": click.format_filename(path), **_normalized(connector, message_in(path, pairs), loaded)})


@click.command()
@click.argument("source")
@click.argument("file", type=EXISTING)
@click.option("--settings", type=EXISTING, help=SETTINGS)
@click.option("--headers", type=EXISTING, help="JSON file (or “Name: value” lines) with the message's headers.")
@click.option("--url", default="", help="The public address the sender was given, where it is part of the signature.")
@click.option("--now", help="The time of arrival, ISO 8601; otherwise the file's X-Sample-Received-At, or the clock's.")
@click.pass_context
def verify(
    ctx: click.Context, source: str, file: Path, settings: Path | None, headers: Path | None, url: str, now: str | None
) -> None:
    """Say whether the message in FILE is genuine: one JSON line, exit 0 when it is and 1 when not.

    The line names the time of arrival that a signature's age was measured from.
    """
    connector = source_named(source)
    inbound = message_in(file, headers_in(headers), url, moment(now))
    chosen = settings or sample_settings(source, "source", file)
    answer = _verdict(connector, inbound, settings_for(connector, chosen))
    say({**answer, "received_at": iso(inbound.received_at)})
    ctx.exit(0 if answer["ok"] else 1)


def _normalized(source: Source, inbound: Inbound, settings: dict[str, Any]) -> dict[str, Any]:
    calls: list[dict[str, Any]] = []
    try:
        if needs_fetch(source, inbound, settings):
            calls = _calls_of_fetch(source, inbound, settings)
        conversions = read_message(source, inbound, settings)
    except HubError as error:
        # What has to be read back first is no mistake of the message.
        told = None if calls else {"kind": type(error).__name__, "message": error.message, "detail": error.detail}
        return {"conversions": [], "fetch": calls, "error": told}
    return {"conversions": [each.to_dict() for each in conversions], "fetch": calls, "error": None}


def _calls_of_fetch(source: Source, inbound: Inbound, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """The calls that fetch would make, as far as they are known without an answer."""
    calls: list[dict[str, Any]] = []

    def answer(call: Call) -> Reply:
        shown = show(call, source, settings)
        calls.append({"method": shown["method"], "url": shown["url"]})
        return Reply(200, Headers(), b"{}")

    with suppress(HubError):  # later calls depend on real answers
        drive(read_back(source, inbound, settings), answer)
    return calls


def _verdict(source: Source, inbound: Inbound, settings: dict[str, Any]) -> dict[str, Any]:
    def refuse(call: Call) -> Reply:
        raise TryLater(f"needs network: {call.method} {call.url}")

    try:
        trust = drive(prove(source, inbound, settings), refuse)
    except NotVerified as error:
        return {"ok": False, "reason": error.reason, "message": error.message}
    except DeliveryError as error:
        message = "The sender can only be verified by asking over the network, which this command never does."
        return {"ok": False, "reason": error.message, "message": message}
    if trust is Trust.PROVEN:
        return {"ok": True, "reason": "verified", "message": "The message is its sender's, unchanged."}
    message = "This sender signs nothing: the secret address is all there is, and the message counts as claimed."
    return {"ok": True, "reason": "unsigned", "message": message}
