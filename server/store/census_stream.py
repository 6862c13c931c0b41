"""The trees of many plots as columns, for looking at a whole census: read in C, no row becomes an object.

Loads polars; import it only where a whole census is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

import adbc_driver_postgresql.dbapi as postgresql_columns
import adbc_driver_sqlite.dbapi as sqlite_columns
import polars as pl
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from server.forest.tree import Measurement
from server.store import bulk, corrections, visits

SCHEMA = {
    "visit": pl.Int64, "ordinal": pl.Int64, "tag": pl.String, "stem_id": pl.String, "species": pl.String,
    "tally_code": pl.Int64, "dbh_cm": pl.Float64, "height_m": pl.Float64, "pom_m": pl.Float64, "x_m": pl.Float64,
    "y_m": pl.Float64, "verified": pl.Boolean, "codes": pl.String, "dbh_text": pl.String,
}  # fmt: skip
"""Columns of a table of trees; `tally_code` null where it is unknown."""
_TALLY, _CODES = (list(SCHEMA).index(name) - 1 for name in ("tally_code", "codes"))
_NUMBERS = ("dbh_cm", "height_m", "pom_m", "x_m", "y_m")
_NO_NUMBER = "9e999"
"""What stands for NULL on the way out of SQLite, whose columns have no type but that of their first rows."""
_NO_CODE = 255
_AT = f"m.visit_id * {2**32} + m.ordinal * {2**9} + coalesce(m.tally_code, {_NO_CODE}) * 2"
"""The visit, the place in its list and the tally code as one number, with room for one yes or no: each column more of
two million rows costs a tenth of a second. There is room for 2 ** 31 visits of 2 ** 23 trees."""
_PACKED = ("visit", "ordinal", "tally_code")
# a slice has fewer plots than a project has visits: the plus keeps the index of projects out of it
_VISITS = "SELECT id FROM visit WHERE +project_id = {project} AND plot_id BETWEEN {first} AND {last}"
_FROM_SQLITE = f" FROM measurement m WHERE m.visit_id IN ({_VISITS})"
_FROM_POSTGRESQL = f" FROM measurement m WHERE m.visit_id = ANY(ARRAY({_VISITS}))"
"""A list that is made first, and then looked up visit by visit: a join may as well read the whole table."""
_OF_POSTGRESQL = {
    **{name: f"m.{name}" for name in SCHEMA if name not in _PACKED},
    "codes": "coalesce(m.codes, '')",
}
_OF_SQLITE = {**_OF_POSTGRESQL, **{name: f"ifnull(m.{name}, {_NO_NUMBER})" for name in _NUMBERS}}
PLAN = ("enable_seqscan = off", "enable_bitmapscan = off", "jit = off", "max_parallel_workers_per_gather = 0")
"""How PostgreSQL goes about a slice of plots: from visit to visit by the index, whatever it thinks of a large table.
The processes that look share the cores already."""
_USUAL: dict[str, Any] = {
    "stem_id": "1", "height_m": None, "pom_m": None, "x_m": None, "y_m": None, "verified": False, "codes": "",
}  # fmt: skip
"""What stands in columns that many crews never use: where nothing else does, the store need not hand it out a million
times. It says of each tree whether anything else does (`_AT`)."""


class Trees:
    """Reads trees of one store as they count, corrections laid over them. Holds a connection of its own."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self._is_sqlite = parsed.get_backend_name() == "sqlite"
        self._connection: Any = (
            sqlite_columns.connect(str(parsed.database)) if self._is_sqlite
            else postgresql_columns.connect(
                parsed.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
            )
        )  # fmt: skip
        self._unused = list(_USUAL)
        """Columns in which every tree so far has what is usual."""
        for setting in () if self._is_sqlite else PLAN:
            self._do(f"SET {setting}")

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def of_plots(self, connection: Connection, project_id: int, first: int, last: int) -> pl.DataFrame:
        """Trees of every visit of the project's plots from number `first` to `last`, visit by visit in each crew's
        order. `connection` is asked for corrections."""
        source = (_FROM_SQLITE if self._is_sqlite else _FROM_POSTGRESQL).format(
            project=int(project_id), first=int(first), last=int(last)
        )
        return _corrected(connection, project_id, (first, last), self._came(source))

    def _came(self, source: str) -> pl.DataFrame:
        read = self._columns(f"SELECT {', '.join(self._wanted())}{source}")
        while read.select((pl.col("at") % 2 == 1).any()).item():
            used = self._columns(f"SELECT {', '.join(map(_uses, self._unused))}{source}").row(0)
            self._unused = [name for name, uses in zip(self._unused, used, strict=True) if not uses]
            read = self._columns(f"SELECT {', '.join(self._wanted())}{source}")
        if not read.get_column("at").is_sorted():
            read = read.sort("at")
        if self._is_sqlite:
            read = read.with_columns(_with_nulls(read))
        return read.with_columns(
            *_unpacked(), *(pl.lit(_USUAL[name]).alias(name) for name in self._unused)
        ).select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())

    def _wanted(self) -> Iterator[str]:
        unusual = " OR ".join(map(_is_unusual, self._unused)) or "FALSE"
        yield f"{_AT} + CASE WHEN {unusual} THEN 1 ELSE 0 END AS at"
        for name, text in (_OF_SQLITE if self._is_sqlite else _OF_POSTGRESQL).items():
            if name not in self._unused:
                yield f"{text} AS {name}"

    def _do(self, sql: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)

    def _columns(self, sql: str) -> pl.DataFrame:
        cursor = self._connection.cursor()
        cursor.execute(sql)
        read = pl.DataFrame(
            cursor.fetch_arrow()
        ).rechunk()  # it comes in hundreds of pieces, which each join would pay
        cursor.close()
        return read


