"""The ``hub`` command. Each command's module is imported when it is used, so that the small ones start at once."""

from __future__ import annotations

from importlib import import_module

import click

# name: (module, attribute, what `hub --help` says)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "up": ("hub.commands.run", "up", "Start everything on this machine."),
    "web": ("hub.commands.run", "web", "One role: the doors, pages and API."),
    "worker": ("hub.commands.run", "worker", "One role: the pool of RQ workers."),
    "clock": ("hub.commands.run", "clock", "One role: RQ's cron, which sweeps up what is due."),
    "demo": ("hub.commands.demo", "demo", "The guided demo without a browser; exit 0 if all of it arrived."),
    "replay": ("hub.commands.records", "replay", "Read messages or send deliveries again."),
    "export": ("hub.commands.records", "export", "Conversions, orders or contacts as CSV."),
    "import": ("hub.commands.records", "import_", "Take in a CSV of orders."),
    "doctor": ("hub.commands.doctor", "doctor", "Is this installation well, and what should be done if not."),
    "db": ("hub.commands.database", "db", "Migrate, check, back up, restore."),
    "connections": ("hub.commands.connections", "list_connections", "What is set up here, and how each stands."),
    "connectors": ("hub.commands.connectors", "connectors", "List what is installed, or scaffold a new connector."),
    "normalize": ("hub.commands.try_source", "normalize", "Show the conversions in raw messages."),
    "verify": ("hub.commands.try_source", "verify", "Say whether a raw message is genuine."),
    "preview": ("hub.commands.try_destination", "preview", "Show the calls that conversions would lead to."),
    "judge": ("hub.commands.try_destination", "judge", "Say what an answer of a destination means."),
}


# The parts of ``hub up``; people have no use for them.
HIDDEN: dict[str, tuple[str, str]] = {
    "redis": ("hub.commands.run", "redis"),
    "welcome": ("hub.commands.demo", "welcome"),
    "receiver": ("hub.commands.demo", "receiver"),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        known = HIDDEN.get(cmd_name) or COMMANDS.get(cmd_name)
        if known is None:
            return None
        module, attribute = known[:2]
        command = getattr(import_module(module), attribute)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][2]) for name in self.list_commands(ctx)])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="conversion-hub")
def main() -> None:
    """Self-hosted, no-code webhook hub."""
