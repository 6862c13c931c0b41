"""A plot's flags do not wait until every other plot has arrived."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from server.demo.multipart import CONTENT_TYPE
from server.settings import Settings
from server.steps.publish import publish
from server.store import jobs, schema
from server.store.db import Database
from server.worker import Worker
from tests.bench import made
from tests.cast import Cast
from tests.conftest import NOW, Clock

pytestmark = pytest.mark.parametrize("engine", ["sqlite"])


def test_the_first_plots_are_checked_while_others_still_wait_to_be_read(
    client: FlaskClient, settings: Settings, database: Database, cast: Cast, clock: Clock
) -> None:
    with database.writing() as pen:
        publish(pen, cast.project, made.form().form, made.form().xml, {}, "test", NOW)
    for number in range(6):
        answer = client.post(
            f"/v1/key/{cast.token_one}/projects/{cast.project}/submission",
            data=made.body(number, trees=3),
            content_type=CONTENT_TYPE,
        )
        assert answer.status_code == 201
    clock.at = 4_102_444_800_000  # 2100: whatever the real clock promised is due
    worker = Worker(database, replace(settings, worker_batch=2), clock)
    worker.round()  # two are read
    worker.round()  # and looked at
    with database.reading() as connection:
        assert jobs.waiting(connection)[jobs.UNFOLD] == 4
        checked = select(func.count()).where(schema.visit.c.checked_at.is_not(None))
        assert connection.scalar(checked) == 2
