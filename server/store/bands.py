"""What the accepted trees of a project say of size and growth, version by version; one is current."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, func, insert, select, update

from server.store import bulk, visits
from server.store.hot import Hot
from server.store.rows import AnyRow
from server.store.schema import band_fit, visit
from server.store.visits import VisitRow


class Fit(NamedTuple):
    """A fit as it is kept. `fit` is JSON text; `plots`, `visits` and `trees` are how many it rests on."""

    plots: int
    visits: int
    trees: int
    fit: str
    fit_sha256: str


class Current(NamedTuple):
    """Which fit judges a project now."""

    id: int
    version: int
    fit_sha256: str


_CURRENT = Hot(
    select(band_fit.c.id, band_fit.c.version, band_fit.c.fit_sha256).where(
        band_fit.c.project_id == bindparam("project_id"), band_fit.c.is_current
    )
)


def current(connection: Connection, project_id: int) -> Current | None:
    """The fit that judges a project; None: nothing was accepted yet."""
    row = _CURRENT.first(connection, {"project_id": project_id})
    return Current(*row) if row else None


def text_of(connection: Connection, fit_id: int) -> str:
    """The JSON of a fit."""
    return str(connection.execute(select(band_fit.c.fit).where(band_fit.c.id == fit_id)).scalar_one())


def versions(connection: Connection, project_id: int, most: int) -> list[AnyRow]:
    """The last fits of a project, the newest first: id, version, when, and how many plots, visits and trees each rests
    on."""
    query = (
        select(band_fit.c.id, band_fit.c.version, band_fit.c.fitted_at, band_fit.c.plots, band_fit.c.visits,
               band_fit.c.trees, band_fit.c.fit_sha256, band_fit.c.is_current)
        .where(band_fit.c.project_id == project_id)
        .order_by(band_fit.c.version.desc())
        .limit(most)
    )  # fmt: skip
    return list(connection.execute(query))


def keep(connection: Connection, project_id: int, fit: Fit, at: int) -> int:
    """A new version, current from now on; its number. Who keeps fits of a project at a time is one: the caller."""
    here = band_fit.c.project_id == project_id
    last = connection.scalar(select(func.max(band_fit.c.version)).where(here)) or 0
    connection.execute(update(band_fit).where(here, band_fit.c.is_current).values(is_current=False))
    values = {"project_id": project_id, "version": last + 1, "fitted_at": at, "is_current": True}
    connection.execute(insert(band_fit).values(**values, **fit._asdict()))
    return last + 1


def accepted_plots(connection: Connection, project_id: int) -> list[int]:
    """Plots with a visit that a supervisor has approved, by number."""
    query = select(visit.c.plot_id).where(*_accepted(project_id)).distinct().order_by(visit.c.plot_id)
    return list(connection.scalars(query))


def accepted_visits(
    connection: Connection, project_id: int, plot_ids: list[int], at_once: int = 200
) -> Iterator[list[VisitRow]]:
    """Approved visits of these plots, so many plots at a time, each plot's in order of day."""
    for some in bulk.chunks(plot_ids, at_once):
        query = visits.VISIT.where(*_accepted(project_id), visit.c.plot_id.in_(some))
        rows = connection.execute(query.order_by(visit.c.plot_id, visit.c.measured_on, visit.c.id))
        yield [VisitRow._make(row) for row in rows]


def _accepted(project_id: int) -> tuple[ColumnElement[bool], ...]:
    """Audits and second tapes repeat what a visit says already; a merged visit's trees stand in another."""
    return (
        visit.c.project_id == project_id, visit.c.review_state == "approved", visit.c.kind == "visit",
        visit.c.merged_into_id.is_(None),
    )  # fmt: skip


def projects_without_fit(connection: Connection) -> list[int]:
    """Projects with an approved visit and no fit."""
    fitted = select(band_fit.c.id).where(band_fit.c.project_id == visit.c.project_id).exists()
    query = select(visit.c.project_id).where(visit.c.review_state == "approved", ~fitted).distinct()
    return sorted(connection.scalars(query))
