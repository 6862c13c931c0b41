"""Plots are handed over: to another crew, or to nobody. Phones of the new one are told of them, those of the old one
to forget them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from server.problems import NotFound
from server.store import events, feed, leaving, plots, told
from server.store.leaving import Leaving, Owner


def to_crew(
    connection: Connection, project_id: int, plot_ids: Collection[str], crew_id: int | None, by: str, at: int
) -> int:
    """These plots, by name, are the crew's from now on; None: nobody's. How many changed hands.

    `at` in ms since 1970 UTC. Raises NotFound that names the plots which are not planned in this project.
    """
    found = plots.planned(connection, project_id, plot_ids)
    missing = sorted(set(plot_ids) - found.keys())
    if missing:
        raise NotFound(f"no planned plot {', '.join(missing)}")
    owners = leaving.owners(connection, found.values())
    moved = {number: owner for number, owner in owners.items() if owner.crew_id != crew_id}
    plots.give_to_crew(connection, moved, crew_id)
    events.add(connection, project_id, by, "plot.assign", str(crew_id or ""), {"plots": sorted(plot_ids)}, at)
    _tell_phones(connection, project_id, moved)
    return len(moved)


def _tell_phones(connection: Connection, project_id: int, moved: dict[int, Owner]) -> None:
    of_plots = told.of_plots(connection, moved)
    for kind in (feed.TREES, feed.REVIEW, feed.REWORK):
        feed.changed(connection, project_id, kind, of_plots.get(kind, []))
    leaving.leave(connection, project_id, (Leaving(number, owner) for number, owner in moved.items()))
