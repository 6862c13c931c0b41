"""Visits and the measurements made on them. All of it can be made again from the submissions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from server.forest.effective import effective
from server.forest.tree import Measurement, TallyCode
from server.store import bulk, corrections, hot
from server.store.schema import census, measurement, thinning, thinning_plot, tree, visit

MEASUREMENT_COLUMNS = (
    "visit_id", "tree_id", "ordinal", "tag", "stem_id", "species", "tally_code", "dbh_cm", "height_m", "pom_m",
    "azimuth_deg", "distance_m", "x_m", "y_m", "verified", "dbh_text", "codes", "other",
)  # fmt: skip

TreeKey = tuple[int, str, str]  # plot's number, tag, stem


class VisitRow(NamedTuple):
    """A visit without its trees. `on` is the day of measurement as ISO text."""

    id: int
    project_id: int
    plot_id: int
    census_id: int
    census: str
    on: str | None
    kind: str
    unfolded_at: int
    merged_into_id: int | None  # another visit that holds its trees and counts instead
    is_approved: bool


VISIT = select(
    visit.c.id, visit.c.project_id, visit.c.plot_id, visit.c.census_id, census.c.name, visit.c.measured_on,
    visit.c.kind, visit.c.unfolded_at, visit.c.merged_into_id, visit.c.review_state == "approved",
).select_from(visit.join(census, census.c.id == visit.c.census_id))  # fmt: skip
_BY_NUMBER = hot.in_list(VISIT.order_by(visit.c.id), visit.c.id)


def by_number(connection: Connection, ids: Sequence[int]) -> list[VisitRow]:
    """Visits by their number in the store, in that order."""
    return [VisitRow._make(row) for row in _BY_NUMBER.of(connection, ids)]


_OF_PLOTS = hot.in_list(VISIT.order_by(visit.c.measured_on.nulls_first(), visit.c.id), visit.c.plot_id)


def of_plots(connection: Connection, plot_ids: Iterable[int]) -> dict[int, list[VisitRow]]:
    """All visits of some plots, each plot's in order of day."""
    found: dict[int, list[VisitRow]] = {}
    for row in _OF_PLOTS.of(connection, sorted(set(plot_ids))):
        found.setdefault(row[2], []).append(VisitRow._make(row))
    return found


_BETWEEN = hot.Hot(
    VISIT.where(
        visit.c.project_id + 0 == bindparam("project_id"),  # the sum keeps the index of projects out of it
        visit.c.plot_id.between(bindparam("first"), bindparam("last")),
    ).order_by(visit.c.plot_id, visit.c.measured_on.nulls_first(), visit.c.id)
)


def of_plots_between(
    connection: Connection, project_id: int, plot_numbers: tuple[int, int]
) -> dict[int, list[VisitRow]]:
    """All visits of a project's plots from one number to another, each plot's in order of day."""
    found: dict[int, list[VisitRow]] = {}
    first, last = plot_numbers
    for row in _BETWEEN.all(connection, {"project_id": project_id, "first": first, "last": last}):
        found.setdefault(row[2], []).append(VisitRow._make(row))
    return found


def plots_visited(connection: Connection, project_id: int) -> list[int]:
    """Numbers of the project's plots that were ever visited, in order."""
    query = select(visit.c.plot_id).where(visit.c.project_id == project_id).distinct()
    return list(connection.scalars(query.order_by(visit.c.plot_id)))


class ChainVisit(NamedTuple):
    """The visit that came of a chain of submissions: the first of them, and the one it says now."""

    id: int
    submission_id: int
    source_id: int
    plot_id: int
    census_id: int
    kind: str
    crew_id: int | None


_OF_CHAINS = hot.in_list(select(*(visit.c[name] for name in ChainVisit._fields)), visit.c.submission_id)


def chain_of(connection: Connection, submission_ids: Sequence[int]) -> dict[int, ChainVisit]:
    """Visits that came of these first submissions, by submission."""
    found = map(ChainVisit._make, _OF_CHAINS.of(connection, submission_ids))
    return {row.submission_id: row for row in found}


_INSERT = insert(visit).returning(visit.c.id, sort_by_parameter_order=True)


