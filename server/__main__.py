"""The command line: `yangdi`, or `python -m server`.

Knows every command by name and one line, and imports a command only when it is called: `yangdi serve` must
not carry the weight of `yangdi check`, and what one command lacks must not break the help of the others.
"""

from __future__ import annotations

import importlib
from typing import NamedTuple

import click


class Entry(NamedTuple):
    """Where a command lives and the line that `yangdi --help` says about it."""

    module: str
    attribute: str
    line: str


COMMANDS = {
    "serve": Entry("serve", "serve", "Run the web server, and the worker with it."),
    "work": Entry("serve", "work", "Run the worker alone."),
    "migrate": Entry("migrate", "migrate", "Bring the store to the schema of this version."),
    "project": Entry("project", "project", "Make a project, name its censuses, bring its planned plots."),
    "form": Entry("form", "form", "Check, publish, list and close forms."),
    "device": Entry("device", "device", "Enrol phones, see what they owe, narrow, re-key and revoke them."),
    "import": Entry("outbox", "import_", "Bring in what a phone could not send, from its outbox file."),
    "people": Entry("people", "people", "Add, list and close the people who may sign in to the pages."),
    "export": Entry("export", "export", "Write a project to one SQLite file for analysis."),
    "rules": Entry("rules", "rules", "See a project's thresholds, change one, take a change back."),
    "recheck": Entry("rules", "recheck", "Let the rules look again at every plot of a project."),
    "audit": Entry("audit", "audit", "Draw plots for audits at random, list what was drawn."),
    "check": Entry("check", "check", "Look for suspect values in plain tables, without a server."),
    "simulate": Entry("simulate", "simulate", "Send a census to a server as phones would."),
    "demo": Entry("demo", "demo", "Make a county with plots, phones and flags, and serve it."),
    "backup": Entry("backup", "backup", "Write the store and the photos to a folder, with checksums."),
    "restore": Entry("backup", "restore", "Bring a backup into an empty installation."),
}


class Commands(click.Group):
    """A group whose commands are imported by name when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """In the order of COMMANDS: what runs comes first, what is saved comes last."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command; a usage error that says why when something it needs is not installed."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        try:
            module = importlib.import_module(f"server.cli.{entry.module}")
        except ImportError as error:
            raise click.UsageError(f"`{cmd_name}` cannot run in this installation: {error}") from error
        command: click.Command = getattr(module, entry.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """One line for each command, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.line) for name, entry in COMMANDS.items()])


@click.command(cls=Commands)
@click.version_option(package_name="yangdi", prog_name="yangdi")
def main() -> None:
    """Yangdi (样地): field data of forest-carbon sample plots.

    Settings come from YANGDI_* variables; deploy/env.example lists them all.
    """


if __name__ == "__main__":
    main(prog_name="yangdi")
