"""Orders to measure trees of a visit again, tree by tree: what was there before, what the second tape said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, func, insert, or_, select, update

from server.store import bulk
from server.store.feed import REWORK
from server.store.rows import AnyRow
from server.store.schema import census, crew, feed, measurement, plot, rework, rework_tree, visit
from server.store.scope import Scope, orders_of

OPEN, RETURNED, CANCELLED = "open", "returned", "cancelled"
"""States of an order. Those of a tree are in `server.forest.second_tape`."""
Cell = tuple[str, str]  # tag and stem


class Sent(NamedTuple):
    """An order on its way into the store. `crew_id` None: for whoever may see the plot."""

    project_id: int
    plot_id: int
    visit_id: int
    crew_id: int | None
    reason: str
    due_on: str | None
    sent_by: str
    sent_at: int


class SentTree(NamedTuple):
    """One tree of an order. `before`: field -> effective value as typed; a field without a value is absent."""

    tag: str
    stem_id: str
    flag_id: int | None
    reason: str
    before: dict[str, str]


def add(connection: Connection, sent: Sent, trees: Sequence[SentTree]) -> int:
    """Keep an order with its trees; its number."""
    number = int(
        connection.execute(insert(rework).values(**sent._asdict()).returning(rework.c.id)).scalar_one()
    )
    connection.execute(insert(rework_tree), [{"rework_id": number, **tree._asdict()} for tree in trees])
    return number


class Open(NamedTuple):
    """An open order: its number and its plot's."""

    id: int
    plot_id: int


def open_for(connection: Connection, scope: Scope) -> list[Open]:
    """Open orders that somebody may see, in the order in which they were sent."""
    query = select(rework.c.id, rework.c.plot_id).where(rework.c.state == OPEN, orders_of(scope))
    return [Open._make(row) for row in connection.execute(query.order_by(rework.c.id))]


class Listed(NamedTuple):
    """An open order as lists name it. `number`: of its last change in the feed; `plot_key`: the plot's number."""

    id: int
    plot_key: int
    plot_id: str
    visit_id: int
    census: str
    measured_on: str | None
    reason: str
    due_on: str | None
    number: int


def listed(connection: Connection, scope: Scope) -> list[Listed]:
    """Open orders that somebody may see, the most urgent first, those without a day last."""
    query = (
        select(rework.c.id, rework.c.plot_id, plot.c.plot_id, rework.c.visit_id, census.c.name, visit.c.measured_on,
               rework.c.reason, rework.c.due_on, func.coalesce(feed.c.number, 0))
        .join(plot, plot.c.id == rework.c.plot_id)
        .join(visit, visit.c.id == rework.c.visit_id)
        .join(census, census.c.id == visit.c.census_id)
        .outerjoin(feed, and_(feed.c.project_id == rework.c.project_id, feed.c.kind == REWORK,
                              feed.c.subject_id == rework.c.id))
        .where(rework.c.state == OPEN, orders_of(scope))
        .order_by(rework.c.due_on.is_(None), rework.c.due_on, plot.c.plot_id, rework.c.id)
    )  # fmt: skip
    return [Listed._make(row) for row in connection.execute(query)]


def places(
    connection: Connection, rework_ids: Iterable[int]
) -> dict[tuple[int, str, str], tuple[float, float]]:
    """Where trees of some orders stand: order, tag, stem -> azimuth in degrees and distance in m from the centre."""
    query = (
        select(rework_tree.c.rework_id, rework_tree.c.tag, rework_tree.c.stem_id, measurement.c.azimuth_deg,
               measurement.c.distance_m)
        .join(rework, rework.c.id == rework_tree.c.rework_id)
        .join(measurement, and_(measurement.c.visit_id == rework.c.visit_id, measurement.c.tag == rework_tree.c.tag,
                                measurement.c.stem_id == rework_tree.c.stem_id))
        .where(measurement.c.azimuth_deg.is_not(None), measurement.c.distance_m.is_not(None))
    )  # fmt: skip
    return {
        (row[0], row[1], row[2]): (row[3], row[4])
        for some in bulk.chunks(sorted(set(rework_ids)))
        for row in connection.execute(query.where(rework_tree.c.rework_id.in_(some)))
    }


