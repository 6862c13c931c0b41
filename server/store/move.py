"""Every row of one store into another, empty one: how an installation grows from SQLite to PostgreSQL.

Goes through the schema, table by table in the order of their references, so that both ends check every
constraint. Knows nothing of photos; those do not change place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Table,
    Text,
    bindparam,
    cast,
    func,
    insert,
    select,
    text,
    type_coerce,
    update,
)  # fmt: skip

from server.store.db import Database
from server.store.schema import metadata

AT_ONCE = 1000
"""Rows in memory at a time; the widest are submissions of some 10 KB."""


def move(source: Database, target: Database) -> int:
    """Copy every row in one transaction; returns how many. `target` has the same schema and no row."""
    moved = 0
    with source.reading() as old, target.writing() as new:
        for table in metadata.sorted_tables:
            moved += _copy(table, old, new)
            if not target.is_sqlite and "id" in table.primary_key.columns:
                _continue_numbering(table, new)
    return moved


def _copy(table: Table, old: Connection, new: Connection) -> int:
    later = [column for column in table.c if any(key.column.table is table for key in column.foreign_keys)]
    as_text = {c.name: cast(bindparam(c.name, type_=Text), c.type) for c in table.c if _is_json(c)}
    copied = 0
    for rows in _chunks(table, old):
        # a row may name one of its own table that comes after it: such columns are filled at the end
        new.execute(
            insert(table).values(as_text), [row | {column.name: None for column in later} for row in rows]
        )
        copied += len(rows)
    for column in later:
        _fill(table, column, old, new)
    return copied


def _chunks(table: Table, old: Connection) -> Iterator[list[dict[str, Any]]]:
    # JSON as the text it is: read as values, "no answer" and the JSON word null would be one and the same
    columns = [type_coerce(c, Text).label(c.name) if _is_json(c) else c for c in table.c]
    query = select(*columns).order_by(*table.primary_key.columns)
    result = old.execute(query.execution_options(yield_per=AT_ONCE))
    for part in result.mappings().partitions():
        yield [dict(row) for row in part]


def _is_json(column: Column[Any]) -> bool:
    return isinstance(column.type, JSON)


def _fill(table: Table, column: Column[Any], old: Connection, new: Connection) -> None:
    named = select(table.c.id.label("of_id"), column.label("to_id")).where(column.is_not(None))
    rows = [dict(row) for row in old.execute(named).mappings()]
    if rows:
        change = (
            update(table).where(table.c.id == bindparam("of_id")).values({column.name: bindparam("to_id")})
        )
        new.execute(change, rows)


def _continue_numbering(table: Table, new: Connection) -> None:
    """PostgreSQL counts ids apart from the rows; the next one must come after those that were copied."""
    last = new.scalar(select(func.max(table.c.id)))
    if last:
        new.execute(
            text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)"),
            {"name": table.name, "last": last},
        )
