"""Many rows of one table in one go, for the few places where there are thousands.

SQLAlchemy's executemany builds a dictionary a row; trees come as tuples already, so they go to the driver as
they are (a third of the CPU, measured on 50-tree plots).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table


@lru_cache(maxsize=64)
def _insert_sql(table: Table, columns: tuple[str, ...], dialect: str, ignore: bool) -> str:
    place = "?" if dialect == "sqlite" else "%s"
    clash = " ON CONFLICT DO NOTHING" if ignore else ""
    return (
        f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({', '.join([place] * len(columns))}){clash}"
    )


def insert_rows(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
    *,
    ignore: bool = False,
) -> None:
    """Insert tuples in the order of `columns`; with `ignore`, rows that are there already stay as they are.

    Values go to the driver untouched: JSON must be text already, moments numbers.
    """
    if not rows:
        return
    for name in columns:
        table.c[name]  # a wrong name fails here, not in SQL
    connection.exec_driver_sql(_insert_sql(table, columns, connection.dialect.name, ignore), list(rows))


def chunks(values: Iterable[Any], size: int = 500) -> Iterable[list[Any]]:
    """Lists of at most `size`: drivers limit the variables of one statement."""
    chunk: list[Any] = []
    for value in values:
        chunk.append(value)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
