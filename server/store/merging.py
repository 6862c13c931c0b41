"""Visits of one plot and census that are merged: whose trees were copied where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, case, delete, func, or_, select, update

from server.forest.answers import TreeRow
from server.store import bulk, hot
from server.store.rows import AnyRow
from server.store.schema import crew, device, measurement, plot, submission, visit

COPIED = tuple(column.name for column in measurement.c if column.name not in {"visit_id", "ordinal"})
"""Columns of a measurement that go along when it is copied; `from_visit_id` says where it comes from."""


class VisitHere(NamedTuple):
    """A visit as merging sees it. `plot_name`: as painted on the post; `crew`: who measured, by name."""

    id: int
    project_id: int
    plot_id: int
    plot_name: str
    census_id: int
    kind: str
    review_state: str
    submission_id: int
    source_id: int
    measured_on: str | None
    merged_into_id: int | None
    unfolded_at: int
    crew: str | None


_CROWDED = hot.in_list(
    select(visit.c.plot_id)
    .group_by(visit.c.plot_id, visit.c.census_id)
    .having(
        or_(func.sum(case((visit.c.kind == "visit", 1), else_=0)) > 1, func.count(visit.c.merged_into_id) > 0)
    ),
    visit.c.plot_id,
)


def crowded(connection: Connection, plot_ids: Iterable[int]) -> list[int]:
    """Of these plots, those with more than one visit in a census, or with one that was merged."""
    return sorted({row[0] for row in _CROWDED.of(connection, sorted(set(plot_ids)))})


def at_plots(connection: Connection, plot_ids: Iterable[int]) -> dict[int, list[VisitHere]]:
    """Every visit of these plots, the one that was received first first."""
    found: dict[int, list[VisitHere]] = {}
    query = (
        select(
            visit.c.id, visit.c.project_id, visit.c.plot_id, plot.c.plot_id, visit.c.census_id, visit.c.kind,
            visit.c.review_state, visit.c.submission_id, visit.c.source_id, visit.c.measured_on,
            visit.c.merged_into_id, visit.c.unfolded_at, func.coalesce(crew.c.name, device.c.name),
        )
        .join(plot, plot.c.id == visit.c.plot_id)
        .join(submission, submission.c.id == visit.c.source_id)
        .outerjoin(crew, crew.c.id == visit.c.crew_id)
        .outerjoin(device, device.c.id == submission.c.device_id)
        .order_by(visit.c.submission_id)
    )  # fmt: skip
    for some in bulk.chunks(sorted(set(plot_ids))):
        for row in connection.execute(query.where(visit.c.plot_id.in_(some))):
            found.setdefault(row[2], []).append(VisitHere._make(row))
    return found


def rows_of(connection: Connection, visit_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Measurements of visits as rows, each crew's own and copied ones, in order."""
    found: dict[int, list[dict[str, Any]]] = {}
    query = select(measurement).where(measurement.c.visit_id.in_(visit_ids))
    for row in connection.execute(query.order_by(measurement.c.visit_id, measurement.c.ordinal)).mappings():
        found.setdefault(row["visit_id"], []).append(dict(row))
    return found


def hold(connection: Connection, visit_id: int, rows: Sequence[dict[str, Any]]) -> bool:
    """Let the visit hold these trees of other visits and no more. False: it does already."""
    there = [row for row in _copied(connection, visit_id) if row["from_visit_id"] != visit_id]
    return _replace(connection, visit_id, there, rows)


def hold_own(connection: Connection, visit_id: int, rows: Sequence[dict[str, Any]]) -> bool:
    """Let the visit hold these further trees of its own crew, from other edits of its instance, and no more. False: it
    does already. Else trees of other visits, which stand behind them, are to be merged anew."""
    copied = _copied(connection, visit_id)
    if [row for row in copied if row["from_visit_id"] == visit_id] == _of(visit_id, rows):
        return False
    return _replace(connection, visit_id, copied, rows)


def _copied(connection: Connection, visit_id: int) -> list[dict[str, Any]]:
    here = rows_of(connection, [visit_id]).get(visit_id, [])
    return [row for row in here if row["from_visit_id"] is not None]


def _of(visit_id: int, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "visit_id": visit_id} for row in rows]


def _replace(
    connection: Connection, visit_id: int, there: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]]
) -> bool:
    wanted = _of(visit_id, rows)
    if there == wanted:
        return False
    places = [row["ordinal"] for row in there]
    here = (measurement.c.visit_id == visit_id, measurement.c.ordinal.in_(places))
    connection.execute(delete(measurement).where(*here))
    if wanted:
        connection.execute(measurement.insert(), wanted)
    return True


def merge_into(connection: Connection, visit_ids: Sequence[int], into: int | None) -> None:
    """These visits count as part of another one; None: each stands for itself."""
    for some in bulk.chunks(visit_ids):
        connection.execute(update(visit).where(visit.c.id.in_(some)).values(merged_into_id=into))


def has_changed(connection: Connection, visit_id: int, at: int) -> None:
    """Whoever looked at the visit before this has seen another one; the rules will look again."""
    later = case((visit.c.unfolded_at >= at, visit.c.unfolded_at + 1), else_=at)
    connection.execute(update(visit).where(visit.c.id == visit_id).values(unfolded_at=later, checked_at=None))


def about(connection: Connection, visit_id: int) -> AnyRow:
    """Whose a visit is: its number, project_id and plot_id."""
    return connection.execute(
        select(visit.c.id, visit.c.project_id, visit.c.plot_id).where(visit.c.id == visit_id)
    ).one()


def row_of(tree: TreeRow, tree_id: int | None) -> dict[str, Any]:
    """A tree as typed, as a measurement without its visit and place."""
    m = tree.measurement
    return {
        "tree_id": tree_id, "tag": m.tag[:40], "stem_id": m.stem_id[:20], "species": m.species[:40],
        "tally_code": None if m.tally_code is None else int(m.tally_code), "dbh_cm": m.dbh_cm, "height_m": m.height_m,
        "pom_m": m.pom_m, "azimuth_deg": tree.azimuth_deg, "distance_m": tree.distance_m, "x_m": m.x_m, "y_m": m.y_m,
        "verified": m.verified, "dbh_text": m.dbh_text, "codes": " ".join(sorted(m.codes)) or None, "other": tree.other,
    }  # fmt: skip