def as_wire(connection: Connection, rework_ids: Iterable[int]) -> list[dict[str, Any]]:
    """Orders as the wire says them, in order of their numbers."""
    wanted = sorted(set(rework_ids))
    trees = trees_of(connection, wanted)
    query = (
        select(rework.c.id, plot.c.plot_id, census.c.name, rework.c.reason, rework.c.due_on, rework.c.state)
        .join(plot, plot.c.id == rework.c.plot_id)
        .join(visit, visit.c.id == rework.c.visit_id)
        .join(census, census.c.id == visit.c.census_id)
        .order_by(rework.c.id)
    )
    return [
        {"kind": "rework", "rework_id": row[0], "plot_id": row[1], "census": row[2], "reason": row[3],
         "due_on": row[4], "state": row[5], "trees": [_tree_as_wire(tree) for tree in trees.get(row[0], [])]}
        for some in bulk.chunks(wanted)
        for row in connection.execute(query.where(rework.c.id.in_(some)))
    ]  # fmt: skip


def _tree_as_wire(tree: AnyRow) -> dict[str, Any]:
    return {
        "tag": tree.tag, "stem_id": tree.stem_id, "species": tree.before.get("species", ""),
        "reason": tree.reason, "before": tree.before, "state": tree.state,
    }  # fmt: skip


def trees_of(connection: Connection, rework_ids: Iterable[int]) -> dict[int, list[AnyRow]]:
    """Every tree of some orders, by order, in order of tag."""
    found: dict[int, list[AnyRow]] = {}
    query = select(rework_tree).order_by(rework_tree.c.rework_id, rework_tree.c.tag, rework_tree.c.stem_id)
    for some in bulk.chunks(sorted(set(rework_ids))):
        for row in connection.execute(query.where(rework_tree.c.rework_id.in_(some))):
            found.setdefault(row.rework_id, []).append(row)
    return found


def find(connection: Connection, project_id: int, rework_id: int) -> AnyRow | None:
    """An order of the project."""
    query = select(rework).where(rework.c.id == rework_id, rework.c.project_id == project_id)
    return connection.execute(query).first()


def open_cells(connection: Connection, visit_id: int) -> dict[Cell, int]:
    """Trees of a visit that are being measured again: tag and stem -> number of the order."""
    query = (
        select(rework_tree.c.tag, rework_tree.c.stem_id, rework_tree.c.rework_id)
        .join(rework, rework.c.id == rework_tree.c.rework_id)
        .where(rework.c.visit_id == visit_id, rework.c.state == OPEN, rework_tree.c.state == OPEN)
    )
    return {(row.tag, row.stem_id): row.rework_id for row in connection.execute(query)}


def settle_tree(connection: Connection, rework_id: int, cell: Cell, values: dict[str, Any]) -> None:
    """What became of a tree: any of state, after, returned_visit_id, returned_at."""
    here = (
        rework_tree.c.rework_id == rework_id,
        rework_tree.c.tag == cell[0],
        rework_tree.c.stem_id == cell[1],
    )
    connection.execute(update(rework_tree).where(*here).values(**values))


def cancel_open_trees(connection: Connection, rework_id: int) -> None:
    """Nobody is to measure the rest of this order any more."""
    here = (rework_tree.c.rework_id == rework_id, rework_tree.c.state == OPEN)
    connection.execute(update(rework_tree).where(*here).values(state=CANCELLED))


def set_state(connection: Connection, rework_id: int, at: int) -> str:
    """The state that its trees give an order: open while one of them is, cancelled where nothing came of any."""
    query = select(rework_tree.c.state, func.count()).where(rework_tree.c.rework_id == rework_id)
    there = {row[0] for row in connection.execute(query.group_by(rework_tree.c.state))}
    state = OPEN if OPEN in there else CANCELLED if there == {CANCELLED} else RETURNED
    closed_at = None if state == OPEN else at
    connection.execute(
        update(rework).where(rework.c.id == rework_id, rework.c.state != state).values(state=state, closed_at=closed_at)
    )  # fmt: skip
    return state


def has_open(connection: Connection, visit_id: int) -> bool:
    """Is any tree of the visit being measured again?"""
    query = select(rework.c.id).where(rework.c.visit_id == visit_id, rework.c.state == OPEN)
    return connection.execute(query.limit(1)).first() is not None


def of_visit(connection: Connection, visit_id: int) -> list[AnyRow]:
    """Every order about trees of a visit, the oldest first."""
    query = select(rework).where(rework.c.visit_id == visit_id).order_by(rework.c.id)
    return list(connection.execute(query))


def crew_for(connection: Connection, plot_id: int, visit_crew_id: int | None) -> int | None:
    """Who is asked when nobody is named: the crew that measured, else the plot's; None: neither is known."""
    if visit_crew_id is not None:
        return visit_crew_id
    return connection.execute(select(plot.c.crew_id).where(plot.c.id == plot_id)).scalar()


