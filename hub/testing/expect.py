"""Proposes the expectation of each sample: ``python -m hub.testing.expect SLUG [--write]``.

Prints what the connector makes of its samples today; ``--write`` puts it into the missing expectation files, with
``--all`` also over those that exist. Check every line by eye against the raw message: an expectation that is copied
unread proves nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from hub.connecting.registry import UnknownConnector
from hub.contract import ConnectorBroken, HubError
from hub.contract.calls import dump_json
from hub.normalize import read_message
from hub.testing.destination_checks import SENT, outcomes, rehearse, request_text
from hub.testing.samples import SampleError, prune
from hub.testing.subject import Subject, subject


@click.command()
@click.argument("slug")
@click.option("--write", is_flag=True, help="Write the files that are missing.")
@click.option("--all", "over", is_flag=True, help="With --write: also replace the files that exist.")
def expect(slug: str, write: bool, over: bool) -> None:
    """Propose the expectations of the connector SLUG."""
    try:
        proposals = list(_proposals(subject(slug)))
    except (SampleError, ConnectorBroken, UnknownConnector) as error:
        raise click.ClickException(str(error)) from None
    for path, text in proposals:
        if write and (over or not path.exists()):
            path.write_text(text, "utf-8")
            click.echo(f"written: {path}")
        elif not write:
            click.echo(f"{path.name}\n{text}")


def _proposals(subject: Subject) -> Iterator[tuple[Path, str]]:
    if "source" in subject.entry.roles:
        yield from _conversions(subject)
    if "destination" in subject.entry.roles:
        yield from _calls(subject)


def _conversions(subject: Subject) -> Iterator[tuple[Path, str]]:
    for sample in subject.incoming:
        try:
            found = read_message(subject.source, sample.inbound, subject.settings("source"))
        except HubError as error:
            click.echo(f"in/{sample.name}.http is not understood: {error.message} {error.detail}", err=True)
            continue
        yield subject.samples / "in" / f"{sample.name}.json", pretty([prune(each.to_dict()) for each in found])


def _calls(subject: Subject) -> Iterator[tuple[Path, str]]:
    for sample in subject.outgoing:
        run = rehearse(subject, sample)
        ends = outcomes(run)
        if any(end not in SENT for end in ends.values()):
            yield subject.samples / "out" / f"{sample.name}.outcomes.json", pretty(ends)
        text = "\n###\n".join(request_text(subject, planned.call) for planned in run.calls)
        yield subject.samples / "out" / f"{sample.name}.http", f"{text}\n"


def pretty(value: object) -> str:
    """JSON for people: indented, accents readable, one newline at the end."""
    return json.dumps(json.loads(dump_json(value)), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    expect()
