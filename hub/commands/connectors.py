"""``hub connectors``: what is installed, and the scaffold of a new one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hub.connecting.registry import Entry, Role, registry
from hub.contract import Connector, ConnectorBroken, Destination, Source
from hub.contract.calls import dump_json


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
@click.option("--package", default=None, help="Also write a package of this name around it, ready to be installed.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Where it is made; otherwise ./connectors if there is one, else here (with --package: a folder of its name).",
)
def new(slug: str, role: str | None, package: str | None, into: Path | None) -> None:
    """Write the folder of a new connector SLUG, with samples and examples; the kit explains what is missing."""
    from hub.testing.scaffold import ScaffoldError, scaffold, scaffold_package

    if role is None:
        raise click.UsageError("Say what it is: --source or --destination.")
    chosen: Role = "source" if role == "source" else "destination"
    try:
        if package:
            home = into or Path(package.replace("_", "-"))
            written = scaffold_package(slug, chosen, package, home)
        else:
            home = into or (Path("connectors") if Path("connectors").is_dir() else Path())
            written = scaffold(slug, chosen, home)
    except ScaffoldError as error:
        raise click.ClickException(str(error)) from None
    for path in written:
        click.echo(f"written: {path}")
    click.echo(_next_step(slug, package, home))


@connectors.command()
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("docs/connectors"),
    show_default=True,
    help="The folder of the pages.",
)
def docs(into: Path) -> None:
    """Write the pages about every connector anew, from what they declare."""
    from hub.commands.connector_docs import write

    click.echo(f"{write(into)} pages in {into}")


def _next_step(slug: str, package: str | None, home: Path) -> str:
    if package:
        return f"Next: pip install -e {home} && pytest {home} says what is missing."
    kit = home.resolve().parent / "tests" / "test_connectors.py"
    if home.name == "connectors" and kit.is_file():
        return f"Next: pytest tests/test_connectors.py -k {slug} says what is missing."
    return "\n".join(
        [
            "Next: make it part of an installed package (or start over with --package, which does that), then run the kit:",
            "    from hub.testing import connector_cases",
            f'    @pytest.mark.parametrize("case", connector_cases("{slug}"), ids=str)',
            "    def test_connector(case): case()",
        ]
    )


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
