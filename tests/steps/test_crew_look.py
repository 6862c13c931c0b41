"""A census's crews are looked at a little after their plots came, and what a person decided about them stands."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from server.problems import AlreadyDecided, NotFound, ReasonMissing
from server.steps import crew_decide, recheck
from server.store import crews, jobs, schema
from server.store.db import Database
from server.store.reviews import Act
from server.store.schema import crew_flag, crew_work, visit_pace
from tests import builders
from tests.cast import Cast
from tests.phone import Back, Part, Phone, key_address, plot_visit, xml_part
from tests.steps.crews import MORNING, heaped, log_of, send, stand

ACT = Act("li", "卷尺只有 0.5 cm 刻度，已更换", MORNING)


@pytest.fixture
def other_phone(client: FlaskClient, cast: Cast, version: int) -> Phone:
    """二队's phone."""
    return Phone(client, key_address(cast, cast.token_two))


def settle(back: Back) -> None:
    """Everything that came is read, checked and looked at."""
    back.drain()
    back.drain()


def said(back: Back) -> list[tuple[Any, ...]]:
    columns = (crew_flag.c.crew_id, crew_flag.c.rule, crew_flag.c.state)
    return [tuple(row) for row in back.rows(select(*columns).order_by(crew_flag.c.id))]


def figures(back: Back, crew: int) -> dict[str, Any]:
    query = select(crew_work.c.figures).where(crew_work.c.crew_id == crew).order_by(crew_work.c.census_id)
    return dict(back.rows(query)[0].figures)


def test_a_crew_that_rounds_is_flagged_and_the_other_is_not(
    phone: Phone, other_phone: Phone, back: Back, cast: Cast
) -> None:
    send(phone, heaped())
    send(other_phone, stand(), plot_id="PS-002")
    settle(back)
    assert said(back) == [(cast.crew_one, "C01", "open")]
    assert figures(back, cast.crew_one)["reading"]["round"] == 60
    assert figures(back, cast.crew_two)["reading"]["trees"] == 60
    assert figures(back, cast.crew_one)["months"]["2026-06"]["round"] == 60


def test_the_look_waits_for_the_plots_of_the_evening(phone: Phone, back: Back, database: Database) -> None:
    send(phone, stand())
    send(phone, stand(), plot_id="PS-002")
    back.drain()
    with database.reading() as connection:
        assert jobs.waiting(connection) == {jobs.CREW_LOOK: 1}
    assert back.drain() == 1
    assert back.rows(select(crew_work.c.census_id))


def test_looking_again_changes_nothing(phone: Phone, back: Back, database: Database) -> None:
    send(phone, heaped(), log_of(60, 3))
    settle(back)
    tables = (select(crew_flag).order_by(crew_flag.c.id), select(crew_work.c.figures), select(visit_pace))
    before = [back.rows(table) for table in tables]
    with database.writing() as connection:
        jobs.put(connection, jobs.CREW_LOOK, [connection.scalar(select(schema.census.c.id))], 0)
    back.drain()
    assert [back.rows(table) for table in tables] == before


def test_the_log_of_a_phone_says_how_fast_its_trees_were_entered(
    phone: Phone, back: Back, cast: Cast
) -> None:
    send(phone, stand(), log_of(60, 3))
    settle(back)
    assert (cast.crew_one, "C02", "open") in said(back)
    [pace] = back.rows(select(visit_pace))
    assert pace.gaps_s == [3.0] * 59
    assert (pace.first_at, pace.last_at) == (MORNING + 3000, MORNING + 180_000)


def test_a_log_that_comes_after_its_plot_is_read_too(phone: Phone, back: Back, cast: Cast) -> None:
    instance_id = send(phone, stand())
    settle(back)
    assert said(back) == []
    late = [
        xml_part(plot_visit(instance_id, trees=stand())),
        Part("audit.csv", log_of(60, 3), "audit.csv", "text/csv"),
    ]
    assert phone.post(late).status_code == 201
    settle(back)
    assert said(back) == [(cast.crew_one, "C02", "open")]


def test_one_phone_at_two_plots_at_once(phone: Phone, back: Back, cast: Cast) -> None:
    send(phone, stand(), log_of(60, 40))
    send(phone, stand(), log_of(60, 40, begin=MORNING + 60_000), plot_id="PS-002")
    settle(back)
    assert said(back) == [(cast.crew_one, "C03", "open")]


def test_last_times_values_are_seen_through_the_whole_crew(
    phone: Phone, other_phone: Phone, back: Back, cast: Cast
) -> None:
    for plot_id in ("PS-001", "PS-002"):
        send(phone, stand(), plot_id=plot_id, census="2021", on="2021-06-01")
    send(phone, stand())
    send(other_phone, stand(add_cm=1.1), plot_id="PS-002")
    settle(back)
    assert (cast.crew_one, "C04", "open") in said(back)
    assert figures(back, cast.crew_one)["growth"]["same"] == 60
    assert figures(back, cast.crew_two)["growth"]["same"] == 0


