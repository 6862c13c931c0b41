"""How far the rules have come in looking at every plot of a project again. One at a time is open in a project."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, select, update

from server.store import jobs
from server.store.rows import AnyRow
from server.store.schema import project, recheck, visit

RULES, BANDS, PARAMETERS, ASKED = "rules", "bands", "parameters", "asked"
"""Why the rules look again."""


class Slice(NamedTuple):
    """The next plots of a recheck and their visits. `begun` says which of its beginnings this is of."""

    recheck_id: int
    project_id: int
    begun: int
    after_plot_id: int
    plot_ids: list[int]
    visit_ids: list[int]


def promise(connection: Connection, project_id: int, reason: str, asked_by: str, at: int) -> int:
    """Promise that the rules look at every plot of the project, from the first on; a recheck that is under way begins
    anew. Its number."""
    number = _begin(connection, project_id, reason, asked_by, at)
    jobs.put_once(connection, jobs.RECHECK, project_id, at)
    return number


def _begin(connection: Connection, project_id: int, reason: str, asked_by: str, at: int) -> int:
    total = connection.scalar(
        select(func.count(visit.c.plot_id.distinct())).where(visit.c.project_id == project_id)
    )
    fresh: dict[str, Any] = {
        "reason": reason, "asked_by": asked_by, "asked_at": at, "after_plot_id": 0, "plots_total": total,
        "plots_done": 0,
    }  # fmt: skip
    begun_anew = connection.execute(
        update(recheck)
        .where(recheck.c.project_id == project_id, recheck.c.finished_at.is_(None))
        .values(**fresh, begun=recheck.c.begun + 1)
        .returning(recheck.c.id)
    ).scalar()
    if begun_anew is not None:
        return int(begun_anew)
    values = insert(recheck).values(project_id=project_id, **fresh).returning(recheck.c.id)
    return int(connection.execute(values).scalar_one())


def next_slice(connection: Connection, project_id: int, most_plots: int) -> Slice | None:
    """The plots to look at next, with all their visits; None where no recheck of the project is open."""
    open_one = recheck.c.project_id == project_id, recheck.c.finished_at.is_(None)
    row = connection.execute(select(recheck).where(*open_one)).first()
    if row is None:
        return None
    of_project = visit.c.project_id == row.project_id
    ahead = select(visit.c.plot_id).where(of_project, visit.c.plot_id > row.after_plot_id).distinct()
    plot_ids = list(connection.scalars(ahead.order_by(visit.c.plot_id).limit(most_plots)))
    query = select(visit.c.id).where(of_project, visit.c.plot_id.in_(plot_ids)).order_by(visit.c.id)
    return Slice(
        row.id, row.project_id, row.begun, row.after_plot_id, plot_ids, list(connection.scalars(query))
    )


def advance(connection: Connection, done: Slice, at: int) -> bool:
    """This slice is done; one without plots ends the recheck. False: it has begun anew or moved on since it was read,
    and nothing is noted."""
    last = done.plot_ids[-1] if done.plot_ids else done.after_plot_id
    result = connection.execute(
        update(recheck)
        .where(
            recheck.c.id == done.recheck_id, recheck.c.begun == done.begun,
            recheck.c.after_plot_id == done.after_plot_id, recheck.c.finished_at.is_(None),
        )
        .values(
            after_plot_id=last, plots_done=recheck.c.plots_done + len(done.plot_ids),
            finished_at=None if done.plot_ids else at,
        )
    )  # fmt: skip
    return result.rowcount == 1


def latest(connection: Connection, project_ids: Collection[int] | None) -> list[AnyRow]:
    """The last recheck of each project (None: of all projects), with the project's name, newest first."""
    newest = select(func.max(recheck.c.id)).group_by(recheck.c.project_id)
    if project_ids is not None:
        newest = newest.where(recheck.c.project_id.in_(project_ids))
    query = select(recheck, project.c.name.label("project")).join(
        project, project.c.id == recheck.c.project_id
    )
    return list(connection.execute(query.where(recheck.c.id.in_(newest)).order_by(recheck.c.id.desc())))


def under_way(connection: Connection, project_id: int) -> AnyRow | None:
    """How far the rules have come in looking at the project again; None where they are not at it."""
    return next((row for row in latest(connection, [project_id]) if row.finished_at is None), None)


def looked_with_other_rules(connection: Connection, rules_hash: str) -> list[tuple[int, bool]]:
    """Projects whose visits were looked at with other rules than these; True where there are visits."""
    other = project.c.rules_hash.is_distinct_from(rules_hash)
    has_visits = select(visit.c.id).where(visit.c.project_id == project.c.id).exists()
    query = select(project.c.id, has_visits).where(other).order_by(project.c.id)
    return [(row[0], bool(row[1])) for row in connection.execute(query)]


def note_rules(connection: Connection, project_id: int, rules_hash: str) -> None:
    """From now on these rules look at the project's visits."""
    connection.execute(update(project).where(project.c.id == project_id).values(rules_hash=rules_hash))
