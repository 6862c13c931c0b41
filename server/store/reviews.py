"""What persons decided about visits and their flags. Rows are only added: a decision is followed by another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select, update

from server.store import bulk, feed, jobs, merging, visits
from server.store.rows import AnyRow
from server.store.schema import census, flag, plot, review, visit

ACCEPT, CORRECT, SEND_BACK, REOPEN, APPROVE, REJECT = (
    "accept", "correct", "send_back", "reopen", "approve", "reject",
)  # fmt: skip


class Act(NamedTuple):
    """Who decides, why, and when. `by`: a login; `at`: ms since 1970 UTC."""

    by: str
    why: str
    at: int


class Decided(NamedTuple):
    """A decision on its way into the store. `flag_id` None: about the visit as a whole."""

    project_id: int
    visit_id: int
    flag_id: int | None
    decision: str
    why: str
    decided_by: str
    decided_at: int


def add(connection: Connection, decisions: Sequence[Decided]) -> None:
    """Keep decisions."""
    if decisions:
        connection.execute(insert(review), [one._asdict() for one in decisions])


def subject(connection: Connection, project_id: int, visit_id: int) -> AnyRow | None:
    """A visit of the project as it is decided on (id, plot_id, census_id, crew_id, kind, review_state), locked until
    the transaction ends: decisions about one visit follow each other."""
    query = (
        select(visit.c.id, visit.c.project_id, visit.c.plot_id, visit.c.census_id, visit.c.crew_id, visit.c.kind,
               visit.c.review_state)
        .where(visit.c.id == visit_id, visit.c.project_id == project_id)
        .with_for_update()
    )  # fmt: skip
    return connection.execute(query).first()


def plot_of(connection: Connection, project_id: int, visit_id: int) -> str | None:
    """What is painted on the post of a visit's plot; None where the project has no such visit."""
    query = select(plot.c.plot_id).join(visit, visit.c.plot_id == plot.c.id)
    return connection.execute(query.where(visit.c.id == visit_id, visit.c.project_id == project_id)).scalar()


def set_state(connection: Connection, visit_id: int, state: str) -> None:
    """What a person, or what became of her order, makes of a visit."""
    connection.execute(update(visit).where(visit.c.id == visit_id).values(review_state=state))


class News(NamedTuple):
    """What has changed about a visit (as of `subject`): trees that say something else now, orders for rework."""

    about: AnyRow
    cells: frozenset[tuple[str, str]] = frozenset()
    rework_ids: frozenset[int] = frozenset()


def announce(
    connection: Connection,
    about: AnyRow,
    at: int,
    *,
    cells: Iterable[tuple[str, str]] = (),
    rework_ids: Iterable[int] = (),
) -> None:
    """Promise that the rules look again at the plot of a visit (as of `subject`), and tell phones of it and of trees
    that say something else now. Call it last in a step: the feed is locked from here to the commit."""
    announce_all(connection, [News(about, frozenset(cells), frozenset(rework_ids))], at)


def announce_all(connection: Connection, news: Sequence[News], at: int) -> None:
    """The same for several visits: everything else is written before the feed is locked for the first."""
    plots = sorted({one.about.plot_id for one in news})
    jobs.put(connection, jobs.MERGE, merging.crowded(connection, plots), at)
    jobs.put(connection, jobs.CHECK, visits.after(connection, plots), at)
    wanted = [{(one.about.plot_id, *cell) for cell in one.cells if cell[0]} for one in news]
    known = visits.ensure_trees(connection, set().union(*wanted))
    for project_id in sorted({one.about.project_id for one in news}):
        here = [
            (one, keys) for one, keys in zip(news, wanted, strict=True) if one.about.project_id == project_id
        ]
        changed = {
            feed.REWORK: {number for one, _ in here for number in one.rework_ids},
            feed.REVIEW: {one.about.id for one, _ in here},
            feed.PLOT: {one.about.plot_id for one, _ in here},
            feed.TREE: {known[key] for _, keys in here for key in keys},
        }
        for kind, numbers in changed.items():
            feed.changed(connection, project_id, kind, numbers)


def last_of_flags(connection: Connection, visit_id: int) -> dict[int, AnyRow]:
    """The last decision on each flag of a visit, by the flag's number."""
    query = select(review).where(review.c.visit_id == visit_id, review.c.flag_id.is_not(None))
    return {row.flag_id: row for row in connection.execute(query.order_by(review.c.decided_at, review.c.id))}


def of_visit(connection: Connection, visit_id: int) -> list[AnyRow]:
    """Every decision about a visit with the flag it was about (rule, tag, stem_id, field), the latest first."""
    query = (
        select(review, flag.c.rule, flag.c.tag, flag.c.stem_id, flag.c.field)
        .outerjoin(flag, flag.c.id == review.c.flag_id)
        .where(review.c.visit_id == visit_id)
        .order_by(review.c.decided_at.desc(), review.c.id.desc())
    )
    return list(connection.execute(query))


def as_wire(
    connection: Connection, visit_ids: Iterable[int], *, audits: bool = False
) -> list[dict[str, Any]]:
    """Reviews of some visits as the wire says them, in order of the visits' numbers.

    Rework is left out, and audits unless asked for: a plot and a census have one review, that of the visit which
    stands.
    """
    wanted = sorted(set(visit_ids))
    said = _decisions(connection, wanted)
    query = (
        select(visit.c.id, plot.c.plot_id, census.c.name, visit.c.review_state)
        .join(plot, plot.c.id == visit.c.plot_id)
        .join(census, census.c.id == visit.c.census_id)
        .where(
            visit.c.kind.in_(("visit", "audit") if audits else ("visit",)), visit.c.merged_into_id.is_(None)
        )
        .order_by(visit.c.id)
    )
    return [
        {"kind": "review", "plot_id": row[1], "census": row[2], "review_state": row[3],
         "decisions": said.get(row[0], [])}
        for some in bulk.chunks(wanted)
        for row in connection.execute(query.where(visit.c.id.in_(some)))
    ]  # fmt: skip


def _decisions(connection: Connection, visit_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    query = (
        select(review.c.visit_id, flag.c.tag, flag.c.stem_id, review.c.decision, review.c.why, review.c.decided_at)
        .outerjoin(flag, flag.c.id == review.c.flag_id)
        .order_by(review.c.decided_at, review.c.id)
    )  # fmt: skip
    found: dict[int, list[dict[str, Any]]] = {}
    for some in bulk.chunks(visit_ids):
        for row in connection.execute(query.where(review.c.visit_id.in_(some))):
            found.setdefault(row.visit_id, []).append(
                {"tag": row.tag, "stem_id": row.stem_id, "decision": row.decision, "why": row.why,
                 "decided_at": row.decided_at}
            )  # fmt: skip
    return found
