"""Brings an existing store to the schema of this version, with Alembic.

`versions/` holds one file for each change, its reason on top; they only add. This module is their only door:
`yangdi migrate`, the tests and `create_app` call it. It never changes rows that people or phones made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect

from server.store.db import Database
from server.store.schema import metadata

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0005"
"""The revision that this version of the code needs: the newest file in versions/."""


class StoreBehind(Exception):
    """The store is not at the schema that this version needs. Its text says what to do, in zh and en."""


def position(database: Database) -> str | None:
    """The revision that the store is at; None: it has no tables of ours yet."""
    with database.reading() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def upgrade(database: Database) -> None:
    """Bring the store to HEAD, in one transaction. Does nothing when it is there already."""
    from alembic import command  # a web process only asks for the position, and need not carry Alembic

    config = config_of_scripts()
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def remove_all(database: Database) -> None:
    """Drop every table of ours. Only for a store that was empty a moment ago and could not be filled."""
    with database.writing() as connection:
        metadata.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")


def require_head(database: Database) -> None:
    """Raise StoreBehind unless the store is exactly at HEAD."""
    now = position(database)
    if now == HEAD:
        return
    raise StoreBehind(
        f"数据库版本是 {now or '空'}，本程序需要 {HEAD}。请先备份，再运行 yangdi migrate。\n"
        f"The store is at {now or 'nothing'}; this version needs {HEAD}. Back up, then run: yangdi migrate"
    )


def config_of_scripts() -> Config:
    """Where Alembic finds env.py and versions/, without an alembic.ini."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "server.store:migrations")
    return config
