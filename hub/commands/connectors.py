"""``hub connectors``: what is installed, and the scaffold of a new one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hub.contract import Connector, ConnectorBroken, Destination, Source
from hub.contract.calls import dump_json
from hub.registry import Entry, registry


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
@click.pass_context
def connectors(ctx: click.Context, as_json: bool) -> None:
    """List what is installed, or scaffold a new connector."""
    if ctx.invoked_subcommand is not None:
        return
    entries = registry().all()
    if as_json:
        click.echo(dump_json([_facts(entry) for entry in entries]).decode().encode())
        return
    width = max((len(entry.slug) for entry in entries), default=0)
    for entry in entries:
        facts = (" + ".join(entry.roles), entry.category or "", entry.status or "")
        click.echo(f"{entry.slug:{width}}  {facts[0]:20}  {facts[1]:10}  {facts[2]}".rstrip())
        if entry.broken:
            click.echo(f"{'':{width}}  set aside: {entry.broken}")


@connectors.command()
@click.argument("slug")
@click.option("--source", "role", flag_value="source", help="It turns what a sender posts into conversions.")
@click.option("--destination", "role", flag_value="destination", help="It sends conversions to a receiver.")
@click.option(
    "--into", type=click.Path(file_okay=False, path_type=Path), default=None,
    help="Where the folder is made; otherwise ./connectors if there is one, else here.",
)  # fmt: skip
def new(slug: str, role: str | None, into: Path | None) -> None:
    """Write the folder of a new connector SLUG, with failing samples that the kit explains."""
    from hub.testing.scaffold import ScaffoldError, scaffold

    if role is None:
        raise click.UsageError("Say what it is: --source or --destination.")
    home = into or (Path("connectors") if Path("connectors").is_dir() else Path())
    try:
        written = scaffold(slug, "source" if role == "source" else "destination", home)
    except ScaffoldError as error:
        raise click.ClickException(str(error)) from None
    for path in written:
        click.echo(f"written: {path}")
    click.echo(f"Next: pytest tests/test_connectors.py -k {slug} says what is missing.")


def _facts(entry: Entry) -> dict[str, Any]:
    whole = [connector for role in entry.roles if (connector := _whole(entry.slug, role)) is not None]
    asked = [connector for connector in whole if isinstance(connector, Source | Destination)]
    return {
        "slug": entry.slug,
        "name": entry.name,
        "roles": list(entry.roles),
        "category": entry.category,
        "status": entry.status,
        "contract": whole[0].contract if whole else None,
        "settings": {_role(connector): _settings(connector) for connector in whole},
        "stages": sorted({stage for connector in asked for stage in connector.stages}),
        "kinds": sorted({kind for connector in asked for kind in connector.kinds}),
        "broken": entry.broken,
    }


def _whole(slug: str, role: str) -> Connector | None:
    try:
        return registry().source(slug) if role == "source" else registry().destination(slug)
    except ConnectorBroken:
        return None


def _role(connector: Connector) -> str:
    return "source" if isinstance(connector, Source) else "destination"


def _settings(connector: Connector) -> list[dict[str, Any]]:
    facts = []
    for name, field in connector.Settings._declared_fields.items():
        about = field.metadata
        facts.append(
            {
                "name": name,
                "label": about["label"].en if about.get("label") else name,
                "help": about["help"].en if about.get("help") else "",
                "placeholder": about.get("placeholder", ""),
                "required": field.required,
                "secret": bool(about.get("secret")),
                "widget": about.get("widget", "text"),
                "choices": list(about.get("choices") or ()),
            }
        )
    return facts