def flag_of(back: Back, rule: str = "C01") -> int:
    [row] = back.rows(select(crew_flag.c.id).where(crew_flag.c.rule == rule, crew_flag.c.state != "void"))
    return int(row.id)


def test_what_a_person_accepted_stands_while_the_habit_is_the_same(
    phone: Phone, back: Back, cast: Cast, database: Database
) -> None:
    send(phone, heaped())
    settle(back)
    number = flag_of(back)
    database.write(lambda pen: crew_decide.accept(pen, cast.project, number, ACT))
    send(phone, heaped(), plot_id="PS-002")
    settle(back)
    assert said(back) == [(cast.crew_one, "C01", "accepted")]
    [decided] = back.rows(select(schema.crew_decision))
    assert (decided.decision, decided.why, decided.decided_by) == ("accept", ACT.why, "li")


def test_a_habit_that_got_worse_is_a_new_question(
    phone: Phone, back: Back, cast: Cast, database: Database
) -> None:
    mixed = heaped()[:40] + stand(160)[40:]
    send(phone, mixed)
    settle(back)
    database.write(lambda pen: crew_decide.accept(pen, cast.project, flag_of(back), ACT))
    send(phone, heaped(300), plot_id="PS-002")
    settle(back)
    assert said(back) == [(cast.crew_one, "C01", "accepted"), (cast.crew_one, "C01", "open")]


def test_a_flag_that_no_longer_holds_becomes_void(phone: Phone, back: Back, cast: Cast) -> None:
    first = send(phone, heaped())
    settle(back)
    send(phone, stand(), deprecated_id=first)
    settle(back)
    assert said(back) == [(cast.crew_one, "C01", "void")]


def test_a_decision_needs_a_reason_and_is_made_once(
    phone: Phone, back: Back, cast: Cast, database: Database
) -> None:
    send(phone, heaped())
    settle(back)
    number = flag_of(back)
    with pytest.raises(ReasonMissing):
        database.write(lambda pen: crew_decide.accept(pen, cast.project, number, ACT._replace(why=" ")))
    with pytest.raises(NotFound):
        database.write(lambda pen: crew_decide.accept(pen, cast.other_project, number, ACT))
    database.write(lambda pen: crew_decide.accept(pen, cast.project, number, ACT))
    with pytest.raises(AlreadyDecided):
        database.write(lambda pen: crew_decide.accept(pen, cast.project, number, ACT))
    database.write(lambda pen: crew_decide.reopen(pen, cast.project, number, ACT))
    assert said(back) == [(cast.crew_one, "C01", "open")]


def test_edits_that_nobody_asked_for_are_counted(phone: Phone, back: Back, cast: Cast) -> None:
    first = send(phone, stand())
    settle(back)
    second = send(phone, stand(add_cm=0.1), deprecated_id=first)
    settle(back)
    assert figures(back, cast.crew_one)["edits"] == {"visits": 1, "of": 1}
    send(phone, stand(add_cm=0.2), log_of(60, 50, reason="读错了"), deprecated_id=second)
    settle(back)
    assert figures(back, cast.crew_one)["edits"] == {"visits": 0, "of": 1}


def test_a_recheck_reads_what_came_before_anybody_looked_at_crews(
    phone: Phone, back: Back, cast: Cast, database: Database
) -> None:
    for number in range(3):
        plot = f"PS-01{number}"
        first = send(phone, stand(), plot_id=plot)
        settle(back)
        send(phone, stand(add_cm=0.1), log_of(60, 3), plot_id=plot, deprecated_id=first)
    settle(back)
    with database.writing() as connection:
        for table in (schema.crew_flag, schema.crew_work, schema.visit_pace, schema.job):
            connection.execute(table.delete())
        recheck.ask(connection, cast.project, "li", MORNING)
    settle(back)
    settle(back)
    assert figures(back, cast.crew_one)["edits"] == {"visits": 3, "of": 3}
    assert {"C02", "C06"} <= {rule for _, rule, _ in said(back)}


def test_a_rule_that_the_project_silenced_is_silent(
    phone: Phone, back: Back, cast: Cast, database: Database
) -> None:
    with database.writing() as connection:
        connection.execute(schema.project.update().values(settings={"C01.on": 0}))
    send(phone, heaped())
    settle(back)
    assert said(back) == []


def test_a_census_that_nobody_knows_is_no_work(database: Database, back: Back) -> None:
    with database.reading() as connection:
        assert crews.censuses(connection, [999]) == []


def test_the_crews_of_a_large_census_are_looked_at_less_often(database: Database, cast: Cast) -> None:
    with database.writing() as connection:
        for number in range(1000):
            plot = builders.row(connection, schema.plot, project_id=cast.project, plot_id=f"Q-{number}")
            last = builders.visit(connection, cast.project, plot, cast.census, crew_id=cast.crew_one)
        crews.promise(connection, [last], MORNING)
        [due_at] = connection.scalars(select(schema.job.c.due_at).where(schema.job.c.kind == jobs.CREW_LOOK))
    assert due_at - MORNING == 30_000
