"""A plot leaves somebody: phones that had it are told to forget it, and nobody else hears of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, select

from server.store import bulk, feed, scope
from server.store.schema import feed as feed_table
from server.store.schema import plot


class Owner(NamedTuple):
    """Whose a plot was: of a crew (None: nobody's), in a township (None: in none)."""

    crew_id: int | None
    township_id: int | None


class Leaving(NamedTuple):
    """A plot, by its number, and whose it was."""

    plot_id: int
    owner: Owner


def owners(connection: Connection, plot_ids: Iterable[int]) -> dict[int, Owner]:
    """Whose planned plots are; a plot that nobody planned is absent: it is of the crews that were there."""
    query = select(plot.c.id, plot.c.crew_id, plot.c.township_id).where(plot.c.is_planned)
    return {
        row[0]: Owner(row[1], row[2])
        for some in bulk.chunks(sorted(set(plot_ids)))
        for row in connection.execute(query.where(plot.c.id.in_(some)))
    }


def leave(connection: Connection, project_id: int, leaving: Iterable[Leaving]) -> None:
    """Each of these plots has left its owner. Call it last in a step, like `feed.changed`.

    The feed has room for one owner of each plot. Whoever had it before and may not have heard of that yet begins
    anew at the next pull.
    """
    leaving = sorted(
        set(leaving), key=lambda one: (one.plot_id, one.owner.crew_id or 0, one.owner.township_id or 0)
    )
    told = _told(connection, project_id, {one.plot_id for one in leaving})
    overtaken: set[int | None] = set()
    of_owner: dict[Owner, dict[int, None]] = {}
    for one in leaving:
        before = told.get(one.plot_id)
        if before is not None and before != one.owner:
            overtaken.add(before.crew_id)
            of_owner.get(before, {}).pop(one.plot_id, None)
        told[one.plot_id] = one.owner
        of_owner.setdefault(one.owner, {})[one.plot_id] = None
    for owner, plot_ids in of_owner.items():
        feed.changed(
            connection, project_id, feed.GONE, plot_ids, was_crew_id=owner.crew_id, was_township_id=owner.township_id
        )  # fmt: skip
    if overtaken:
        scope.begin_anew(connection, project_id, overtaken, feed.next_number(connection, project_id))


def _told(connection: Connection, project_id: int, plot_ids: Iterable[int]) -> dict[int, Owner]:
    """Of which owner's loss the feed speaks, by plot."""
    f = feed_table.c
    query = select(f.subject_id, f.was_crew_id, f.was_township_id).where(
        f.project_id == project_id, f.kind == feed.GONE
    )
    return {
        row[0]: Owner(row[1], row[2])
        for some in bulk.chunks(sorted(plot_ids))
        for row in connection.execute(query.where(f.subject_id.in_(some)))
    }
