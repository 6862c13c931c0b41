"""Audit visits beside the visits that they check, their scores, and the marks on visits of a crew that failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, select, update

from server.store import bulk, flags
from server.store.rows import AnyRow
from server.store.schema import audit_score, flag, plot, project, visit

RULE = "Q06"
"""The rule whose flags stand on visits because of an audit elsewhere."""


def with_audited(connection: Connection, audit_ids: Sequence[int]) -> Sequence[AnyRow]:
    """Audit visits by their number, each with the visit of its plot and census that counts (`audited_id`, NULL: none
    has come) and the crew of that."""
    audited = visit.alias("audited")
    query = (
        select(visit.c.id, visit.c.project_id, visit.c.census_id, visit.c.crew_id, visit.c.header,
               audited.c.id.label("audited_id"), audited.c.crew_id.label("audited_crew_id"),
               project.c.tally_limit_cm, project.c.settings)
        .join(project, project.c.id == visit.c.project_id)
        .outerjoin(audited, and_(audited.c.plot_id == visit.c.plot_id, audited.c.census_id == visit.c.census_id,
                                 audited.c.kind == "visit", audited.c.merged_into_id.is_(None)))
        .where(visit.c.id.in_(audit_ids), visit.c.kind == "audit")
        .order_by(visit.c.id, audited.c.id)
    )  # fmt: skip
    return list({row.id: row for row in reversed(connection.execute(query).all())}.values())


def put_scores(connection: Connection, audit_ids: Sequence[int], rows: Sequence[dict[str, Any]]) -> None:
    """Scores of these audits, in place of those before; an audit without a visit to check has none."""
    for some in bulk.chunks(audit_ids):
        connection.execute(delete(audit_score).where(audit_score.c.audit_id.in_(some)))
    if rows:
        connection.execute(insert(audit_score), list(rows))


def census_of(connection: Connection, audit_ids: Sequence[int]) -> set[int]:
    """Censuses of these visits."""
    return set(connection.scalars(select(visit.c.census_id).where(visit.c.id.in_(audit_ids))))


def scores(connection: Connection, census_id: int) -> Sequence[AnyRow]:
    """Scores of a census with plot and day of the audited visit."""
    query = (
        select(audit_score, plot.c.plot_id.label("plot"), visit.c.measured_on)
        .join(visit, visit.c.id == audit_score.c.visit_id)
        .join(plot, plot.c.id == visit.c.plot_id)
        .where(audit_score.c.census_id == census_id, audit_score.c.crew_id.is_not(None))
        .order_by(audit_score.c.audit_id)
    )
    return connection.execute(query).all()


def marks(connection: Connection, census_id: int) -> Sequence[AnyRow]:
    """Flags on visits of a census because of audits elsewhere, those that no longer hold left out: id, visit_id,
    inputs_hash, state."""
    query = (
        select(flag.c.id, flag.c.visit_id, flag.c.inputs_hash, flag.c.state)
        .join(visit, visit.c.id == flag.c.visit_id)
        .where(visit.c.census_id == census_id, flag.c.rule == RULE, flag.c.state != "void")
    )
    return connection.execute(query).all()


def mark(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """New flags on visits; each row names its visit, whose plot and project are filled in here."""
    if not rows:
        return
    query = select(visit.c.id, visit.c.project_id, visit.c.plot_id).where(
        visit.c.id.in_([row["visit_id"] for row in rows])
    )
    known = {row.id: row for row in connection.execute(query)}
    connection.execute(insert(flag), [
        {**row, "project_id": known[row["visit_id"]].project_id, "plot_id": known[row["visit_id"]].plot_id}
        for row in rows
    ])  # fmt: skip


def unmark(connection: Connection, ids: Sequence[int]) -> None:
    """These flags on visits no longer hold."""
    flags.void(connection, ids)


def approved_among(connection: Connection, visit_ids: Sequence[int], states: Sequence[str]) -> list[AnyRow]:
    """Of these visits those in one of the review states (as of `reviews.subject`), locked."""
    query = (
        select(visit.c.id, visit.c.project_id, visit.c.plot_id, visit.c.census_id, visit.c.crew_id, visit.c.kind,
               visit.c.review_state)
        .where(visit.c.id.in_(visit_ids), visit.c.review_state.in_(states))
        .order_by(visit.c.id)
        .with_for_update()
    )  # fmt: skip
    return list(connection.execute(query).all())


def set_states(connection: Connection, visit_ids: Sequence[int], state: str) -> None:
    """What a person makes of visits."""
    for some in bulk.chunks(visit_ids):
        connection.execute(update(visit).where(visit.c.id.in_(some)).values(review_state=state))
