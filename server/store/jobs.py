"""Promises: which step is owed to which row, and who is on it.

A promise is made in the transaction that causes it and removed in the transaction that keeps it, so kill -9 at
any moment loses nothing and repeats at most a step that was rolled back. A lease runs out when its worker dies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, func, or_, select, update

from server.store import bulk
from server.store.hot import Hot, in_list
from server.store.schema import job

UNFOLD, INSPECT_PHOTO, CHECK, SETTLE = "unfold", "inspect_photo", "check", "settle"
RETURN_REWORK = "return_rework"  # its subject is a visit
PUBLISH_REWORK = "publish_rework"  # its subject is a project
REFIT, RECHECK = "refit", "recheck"  # their subject is a project
MERGE = "merge"  # its subject is a plot
CREW_LOOK = "crew_look"  # its subject is a census
AUDIT_SCORE = "audit_score"  # its subject is an audit visit
MERGE_EDITS = "merge_edits"  # its subject is the first submission of a chain

REFIT_WAIT_MS = 300_000
"""ms between an approval and the fit that follows: a supervisor approves plot after plot."""
LONGEST_AHEAD_MS = 600_000
"""ms ahead that a job is promised or put off at the most."""


class Job(NamedTuple):
    """A promise that a worker has claimed."""

    id: int
    kind: str
    subject_id: int
    attempts: int


_PROMISED = ("kind", "subject_id", "due_at", "promised_at", "attempts")


def put(connection: Connection, kind: str, subject_ids: Sequence[int], at: int) -> None:
    """Promise a step for each subject, due at the moment `at`."""
    put_all(connection, [(kind, subject_id, at) for subject_id in subject_ids])


def put_once(connection: Connection, kind: str, subject_id: int, at: int) -> None:
    """Promise a step unless one of the kind waits for this subject already, untried."""
    if not is_promised(connection, kind, subject_id):
        put(connection, kind, [subject_id], at)


def is_promised(connection: Connection, kind: str, subject_id: int) -> bool:
    """Does a step of the kind wait for this subject, untried?"""
    return _PROMISED_TO.first(connection, {"kind": kind, "subject_id": subject_id}) is not None


_PROMISED_TO = Hot(
    select(job.c.id)
    .where(
        job.c.kind == bindparam("kind"),
        job.c.subject_id == bindparam("subject_id"),
        job.c.attempts == 0,
        job.c.dead_at.is_(None),
    )
    .limit(1)
)


def put_all(connection: Connection, promises: Sequence[tuple[str, int, int]]) -> None:
    """Promise many steps: each its kind, its subject and the moment at which it is due."""
    rows = [(kind, subject_id, due_at, due_at, 0) for kind, subject_id, due_at in promises]
    bulk.insert_rows(connection, job, _PROMISED, rows)


_IS_DUE = (
    job.c.dead_at.is_(None),
    job.c.due_at <= bindparam("now"),
    or_(job.c.leased_until.is_(None), job.c.leased_until < bindparam("now")),
)
_DUE = Hot(select(job.c.kind).where(*_IS_DUE).distinct())


def due(connection: Connection, now: int) -> set[str]:
    """Kinds of which there is anything to claim."""
    return {row[0] for row in _DUE.all(connection, {"now": now})}


class Waiting(NamedTuple):
    """How many jobs of a kind nobody has tried yet, and when the first and the last of them were promised (ms)."""

    jobs: int
    first: int
    last: int


_WAITING = Hot(
    select(func.count(), func.min(job.c.promised_at), func.max(job.c.promised_at)).where(
        job.c.dead_at.is_(None), job.c.kind == bindparam("kind"), job.c.attempts == 0
    )
)


def waiting_since(connection: Connection, kind: str) -> Waiting:
    """The untried jobs of this kind."""
    count, first, last = _WAITING.first(connection, {"kind": kind}) or (0, None, None)
    return Waiting(count, first or 0, last or 0)


def _claiming(*tried: Any) -> Hot:
    first = (
        select(job.c.id)
        .where(*_IS_DUE, job.c.kind == bindparam("of_kind"), *tried)
        .order_by(job.c.due_at, job.c.id)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )
    return Hot(
        update(job)
        .where(job.c.id.in_(first.scalar_subquery()))
        .values(leased_until=bindparam("until"), attempts=job.c.attempts + 1)
        .returning(job.c.id, job.c.kind, job.c.subject_id, job.c.attempts)
    )


_CLAIM, _CLAIM_AGAIN = _claiming(job.c.attempts == 0), _claiming(job.c.attempts > 0)


def claim(connection: Connection, kind: str, now: int, until: int, most: int) -> list[Job]:
    """Take up to `most` due jobs of a kind, oldest first, nobody else's until the moment `until`.

    A claim counts as an attempt, so that a job that kills its worker is set aside in the end as well. What was
    tried before is taken alone: it must not take others down with it again.
    """
    values = {"of_kind": kind, "now": now, "until": until, "most": most}
    rows = _CLAIM.all(connection, values) or _CLAIM_AGAIN.all(connection, values | {"most": 1})
    return sorted(Job(*row) for row in rows)


def _of_another_clock(now: int, lease_ms: int) -> Any:
    return and_(
        job.c.dead_at.is_(None),
        or_(
            job.c.due_at > now + LONGEST_AHEAD_MS,
            job.c.leased_until > now + lease_ms + LONGEST_AHEAD_MS,
        ),
    )


def is_out_of_reach(connection: Connection, now: int, lease_ms: int) -> bool:
    """Is anything due so late, or leased so long, that only a clock which was set back since can have said it?"""
    return (
        connection.execute(select(job.c.id).where(_of_another_clock(now, lease_ms)).limit(1)).first()
        is not None
    )


def bring_back(connection: Connection, now: int, lease_ms: int) -> None:
    """What is out of reach is due now."""
    connection.execute(
        update(job).where(_of_another_clock(now, lease_ms)).values(due_at=now, leased_until=None)
    )


_DONE = in_list(delete(job), job.c.id)


def done(connection: Connection, ids: Sequence[int]) -> None:
    """The promises are kept; call in the transaction that keeps them."""
    _DONE.each(connection, ids)


def failed(connection: Connection, job_id: int, error: str, next_at: int) -> None:
    """Not kept this time: due again at `next_at`."""
    connection.execute(
        update(job).where(job.c.id == job_id).values(leased_until=None, due_at=next_at, error=error[:4000])
    )


def put_off(connection: Connection, job_id: int, error: str, next_at: int) -> None:
    """As `failed`, for what was no fault of the job: the attempt does not count."""
    failed(connection, job_id, error, next_at)
    connection.execute(update(job).where(job.c.id == job_id).values(attempts=job.c.attempts - 1))


def bury(connection: Connection, job_id: int, error: str, at: int) -> None:
    """Tried often enough: a dead letter that waits for a person."""
    connection.execute(
        update(job).where(job.c.id == job_id).values(leased_until=None, dead_at=at, error=error[:4000])
    )


def revive(connection: Connection, job_id: int, at: int) -> bool:
    """A person asks for a dead letter to be tried again, from the first attempt. False: it is not dead."""
    result = connection.execute(
        update(job)
        .where(job.c.id == job_id, job.c.dead_at.is_not(None))
        .values(dead_at=None, attempts=0, due_at=at, leased_until=None)
    )
    return result.rowcount == 1


def waiting(connection: Connection) -> dict[str, int]:
    """Number of living jobs by kind."""
    rows = connection.execute(
        select(job.c.kind, func.count()).where(job.c.dead_at.is_(None)).group_by(job.c.kind)
    )
    return {row[0]: row[1] for row in rows}


def dead(connection: Connection, most: int = 200) -> list[dict[str, Any]]:
    """Dead letters, newest first."""
    rows = connection.execute(
        select(job).where(job.c.dead_at.is_not(None)).order_by(job.c.dead_at.desc(), job.c.id).limit(most)
    )
    return [dict(row._mapping) for row in rows]
