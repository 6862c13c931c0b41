"""Brings an existing store to the schema of this version, with Alembic.

`versions/` holds one file for each change, its reason on top; they only add. This module is their only door:
`yangdi migrate`, the tests and `create_app` call it. It never changes rows that people or phones made.
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from server.store.db import Database
from server.store.schema import metadata

SCRIPTS = "server.store:migrations"


class StoreBehind(Exception):
    """The store is not at the schema that this version needs. Its text says what to do, in zh and en."""


def head() -> str:
    """The revision that this version of the code needs."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def position(database: Database) -> str | None:
    """The revision that the store is at; None: it has no tables of ours yet."""
    with database.reading() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(database: Database) -> None:
    """Bring the store to `head()`, in one transaction. Does nothing when it is there already."""
    config = _config()
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def remove_all(database: Database) -> None:
    """Drop every table of ours. Only for a store that was empty a moment ago and could not be filled."""
    with database.writing() as connection:
        metadata.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")


def require_head(database: Database) -> None:
    """Raise StoreBehind unless the store is exactly at `head()`."""
    now, needed = position(database), head()
    if now == needed:
        return
    raise StoreBehind(
        f"数据库版本是 {now or '空'}，本程序需要 {needed}。请先备份，再运行 yangdi migrate。\n"
        f"The store is at {now or 'nothing'}; this version needs {needed}. Back up, then run: yangdi migrate"
    )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", SCRIPTS)
    return config
