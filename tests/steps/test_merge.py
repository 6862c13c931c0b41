"""Two crews at one plot in one census: one visit counts, nothing is lost, and what differs is for a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from server.steps import check, merge, review
from server.store import conflicts, corrections, export, jobs, schema, visits
from server.store.corrections import SUPERVISOR, Made
from server.store.db import Database
from server.store.reviews import Act
from server.store.schema import conflict, correction, measurement, visit
from tests.cast import Cast
from tests.phone import Back, Phone, key_address, new_id, plot_visit, tree

Sent = Callable[..., str]


@pytest.fixture
def sent(client: FlaskClient, cast: Cast, version: int, back: Back) -> Sent:
    """A crew sends a plot visit and the worker does all it has to; its instanceID."""

    def send(crew: int, trees: list[dict[str, str]], instance_id: str | None = None, **kwargs: Any) -> str:
        instance_id = instance_id or new_id()
        token = cast.token_one if crew == 1 else cast.token_two
        xml = plot_visit(instance_id, trees=trees, **kwargs)
        assert Phone(client, key_address(cast, token)).send(xml).status_code in {201, 202}
        back.drain()
        return instance_id

    return send


def standing(back: Back) -> list[Any]:
    return back.rows(select(visit).where(visit.c.merged_into_id.is_(None)).order_by(visit.c.id))


def counting(back: Back, visit_id: int | None = None) -> dict[str, tuple[Any, ...]]:
    """The trees that count, by tag: diameter, height, species."""
    if visit_id is None:
        [one] = standing(back)
        visit_id = one.id
    with back.database.reading() as connection:
        trees = visits.measurements(connection, [visit_id]).get(visit_id, [])
    return {t.tag: (t.dbh_cm, t.height_m, t.species) for t in trees}


def clashes(back: Back, state: str = "open") -> list[tuple[Any, ...]]:
    """Cells of conflicts between two visits: tag, field, and what the two say."""
    rows = back.rows(select(conflict).where(conflict.c.state == state))
    return sorted(
        (c["tag"], c["field"], *sorted((c["mine"], c["theirs"]))) for row in rows for c in row.fields
    )


def of_crews(back: Back) -> list[list[tuple[str, float]]]:
    """What each crew typed, in the order in which their visits came."""
    rows = back.rows(
        select(measurement)
        .where(measurement.c.from_visit_id.is_(None))
        .order_by(measurement.c.visit_id, measurement.c.ordinal)
    )
    return [[(row.tag, row.dbh_cm) for row in rows if row.visit_id == number]
            for number in dict.fromkeys(row.visit_id for row in rows)]  # fmt: skip


PINE = "pinus_tabuliformis"


def test_each_crew_saw_other_trees_and_all_of_them_count(sent: Sent, back: Back) -> None:
    sent(1, [tree("1", 12.0), tree("2", 13.0)])
    sent(2, [tree("2", 13.0), tree("3", 14.0)])
    assert counting(back) == {"1": (12.0, None, PINE), "2": (13.0, None, PINE), "3": (14.0, None, PINE)}
    assert clashes(back) == []
    assert of_crews(back) == [[("1", 12.0), ("2", 13.0)], [("2", 13.0), ("3", 14.0)]]


def test_one_crew_fills_in_what_the_other_left_blank_and_it_says_who(sent: Sent, back: Back) -> None:
    sent(1, [tree("1", 12.0)])
    sent(2, [tree("1", 12.0, height_m="9.5")])
    assert counting(back) == {"1": (12.0, 9.5, PINE)}
    [row] = back.rows(select(correction))
    assert (row.field, row.old, row.new, row.source, row.made_by) == (
        "height_m",
        None,
        "9.5",
        "merge",
        "二队",
    )
    assert [r.height_m for r in back.rows(select(measurement.c.height_m))] == [None, 9.5]


def test_what_they_say_differently_stands_as_the_first_says_and_is_one_conflict(
    sent: Sent, back: Back
) -> None:
    sent(1, [tree("1", 12.0), tree("2", 13.0)])
    sent(2, [tree("1", 12.5), tree("2", 13.9)])
    assert counting(back) == {"1": (12.0, None, PINE), "2": (13.0, None, PINE)}
    [row] = back.rows(select(conflict))
    assert (row.kind, row.state, row.visit_id) == ("two-visits", "open", standing(back)[0].id)
    assert clashes(back) == [("1", "dbh_cm", "12", "12.5"), ("2", "dbh_cm", "13", "13.9")]
    sources = back.rows(select(visit.c.source_id).order_by(visit.c.id))
    assert [(c["mine_from"], c["theirs_from"]) for c in row.fields] == [(sources[0][0], sources[1][0])] * 2


def test_a_crew_that_measured_wins_over_one_that_left_last_times_value(sent: Sent, back: Back) -> None:
    sent(1, [tree("1", 10.0)], census="2021", on="2021-06-01")
    sent(1, [tree("1", 10.0)])
    sent(2, [tree("1", 11.2)])
    last = standing(back)[-1]
    assert counting(back, last.id) == {"1": (11.2, None, PINE)}
    assert clashes(back) == []


def test_the_same_record_under_another_id_merges_in_silence(sent: Sent, back: Back) -> None:
    trees = [tree("1", 12.0, height_m="9"), tree("1", 12.5), tree("", 8.0), tree("", 8.0), tree("2", "1o.5")]
    sent(1, trees)
    sent(1, trees)
    assert back.rows(select(conflict)) == back.rows(select(correction)) == []
    assert back.rows(select(measurement).where(measurement.c.from_visit_id.is_not(None))) == []
    assert len(standing(back)) == 1


def test_an_edit_of_either_visit_is_merged_anew(sent: Sent, back: Back) -> None:
    first = sent(1, [tree("1", 12.0)])
    second = sent(2, [tree("1", 12.5), tree("2", 9.0)])
    assert clashes(back) == [("1", "dbh_cm", "12", "12.5")]
    second = sent(2, [tree("1", 12.0), tree("3", 9.9)], deprecated_id=second)
    assert counting(back) == {"1": (12.0, None, PINE), "3": (9.9, None, PINE)}
    assert (clashes(back), back.rows(select(conflict.c.state))) == ([], [("gone",)])
    sent(1, [tree("1", 12.1), tree("4", 7.0)], deprecated_id=first)
    assert set(counting(back)) == {"1", "4", "3"}
    assert clashes(back) == [("1", "dbh_cm", "12", "12.1")]
    assert of_crews(back) == [[("1", 12.1), ("4", 7.0)], [("1", 12.0), ("3", 9.9)]]


def test_merging_again_changes_nothing(sent: Sent, back: Back, database: Database, cast: Cast) -> None:
    sent(1, [tree("1", 12.0), tree("2", 13.0)])
    sent(2, [tree("1", 12.5), tree("2", 13.0, height_m="9"), tree("3", 14.0)])
    tables = (measurement, visit, correction, conflict, schema.flag)
    before = [back.rows(select(table).order_by(*list(table.c)[:2])) for table in tables]
    with database.writing() as connection:
        merge.write(connection, [cast.plot], back.clock.tick())
    assert [back.rows(select(table).order_by(*list(table.c)[:2])) for table in tables] == before
    assert back.rows(select(schema.job)) == []


def test_a_visit_that_turns_out_to_be_of_another_plot_takes_its_trees_along(sent: Sent, back: Back) -> None:
    sent(1, [tree("1", 12.0)])
    second = sent(2, [tree("1", 12.5), tree("2", 9.0, height_m="5")])
    sent(2, [tree("1", 12.5), tree("2", 9.0)], deprecated_id=second, plot_id="PS-002")
    one, other = standing(back)
    assert set(counting(back, one.id)) == {"1"}
    assert set(counting(back, other.id)) == {"1", "2"}
    assert back.rows(select(conflict.c.state)) == [("gone",)]


def test_the_first_visit_may_leave_as_well(sent: Sent, back: Back) -> None:
    first = sent(1, [tree("1", 12.0)])
    sent(2, [tree("1", 12.0, height_m="7"), tree("2", 9.0)])
    sent(1, [tree("1", 12.0)], deprecated_id=first, plot_id="PS-002")
    one, other = standing(back)
    assert counting(back, one.id) == {"1": (12.0, None, PINE)}
    assert counting(back, other.id) == {"1": (12.0, 7.0, PINE), "2": (9.0, None, PINE)}


def test_three_crews_make_one_visit(sent: Sent, back: Back) -> None:
    sent(1, [tree("1", 12.0)])
    sent(2, [tree("1", 12.5), tree("2", 9.0)])
    sent(1, [tree("1", 12.5), tree("2", 9.5), tree("3", 8.0)])
    assert set(counting(back)) == {"1", "2", "3"}
    assert clashes(back) == [("1", "dbh_cm", "12", "12.5"), ("2", "dbh_cm", "9", "9.5")]


def test_other_censuses_and_plots_without_a_name_are_not_merged(sent: Sent, back: Back) -> None:
    sent(1, [tree("1", 10.0)], census="2021", on="2021-06-01")
    sent(1, [tree("1", 12.0)])
    sent(1, [tree("1", 12.0)], plot_id="")
    sent(2, [tree("1", 33.0)], plot_id="")
    assert len(standing(back)) == 4
    assert back.rows(select(conflict)) == []


def test_only_the_visit_that_holds_the_trees_is_flagged_and_exported(
    sent: Sent, back: Back, cast: Cast
) -> None:
    sent(1, [tree("1", 12.0)])
    sent(2, [tree("1", 12.0), tree("2", 0)])
    [one] = standing(back)
    open_flags = back.rows(select(schema.flag).where(schema.flag.c.state == "open"))
    assert {row.visit_id for row in open_flags} == {one.id}
    assert "2" in {row.tag for row in open_flags}
    with back.database.reading() as connection:
        assert [row["id"] for row in export.visits(connection, cast.project)] == [one.id]
        assert {row["visit"] for row in export.measurements(connection, cast.project)} == {one.id}
        assert {row["visit"] for row in export.flags(connection, cast.project)} == {one.id}


def test_a_merged_visit_is_not_what_the_next_census_is_compared_with(sent: Sent, back: Back) -> None:
    sent(1, [tree("1", 10.0), tree("2", 20.0)], census="2021", on="2021-06-01")
    sent(2, [tree("1", 10.0)], census="2021", on="2021-06-09")
    sent(1, [tree("1", 10.5), tree("2", 20.5)])
    odd = back.rows(select(schema.flag).where(schema.flag.c.state == "open", schema.flag.c.tag == "2"))
    assert odd == []


def correct(back: Back, visit_id: int, tag: str, old: str, new: str) -> None:
    """What a supervisor does on the tally sheet."""
    with back.database.writing() as connection:
        row = connection.execute(select(visit).where(visit.c.id == visit_id)).one()
        made = Made(
            row.project_id,
            visit_id,
            tag,
            "1",
            None,
            "dbh_cm",
            old,
            new,
            SUPERVISOR,
            None,
            "li",
            "看过照片",
            1,
        )
        corrections.add(connection, made)
        jobs.put(connection, jobs.MERGE, [row.plot_id], 1)
    back.drain()


def test_a_machine_never_changes_what_a_person_decided(sent: Sent, back: Back) -> None:
    sent(1, [tree("1", 10.0), tree("2", 20.0)], census="2021", on="2021-06-01")
    sent(1, [tree("1", 33.1), tree("2", 20.0)])
    now = standing(back)[-1].id
    correct(back, now, "1", "33.1", "10.0")
    sent(2, [tree("1", 10.9), tree("2", 21.0)])
    assert counting(back, now) == {"1": (10.0, None, PINE), "2": (21.0, None, PINE)}
    assert clashes(back) == [("1", "dbh_cm", "10", "10.9")]


def test_a_value_that_a_person_decided_against_does_not_come_back_with_a_copy(sent: Sent, back: Back) -> None:
    sent(1, [tree("1", 33.1)])
    correct(back, standing(back)[0].id, "1", "33.1", "23.1")
    sent(1, [tree("1", 33.1)])
    assert counting(back) == {"1": (23.1, None, PINE)}
    assert clashes(back) == []


def test_a_correction_of_another_crews_tree_stays_when_it_is_merged_anew(sent: Sent, back: Back) -> None:
    first = sent(1, [tree("1", 12.0)])
    sent(2, [tree("2", 33.1)])
    correct(back, standing(back)[0].id, "2", "33.1", "23.1")
    sent(1, [tree("0", 11.0), tree("1", 12.0)], deprecated_id=first)
    assert counting(back) == {"0": (11.0, None, PINE), "1": (12.0, None, PINE), "2": (23.1, None, PINE)}
    assert clashes(back) == []


def test_what_a_person_corrected_in_the_other_visit_before_counts(sent: Sent, back: Back) -> None:
    sent(1, [tree("1", 12.0)])
    moved = sent(2, [tree("1", 12.0), tree("2", 33.1)], plot_id="PS-002")
    correct(back, standing(back)[1].id, "2", "33.1", "23.1")
    sent(2, [tree("1", 12.0), tree("2", 33.1)], deprecated_id=moved)
    assert counting(back) == {"1": (12.0, None, PINE), "2": (23.1, None, PINE)}


def test_a_rejected_visit_stands_apart(sent: Sent, back: Back, database: Database) -> None:
    sent(1, [tree("1", 99.0)])
    with database.writing() as connection:
        connection.execute(visit.update().values(review_state="rejected"))
    sent(2, [tree("1", 12.0)])
    assert len(standing(back)) == 2
    assert clashes(back) == []


def test_when_the_first_visit_is_rejected_the_other_stands_for_itself(
    sent: Sent, back: Back, database: Database, cast: Cast
) -> None:
    sent(1, [tree("1", 99.0), tree("9", 9.0)])
    sent(2, [tree("1", 12.0)])
    [first] = standing(back)
    with database.writing() as connection:
        review.reject(connection, cast.project, first.id, Act("li", "走错样地", 1))
    back.drain()
    other = standing(back)[-1]
    assert counting(back, other.id) == {"1": (12.0, None, PINE)}
    assert clashes(back) == []
    with database.writing() as connection:
        review.approve(connection, cast.project, other.id, Act("li", "", 2))
    back.drain()
    assert len(standing(back)) == 2


def test_a_check_that_looked_before_the_merge_writes_nothing(sent: Sent, back: Back, database: Database, cast: Cast,
                                                             client: FlaskClient) -> None:  # fmt: skip
    sent(1, [tree("1", 12.0)])
    sent(2, [tree("1", 12.0), tree("2", 14.0)])
    [one] = standing(back)
    with database.writing() as connection:
        connection.execute(visit.update().values(merged_into_id=None))
        connection.execute(measurement.delete().where(measurement.c.from_visit_id.is_not(None)))
    with database.reading() as connection:
        seen = check.look(connection, [one.id])
    with database.writing() as connection:
        at = one.unfolded_at  # in the very same millisecond
        merge.write(connection, [cast.plot], at)
        check.write(connection, seen, at)
        assert connection.scalar(select(visit.c.checked_at).where(visit.c.id == one.id)) is None


def update_of(dbh_cm: str, base_version: str, branch_id: str = "b-1") -> bytes:
    """A plot visit whose one tree also updates its entity, as Collect writes it."""
    said = f'id="e-1" update="1" baseVersion="{base_version}" trunkVersion="1" branchId="{branch_id}"'
    meta = f'<meta><entity dataset="trees" {said}/></meta></stem>'
    return plot_visit(trees=[tree("1", dbh_cm)]).replace(b"</stem>", meta.encode())


@pytest.mark.parametrize("turned_round", [False, True])
def test_a_later_update_on_the_same_branch_knew_the_earlier_one(
    client: FlaskClient, cast: Cast, version: int, back: Back, turned_round: bool
) -> None:
    """The phone that made the second update had made the first as well: it is no clash when she corrects herself."""
    phone, updates = Phone(client, key_address(cast)), [update_of("12.0", "2"), update_of("12.9", "3")]
    for xml in reversed(updates) if turned_round else updates:
        assert phone.send(xml).status_code == 201
        back.drain()
    assert counting(back) == {"1": (12.9, None, PINE)}
    assert clashes(back) == []


def test_updates_on_two_branches_of_one_trunk_did_not_know_each_other(
    client: FlaskClient, cast: Cast, version: int, back: Back
) -> None:
    phone = Phone(client, key_address(cast))
    for xml in (update_of("12.0", "1", "b-1"), update_of("12.9", "1", "b-2")):
        assert phone.send(xml).status_code == 201
    back.drain()
    assert clashes(back) == [("1", "dbh_cm", "12", "12.9")]


def test_an_update_that_does_not_say_of_what_counts_by_its_tag_and_is_noted(
    client: FlaskClient, cast: Cast, version: int, back: Back
) -> None:
    assert Phone(client, key_address(cast)).send(update_of("12.0", "")).status_code == 201
    back.drain()
    assert counting(back) == {"1": (12.0, None, PINE)}
    [other] = back.rows(select(measurement.c.other))
    assert other[0]["entity.unknown"] == "yes"


def test_a_person_may_undo_what_merging_laid_on(
    sent: Sent, back: Back, database: Database, cast: Cast
) -> None:
    first = sent(1, [tree("1", 12.0)])
    sent(2, [tree("1", 12.0, height_m="99")])
    [made] = back.rows(select(correction.c.id))
    with database.writing() as connection:
        review.undo(connection, cast.project, made.id, Act("li", "", 1))
    back.drain()
    assert counting(back) == {"1": (12.0, None, PINE)}
    sent(1, [tree("1", 12.0), tree("2", 9.0)], deprecated_id=first)
    assert counting(back)["1"] == (12.0, None, PINE)


def test_conflicts_of_one_subject_are_one(database: Database, cast: Cast) -> None:
    cell = {
        "tag": "1",
        "stem_id": "1",
        "twin": "",
        "field": "dbh_cm",
        "base": "",
        "mine": "12",
        "theirs": "13",
    }
    raised = conflicts.Raised(cast.project, cast.plot, None, conflicts.TWO_EDITS, "7", [cell])
    with database.writing() as connection:
        assert conflicts.put(connection, raised, 1)
        assert not conflicts.put(connection, raised, 2)
        [row] = conflicts.open_at(connection, cast.plot)
        conflicts.decide(connection, row.id, [{**cell, "chosen": "mine"}], "li", "照片", 3)
        assert not conflicts.put(connection, raised, 4)
        assert conflicts.open_count(connection, cast.project) == 0
        assert conflicts.put(connection, raised._replace(cells=[{**cell, "theirs": "14"}]), 5)
        [row] = conflicts.open_at(connection, cast.plot)
        assert (row.state, row.settled_by, row.raised_at) == ("open", None, 5)
