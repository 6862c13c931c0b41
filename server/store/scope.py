"""Which plots a phone may see: the one place that says so, for pulling and for the lists that forms take along.

A plot belongs to the crew that is to measure it, or to nobody; one that nobody had planned, to the crews that were
there. A phone sees its crew's plots and nobody's; of these only what it is narrowed to, where it is narrowed to
townships or plots; and always the plots of its crew's open rework. A phone of no crew, or a person, is of every crew.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    or_,
    select,
    true,
    update,
)

from server.forest.visit import NO_PLOT
from server.store.schema import crew, device, device_plot, device_township, plot, rework, township, visit


class Scope(NamedTuple):
    """Who looks. `crew_id` None: of every crew; `device_id` None: a person, whom nothing narrows."""

    project_id: int
    crew_id: int | None = None
    device_id: int | None = None


def to_be_filled_in(*, of_crew: bool) -> Scope:
    """A scope of names instead of numbers, for a query that is compiled once: `project_id`, `crew_id`, `device_id`."""
    crew_id: Any = bindparam("crew_id") if of_crew else None
    project_id: Any = bindparam("project_id")
    device_id: Any = bindparam("device_id")
    return Scope(project_id, crew_id, device_id)


def plots_of(scope: Scope) -> Select[int]:
    """Numbers of the plots that may be seen."""
    query = select(plot.c.id).where(plot.c.project_id == scope.project_id)
    if scope.crew_id is None:
        return query.where(own(scope))
    sent_back = select(rework.c.plot_id).where(
        rework.c.project_id == scope.project_id, rework.c.state == "open", rework.c.crew_id == scope.crew_id
    )
    return query.where(or_(own(scope), plot.c.id.in_(sent_back)))


def own(scope: Scope) -> ColumnElement[bool]:
    """Plots that may be seen whatever is sent back, as a condition on `plot`."""
    return and_(_belongs(scope.crew_id), within(scope.device_id, plot.c.id, plot.c.township_id))


def _belongs(crew_id: int | None) -> ColumnElement[bool]:
    measured = select(visit.c.id).where(visit.c.plot_id == plot.c.id)
    if crew_id is not None:
        measured = measured.where(anybodys_or(crew_id, visit.c.crew_id))
    # a record without a plot's name is a supervisor's business, and no plot to go to
    found = ~plot.c.is_planned & (plot.c.plot_id != NO_PLOT) & exists(measured)
    return or_(plot.c.is_planned & anybodys_or(crew_id, plot.c.crew_id), found)


def anybodys_or(crew_id: int | None, whose: ColumnElement[Any]) -> ColumnElement[bool]:
    """The crew's, or nobody's. `crew_id` None: everybody's."""
    return true() if crew_id is None else or_(whose == crew_id, whose.is_(None))


def within(
    device_id: int | None, plot_id: ColumnElement[Any], township_id: ColumnElement[Any]
) -> ColumnElement[bool]:
    """Inside the townships and the plots that a phone is narrowed to; no row, no limit of that kind."""
    if device_id is None:
        return true()
    townships = select(device_township.c.township_id).where(device_township.c.device_id == device_id)
    plots = select(device_plot.c.plot_id).where(device_plot.c.device_id == device_id)
    return and_(or_(~exists(townships), township_id.in_(townships)), or_(~exists(plots), plot_id.in_(plots)))


def orders_of(scope: Scope) -> ColumnElement[bool]:
    """Orders for rework that may be seen, whatever their state, as a condition on `rework`: the crew's own, and
    those for nobody in particular at plots that may be seen anyway."""
    of_project = rework.c.project_id == scope.project_id
    here = rework.c.plot_id.in_(select(plot.c.id).where(plot.c.project_id == scope.project_id, own(scope)))
    if scope.crew_id is None:
        return and_(of_project, here)
    return and_(of_project, or_(rework.c.crew_id == scope.crew_id, and_(rework.c.crew_id.is_(None), here)))


class Narrowed(NamedTuple):
    """What a phone may see, as it is kept; empty sets are no limit."""

    crew_id: int | None
    townships: frozenset[int]
    plots: frozenset[int]


def of_device(connection: Connection, project_id: int, device_id: int) -> Narrowed | None:
    """What a phone of the project may see; None where there is no such phone."""
    query = select(device.c.crew_id).where(device.c.id == device_id, device.c.project_id == project_id)
    row = connection.execute(query).first()
    if row is None:
        return None
    townships = select(device_township.c.township_id).where(device_township.c.device_id == device_id)
    plots = select(device_plot.c.plot_id).where(device_plot.c.device_id == device_id)
    return Narrowed(row[0], frozenset(connection.scalars(townships)), frozenset(connection.scalars(plots)))


def is_of_project(connection: Connection, project_id: int, asked: Narrowed) -> bool:
    """Do this crew, these townships and these plots all belong to the project?"""
    crews = frozenset() if asked.crew_id is None else frozenset({asked.crew_id})
    return all(
        wanted <= frozenset(connection.scalars(select(table.c.id).where(table.c.project_id == project_id)))
        for table, wanted in ((crew, crews), (township, asked.townships), (plot, asked.plots))
        if wanted
    )


def set_scope(connection: Connection, device_id: int, asked: Narrowed, scope_number: int) -> None:
    """From now on the phone sees this; a cursor from before `scope_number` begins anew."""
    here = device.c.id == device_id
    connection.execute(update(device).where(here).values(crew_id=asked.crew_id, scope_number=scope_number))
    for table, column, numbers in (
        (device_township, "township_id", asked.townships),
        (device_plot, "plot_id", asked.plots),
    ):
        connection.execute(delete(table).where(table.c.device_id == device_id))
        if numbers:
            rows = [{"device_id": device_id, column: number} for number in sorted(numbers)]
            connection.execute(insert(table), rows)


def begin_anew(connection: Connection, project_id: int, crews: Collection[int | None], number: int) -> None:
    """Phones of these crews begin anew at their next pull; None among them: every phone of the project."""
    query = update(device).where(device.c.project_id == project_id).values(scope_number=number)
    if None not in crews:
        query = query.where(or_(device.c.crew_id.in_(list(crews)), device.c.crew_id.is_(None)))
    connection.execute(query)
