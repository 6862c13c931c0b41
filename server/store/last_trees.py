"""The trees of a plot as its last visit left them, corrections laid over them: what a crew takes along."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, or_, select

from server.forest.tree import Measurement
from server.store import hot, visits
from server.store.schema import census, correction, measurement, tree, visit


class LastVisit(NamedTuple):
    """The last visit of a plot, audits and rework apart. `measured_on` is ISO text."""

    id: int
    plot_id: int
    census: str
    measured_on: str | None
    source_id: int
    review_state: str


class LastTree(NamedTuple):
    """A tree as it counts. `id` is the tree's number, `plot_id` its plot's, `entity_id` what a phone named it."""

    id: int
    entity_id: str | None
    plot_id: int
    tag: str
    stem_id: str
    species: str
    tally_code: int | None
    dbh_cm: float | None
    height_m: float | None
    pom_m: float | None
    azimuth_deg: float | None
    distance_m: float | None
    measured_on: str | None


class _Known(NamedTuple):
    """A tree as its plot has known it over all censuses."""

    id: int
    entity_id: str | None


_VISITS = hot.in_list(
    select(
        visit.c.id, visit.c.plot_id, census.c.name, visit.c.measured_on, visit.c.source_id, visit.c.review_state
    )
    .join(census, census.c.id == visit.c.census_id)
    .where(visit.c.kind == "visit", visit.c.merged_into_id.is_(None))
    .order_by(visit.c.plot_id, visit.c.measured_on.nulls_first(), visit.c.id),
    visit.c.plot_id,
)  # fmt: skip
_TREES = hot.in_list(
    select(tree.c.plot_id, tree.c.tag, tree.c.stem_id, tree.c.id, tree.c.entity_id), tree.c.plot_id
)
_PLACES = hot.in_list(
    select(
        measurement.c.visit_id, measurement.c.ordinal, measurement.c.tree_id, measurement.c.azimuth_deg,
        measurement.c.distance_m,
    ).where(measurement.c.tree_id.is_not(None)),
    measurement.c.visit_id,
)  # fmt: skip

_RENAMED = hot.in_list(
    select(correction.c.visit_id).where(or_(correction.c.field == "tag", correction.c.field == "stem_id")),
    correction.c.visit_id,
)
_PLOTS = hot.in_list(select(tree.c.id, tree.c.plot_id), tree.c.id)


def last_visits(connection: Connection, plot_ids: Iterable[int]) -> dict[int, LastVisit]:
    """The last visit of each plot, by plot."""
    rows = _VISITS.of(connection, sorted(set(plot_ids)))
    return {row[1]: LastVisit._make(row) for row in rows}


def last_trees(connection: Connection, last: Iterable[LastVisit]) -> list[LastTree]:
    """Every tree of these visits, plot by plot, in order of azimuth. A tag that stands twice in a visit is taken once:
    a phone's list must not break on it."""
    by_visit = {one.id: one for one in last}
    known, by_number = _known(connection, (one.plot_id for one in by_visit.values()))
    places = {(row[0], row[1]): row[2:] for row in _PLACES.of(connection, sorted(by_visit))}
    found: dict[int, LastTree] = {}
    for visit_id, counted in sorted(visits.measurements(connection, by_visit).items()):
        one = by_visit[visit_id]
        for each in counted:
            place = places.get((visit_id, each.ordinal))
            if place is None:
                continue
            # a corrected tag names another tree, where the plot knows one of that tag
            it = known.get((one.plot_id, *each.key)) or by_number[place[0]]
            found.setdefault(it.id, _as_last(it, one, each, place[1], place[2]))
    return sorted(found.values(), key=_walking_order)


def _known(
    connection: Connection, plot_ids: Iterable[int]
) -> tuple[dict[visits.TreeKey, _Known], dict[int, _Known]]:
    rows = _TREES.of(connection, sorted(set(plot_ids)))
    trees = {(row[0], row[1], row[2]): _Known(row[3], row[4]) for row in rows}
    return trees, {one.id: one for one in trees.values()}


def _as_last(
    it: _Known, of: LastVisit, each: Measurement, azimuth_deg: float | None, distance_m: float | None
) -> LastTree:
    return LastTree(
        it.id, it.entity_id, of.plot_id, each.tag, each.stem_id, each.species,
        None if each.tally_code is None else int(each.tally_code), each.dbh_cm, each.height_m, each.pom_m,
        azimuth_deg, distance_m, of.measured_on,
    )  # fmt: skip


def _walking_order(one: LastTree) -> tuple[int, float]:
    """By azimuth round the centre, trees of unknown place last; otherwise in the crew's order (sorting keeps it)."""
    return one.plot_id, 361.0 if one.azimuth_deg is None else one.azimuth_deg


def by_plot(trees: Iterable[LastTree]) -> dict[int, list[LastTree]]:
    """Trees by plot, in the order given."""
    found: dict[int, list[LastTree]] = {}
    for one in trees:
        found.setdefault(one.plot_id, []).append(one)
    return found


def plots_of_trees(connection: Connection, tree_ids: Iterable[int]) -> dict[int, int]:
    """The plot of each tree."""
    rows = _PLOTS.of(connection, sorted(set(tree_ids)))
    return {row[0]: row[1] for row in rows}


def renamed(connection: Connection, last: Iterable[LastVisit]) -> set[int]:
    """Plots in whose last visit a tag or a stem was ever corrected, also where that was taken back: a tree of theirs
    goes, or went, by another name."""
    plots = {one.id: one.plot_id for one in last}
    return {plots[row[0]] for row in _RENAMED.of(connection, sorted(plots))}
