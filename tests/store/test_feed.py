"""Numbers of the feed become visible in their own order, so that no cursor skips a change."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select

from server.store import feed, schema, told
from server.store.db import Database
from server.store.scope import Scope
from tests.cast import Cast

PATIENCE_S = 20.0
Change = Callable[[Connection, int, int], None]
"""Says that a plot's trees changed: connection, project, number of the plot."""


def with_lock(connection: Connection, project: int, plot: int) -> None:
    feed.changed(connection, project, feed.TREES, [plot])


def told_after(database: Database, cast: Cast, cursor: int) -> list[tuple[int, int]]:
    """Number and plot of what a phone is told that knows everything up to `cursor`."""
    with database.view() as connection:
        found = told.changes(connection, Scope(cast.project), (cursor, "zzz", 0), 100)
    return [(change.number, change.subject_id) for change in found]


def all_told(database: Database, cast: Cast, change: Change) -> set[int]:
    """Two changes at the same moment, the first of which commits late; the plots that a phone hears of which pulls in
    between and afterwards."""
    first_is_written, first_may_commit = threading.Event(), threading.Event()

    def first() -> None:
        with database.writing() as connection:
            change(connection, cast.project, cast.plot)
            first_is_written.set()
            first_may_commit.wait(PATIENCE_S)

    def second() -> None:
        with database.writing() as connection:
            change(connection, cast.project, cast.second_plot)

    with ThreadPoolExecutor(2) as threads:
        early = threads.submit(first)
        assert first_is_written.wait(PATIENCE_S)
        late = threads.submit(second)
        late_waits = _still_runs(late.result)
        between = told_after(database, cast, 0)
        first_may_commit.set()
        early.result(PATIENCE_S)
        late.result(PATIENCE_S)
    assert late_waits or between
    cursor = max((number for number, _ in between), default=0)
    return {plot for _, plot in [*between, *told_after(database, cast, cursor)]}


def _still_runs(result: Callable[[float], None]) -> bool:
    try:
        result(0.4)
    except TimeoutError:
        return True
    return False


def test_a_change_that_commits_late_is_not_skipped(database: Database, cast: Cast) -> None:
    assert all_told(database, cast, with_lock) == {cast.plot, cast.second_plot}


@pytest.mark.parametrize("engine", ["postgresql"])
def test_numbers_without_a_lock_would_lose_it(database: Database, cast: Cast) -> None:
    numbers = itertools.count(1)  # as a sequence gives them: at once, whoever commits first

    def without_lock(connection: Connection, project: int, plot: int) -> None:
        row = {"project_id": project, "kind": feed.TREES, "subject_id": plot, "number": next(numbers)}
        connection.execute(insert(schema.feed).values(**row))

    assert all_told(database, cast, without_lock) == {cast.second_plot}


def test_a_thing_that_changes_again_is_told_once_at_its_last_place(database: Database, cast: Cast) -> None:
    with database.writing() as connection:
        with_lock(connection, cast.project, cast.plot)
        with_lock(connection, cast.project, cast.second_plot)
        with_lock(connection, cast.project, cast.plot)
    assert told_after(database, cast, 0) == [(2, cast.second_plot), (3, cast.plot)]


def test_projects_count_for_themselves(database: Database, cast: Cast) -> None:
    with database.writing() as connection:
        with_lock(connection, cast.project, cast.plot)
        feed.changed(connection, cast.other_project, feed.RULES, [cast.other_project])
        feed.changed(connection, cast.other_project, feed.RULES, [])
        assert (told.standing(connection, cast.device_one).head) == 1


def test_a_transaction_that_fails_leaves_no_number(database: Database, cast: Cast) -> None:
    def fail(connection: Connection) -> None:
        with_lock(connection, cast.project, cast.plot)
        raise LookupError

    with pytest.raises(LookupError):
        database.write(fail)
    with database.writing() as connection:
        with_lock(connection, cast.project, cast.second_plot)
    assert told_after(database, cast, 0) == [(1, cast.second_plot)]


def test_the_first_changes_of_a_project_may_come_together(database: Database, cast: Cast) -> None:
    def change(plot: int) -> None:
        with database.writing() as connection:
            with_lock(connection, cast.project, plot)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(change, [cast.plot, cast.second_plot]))
    assert {number for number, _ in told_after(database, cast, 0)} == {1, 2}


@given(st.lists(st.lists(st.integers(1, 9), max_size=5), max_size=8))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_number_is_that_of_the_last_change(database: Database, together: list[list[int]]) -> None:
    with database.writing() as connection:
        values = {"name": "another", "created_at": 0}
        project = connection.scalar(insert(schema.project).values(values).returning(schema.project.c.id))
        for plots in together:
            feed.changed(connection, int(project or 0), feed.PLOT, plots)
        f = schema.feed.c
        rows = connection.execute(select(f.subject_id, f.number).where(f.project_id == project)).all()
    last: dict[int, int] = {}
    for number, plots in enumerate(filter(None, together), start=1):
        last |= dict.fromkeys(plots, number)
    assert {row[0]: row[1] for row in rows} == last
