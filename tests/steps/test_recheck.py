"""When rules, bands or a threshold change, every plot is looked at again: once, in slices, behind what is fresh."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from server.settings import Settings
from server.steps import check, recheck
from server.steps.set_threshold import Change, set_threshold
from server.store import jobs, rechecks, schema
from server.store.db import Database
from server.store.reviews import Act
from server.store.schema import flag
from server.worker import Worker
from tests import builders
from tests.cast import Cast
from tests.phone import Back, Phone, plot_visit, tree


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two plots at a time, so that a few plots make several slices."""
    monkeypatch.setattr(recheck, "MOST_PLOTS", 2)


@pytest.fixture
def plots(phone: Phone, back: Back) -> int:
    """Five plots have come and were checked; one tree of 7.5 cm in each."""
    for number in range(5):
        phone.send(plot_visit(plot_id=f"P-{number}", trees=[tree("1", 7.5), tree("2", 12.1)]))
    back.drain()
    return 5


def ask(database: Database, cast: Cast, at: int) -> None:
    with database.writing() as connection:
        recheck.ask(connection, cast.project, "cli", at)


def set_limit(database: Database, cast: Cast, limit_cm: float | None, at: int) -> None:
    with database.writing() as connection:
        set_threshold(connection, cast.project, Change("T02.min_cm", limit_cm), Act("li", "小树也量", at))


def open_flags(back: Back) -> list[tuple[str, str]]:
    query = select(flag.c.rule, flag.c.value).where(flag.c.state == "open", flag.c.rule == "T02")
    return [tuple(row) for row in back.rows(query.order_by(flag.c.id))]


def progress(database: Database) -> list[tuple[str, int, int, bool]]:
    with database.reading() as connection:
        return [
            (one.reason, one.plots_done, one.plots_total, one.finished_at is not None)
            for one in rechecks.latest(connection, None)
        ]


def test_another_threshold_is_looked_for_in_every_plot(
    plots: int, back: Back, database: Database, cast: Cast
) -> None:
    assert open_flags(back) == []
    set_limit(database, cast, 8.0, back.clock())
    assert progress(database) == [("parameters", 0, 5, False)]
    back.drain()
    assert open_flags(back) == [("T02", "7.5")] * 5
    assert progress(database) == [("parameters", 5, 5, True)]
    set_limit(database, cast, None, back.clock())
    back.drain()
    assert open_flags(back) == []


def test_looking_again_changes_nothing_where_nothing_changed(
    plots: int, back: Back, database: Database, cast: Cast
) -> None:
    set_limit(database, cast, 8.0, back.clock())
    back.drain()
    before = back.rows(select(flag).order_by(flag.c.id))
    ask(database, cast, back.clock())
    back.drain()
    assert back.rows(select(flag).order_by(flag.c.id)) == before
    assert progress(database)[0] == ("asked", 5, 5, True)


def test_what_a_person_decided_outlives_every_recheck(
    plots: int, back: Back, database: Database, cast: Cast
) -> None:
    set_limit(database, cast, 8.0, back.clock())
    back.drain()
    with database.writing() as connection:
        connection.execute(update(flag).values(state="accepted"))
    ask(database, cast, back.clock())
    back.drain()
    assert {row.state for row in back.rows(select(flag.c.state))} == {"accepted"}


def worker_of(database: Database, settings: Settings, back: Back) -> Worker:
    return Worker(database, settings, back.clock)


def test_a_plot_that_comes_meanwhile_is_checked_first(
    plots: int, phone: Phone, back: Back, database: Database, cast: Cast, settings: Settings
) -> None:
    worker = worker_of(database, settings, back)
    back.clock.tick(600)
    ask(database, cast, back.clock())
    worker.round()
    assert progress(database) == [("asked", 2, 5, False)]
    phone.send(plot_visit(plot_id="P-9", trees=[tree("1", 0)]))
    while not back.rows(select(flag.c.id).where(flag.c.rule == "T01")):
        assert worker.round()
    assert progress(database) == [("asked", 2, 5, False)]


def test_a_recheck_goes_on_where_a_dead_worker_left_it(
    plots: int, back: Back, database: Database, cast: Cast, settings: Settings
) -> None:
    ask(database, cast, back.clock())
    worker = worker_of(database, settings, back)
    worker.round()
    with database.writing() as connection:  # a worker takes the next slice and dies
        jobs.claim(connection, jobs.RECHECK, back.clock(), back.clock() + 1000, 1)
    assert worker.drain() == 0
    back.clock.tick(2)
    worker.drain()
    assert progress(database) == [("asked", 5, 5, True)]


def test_a_change_while_a_recheck_is_under_way_begins_it_anew(
    plots: int, back: Back, database: Database, cast: Cast, settings: Settings
) -> None:
    ask(database, cast, back.clock())
    worker_of(database, settings, back).round()
    with database.reading() as connection:
        slow = recheck.look(connection, [cast.project])
    set_limit(database, cast, 8.0, back.clock())
    with database.writing() as connection:  # what another worker had in hand says nothing any more
        recheck.write(connection, slow, back.clock())
    assert progress(database) == [("parameters", 0, 5, False)]
    assert open_flags(back) == []
    back.drain()
    assert open_flags(back) == [("T02", "7.5")] * 5
    assert back.count(schema.recheck) == 1


def test_a_newer_program_looks_at_everything_once(
    plots: int, back: Back, database: Database, settings: Settings
) -> None:
    worker = worker_of(database, settings, back)
    worker.look_at_the_rules()
    assert progress(database) == [("rules", 0, 5, False)]
    worker.drain()
    worker.look_at_the_rules()
    assert worker.drain() == 0
    with database.writing() as connection:
        connection.execute(update(schema.project).values(rules_hash="of an older program"))
    worker.look_at_the_rules()
    assert worker.drain() == 4  # three slices and the end


def test_a_correction_that_falls_between_look_and_write_is_not_overlooked(
    database: Database, cast: Cast, clock: object
) -> None:
    with database.writing() as connection:
        census = builders.row(connection, schema.census, project_id=cast.project, name="2031")
        number = builders.visit(connection, cast.project, cast.plot, census, [builders.tree("1", 0.0)])
    with database.reading() as connection:
        slow = check.look(connection, [number])
    assert [one.rule for one in slow[0].flags] == ["T01"]
    with database.writing() as connection:
        builders.row(connection, schema.correction, project_id=cast.project, visit_id=number, tag="1", stem_id="1",
                     ordinal=0, field="dbh_cm", old="0", new="12.4", source="supervisor", made_by="li", why="补测",
                     made_at=1)  # fmt: skip
        check.write(connection, slow, 2)
        assert connection.execute(select(flag.c.id)).all() == []
