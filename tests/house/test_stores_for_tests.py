"""The stores that tests run on are real, empty, and apart from each other."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from server.store import migrations, schema
from server.store.db import Database
from tests.cast import Cast


@pytest.mark.parametrize("time", [1, 2])
def test_each_test_has_a_store_of_its_own(time: int, cast: Cast, database: Database) -> None:
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(schema.project)) == 2


def test_the_engine_is_the_one_that_the_test_is_named_after(engine: str, database: Database) -> None:
    assert database.engine.dialect.name == engine


def test_a_store_for_tests_stands_at_todays_schema(database: Database) -> None:
    migrations.require_head(database)


def test_the_clock_moves_only_when_told(clock: object) -> None:
    assert callable(clock)
    assert clock() == clock()
