"""The queue of flags, most suspicious first (read only)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from server.forest.doubt import LAST_CASES, doubt
from server.store.schema import census, crew, flag, plot, township, visit

PAGE_ROWS = 50
SEVERITIES = ("error", "warn", "info")
STATES = ("open", "accepted", "corrected", "sent_back", "void")
ORDERS = ("doubt", "score", "priority")
"""By how probably one of the two values that a flag holds against each other is wrong, today's or last time's; by how
probably today's is wrong; or by that times the carbon at stake."""

Row = dict[str, Any]
Place = tuple[float, int]
"""Where a page ended: what its last flag is ordered by, and its id."""


@dataclass(frozen=True, slots=True)
class FlagQuestion:
    """Which flags. None and "" mean: all."""

    state: str = "open"
    severity: str = ""
    rule: str = ""
    crew_id: int | None = None
    township_id: int | None = None
    after: Place | None = None
    rows: int = PAGE_ROWS
    by: str = "score"


_KEYS: dict[str, Callable[[Row], float]] = {
    "doubt": lambda row: doubt(row["score"], row["field"], row["facts"]),
    "score": lambda row: row["score"], "priority": lambda row: row["priority"],
}  # fmt: skip


def place_of(row: Row, by: str) -> Place:
    """Where a flag stands in the queue of this order."""
    return _KEYS[by](row), row["id"]


def queue(connection: Connection, project_id: int, asked: FlagQuestion) -> tuple[list[Row], Place | None]:
    """One page of flags, the highest first, and where the next begins (None: this was the last)."""
    rows = _ordered(connection, project_id, asked)
    page = rows[: asked.rows]
    return page, place_of(page[-1], asked.by) if len(rows) > asked.rows else None


def beside(
    connection: Connection, project_id: int, asked: FlagQuestion, place: Place
) -> tuple[int | None, int | None]:
    """The flags before and after a place in the queue, by their numbers; None at its ends."""
    here = replace(asked, after=place, rows=0)
    found = [_ordered(connection, project_id, here, upward=upward) for upward in (True, False)]
    before, after = (rows[0]["id"] if rows else None for rows in found)
    return before, after


def _ordered(
    connection: Connection, project_id: int, asked: FlagQuestion, *, upward: bool = False
) -> list[Row]:
    """One flag more than a page holds, or some more. By score each severity is asked for on its own, so that an index
    serves the order; by priority all are asked for together. By doubt those that doubt last time's value stand apart
    until they are sorted in: they are few, and no column says how probably that one is wrong."""
    rows: list[Row] = []
    for severity in (asked.severity,) if asked.severity else ("",) if asked.by == "priority" else SEVERITIES:
        query = _narrowed(_flags(project_id, asked.state, severity), asked)
        if asked.by == "doubt":
            query = query.where(~_doubts_last())
        query = _from_place(query, asked, upward=upward).limit(asked.rows + 1)
        rows += [dict(row) for row in connection.execute(query).mappings()]
    if asked.by == "doubt":
        rows += _of_last(connection, project_id, asked, upward=upward)
    return sorted(rows, key=lambda row: place_of(row, asked.by), reverse=not upward)


def _of_last(connection: Connection, project_id: int, asked: FlagQuestion, *, upward: bool) -> list[Row]:
    query = _narrowed(_flags(project_id, asked.state, asked.severity), asked).where(_doubts_last())
    rows = [dict(row) for row in connection.execute(query).mappings()]
    if asked.after is None:
        return rows
    here = asked.after
    return [
        row for row in rows if (place_of(row, asked.by) > here if upward else place_of(row, asked.by) < here)
    ]


def _doubts_last() -> ColumnElement[bool]:
    case = func.coalesce(flag.c.facts["case"].as_string(), "")
    return and_(func.coalesce(flag.c.field, "") == "dbh_cm", case.in_(LAST_CASES))


def _from_place(query: Select[Any], asked: FlagQuestion, *, upward: bool) -> Select[Any]:
    by = flag.c.priority if asked.by == "priority" else flag.c.score
    if asked.after is not None:
        value, flag_id = asked.after
        # a range first, which an index serves; then, among equals, those whose number is further on
        query = query.where(by >= value if upward else by <= value)
        query = query.where(or_(by != value, flag.c.id > flag_id if upward else flag.c.id < flag_id))
    return query.order_by(by, flag.c.id) if upward else query.order_by(by.desc(), flag.c.id.desc())


def _flags(project_id: int, state: str, severity: str) -> Select[Any]:
    query = (
        select(flag, plot.c.plot_id.label("plot"), census.c.name.label("census"), crew.c.name.label("crew"),
               township.c.name.label("township"), visit.c.measured_on, visit.c.kind.label("visit_kind"))
        .join(visit, visit.c.id == flag.c.visit_id)
        .join(plot, plot.c.id == flag.c.plot_id)
        .join(census, census.c.id == visit.c.census_id)
        .outerjoin(crew, crew.c.id == visit.c.crew_id)
        .outerjoin(township, township.c.id == plot.c.township_id)
        .where(flag.c.project_id == project_id, flag.c.state == state)
    )  # fmt: skip
    return query.where(flag.c.severity == severity) if severity else query


def _narrowed(query: Select[Any], asked: FlagQuestion) -> Select[Any]:
    for column, value in ((flag.c.rule, asked.rule or None), (visit.c.crew_id, asked.crew_id),
                          (plot.c.township_id, asked.township_id)):  # fmt: skip
        query = query.where(column == value) if value is not None else query
    return query


def counts(connection: Connection, project_id: int, state: str = "open") -> list[Row]:
    """How many flags there are in a state: rule, severity and count, by rule."""
    query = (
        select(flag.c.rule, flag.c.severity, func.count().label("count"))
        .where(flag.c.project_id == project_id, flag.c.state == state)
        .group_by(flag.c.rule, flag.c.severity)
        .order_by(flag.c.rule)
    )
    return [dict(row) for row in connection.execute(query).mappings()]
