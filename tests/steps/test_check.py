"""What the rules say about a visit is kept once, and a person's decision on it stands as long as the value does."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from server.steps import check
from server.store import jobs, projects, schema
from server.store.db import Database
from server.store.schema import flag
from tests import builders
from tests.cast import Cast
from tests.phone import Back, Phone, new_id, plot_visit, tree


def send(
    phone: Phone, back: Back, *trees: dict[str, str], deprecated_id: str | None = None, **kwargs: Any
) -> str:
    instance_id = new_id()
    answer = phone.send(plot_visit(instance_id, trees=trees, deprecated_id=deprecated_id, **kwargs))
    assert answer.status_code == 201
    back.drain()
    return instance_id


def check_again(database: Database, back: Back) -> None:
    with database.writing() as connection:
        jobs.put(connection, jobs.CHECK, [row.id for row in connection.execute(select(schema.visit.c.id))], 0)
    back.drain()


def flags(back: Back, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in back.rows(select(*(flag.c[name] for name in columns)).order_by(flag.c.id))]


def test_a_flag_says_what_it_saw_where_and_when(phone: Phone, back: Back, cast: Cast) -> None:
    send(phone, back, tree("1", 12.0), tree("2", 0))
    [row] = back.rows(select(flag))
    assert (row.rule, row.severity, row.tag, row.stem_id, row.ordinal, row.field, row.state) == (
        "T01", "error", "2", "1", 1, "dbh_cm", "open",
    )  # fmt: skip
    assert (row.project_id, row.plot_id) == (cast.project, cast.plot)
    assert row.raised_at == back.clock()
    assert back.rows(select(schema.visit.c.checked_at)) == [(back.clock(),)]


def test_looking_again_adds_nothing(phone: Phone, back: Back, database: Database) -> None:
    send(phone, back, tree("1", 0), tree("1", 12.0), tree("3", 231))
    before = back.rows(select(flag).order_by(flag.c.id))
    assert before
    for _ in range(2):
        check_again(database, back)
    assert back.rows(select(flag).order_by(flag.c.id)) == before


def test_a_changed_value_voids_its_flag_and_may_raise_another(phone: Phone, back: Back) -> None:
    first = send(phone, back, tree("1", 0), tree("2", 12.0))
    second = send(phone, back, tree("1", -3), tree("2", 12.0), deprecated_id=first)
    assert flags(back, "tag", "value", "state") == [("1", "0", "void"), ("1", "-3", "open")]
    send(phone, back, tree("1", 13), tree("2", 12.0), deprecated_id=second)
    assert flags(back, "tag", "value", "state") == [("1", "0", "void"), ("1", "-3", "void")]


def decide(database: Database, state: str) -> None:
    with database.writing() as connection:
        connection.execute(update(flag).values(state=state))


@pytest.mark.parametrize("state", ["accepted", "sent_back"])
def test_what_a_person_decided_stands_while_the_value_stands(phone: Phone, back: Back, database: Database,
                                                             state: str) -> None:  # fmt: skip
    first = send(phone, back, tree("1", 0), tree("2", 12.0))
    decide(database, state)
    check_again(database, back)
    edit = send(
        phone, back, tree("2", 12.4), tree("1", 0), deprecated_id=first
    )  # another tree, another order
    assert flags(back, "tag", "state", "ordinal") == [("1", state, 1)]
    send(phone, back, tree("2", 12.4), tree("1", -1), deprecated_id=edit)
    assert flags(back, "tag", "value", "state") == [("1", "0", state), ("1", "-1", "open")]


def test_two_trees_with_the_same_fault_have_a_flag_each(phone: Phone, back: Back, database: Database) -> None:
    send(phone, back, tree("1", 0), tree("2", 0), tree("2", 0))
    raised = [row for row in flags(back, "rule", "tag", "ordinal") if row[0] == "T01"]
    assert sorted(raised) == [("T01", "1", 0), ("T01", "2", 1), ("T01", "2", 2)]
    check_again(database, back)
    assert len([row for row in flags(back, "rule") if row[0] == "T01"]) == 3


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(("limit_cm", "raised"), [(5.0, []), (8.0, [("T02", "7.5")])])
def test_the_tally_limit_is_the_projects_own(
    phone: Phone, back: Back, database: Database, cast: Cast, limit_cm: float, raised: list[tuple[str, str]]
) -> None:
    with database.writing() as connection:
        projects.change(connection, cast.project, tally_limit_cm=limit_cm)
    send(phone, back, tree("1", 7.5), tree("2", 12.1))
    assert [row for row in flags(back, "rule", "value") if row[0] == "T02"] == raised


def test_a_slow_check_never_puts_back_what_a_newer_one_has_settled(
    phone: Phone, back: Back, database: Database
) -> None:
    """Two workers: one looked before the earlier census was corrected, the other looked and wrote since."""
    plot = [tree(str(n), 10 + n) for n in range(2, 9)]
    first = send(phone, back, tree("1", 2.31), *plot, census="2021", on="2021-06-01")
    send(phone, back, tree("1", 24.0), *[tree(str(n), 11 + n) for n in range(2, 9)])
    later = [row.id for row in back.rows(select(schema.visit.c.id).order_by(schema.visit.c.measured_on))][1:]
    with database.reading() as connection:
        slow = check.look(connection, later)
    assert [f for f in slow[0].flags if f.tag == "1"]
    send(phone, back, tree("1", 23.1), *plot, census="2021", on="2021-06-01", deprecated_id=first)
    with database.writing() as connection:
        check.write(connection, slow, back.clock.tick())
    still = select(flag.c.tag).where(flag.c.visit_id.in_(later), flag.c.state == "open")
    assert ("1",) not in back.rows(still)


def test_two_workers_that_looked_at_the_same_visit_raise_its_flags_once(phone: Phone, back: Back,
                                                                       database: Database) -> None:  # fmt: skip
    phone.send(plot_visit(trees=[tree("1", 0)]))
    with database.writing() as connection:
        census = builders.row(connection, schema.census, project_id=1, name="2020")
        one = builders.visit(connection, 1, 1, census, [builders.tree("1", 0.0)], measured_on="2020-06-01")
    with database.reading() as connection:
        both = [check.look(connection, [one]) for _ in range(2)]
    for slow in both:
        with database.writing() as connection:
            check.write(connection, slow, back.clock())
    assert len([row for row in flags(back, "rule") if row[0] == "T01"]) == 1


def test_a_thinning_on_record_explains_what_was_cut(
    phone: Phone, back: Back, database: Database, cast: Cast
) -> None:
    """A census in which a third of the trees is cut is odd until the farm's record of the thinning arrives."""
    trees = [tree(str(n), 12 + n) for n in range(12)]
    cut = [t if n % 3 else {**t, "tally_code": "14", "dbh_cm": ""} for n, t in enumerate(trees)]
    send(phone, back, *trees, census="2021", on="2021-06-01")
    send(phone, back, *cut)
    before = {row for row in flags(back, "rule", "state") if row[1] == "open"}
    with database.writing() as connection:
        source = builders.submission(connection, cast.project)
        number = builders.row(connection, schema.thinning, project_id=cast.project, submission_id=source,
                              source_id=source, parcel_id="03-012", felled_on="2024-11-02")  # fmt: skip
        connection.execute(schema.thinning_plot.insert().values(thinning_id=number, plot_id=cast.plot))
    check_again(database, back)
    after = {row for row in flags(back, "rule", "state") if row[1] == "open"}
    assert after < before
