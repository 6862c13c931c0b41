"""`yangdi import outbox`: what a phone could not send, from a file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from server.cli.joined import now_ms, open_database, project_number
from server.settings import Settings
from server.steps import import_outbox
from server.steps.import_outbox import Brought, Sender
from server.store import projects
from server.store.blobs import Blobs
from server.store.db import Database
from sync.outbox import Outbox, OutboxUnreadable


@click.group("import")
def import_() -> None:
    """Bring in what came by other ways than a phone's own sending."""


@import_.command("outbox")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--project", "project_name", help="Name or number of the project, where there are several.")
@click.pass_context
def outbox(context: click.Context, file: Path, project_name: str | None) -> None:
    """Keep what can be read of an outbox FILE as if its phone had sent it; the same file twice changes nothing.

    Exit 0: all of it is safe and the phone may be emptied. Exit 1: something of it is not here, and is named.
    """
    with open_database() as database:
        with database.reading() as connection:
            number = project_number(connection, project_name)
        box, brought = _bring_in(database, number, file)
    for one in brought:
        click.echo(line(one))
    for fault, name in box.findings:
        click.echo(f"{file.name}: {fault} {name}".rstrip(), err=True)
    counts = import_outbox.report(box, brought)["counts"]
    click.echo(", ".join(f"{count} {state.replace('_', ' ')}" for state, count in counts.items()))
    if not import_outbox.is_safe(box, brought):
        click.echo("not all of it is safe: keep the file and the phone", err=True)
        context.exit(1)


def _bring_in(database: Database, project_id: int, file: Path) -> tuple[Outbox, Sequence[Brought]]:
    settings = Settings.from_env()
    with database.reading() as connection:
        ways = projects.ways(connection, project_id)
    assert ways is not None
    sender = Sender(project_id, None, ways.strict_intake, settings.max_instance_bytes)
    with file.open("rb") as source:
        try:
            box = Outbox(source, file.stat().st_size, settings.max_instance_bytes, settings.max_request_bytes)
        except OutboxUnreadable as error:
            raise click.ClickException(f"{file}: {error.fault}; nothing was brought in") from error
        coming = import_outbox.import_outbox(database, Blobs(settings.photo_dir), box, sender, now_ms)
        with click.progressbar(
            coming, len(box.instances), file=sys.stderr, hidden=not sys.stderr.isatty()
        ) as shown:
            brought = list(shown)
    with database.writing() as connection:
        import_outbox.note(connection, project_id, "cli", file.name, box, brought, now_ms())
    return box, brought


def line(one: Brought) -> str:
    """One instance on one line: what became of it, its name, its photos, what is missing."""
    named = one.instance_name or one.instance_id or one.client_id
    photos = f"photos {one.photos_received}/{one.photos_expected}" if one.photos_expected else ""
    wrong = {finding.name: finding.fault for finding in one.findings}
    missing = ", ".join(f"{name}: {wrong.get(name, 'missing')}" for name in one.missing)
    return "\t".join(part for part in (one.state, named, one.reason or "", photos, missing) if part)