def _is_unusual(name: str) -> str:
    return f"m.{name} IS NOT NULL" if _USUAL[name] is None else f"m.{name} <> {_USUAL[name]!r}"


def _uses(name: str) -> str:
    """How many trees use a column."""
    return f"count(*) FILTER (WHERE {_is_unusual(name)}) AS {name}"


def _unpacked() -> Iterator[pl.Expr]:
    """What `_AT` has put into one number."""
    at = pl.col("at")
    code = at // 2 % 2**8
    yield (at // 2**32).alias("visit")
    yield (at // 2**9 % 2**23).alias("ordinal")
    yield pl.when(code != _NO_CODE).then(code).alias("tally_code")


def _with_nulls(read: pl.DataFrame) -> Iterator[pl.Expr]:
    """NULL again where something stands for it."""
    for name in set(_NUMBERS).intersection(read.columns):
        yield pl.when(pl.col(name) != float(_NO_NUMBER)).then(pl.col(name)).alias(name)


def _corrected(
    connection: Connection, project_id: int, plots: tuple[int, int], came: pl.DataFrame
) -> pl.DataFrame:
    ids = corrections.corrected_between(connection, project_id, plots)
    if not ids:
        return came
    rows = [
        _row(number, tree)
        for some in bulk.chunks(ids)
        for number, trees in visits.measurements(connection, some).items()
        for tree in trees
    ]
    return pl.concat([came.filter(~pl.col("visit").is_in(ids)), pl.DataFrame(rows, SCHEMA, orient="row")])


def _row(visit_id: int, tree: Measurement) -> tuple[Any, ...]:
    return (
        visit_id, tree.ordinal, tree.tag, tree.stem_id, tree.species,
        None if tree.tally_code is None else int(tree.tally_code), tree.dbh_cm, tree.height_m, tree.pom_m, tree.x_m,
        tree.y_m, tree.verified, " ".join(sorted(tree.codes)), tree.dbh_text,
    )  # fmt: skip


def measurements(trees: pl.DataFrame) -> dict[int, list[Measurement]]:
    """Trees as the rules take them, by visit."""
    columns = [trees.get_column(name).to_list() for name in list(SCHEMA)[1:]]
    columns[_TALLY] = [visits.TALLY.get(code) for code in columns[_TALLY]]
    columns[_CODES] = [frozenset(codes.split()) if codes else visits.NO_CODES for codes in columns[_CODES]]
    make = partial(
        tuple.__new__, Measurement
    )  # a million times: past the constructor's own reading of arguments
    rows = map(make, zip(*columns, strict=True))
    found: dict[int, list[Measurement]] = {}
    for run in trees.get_column("visit").rle():
        found.setdefault(run["value"], []).extend(islice(rows, run["len"]))
    return found
