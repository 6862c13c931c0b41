"""Conflicts as a person reads them: where, between whom, and what was chosen (read only)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, func, select

from server.store import bulk
from server.store.schema import census, conflict, crew, device, plot, submission, visit

PAGE_ROWS = 20

Row = dict[str, Any]


def page(
    connection: Connection, project_id: int, state: str, offset: int = 0, rows: int = PAGE_ROWS
) -> list[Row]:
    """Conflicts of a project in one state with their plot and census, the latest first; one more row than `rows`
    where there are more."""
    query = (
        select(conflict, plot.c.plot_id.label("plot"), census.c.name.label("census"))
        .outerjoin(plot, plot.c.id == conflict.c.plot_id)
        .outerjoin(visit, visit.c.id == conflict.c.visit_id)
        .outerjoin(census, census.c.id == visit.c.census_id)
        .where(conflict.c.project_id == project_id, conflict.c.state == state)
        .order_by(conflict.c.raised_at.desc(), conflict.c.id.desc())
        .limit(rows + 1)
        .offset(offset)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def counts(connection: Connection, project_id: int) -> dict[str, int]:
    """How many conflicts of a project there are in each state."""
    query = select(conflict.c.state, func.count()).where(conflict.c.project_id == project_id)
    return {row[0]: row[1] for row in connection.execute(query.group_by(conflict.c.state))}


def sides(connection: Connection, submission_ids: Iterable[int]) -> dict[int, Row]:
    """Who said it, by submission: crew, phone, moment of receipt, and surveyor and day of a visit read from it."""
    query = (
        select(submission.c.id, submission.c.received_at, submission.c.instance_id, device.c.name.label("device"),
               crew.c.name.label("crew"), visit.c.surveyor, visit.c.measured_on, visit.c.id.label("visit_id"))
        .outerjoin(device, device.c.id == submission.c.device_id)
        .outerjoin(crew, crew.c.id == device.c.crew_id)
        .outerjoin(visit, visit.c.source_id == submission.c.id)
    )  # fmt: skip
    return {
        row["id"]: dict(row)
        for some in bulk.chunks(sorted(set(submission_ids)))
        for row in connection.execute(query.where(submission.c.id.in_(some))).mappings()
    }


def merged_here(connection: Connection, visit_id: int) -> list[Row]:
    """Visits that are part of this one: id, crew, surveyor and day."""
    query = (
        select(visit.c.id, visit.c.surveyor, visit.c.measured_on, crew.c.name.label("crew"))
        .outerjoin(crew, crew.c.id == visit.c.crew_id)
        .where(visit.c.merged_into_id == visit_id)
        .order_by(visit.c.id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]
