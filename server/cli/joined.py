"""What the commands share: the store that the environment names, a project by name, the clock."""

from __future__ import annotations

import time

import click
from sqlalchemy import Connection, select

from server.settings import Settings
from server.store.db import Database
from server.store.schema import project


def open_database() -> Database:
    """The store of this installation; close it when done."""
    return Database(Settings.from_env().url, pool_size=2)


def now_ms() -> int:
    """This moment, milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def project_number(connection: Connection, text: str | None) -> int:
    """A project by name or number; the only one where none is named. Raises a usage error that lists them."""
    rows = list(connection.execute(select(project.c.id, project.c.name).order_by(project.c.id)))
    named = [row.id for row in rows if text in {row.name, str(row.id)}]
    if named:
        return int(named[0])
    if text is None and len(rows) == 1:
        return int(rows[0].id)
    known = ", ".join(f"{row.id} {row.name}" for row in rows) or "none yet"
    raise click.UsageError(f"which project? --project takes one of: {known}")
