"""The queue of flags, most suspicious first (read only)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from server.store.schema import census, crew, flag, plot, township, visit

PAGE_ROWS = 50
SEVERITIES = ("error", "warn", "info")
STATES = ("open", "accepted", "corrected", "sent_back", "void")

Row = dict[str, Any]
Place = tuple[float, int]
"""Where a page ended: the score and the id of its last flag."""


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


def queue(connection: Connection, project_id: int, asked: FlagQuestion) -> tuple[list[Row], Place | None]:
    """One page of flags by falling score, and where the next begins (None: this was the last).

    Each severity is asked for on its own, so that the index on (project, state, severity, score) serves the order.
    """
    rows: list[Row] = []
    for severity in [asked.severity] if asked.severity else SEVERITIES:
        query = _narrowed(_flags(project_id, asked.state, severity), asked).limit(asked.rows + 1)
        rows += [dict(row) for row in connection.execute(query).mappings()]
    rows.sort(key=lambda row: (row["score"], row["id"]), reverse=True)
    page = rows[: asked.rows]
    return page, (page[-1]["score"], page[-1]["id"]) if len(rows) > asked.rows else None


def _flags(project_id: int, state: str, severity: str) -> Select[Any]:
    return (
        select(flag, plot.c.plot_id.label("plot"), census.c.name.label("census"), crew.c.name.label("crew"),
               township.c.name.label("township"), visit.c.measured_on)
        .join(visit, visit.c.id == flag.c.visit_id)
        .join(plot, plot.c.id == flag.c.plot_id)
        .join(census, census.c.id == visit.c.census_id)
        .outerjoin(crew, crew.c.id == visit.c.crew_id)
        .outerjoin(township, township.c.id == plot.c.township_id)
        .where(flag.c.project_id == project_id, flag.c.state == state, flag.c.severity == severity)
        .order_by(flag.c.score.desc(), flag.c.id.desc())
    )  # fmt: skip


def _narrowed(query: Select[Any], asked: FlagQuestion) -> Select[Any]:
    for column, value in ((flag.c.rule, asked.rule or None), (visit.c.crew_id, asked.crew_id),
                          (plot.c.township_id, asked.township_id)):  # fmt: skip
        query = query.where(column == value) if value is not None else query
    if asked.after is not None:
        score, flag_id = asked.after
        query = query.where(or_(flag.c.score < score, and_(flag.c.score == score, flag.c.id < flag_id)))
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