def has_crew(connection: Connection, project_id: int, crew_id: int) -> bool:
    """Is it a crew of the project?"""
    query = select(crew.c.id).where(crew.c.id == crew_id, crew.c.project_id == project_id)
    return connection.execute(query).first() is not None


def visit_of(connection: Connection, visit_id: int) -> AnyRow | None:
    """A visit in which trees may have been measured again: id, project_id, plot_id, kind, header, source_id, surveyor,
    and its crew by name."""
    query = (
        select(visit.c.id, visit.c.project_id, visit.c.plot_id, visit.c.kind, visit.c.header, visit.c.source_id,
               visit.c.surveyor, crew.c.name.label("crew"))
        .outerjoin(crew, crew.c.id == visit.c.crew_id)
        .where(visit.c.id == visit_id)
    )  # fmt: skip
    return connection.execute(query).first()


def answered_by(connection: Connection, about: AnyRow, rework_id: int | None) -> list[AnyRow]:
    """Orders that a visit as of `visit_of` may answer: the one it names if that is at its plot, else every open one
    at its plot; and those that it has answered before."""
    answered = select(rework_tree.c.rework_id).where(rework_tree.c.returned_visit_id == about.id)
    here = (rework.c.project_id == about.project_id, rework.c.plot_id == about.plot_id)
    named = connection.execute(select(rework.c.id).where(rework.c.id == rework_id, *here)).scalar()
    asked = rework.c.id == named if named is not None else and_(rework.c.state == OPEN, *here)
    query = select(rework).where(or_(asked, rework.c.id.in_(answered))).order_by(rework.c.id)
    return list(connection.execute(query))


def measured_again(connection: Connection, visit_id: int) -> list[AnyRow]:
    """Trees of a visit as a crew typed them: tag, stem_id, species, tally_code, dbh_text, dbh_cm, height_m, pom_m,
    other."""
    query = select(measurement.c.tag, measurement.c.stem_id, measurement.c.species, measurement.c.tally_code,
                   measurement.c.dbh_text, measurement.c.dbh_cm, measurement.c.height_m, measurement.c.pom_m,
                   measurement.c.other)  # fmt: skip
    return list(
        connection.execute(query.where(measurement.c.visit_id == visit_id).order_by(measurement.c.ordinal))
    )


class Page(NamedTuple):
    """Which orders of a project to show: their state, how many to pass over, how many to take."""

    state: str = OPEN
    offset: int = 0
    most: int = 50


def page(connection: Connection, project_id: int, asked: Page) -> list[AnyRow]:
    """Orders with plot, census and crew by name: open ones the most urgent first, others the latest first. One more
    than asked for where there are more."""
    urgent = (rework.c.due_on.is_(None), rework.c.due_on) if asked.state == OPEN else ()
    query = (
        select(rework, plot.c.plot_id.label("plot"), census.c.name.label("census"), crew.c.name.label("crew"))
        .join(plot, plot.c.id == rework.c.plot_id)
        .join(visit, visit.c.id == rework.c.visit_id)
        .join(census, census.c.id == visit.c.census_id)
        .outerjoin(crew, crew.c.id == rework.c.crew_id)
        .where(rework.c.project_id == project_id, rework.c.state == asked.state)
        .order_by(*urgent, rework.c.id.desc())
        .offset(asked.offset)
        .limit(asked.most + 1)
    )
    return list(connection.execute(query))


def counts(connection: Connection, project_id: int) -> dict[str, int]:
    """How many orders of a project are in each state."""
    query = select(rework.c.state, func.count()).where(rework.c.project_id == project_id)
    return {row[0]: row[1] for row in connection.execute(query.group_by(rework.c.state))}


def asked_of_visit(connection: Connection, visit_id: int) -> list[AnyRow]:
    """Every tree of a visit that was ever sent back, with its order's reason, day, crew and state, the latest first."""
    query = (
        select(rework_tree, rework.c.reason.label("order_reason"), rework.c.due_on, rework.c.sent_at,
               rework.c.sent_by, rework.c.state.label("order_state"), crew.c.name.label("crew"))
        .join(rework, rework.c.id == rework_tree.c.rework_id)
        .outerjoin(crew, crew.c.id == rework.c.crew_id)
        .where(rework.c.visit_id == visit_id)
        .order_by(rework.c.id.desc(), rework_tree.c.tag)
    )  # fmt: skip
    return list(connection.execute(query))
