"""A census looked at from columns says what looking plot by plot says, whatever the store is."""

from __future__ import annotations

from sqlalchemy import select, update

from server.settings import Settings
from server.steps import check, whole_census
from server.store import schema
from server.store.census_stream import Trees
from server.store.db import Database
from tests import builders
from tests.bench import checks

TREES = 6000
STAND = {"P06", "P11"}
"""Rules of the stand, which a whole census is asked as well; of other places nothing but the ordinary check knows."""


def made(database: Database) -> int:
    """Plots of a hundred lists: some approved, one with a correction, one with a blank and a twice used tag."""
    with database.writing() as connection:
        project = checks.fill(connection, TREES)
        spoilt = schema.measurement.c.visit_id == 4
        connection.execute(
            update(schema.measurement).where(spoilt, schema.measurement.c.ordinal == 3).values(tag="3")
        )
        connection.execute(update(schema.measurement).where(spoilt, schema.measurement.c.ordinal == 9).values(
            species="", height_m=2.5, codes="A B", pom_m=1.5, x_m=80.0, y_m=2.0, tally_code=None))  # fmt: skip
        builders.row(connection, schema.correction, project_id=project, visit_id=6, tag="7", stem_id="1", ordinal=6,
                     field="dbh_cm", old="1", new="149.0", source="supervisor", made_by="li", why="?",
                     made_at=1)  # fmt: skip
    checks.accept_and_fit(database, project)
    with database.writing() as connection:
        connection.execute(
            update(schema.visit).where(schema.visit.c.plot_id < 100).values(review_state="approved")
        )
    return project


def test_what_columns_say_is_what_plots_say(database: Database, settings: Settings) -> None:
    project = made(database)
    with database.reading() as connection:
        latest = list(connection.scalars(select(schema.visit.c.id).where(schema.visit.c.id % 2 == 0)))
        plain = {
            one.visit.id: [
                (f.rule, f.tag, f.value, str(f.severity), f.score)
                for f in one.flags
                if f.rule[0] in "THX" or f.rule in STAND
            ]
            for one in check.look(connection, latest)
        }
        reader = Trees(settings.url)
        judge = whole_census.Judge.of(connection, project)
        quick = {
            row.id: [(f.rule, f.tag, f.value, str(f.severity), f.score) for f in found]
            for row, found in whole_census.looked_at(connection, reader, project, (1, 10**9), judge)
        }
        reader.close()
    assert {number: sorted(found) for number, found in plain.items() if found} == {
        number: sorted(found) for number, found in quick.items()
    }
    assert len(quick) > 20
    assert "149.0" in {value for _, _, value, _, _ in quick[6]}
