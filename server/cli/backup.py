"""`yangdi backup` and `yangdi restore`. What a backup is: server/store/backup.py."""

from __future__ import annotations

import time
from pathlib import Path

import click

import server
from server.settings import Settings
from server.store import backup as backups
from server.store import migrations
from server.store.blobs import Blobs
from server.store.db import Database
from server.store.dump import DumpFailed


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.pass_context
def backup(context: click.Context, folder: Path) -> None:
    """Write the store and the photos to a new folder in FOLDER, with checksums, while the server runs.

    A photo that an earlier backup in FOLDER holds is not copied again. Exit 1 when photos were missing or
    damaged; all else is then saved all the same.
    """
    settings = Settings.from_env()
    database = Database(settings.url)
    context.call_on_close(database.close)
    try:
        place, manifest = backups.make(
            database, Blobs(settings.photo_dir), folder, time.time_ns() // 1_000_000, server.__version__
        )
    except (DumpFailed, backups.BackupUnusable, OSError) as error:
        raise click.ClickException(f"no backup was made: {error}") from error
    click.echo(f"{place}: {manifest.photos} photos, {manifest.photo_bytes / 1e6:.1f} MB")
    if manifest.damaged:
        click.echo(f"missing or damaged photos, not saved: {', '.join(manifest.damaged)}", err=True)
        context.exit(1)


@click.command()
@click.argument("place", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Only read and compare every byte; change nothing.")
@click.pass_context
def restore(context: click.Context, place: Path, check: bool) -> None:
    """Bring the backup in PLACE into an empty installation.

    Refuses a store or a photo folder that is not empty. A backup of SQLite may go into PostgreSQL.
    """
    try:
        if check:
            manifest = backups.check(place)
            click.echo(f"{place} is whole: {manifest.made_at}, {manifest.photos} photos")
            return
        _restore(context, place)
    except (DumpFailed, backups.BackupUnusable, OSError) as error:
        raise click.ClickException(f"nothing was restored: {error}") from error


def _restore(context: click.Context, place: Path) -> None:
    settings = Settings.from_env()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.url)
    context.call_on_close(database.close)
    manifest = backups.bring_back(database, Blobs(settings.photo_dir), place)
    click.echo(f"restored what was saved at {manifest.made_at}: {manifest.photos} photos")
    if migrations.position(database) != migrations.HEAD:
        click.echo("It is of an earlier version. Now run: yangdi migrate")
