"""Thresholds and rechecks from the command line."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from server.__main__ import main
from server.settings import Settings
from server.store.db import Database
from server.store.schema import event, job, recheck, visit
from tests import builders
from tests.cast import Cast
from tests.live import environment
from tests.phone import Back


def yangdi(settings: Settings, *arguments: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in arguments], env=environment(settings))


@pytest.fixture
def measured(database: Database, cast: Cast) -> int:
    """A visit with a tree of 7.5 cm."""
    with database.writing() as connection:
        trees = [builders.tree("1", 7.5), builders.tree("2", 12.1)]
        return builders.visit(connection, cast.project, cast.plot, cast.census, trees)


def test_a_threshold_is_set_listed_and_reset(
    settings: Settings, database: Database, cast: Cast, measured: int
) -> None:
    assert (
        yangdi(settings, "rules", "set", cast.project, "T02.min_cm", 8.0, "--why", "只量八厘米以上").exit_code
        == 0
    )
    assert (
        "T02.min_cm\t8\tcm\tproject setting"
        in yangdi(settings, "rules", "list", cast.project, "--changed").output
    )
    with database.reading() as connection:
        assert connection.execute(select(event.c.subject, event.c.actor)).all() == [("T02.min_cm", "cli")]
        assert [row.kind for row in connection.execute(select(job.c.kind))] == ["recheck"]
    assert yangdi(settings, "rules", "reset", cast.project, "T02.min_cm").exit_code == 0
    assert yangdi(settings, "rules", "list", cast.project, "--changed").output == ""


@pytest.mark.parametrize(("key", "value"), [("T02.min_cm", 5000), ("T02.nothing", 1)])
def test_an_impossible_threshold_is_refused(settings: Settings, cast: Cast, key: str, value: float) -> None:
    refused = yangdi(settings, "rules", "set", cast.project, key, value)
    assert refused.exit_code == 1
    assert "Error" in refused.output


def test_a_recheck_is_promised_and_says_how_far_it_is(
    settings: Settings, database: Database, cast: Cast, measured: int
) -> None:
    assert "平顺县森林碳汇\t0/1" in yangdi(settings, "recheck", "--project", cast.project).output
    back = Back(database, settings)
    back.drain()
    assert back.rows(select(recheck.c.plots_done, recheck.c.finished_at.is_not(None))) == [(1, True)]


def test_a_threshold_can_be_tried_without_writing(
    settings: Settings, database: Database, cast: Cast, measured: int
) -> None:
    said = yangdi(settings, "rules", "try", cast.project, "T02.min_cm=8", "--processes", 1)
    assert "T02\terror\t0\t1\t+1" in said.output.splitlines()
    with database.reading() as connection:
        assert connection.scalars(select(visit.c.checked_at)).all() == [None]
    assert "KEY=NUMBER" in yangdi(settings, "rules", "try", cast.project, "T02.min_cm").output
