"""What the commands share: the store that the environment names, a project by name, the clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy import Connection

from server.settings import Settings
from server.store import projects
from server.store.db import Database


@contextmanager
def open_database() -> Iterator[Database]:
    """The store of this installation, closed at the end, also after a usage error."""
    database = Database(Settings.from_env().url, pool_size=2)
    try:
        yield database
    finally:
        database.close()


def now_ms() -> int:
    """This moment, milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def project_number(connection: Connection, text: str | None) -> int:
    """A project by name or number; the only one where none is named. Raises a usage error that lists them."""
    known = projects.names(connection)
    named = [number for number, name in known.items() if text in {name, str(number)}]
    if named:
        return named[0]
    if text is None and len(known) == 1:
        return next(iter(known))
    listed = ", ".join(f"{number} {name}" for number, name in known.items()) or "none yet"
    raise click.UsageError(f"which project? --project takes one of: {listed}")
