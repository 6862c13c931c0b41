"""Waits until a worker has kept every promise."""

from __future__ import annotations

import time

from server.store import jobs
from server.store.db import Database

PATIENCE_S = 60
"""s in which a worker must be done; a few hundred plots take about one."""


def wait_until_drained(database: Database, patience_s: float = PATIENCE_S) -> None:
    """Return when no job waits. Raises AssertionError for a dead letter, or when it takes too long."""
    give_up_at = time.monotonic() + patience_s
    while time.monotonic() < give_up_at:
        with database.reading() as connection:
            waiting, dead = jobs.waiting(connection), jobs.dead(connection)
        assert not dead, dead
        if not waiting:
            return
        time.sleep(0.05)
    raise AssertionError(f"the worker is not done after {patience_s} s: {waiting}")
