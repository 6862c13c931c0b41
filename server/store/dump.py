"""The whole store as one file, and back: SQLite by VACUUM INTO, PostgreSQL by pg_dump and pg_restore.

Both take one consistent view while phones go on sending. The stepped backup API of SQLite is not used: under
writes it starts again with every commit and never finishes (measured: 3,919 restarts in 25 s).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.engine import make_url

from server.store.db import Database


class DumpFailed(Exception):
    """The store could not be written or read back. Its text is what the tool said."""


def is_empty(database: Database) -> bool:
    """True when the store has no table at all."""
    return not inspect(database.engine).get_table_names()


def write(database: Database, target: Path) -> None:
    """Write the store to the file `target`, durable and checked. Raises DumpFailed."""
    if database.is_sqlite:
        _vacuum_into(_file(database), target)
    else:
        _postgres_tool("pg_dump", database, "--format=custom", "--no-owner", f"--file={target}")
    with target.open("rb") as file:
        os.fsync(file.fileno())


def read(database: Database, source: Path) -> None:
    """Fill the empty store from a file that `write` made on the same kind of engine. Raises DumpFailed."""
    if database.is_sqlite:
        _put_file(database, source)
    else:
        _postgres_tool("pg_restore", database, "--no-owner", "--exit-on-error", "--single-transaction",
                       f"--dbname={_without_password(database)}", str(source))  # fmt: skip


def _vacuum_into(live: Path, target: Path) -> None:
    try:
        with closing(sqlite3.connect(live, isolation_level=None, timeout=60)) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
        with closing(sqlite3.connect(target)) as copy:
            (verdict,) = copy.execute("PRAGMA quick_check").fetchone()
    except sqlite3.Error as error:
        raise DumpFailed(str(error)) from error
    if verdict != "ok":
        raise DumpFailed(verdict)


def _put_file(database: Database, source: Path) -> None:
    database.close()
    live = _file(database)
    arriving = live.with_suffix(".arriving")
    shutil.copyfile(source, arriving)
    with arriving.open("rb") as file:
        os.fsync(file.fileno())
    # looking whether the store is empty may have made an empty file, with a log that must not outlive it
    for left_over in (live, Path(f"{live}-wal"), Path(f"{live}-shm")):
        left_over.unlink(missing_ok=True)
    arriving.rename(live)


def _file(database: Database) -> Path:
    return Path(str(make_url(database.url).database))


def _postgres_tool(tool: str, database: Database, *arguments: str) -> None:
    found = shutil.which(tool)
    if found is None:
        raise DumpFailed(f"{tool} is not on this machine (Debian: apt-get install postgresql-client)")
    target = [] if tool == "pg_restore" else [f"--dbname={_without_password(database)}"]
    # the password goes by the environment: everybody on a machine can read command lines
    password = make_url(database.url).password
    environment = os.environ | ({"PGPASSWORD": str(password)} if password else {})
    done = subprocess.run(
        [found, "--no-password", *target, *arguments], env=environment, capture_output=True, check=False
    )
    if done.returncode:
        raise DumpFailed(done.stderr.decode(errors="replace").strip())


def _without_password(database: Database) -> str:
    url = make_url(database.url).set(drivername="postgresql", password=None)
    return url.render_as_string(hide_password=False)
