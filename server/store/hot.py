"""A query on the path of every phone, handed to the driver as it is.

The query is written in SQLAlchemy like every other and compiled once for each engine; what is left out is the
work around each execution, which costs more than SQLite itself (60 µs against 8 µs, measured). Values come back
as the driver gives them: no JSON is read, no truth value made, so it serves for plain columns only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Delete, Select, Update, text
from sqlalchemy.sql import ClauseElement

Values = Mapping[str, Any]


class Hot:
    """A statement with bound names; `by_dialect` where the engines need different words."""

    def __init__(self, statement: ClauseElement | None = None, **by_dialect: ClauseElement) -> None:
        self._statements = by_dialect
        self._statement = statement
        self._compiled: dict[str, tuple[str, tuple[str, ...] | None, dict[str, Any]]] = {}

    def _run(self, connection: Connection, values: Values) -> Any:
        dialect = connection.dialect
        known = self._compiled.get(dialect.name)
        if known is None:
            statement = self._statements.get(dialect.name, self._statement)
            assert statement is not None
            compiled = statement.compile(dialect=dialect)
            names = tuple(compiled.positiontup) if compiled.positional else None  # type: ignore[attr-defined]
            known = self._compiled[dialect.name] = (str(compiled), names, dict(compiled.params))
        sql, order, defaults = known
        raw = connection.connection.dbapi_connection
        assert raw is not None
        cursor = raw.cursor()
        merged = {**defaults, **values}
        cursor.execute(sql, [merged[name] for name in order] if order is not None else merged)
        return cursor

    def all(self, connection: Connection, values: Values) -> list[tuple[Any, ...]]:
        """Every row."""
        rows: list[tuple[Any, ...]] = self._run(connection, values).fetchall()
        return rows

    def first(self, connection: Connection, values: Values) -> tuple[Any, ...] | None:
        """The first row, None where there is none."""
        row: tuple[Any, ...] | None = self._run(connection, values).fetchone()
        return row

    def do(self, connection: Connection, values: Values) -> None:
        """Nothing is asked back."""
        self._run(connection, values)


class HotList(Hot):
    """A query over a list, however long: the list is one value, so the query stays the same."""

    def of(
        self, connection: Connection, numbers: Sequence[int] | Sequence[str], **others: Any
    ) -> list[tuple[Any, ...]]:
        """Every row that belongs to one of `numbers` (or texts); `others` are values that the query names."""
        if not numbers:
            return []
        return self.all(connection, {"numbers": _listed(connection, numbers), **others})

    def each(self, connection: Connection, numbers: Sequence[int], **others: Any) -> None:
        """Change or remove every row that belongs to one of `numbers`; nothing is asked back."""
        if numbers:
            self.do(connection, {"numbers": _listed(connection, numbers), **others})


def _listed(connection: Connection, numbers: Sequence[int] | Sequence[str]) -> str | list[Any]:
    return json.dumps(list(numbers)) if connection.dialect.name == "sqlite" else list(numbers)


def in_list(query: Select[Any] | Update | Delete, column: ColumnElement[Any]) -> HotList:
    """`query` for the rows whose `column` is in the list that comes with each execution."""
    name = f"{column.table.name}.{column.name}"
    return HotList(
        sqlite=query.where(text(f"{name} IN (SELECT value FROM json_each(:numbers))")),
        postgresql=query.where(text(f"{name} = ANY(:numbers)")),
    )
