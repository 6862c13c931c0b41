"""Plots drawn for audits: what may be drawn, and each draw as an event that is never changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from server.store import bulk, events
from server.store.rows import AnyRow
from server.store.schema import audit_score, census, crew, plot, stratum, township, visit

Row = dict[str, Any]
ACTION = "audit.draw"
MOST = 10_000
"""Draws of a project that are read: one a day for longer than any project lasts."""


class Measured(NamedTuple):
    """A plot that a crew has measured in a census."""

    plot_id: str
    crew: str


def find_census(connection: Connection, project_id: int, census_id: int) -> AnyRow | None:
    """A census of the project, locked until the transaction ends: draws from it follow each other."""
    query = select(census).where(census.c.id == census_id, census.c.project_id == project_id)
    return connection.execute(query.with_for_update(key_share=True)).first()


def measured(connection: Connection, census_id: int, *, only_approved: bool) -> list[Measured]:
    """What crews have measured in a census, visits that were rejected left out; or only what was approved."""
    here = visit.c.review_state == "approved" if only_approved else visit.c.review_state != "rejected"
    query = (
        select(plot.c.plot_id, crew.c.name)
        .select_from(visit)
        .join(plot, plot.c.id == visit.c.plot_id)
        .join(crew, crew.c.id == visit.c.crew_id)
        .where(visit.c.census_id == census_id, visit.c.kind == "visit", visit.c.merged_into_id.is_(None), here)
        .order_by(plot.c.plot_id, visit.c.id)
    )  # fmt: skip
    return list({row[0]: Measured(row[0], row[1]) for row in connection.execute(query)}.values())


def of_census(connection: Connection, project_id: int, census_id: int) -> list[AnyRow]:
    """Draws of a census as they were noted, the latest first."""
    found = events.latest(connection, project_id, ACTION, MOST)
    return [row for row in found if row.detail["census_id"] == census_id]


def plots_of(draws: Iterable[AnyRow]) -> list[str]:
    """Every plot that these draws drew."""
    return [name for row in draws for one in row.detail["crews"] for name in one["drawn"]]


def audited_at_random(connection: Connection, census_id: int) -> set[str]:
    """Plots whose audit says that they were drawn at random, by whatever means."""
    query = (
        select(plot.c.plot_id, visit.c.header)
        .join(plot, plot.c.id == visit.c.plot_id)
        .where(visit.c.census_id == census_id, visit.c.kind == "audit")
    )
    return {
        row.plot_id for row in connection.execute(query) if row.header.get("visit.audit_kind") == "random"
    }


def places(
    connection: Connection, project_id: int, census_id: int, plot_ids: Sequence[str]
) -> dict[str, Row]:
    """Where drawn plots are (township, stratum, lat, lon: planned position, degrees WGS 84), and what became of them:
    `audit_id` and `audited_on` of their audit, its `verdict`; None where it has not come."""
    query = (
        select(plot.c.plot_id, plot.c.lat, plot.c.lon, township.c.name.label("township"),
               stratum.c.name.label("stratum"), visit.c.id.label("audit_id"), visit.c.measured_on.label("audited_on"),
               audit_score.c.verdict)
        .select_from(plot)
        .outerjoin(township, township.c.id == plot.c.township_id)
        .outerjoin(stratum, stratum.c.id == plot.c.stratum_id)
        .outerjoin(visit, (visit.c.plot_id == plot.c.id) & (visit.c.census_id == census_id) & (visit.c.kind == "audit"))
        .outerjoin(audit_score, audit_score.c.audit_id == visit.c.id)
        .where(plot.c.project_id == project_id)
        .order_by(visit.c.id)
    )  # fmt: skip
    found: dict[str, Row] = {}
    for some in bulk.chunks(sorted(set(plot_ids))):
        rows = connection.execute(query.where(plot.c.plot_id.in_(some))).mappings()
        found |= {row["plot_id"]: dict(row) for row in rows}
    return found
