"""Waits until a worker has kept every promise that is due."""

from __future__ import annotations

import time

from sqlalchemy import or_, select

from server.store import jobs, schema
from server.store.db import Database

LOOK_S = 0.05
"""s between two looks."""
PATIENCE_S = 60
"""s in which a worker must be done; a few hundred plots take about one."""


def due(database: Database) -> list[str]:
    """Kinds of the jobs that are to be done now or have failed before, one for each job.

    What is only promised for later (another look at what is in quarantine) does not count. Raises AssertionError
    for a dead letter.
    """
    job = schema.job.c
    now_ms = time.time_ns() // 1_000_000
    query = select(job.kind).where(job.dead_at.is_(None), or_(job.due_at <= now_ms, job.attempts > 0))
    with database.reading() as connection:
        if dead := jobs.dead(connection, 1):
            raise AssertionError(dead[0])
        return list(connection.execute(query).scalars())


def wait_until_drained(database: Database, patience_s: float = PATIENCE_S) -> None:
    """Return when nothing is due. Raises AssertionError for a dead letter, or when it takes too long."""
    waiting: list[str] = []
    for _ in range(
        int(patience_s / LOOK_S)
    ):  # counted, not timed: a machine that was paused has lost no patience
        if not (waiting := due(database)):
            return
        time.sleep(LOOK_S)
    raise AssertionError(f"not done after {patience_s} s: {waiting[:10]}")
