"""`yangdi migrate`: brings the store to the schema of this version."""

from __future__ import annotations

import sys

import click

from server.settings import Settings
from server.store import migrations
from server.store.db import Database


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit 1 when the store is not at this version.")
@click.option("--only-empty", is_flag=True, hidden=True, help="As `serve` starts: make tables, move no data.")
def migrate(check: bool, only_empty: bool) -> None:
    """Bring the store to the schema of this version.

    Back up first. Migrations only add, and run in one transaction: either all of it happens or nothing.
    """
    settings = Settings.from_env()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.url)
    try:
        before = migrations.position(database)
        if not check and (before is None or not only_empty):
            migrations.upgrade(database)
        migrations.require_head(database)
    except migrations.StoreBehind as behind:
        click.echo(behind, err=True)
        sys.exit(1)
    finally:
        database.close()
    if not only_empty:
        click.echo(
            f"{before or 'empty'} -> {migrations.HEAD}" if before != migrations.HEAD else f"at {before}"
        )
