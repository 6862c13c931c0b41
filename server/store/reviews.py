"""What persons decided about visits and their flags. Rows are only added: a decision is followed by another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select

from server.store import bulk
from server.store.rows import AnyRow
from server.store.schema import census, flag, plot, review, visit

ACCEPT, CORRECT, SEND_BACK, REOPEN, APPROVE, REJECT = (
    "accept", "correct", "send_back", "reopen", "approve", "reject",
)  # fmt: skip


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


def of_visit(connection: Connection, visit_id: int) -> list[AnyRow]:
    """Every decision about a visit with the flag it was about (rule, tag, stem_id, field), the latest first."""
    query = (
        select(review, flag.c.rule, flag.c.tag, flag.c.stem_id, flag.c.field)
        .outerjoin(flag, flag.c.id == review.c.flag_id)
        .where(review.c.visit_id == visit_id)
        .order_by(review.c.decided_at.desc(), review.c.id.desc())
    )
    return list(connection.execute(query))


def as_wire(connection: Connection, visit_ids: Iterable[int]) -> list[dict[str, Any]]:
    """Reviews of some visits as the wire says them, in order of the visits' numbers.

    Audits and rework are left out: a plot and a census have one review, that of the visit which stands.
    """
    wanted = sorted(set(visit_ids))
    said = _decisions(connection, wanted)
    query = (
        select(visit.c.id, plot.c.plot_id, census.c.name, visit.c.review_state)
        .join(plot, plot.c.id == visit.c.plot_id)
        .join(census, census.c.id == visit.c.census_id)
        .where(visit.c.kind == "visit", visit.c.merged_into_id.is_(None))
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
