"""A census looked at from columns says what looking plot by plot says, whatever the store is."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import Connection, insert, select, update

from server.settings import Settings
from server.steps import check, whole_census
from server.store import schema
from server.store.census_stream import Trees
from server.store.db import Database
from server.validation.flag import Flag
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
        _older_census(connection, project)
    checks.accept_and_fit(database, project)
    with database.writing() as connection:
        connection.execute(
            update(schema.visit).where(schema.visit.c.plot_id < 100).values(review_state="approved")
        )
    return project


def _older_census(connection: Connection, project: int) -> None:
    """A third of the plots was measured once before, when every tree was 2 cm thinner and some were not there yet."""
    census = builders.row(connection, schema.census, project_id=project, name="2016", starts_on="2016-07-01")
    visit, tree = schema.visit, schema.measurement
    last = select(visit.c.id, visit.c.plot_id).where(visit.c.id % 2 == 1, visit.c.plot_id % 3 == 0)
    for number, plot in connection.execute(last).all():
        older = number + 10**6
        builders.row(connection, schema.submission, id=older, project_id=project, form_id="bench", version="1", xml=b"",
                     instance_id=f"older-{number}", xml_sha256=b"", received_at=0)  # fmt: skip
        builders.row(connection, visit, id=older, project_id=project, plot_id=plot, census_id=census,
                     submission_id=older, source_id=older, measured_on="2016-07-01", unfolded_at=0)  # fmt: skip
        there = select(tree).where(tree.c.visit_id == number, tree.c.ordinal % 5 != 0)
        thinner = [
            {**one, "visit_id": older, "dbh_cm": max((one["dbh_cm"] or 0.0) - 2.0, 1.0)}
            for one in connection.execute(there).mappings()
        ]
        connection.execute(insert(tree), thinner)


@pytest.mark.slow
def test_what_columns_say_is_what_plots_say(database: Database, settings: Settings) -> None:
    project = made(database)
    with database.reading() as connection:
        now = schema.visit.c.measured_on == checks.NOW_ON
        latest = list(connection.scalars(select(schema.visit.c.id).where(now)))
        plain = {
            one.visit.id: [_said(f) for f in one.flags if f.rule[0] in "THX" or f.rule in STAND]
            for one in check.look(connection, latest)
        }
        reader = Trees(settings.url)
        judge = whole_census.Judge.of(connection, project)
        quick = {
            row.id: [_said(flag) for flag in found]
            for row, found in whole_census.looked_at(connection, reader, project, (1, 10**9), judge)
        }
        reader.close()
    assert {number: sorted(found) for number, found in plain.items() if found} == {
        number: sorted(found) for number, found in quick.items()
    }
    assert len(quick) > 20
    rules = Counter((flag[0], flag[2]) for found in quick.values() for flag in found)
    assert whole_census.counts(settings.url, project, processes=2, at_once=30) == rules
    assert any("149.0" in flag for flag in quick[6])


def _said(flag: Flag) -> tuple[str, ...]:
    """All that a flag says, but for the version of the bands, which only the ordinary check has a name for."""
    facts = {name: fact for name, fact in flag.facts.items() if name != "bands"}
    return tuple(map(str, flag._replace(facts=sorted(facts.items()))))