def add(connection: Connection, rows: list[dict[str, Any]]) -> list[int]:
    """New visits; their numbers in the same order."""
    if not rows:
        return []
    return list(connection.execute(_INSERT, rows).scalars())


def replace(connection: Connection, visit_id: int, values: dict[str, Any]) -> None:
    """The visit says something else now; its measurements are removed, to be written anew."""
    # the visit first: whoever else is replacing it waits here, before anything of it is removed
    connection.execute(update(visit).where(visit.c.id == visit_id).values(**values))
    connection.execute(delete(measurement).where(measurement.c.visit_id == visit_id))


def ensure_trees(connection: Connection, keys: Iterable[TreeKey]) -> dict[TreeKey, int]:
    """Numbers of trees, made where a tag is new in its plot."""
    wanted = sorted(set(keys))
    found = _tree_numbers(connection, {key[0] for key in wanted})
    missing = [key for key in wanted if key not in found]
    if missing:
        bulk.insert_rows(connection, tree, ("plot_id", "tag", "stem_id"), missing, ignore=True)
        found = _tree_numbers(connection, {key[0] for key in wanted})
    return found


_TREE_NUMBERS = hot.in_list(select(tree.c.plot_id, tree.c.tag, tree.c.stem_id, tree.c.id), tree.c.plot_id)


def _tree_numbers(connection: Connection, plot_ids: set[int]) -> dict[TreeKey, int]:
    return {row[:3]: row[3] for row in _TREE_NUMBERS.of(connection, sorted(plot_ids))}


