"""Many rows of one table in one go, for the few places where there are thousands.

SQLAlchemy's executemany builds a dictionary a row; trees come as tuples already, so they go to the driver as
they are (a third of the CPU, measured on 50-tree plots).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
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
) -> int:
    """Insert tuples in the order of `columns`; with `ignore`, rows that are there already stay as they are. Returns
    how many are new.

    Values go to the driver untouched: JSON must be text already, moments numbers.
    """
    if not rows:
        return 0
    for name in columns:
        table.c[name]  # a wrong name fails here, not in SQL
    columns, rows = _without_empty(columns, rows)
    sql = _insert_sql(table, columns, connection.dialect.name, ignore)
    raw = connection.connection.dbapi_connection
    assert raw is not None
    cursor = raw.cursor()  # past SQLAlchemy, as in `hot`
    cursor.executemany(sql, rows)
    return int(cursor.rowcount)


def _without_empty(
    columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> tuple[tuple[str, ...], Sequence[tuple[Any, ...]]]:
    """Leave out columns that are NULL in every row: most plots fill half of them, and sqlite3 takes longer to bind
    a None than a number (half the time of an insert, measured)."""
    used = [place for place in range(len(columns)) if any(row[place] is not None for row in rows)]
    if not 1 < len(used) < len(columns):  # `itemgetter` of one column gives no tuples
        return columns, rows
    pick = itemgetter(*used)
    return pick(columns), list(map(pick, rows))


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
