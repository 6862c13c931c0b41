"""Padding is what the steps would have left behind, or the growth of the store would be measured on nothing."""

from __future__ import annotations

from sqlalchemy import select

from server.steps import check
from server.steps.publish import publish
from server.store import schema
from server.store.db import Database
from tests.bench import made
from tests.bench.padding import pad
from tests.cast import Cast
from tests.conftest import NOW


def test_padded_visits_have_their_own_submission_and_trees(database: Database, cast: Cast) -> None:
    with database.writing() as pen:
        version = publish(pen, cast.project, made.form().form, made.form().xml, {}, "test", NOW)
    assert pad(database, cast.project, cast.device_one, version, until=7, trees=3) == 7
    assert pad(database, cast.project, cast.device_one, version, until=10, trees=3) == 3
    with database.reading() as connection:
        visits = connection.execute(
            select(schema.visit.c.id, schema.plot.c.plot_id, schema.submission.c.instance_name)
            .join(schema.plot, schema.plot.c.id == schema.visit.c.plot_id)
            .join(schema.submission, schema.submission.c.id == schema.visit.c.source_id)
        ).all()
        looked = check.look(connection, [row.id for row in visits])
        trees = connection.execute(select(schema.measurement.c.visit_id, schema.measurement.c.tag)).all()
    assert {row.plot_id for row in visits} == {f"PAD-{i}" for i in range(1, 11)}
    assert all(row.plot_id == row.instance_name for row in visits)
    assert sorted(trees) == [(row.id, tag) for row in sorted(visits) for tag in ("1", "2", "3")]
    assert len(looked) == 10


def test_padding_to_what_is_there_adds_nothing(database: Database, cast: Cast) -> None:
    with database.writing() as pen:
        version = publish(pen, cast.project, made.form().form, made.form().xml, {}, "test", NOW)
    pad(database, cast.project, cast.device_one, version, until=4, trees=1)
    assert pad(database, cast.project, cast.device_one, version, until=4, trees=1) == 0