def add_measurements(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Measurements as tuples of MEASUREMENT_COLUMNS; `other` as JSON text or None."""
    bulk.insert_rows(connection, measurement, MEASUREMENT_COLUMNS, rows)


_TREES = hot.in_list(
    select(
        measurement.c.visit_id, measurement.c.ordinal, measurement.c.tag, measurement.c.stem_id,
        measurement.c.species, measurement.c.tally_code, measurement.c.dbh_cm, measurement.c.height_m,
        measurement.c.pom_m, measurement.c.x_m, measurement.c.y_m, measurement.c.verified, measurement.c.codes,
        measurement.c.dbh_text,
    ).order_by(measurement.c.visit_id, measurement.c.ordinal),
    measurement.c.visit_id,
)  # fmt: skip
TALLY: dict[int | None, TallyCode] = {int(code): code for code in TallyCode}
NO_CODES: frozenset[str] = frozenset()


def measurements(connection: Connection, visit_ids: Iterable[int]) -> dict[int, list[Measurement]]:
    """The trees of some visits as they count, corrections laid over them, in each crew's order."""
    wanted = sorted(set(visit_ids))
    found = raw_measurements(connection, wanted)
    for visit_id, made in corrections.holding(connection, wanted).items():
        found[visit_id] = effective(found.get(visit_id, []), made)
    return found


def raw_measurements(connection: Connection, visit_ids: Iterable[int]) -> dict[int, list[Measurement]]:
    """The trees of some visits as they came, in each crew's order."""
    found: dict[int, list[Measurement]] = {}
    for row in _TREES.of(connection, sorted(set(visit_ids))):
        (visit_id, ordinal, tag, stem_id, species, tally, dbh, height, pom, x, y, verified, codes, text) = row
        trees = found.get(visit_id)
        if trees is None:
            trees = found[visit_id] = []
        trees.append(
            Measurement(
                ordinal, tag, stem_id, species, TALLY.get(tally), dbh, height, pom, x, y, bool(verified),
                frozenset(codes.split()) if codes else NO_CODES, text,
            )
        )  # fmt: skip
    return found


class Ground(NamedTuple):
    """What a check depends on: every visit of a plot with the moment it was read, the days of thinnings, and the
    numbers of the corrections that hold."""

    visits: tuple[tuple[int, int], ...]
    thinned: tuple[str, ...]
    corrections: tuple[int, ...]


_STANDING = select(visit.c.plot_id, visit.c.id, visit.c.unfolded_at).order_by(visit.c.id)
_GROUND, _GROUND_LOCKED = (
    hot.in_list(query, visit.c.plot_id) for query in (_STANDING, _STANDING.with_for_update())
)


def ground(connection: Connection, plot_ids: Iterable[int], *, lock: bool = False) -> dict[int, Ground]:
    """The ground of some plots as it is now; with `lock` their visits are locked until the transaction ends.

    Read before anything that stands on it: what changes in between is then seen by whoever compares.
    """
    wanted = sorted(set(plot_ids))
    found: dict[int, list[tuple[int, int]]] = {}
    for plot_id, number, unfolded_at in (_GROUND_LOCKED if lock else _GROUND).of(connection, wanted):
        found.setdefault(plot_id, []).append((number, unfolded_at))
    thinned = thinned_between(connection, wanted)
    held = corrections.numbers_of_plots(connection, wanted)
    return {
        plot: Ground(tuple(rows), tuple(sorted(thinned.get(plot, []))), tuple(held.get(plot, ())))
        for plot, rows in found.items()
    }


_MARK_CHECKED = hot.in_list(update(visit).values(checked_at=bindparam("at")), visit.c.id)


def mark_checked(connection: Connection, ids: Sequence[int], at: int) -> None:
    """The rules have looked at these visits."""
    _MARK_CHECKED.each(connection, ids, at=at)


_AFTER = hot.in_list(select(visit.c.id).order_by(visit.c.id), visit.c.plot_id)


def after(connection: Connection, plot_ids: Sequence[int]) -> list[int]:
    """Every visit of these plots: what a change at one of them may concern."""
    return [row[0] for row in _AFTER.of(connection, plot_ids)]


def of_project(connection: Connection, project_id: int) -> list[int]:
    """Every visit of a project: what other rules may concern."""
    query = select(visit.c.id).where(visit.c.project_id == project_id).order_by(visit.c.id)
    return list(connection.execute(query).scalars())


_THINNED = hot.in_list(
    select(thinning_plot.c.plot_id, thinning.c.felled_on)
    .join(thinning, thinning.c.id == thinning_plot.c.thinning_id)
    .where(thinning.c.felled_on.is_not(None)),
    thinning_plot.c.plot_id,
)


def thinned_between(connection: Connection, plot_ids: Iterable[int]) -> dict[int, list[str]]:
    """Days of thinnings on record, by plot."""
    found: dict[int, list[str]] = {}
    for plot_id, felled_on in _THINNED.of(connection, sorted(set(plot_ids))):
        found.setdefault(plot_id, []).append(felled_on)
    return found


def latest_before(connection: Connection, plot_id: int, on: str | None, census_name: str) -> VisitRow | None:
    """The last visit (no audit) of a plot in another census before a day; the day unknown: the last of all."""
    return previous(of_plots(connection, [plot_id]).get(plot_id, []), on, census_name)


def previous(visits: Sequence[VisitRow], on: str | None, census_name: str) -> VisitRow | None:
    """Of a plot's visits in order of day, the one to compare with; audits are compared elsewhere."""

    def is_before(row: VisitRow) -> bool:
        stands = row.kind == "visit" and row.merged_into_id is None
        return stands and row.census != census_name and (on is None or (row.on or "") < on)

    return next(filter(is_before, reversed(visits)), None)


def as_day(text: str | None) -> date | None:
    """ISO text of a `_on` column as a day."""
    return date.fromisoformat(text) if text else None


def trees_there(
    connection: Connection, plot_ids: Sequence[int], numbers: Iterable[int], entity_ids: Sequence[str]
) -> set[int | str]:
    """Of these trees, by our number or by the id a phone gave, those that stand in the plots."""
    plots = set(plot_ids)
    found: set[int | str] = set()
    query = select(tree.c.id, tree.c.entity_id, tree.c.plot_id)
    for some in bulk.chunks(sorted(set(numbers))):
        found |= {
            row.id for row in connection.execute(query.where(tree.c.id.in_(some))) if row.plot_id in plots
        }
    for some in bulk.chunks(sorted(set(entity_ids))):
        rows = connection.execute(query.where(tree.c.entity_id.in_(some)))
        found |= {row.entity_id for row in rows if row.plot_id in plots}
    return found
