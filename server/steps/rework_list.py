"""What a phone shows of trees that were sent back: the orders, and for each tree why, what stood there, and bounds.

Reads only. The bounds of a diameter are those that the rules give it beside the census before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from forms.rework import ReworkTree
from server.forest.effective import Cell
from server.forest.species import SpeciesInfo
from server.forest.tree import Measurement
from server.forest.visit import years_between
from server.store import projects, rework, species, visits
from server.store.rework import Listed
from server.store.rows import AnyRow
from server.store.scope import Scope
from server.validation.next_dbh import next_dbh
from server.validation.parameters.limits import Limits
from server.validation.project import parameters_of

PLACES = 4096
"""More trees than an order has."""
Row = tuple[Any, ...]  # number, label, version, then the list's properties


class _Ground(NamedTuple):
    """What the rows of one project are made from."""

    rules: Limits
    names: dict[str, dict[str, str]]
    infos: dict[str, SpeciesInfo]
    before: dict[
        int, tuple[dict[Cell, Measurement], float | None]
    ]  # visit -> last census's trees, years since
    places: dict[tuple[int, str, str], tuple[float, float]]


def orders(connection: Connection, scope: Scope) -> Iterator[Row]:
    """A row for each open order: values of `forms.rework.ORDER_PROPERTIES`."""
    listed = rework.listed(connection, scope)
    trees = rework.trees_of(connection, [order.id for order in listed])
    for order in listed:
        count = sum(tree.state == rework.OPEN for tree in trees.get(order.id, []))
        label = " · ".join(filter(None, (order.plot_id, order.due_on, order.reason[:40])))
        yield (
            order.id,
            label,
            order.number,
            order.id,
            order.plot_id,
            order.census,
            order.reason,
            order.due_on,
            count,
        )


def trees(connection: Connection, scope: Scope) -> Iterator[Row]:
    """A row for each tree that is still to be measured again: values of `forms.rework.TREE_PROPERTIES`. Its number is
    the order's, times PLACES, and its place in the order."""
    listed = rework.listed(connection, scope)
    ground = _ground(connection, scope.project_id, listed)
    of_order = rework.trees_of(connection, [order.id for order in listed])
    for order in listed:
        waiting = [
            (place, tree)
            for place, tree in enumerate(of_order.get(order.id, []))
            if tree.state == rework.OPEN
        ]
        for position, (place, tree) in enumerate(waiting, start=1):
            shown = _shown(order, tree, position, ground)
            yield (order.id * PLACES + place, f"{order.plot_id} {tree.tag}", order.number, *shown.row())


def _ground(connection: Connection, project_id: int, listed: Sequence[Listed]) -> _Ground:
    ways = projects.ways(connection, project_id)
    assert ways is not None
    return _Ground(
        parameters_of(ways.tally_limit_cm, ways.rule_settings).limits,
        species.labels(connection, project_id),
        species.infos(connection, project_id),
        _before(connection, listed),
        rework.places(connection, [order.id for order in listed]),
    )


def _before(
    connection: Connection, listed: Iterable[Listed]
) -> dict[int, tuple[dict[Cell, Measurement], float | None]]:
    """The census before each doubted visit."""
    doubted = {order.visit_id: order for order in listed}
    of_plots = visits.of_plots(connection, (order.plot_key for order in doubted.values()))
    last = {
        number: visits.previous(of_plots.get(order.plot_key, []), order.measured_on, order.census)
        for number, order in doubted.items()
    }
    trees = visits.measurements(connection, [row.id for row in last.values() if row is not None])
    return {
        number: (
            {tree.key: tree for tree in reversed(trees.get(row.id, []))},
            years_between(visits.as_day(row.on), visits.as_day(doubted[number].measured_on)),
        )
        for number, row in last.items()
        if row is not None
    }


def _shown(order: Listed, tree: AnyRow, position: int, ground: _Ground) -> ReworkTree:
    code = tree.before.get("species", "")
    names = ground.names.get(code, {"zh": code, "en": code})
    last, years = ground.before.get(order.visit_id, ({}, None))
    was = last.get((tree.tag, tree.stem_id))
    info = ground.infos.get(code)
    bounds = next_dbh(was.dbh_cm if was else None, info.group if info else "", years, ground.rules)
    place = ground.places.get((order.id, tree.tag, tree.stem_id))
    return ReworkTree(
        position=position, rework_id=order.id, plot_id=order.plot_id, tag=tree.tag, stem_id=tree.stem_id,
        species=code, species_zh=names["zh"], species_en=names["en"], reason=tree.reason or order.reason,
        dbh_cm=tree.before.get("dbh_cm", ""), height_m=tree.before.get("height_m", ""),
        tally_code=tree.before.get("tally_code", ""), low_cm=f"{bounds.low_cm:g}" if bounds else "",
        high_cm=f"{bounds.high_cm:g}" if bounds else "", due_on=order.due_on or "",
        place=f"{place[0]:g}° {place[1]:g} m" if place else "",
    )  # fmt: skip
