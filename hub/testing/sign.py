"""Signs samples anew: ``python -m hub.testing.sign SLUG NAME…`` after a body was edited.

The headers of ``samples/in/NAME.http`` that carry the signature are replaced by those that the source's ``rehearse``
makes with the settings sample, for the time at which the sample arrives. The body stays byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from hub.connecting.registry import UnknownConnector
from hub.contract import ConnectorBroken
from hub.testing.samples import SampleError, parse_request, split_request
from hub.testing.subject import Subject, subject


@click.command()
@click.argument("slug")
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
def sign(slug: str, names: tuple[str, ...]) -> None:
    """Sign the samples NAME… of the connector SLUG anew."""
    for name in names:
        try:
            path = _signed(subject(slug), name.removesuffix(".http"))
        except (SampleError, ConnectorBroken, UnknownConnector) as error:
            raise click.ClickException(str(error)) from None
        click.echo(f"signed: {path}")


def with_headers(raw: bytes, fresh: Mapping[str, str]) -> bytes:
    """The request ``raw`` with the headers ``fresh`` in the place of its own of these names."""
    head, gap, body = split_request(raw)
    end = b"\r\n" if b"\r\n" in gap else b"\n"
    names = {name.lower() for name in fresh}
    first, *lines = head.split(end)
    kept = [line for line in lines if line.partition(b":")[0].strip().lower().decode("latin-1") not in names]
    made = [f"{name}: {value}".encode("latin-1") for name, value in fresh.items()]
    return end.join([first, *kept, *made]) + (gap or end * 2) + body


def _signed(known: Subject, name: str) -> Path:
    path = known.samples / "in" / f"{name}.http"
    if not path.is_file():
        raise SampleError(f"samples/in/{name}.http is missing.")
    raw = path.read_bytes()
    inbound = parse_request(raw, path.name)
    made = known.source.rehearse(inbound.body, known.settings("source"), inbound.received_at, known.demo_key)
    if not made:
        why = "it cannot make its sender's signature" if made is None else "its sender signs nothing"
        raise SampleError(f"rehearse of {known.slug} returns no headers: {why}, so {path.name} stays as it is.")
    path.write_bytes(with_headers(raw, made))
    return path


if __name__ == "__main__":
    sign()
