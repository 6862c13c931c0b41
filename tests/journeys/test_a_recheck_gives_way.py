"""While the rules go through a whole census again, a plot that comes from a phone has its flags within two seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from sqlalchemy import select

from server.demo.phone import Phone
from server.steps import recheck
from server.steps.publish import publish
from server.store import rechecks, schema
from server.store.db import Database
from tests.bench import checks, made
from tests.cast import Cast
from tests.journeys.drained import wait_until_drained
from tests.live import LiveServer

pytestmark = pytest.mark.slow

TREES = 60_000
"""A thousand plots: some ten slices."""
FRESH = 5
MOST_MS = 2000


def waits_ms(database: Database, project: int) -> list[int]:
    """For each visit of the project, ms from its arrival until the rules had looked."""
    query = (
        select(schema.visit.c.checked_at - schema.submission.c.received_at)
        .join(schema.submission, schema.submission.c.id == schema.visit.c.source_id)
        .where(schema.visit.c.project_id == project, schema.visit.c.checked_at.is_not(None))
    )
    with database.reading() as connection:
        return list(connection.scalars(query))


def is_under_way(database: Database) -> bool:
    with database.reading() as connection:
        return any(one.finished_at is None for one in rechecks.latest(connection, None))


def test_fresh_plots_are_checked_while_a_census_is(
    database: Database, cast: Cast, start_server: Callable[..., LiveServer]
) -> None:
    with database.writing() as connection:
        publish(connection, cast.project, made.form().form, made.form().xml, {}, "test", 0)
    server = start_server()
    address = f"{server.base_url}/v1/key/{cast.token_one}/projects/{cast.project}"
    with (
        database.writing() as connection
    ):  # the census is looked at twice: at the start of the program and now
        census = checks.fill(connection, TREES, first=100_000)
        recheck.ask(connection, census, "cli", int(time.time() * 1000))
    with Phone(address, pause=time.sleep) as phone:
        for number in range(FRESH):
            assert phone.send(made.instance(number), {}).status == 201
            time.sleep(0.3)
    deadline = time.monotonic() + 30
    while len(waits_ms(database, cast.project)) < FRESH and time.monotonic() < deadline:
        time.sleep(0.02)
    assert is_under_way(database)
    waits = waits_ms(database, cast.project)
    assert len(waits) == FRESH
    assert sorted(waits)[FRESH // 2] <= MOST_MS, waits
    wait_until_drained(database, 300)
    assert not is_under_way(database)
