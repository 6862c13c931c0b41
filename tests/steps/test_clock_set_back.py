"""Somebody sets the clock back: what was promised by the old time does not wait until the new one gets there."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from server.settings import Settings
from server.store import jobs, schema
from server.store.db import Database
from server.worker import Worker
from tests.cast import Cast
from tests.conftest import NOW, Clock

HOUR_S = 3600
NOBODY = 10**9
"""No row has this number: its job is done at once."""


@pytest.fixture
def worker(database: Database, settings: Settings, cast: Cast, clock: Clock) -> Worker:
    with database.writing() as connection:
        jobs.put(connection, jobs.UNFOLD, [NOBODY], clock())
    return Worker(database, settings, clock)


def left(database: Database) -> int:
    with database.reading() as connection:
        return len(connection.execute(select(schema.job.c.id)).all())


def claim(database: Database, at: int, lease_s: int) -> None:
    with database.writing() as connection:
        assert jobs.claim(connection, jobs.UNFOLD, at, at + lease_s * 1000, 9)


def test_a_promise_from_a_time_that_is_still_to_come_is_due_now(
    worker: Worker, database: Database, clock: Clock
) -> None:
    clock.tick(-8 * HOUR_S)
    assert (worker.drain(), left(database)) == (0, 1)
    worker.look_at_the_clock()
    assert (worker.drain(), left(database)) == (1, 0)


def test_a_lease_that_reaches_further_than_any_can_has_run_out(
    worker: Worker, database: Database, settings: Settings, clock: Clock
) -> None:
    claim(database, clock(), settings.job_lease_s)  # its worker dies
    clock.tick(-8 * HOUR_S)
    worker.look_at_the_clock()
    assert (worker.drain(), left(database)) == (1, 0)


def test_what_another_worker_has_and_what_was_put_off_stays_as_it_is(
    worker: Worker, database: Database, settings: Settings, clock: Clock
) -> None:
    claim(database, clock(), settings.job_lease_s)
    with database.writing() as connection:
        jobs.put(connection, jobs.UNFOLD, [NOBODY + 1], NOW + jobs.LONGEST_AHEAD_MS)
    worker.look_at_the_clock()
    assert (worker.drain(), left(database)) == (0, 2)
