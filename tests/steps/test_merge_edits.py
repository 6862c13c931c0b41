"""Edits that did not know each other, and edits of what a person has corrected."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from server.problems import ConflictChanged, CrewMustEdit, NothingChosen, ReasonMissing, ValueUnfit
from server.steps import settle, settle_conflict
from server.steps.settle_conflict import Choice
from server.store import conflicts, corrections, house_report, visits
from server.store.corrections import REWORK, SUPERVISOR, Made
from server.store.reviews import Act
from server.store.schema import conflict, correction, event, measurement, submission, visit
from tests.cast import Cast
from tests.phone import Back, Phone, key_address, new_id, plot_visit, tree

Sent = Callable[..., str]


@pytest.fixture
def sent(client: FlaskClient, cast: Cast, version: int, back: Back) -> Sent:
    """A crew sends an instance and the worker does all it has to; its instanceID."""

    def send(
        crew: int,
        trees: list[dict[str, str]],
        instance_id: str | None = None,
        *,
        work: bool = True,
        **kwargs: Any,
    ) -> str:
        instance_id = instance_id or new_id()
        token = cast.token_one if crew == 1 else cast.token_two
        xml = plot_visit(instance_id, trees=trees, **kwargs)
        assert Phone(client, key_address(cast, token)).send(xml).status_code in {201, 202}
        if work:
            back.drain()
        return instance_id

    return send


def counting(back: Back) -> dict[str, tuple[Any, ...]]:
    """The trees that count, by tag: diameter and height."""
    [one] = back.rows(select(visit.c.id))
    with back.database.reading() as connection:
        return {
            t.tag: (t.dbh_cm, t.height_m) for t in visits.measurements(connection, [one.id]).get(one.id, [])
        }


def typed(back: Back) -> list[tuple[str, float | None]]:
    own = select(measurement).where(measurement.c.from_visit_id.is_(None)).order_by(measurement.c.ordinal)
    return [(row.tag, row.dbh_cm) for row in back.rows(own)]


def clashes(back: Back, state: str = "open") -> list[tuple[Any, ...]]:
    rows = back.rows(select(conflict).where(conflict.c.state == state))
    return sorted(
        (c["tag"], c["field"], *sorted((c["mine"] or "", c["theirs"] or "")))
        for row in rows
        for c in row.fields
    )


def held(back: Back, cast: Cast) -> list[str]:
    """What a supervisor finds in quarantine."""
    with back.database.reading() as connection:
        return [row["quarantine"] for row in house_report.held_back(connection, cast.project)]


PLOT = [tree("1", 10.0), tree("2", 20.0), tree("3", 30.0)]


def test_two_phones_edited_different_trees_and_both_are_right(sent: Sent, back: Back, cast: Cast) -> None:
    first = sent(1, PLOT)
    sent(1, [tree("1", 11.0), *PLOT[1:]], deprecated_id=first)
    sent(2, [*PLOT[:2], tree("3", 33.0, height_m="9"), tree("4", 40.0)], deprecated_id=first)
    assert counting(back) == {"1": (11.0, None), "2": (20.0, None), "3": (33.0, 9.0), "4": (40.0, None)}
    assert typed(back) == [("1", 11.0), ("2", 20.0), ("3", 30.0)]
    assert (clashes(back), held(back, cast)) == ([], [])
    made = back.rows(
        select(correction.c.field, correction.c.source, correction.c.made_by, correction.c.source_id)
    )
    late = back.rows(select(submission).order_by(submission.c.id))[-1]
    assert sorted(tuple(row) for row in made) == [
        ("dbh_cm", "edit", "二队", late.id),
        ("height_m", "edit", "二队", late.id),
    ]
    assert (late.quarantine, late.settled_by, late.root_id) == ("edit-of-old", "", 1)


def test_two_phones_edited_one_cell_and_a_person_decides(sent: Sent, back: Back, cast: Cast) -> None:
    first = sent(1, PLOT)
    sent(1, [tree("1", 11.0), *PLOT[1:]], deprecated_id=first)
    sent(2, [tree("1", 12.0), tree("2", 22.0), PLOT[2]], deprecated_id=first)
    assert counting(back)["1"] == (11.0, None)
    assert counting(back)["2"] == (22.0, None)
    assert clashes(back) == [("1", "dbh_cm", "11", "12")]
    assert held(back, cast) == ["edit-of-old"]
    decide(back, cast, {0: Choice("theirs")})
    assert counting(back)["1"] == (12.0, None)
    assert (clashes(back), held(back, cast)) == ([], [])


def decide(
    back: Back, cast: Cast, choices: dict[int, Choice], why: str = "看了照片", number: int = 1
) -> bool:
    with back.database.writing() as connection:
        row = conflicts.find(connection, cast.project, number)
        assert row is not None
        mark = conflicts.mark_of(row.fields)
        done = settle_conflict.settle(
            connection, cast.project, number, mark, choices, Act("li", why, back.clock())
        )
    back.drain()
    return done


@pytest.mark.slow
def test_whichever_edit_comes_first_the_same_trees_count(
    client: FlaskClient, sent: Sent, back: Back, cast: Cast
) -> None:
    ends = []
    for order in permutations(range(4)):
        first, one, other = new_id(), new_id(), new_id()
        plot = {"plot_id": f"P-{first[-4:]}"}
        story = [
            lambda f=first, p=plot: sent(1, PLOT, f, **p),
            lambda f=first, o=one, p=plot: sent(1, [tree("1", 11.0), *PLOT[1:]], o, deprecated_id=f, **p),
            lambda f=first, o=other, p=plot: sent(
                2, [PLOT[0], PLOT[1], tree("3", 31.0)], o, deprecated_id=f, **p
            ),
            lambda o=other, p=plot: sent(
                2, [PLOT[0], tree("2", 21.0), tree("3", 31.0)], deprecated_id=o, **p
            ),
        ]
        for which in order:
            story[which]()
        here = select(visit.c.id).order_by(visit.c.id.desc())
        number = back.rows(here)[0].id
        with back.database.reading() as connection:
            ends.append({t.tag: t.dbh_cm for t in visits.measurements(connection, [number])[number]})
        assert held(back, cast) == []
    assert ends == [{"1": 11.0, "2": 21.0, "3": 31.0}] * 24
    assert back.rows(select(conflict)) == []


@pytest.mark.slow
def test_a_chain_of_edits_may_come_in_any_order(sent: Sent, back: Back, cast: Cast) -> None:
    for order in permutations(range(4)):
        ids = [new_id() for _ in range(4)]
        plot_id = f"P-{ids[0][-4:]}"
        for n in order:
            trees = [tree("1", 10.0 + n)]
            sent(1, trees, ids[n], plot_id=plot_id, deprecated_id=ids[n - 1] if n else None)
        newest = back.rows(select(visit).order_by(visit.c.id.desc()))[0]
        assert (newest.review_state, typed_of(back, newest.id)) == ("edited", [13.0]), order
        assert held(back, cast) == []
    assert len(back.rows(select(visit))) == 24


def typed_of(back: Back, visit_id: int) -> list[float]:
    return [
        row[0] for row in back.rows(select(measurement.c.dbh_cm).where(measurement.c.visit_id == visit_id))
    ]


def test_a_further_edit_that_says_the_same_ends_the_conflict(sent: Sent, back: Back, cast: Cast) -> None:
    first = sent(1, PLOT)
    second = sent(1, [tree("1", 11.0), *PLOT[1:]], deprecated_id=first)
    sent(2, [tree("1", 12.0), *PLOT[1:]], deprecated_id=first)
    assert clashes(back) == [("1", "dbh_cm", "11", "12")]
    sent(1, [tree("1", 12.0), *PLOT[1:]], deprecated_id=second)
    assert counting(back)["1"] == (12.0, None)
    assert (back.rows(select(conflict.c.state)), held(back, cast)) == ([("gone",)], [])


def test_a_tree_that_the_late_edit_took_away_is_for_a_person(sent: Sent, back: Back, cast: Cast) -> None:
    first = sent(1, PLOT)
    sent(1, [tree("1", 11.0), *PLOT[1:]], deprecated_id=first)
    sent(2, PLOT[:2], deprecated_id=first)
    assert set(counting(back)) == {"1", "2", "3"}
    assert [row[:2] for row in clashes(back)] == [("3", "tree")]
    decide(back, cast, {0: Choice("theirs")})
    [row] = back.rows(select(correction))
    assert (row.tag, row.field, row.new, row.source) == ("3", "tally_code", "17", "supervisor")
    assert held(back, cast) == []


def test_a_tree_that_one_took_away_and_the_other_changed_comes_back_when_a_person_says_so(
    sent: Sent, back: Back, cast: Cast
) -> None:
    first = sent(1, PLOT)
    sent(1, PLOT[:2], deprecated_id=first)
    sent(2, [*PLOT[:2], tree("3", 33.0)], deprecated_id=first)
    assert set(counting(back)) == {"1", "2"}
    decide(back, cast, {0: Choice("theirs")})
    assert counting(back)["3"] == (33.0, None)
    assert typed(back) == [("1", 10.0), ("2", 20.0)]


def test_an_answer_about_the_plot_that_differs_is_shown_and_changed_by_the_crew_alone(
    sent: Sent, back: Back, cast: Cast
) -> None:
    first = sent(1, PLOT, plot={"slope_deg": "10"})
    sent(1, [tree("1", 11.0), *PLOT[1:]], deprecated_id=first, plot={"slope_deg": "10"})
    sent(2, PLOT, deprecated_id=first, plot={"slope_deg": "25"})
    assert clashes(back) == [(None, "plot.slope_deg", "10", "25")]
    with pytest.raises(CrewMustEdit):
        decide(back, cast, {0: Choice("theirs")})
    assert decide(back, cast, {0: Choice("mine")})
    assert held(back, cast) == []


def test_a_late_edit_that_a_person_sets_aside_is_taken_back(sent: Sent, back: Back, cast: Cast) -> None:
    first = sent(1, PLOT)
    sent(1, [tree("1", 11.0), *PLOT[1:]], deprecated_id=first)
    sent(2, [*PLOT[:2], tree("3", 33.0), tree("4", 40.0)], deprecated_id=first)
    assert set(counting(back)) == {"1", "2", "3", "4"}
    with back.database.writing() as connection:
        assert settle.set_aside(connection, 3, "li", "误改", 1)
    back.drain()
    assert counting(back) == {"1": (11.0, None), "2": (20.0, None), "3": (30.0, None)}


# an edit of what a person has corrected


def corrected(back: Back, cast: Cast, tag: str, old: str, new: str, source: str = SUPERVISOR) -> None:
    with back.database.writing() as connection:
        [one] = connection.execute(select(visit))
        at = connection.execute(select(submission.c.received_at).order_by(submission.c.id.desc())).first()
        assert at is not None
        corrections.add(connection, Made(cast.project, one.id, tag, "1", None, "dbh_cm", old, new, source, None, "li",
                                         "照片", at[0]))  # fmt: skip


def test_an_edit_that_leaves_what_was_corrected_alone_leaves_the_correction(
    sent: Sent, back: Back, cast: Cast
) -> None:
    first = sent(1, [tree("1", 33.1), tree("2", 20.0)])
    corrected(back, cast, "1", "33.1", "23.1")
    sent(1, [tree("1", 33.1), tree("2", 21.0)], deprecated_id=first)
    assert counting(back) == {"1": (23.1, None), "2": (21.0, None)}
    assert back.rows(select(conflict)) == []


@pytest.mark.parametrize("source", [SUPERVISOR, REWORK])
def test_an_edit_that_says_what_the_person_said_ends_the_correction(
    sent: Sent, back: Back, cast: Cast, source: str
) -> None:
    first = sent(1, [tree("1", 33.1)])
    corrected(back, cast, "1", "33.1", "23.1", source)
    sent(1, [tree("1", "23.10")], deprecated_id=first)
    assert counting(back) == {"1": (23.1, None)}
    [row] = back.rows(select(correction))
    assert row.undone_by == "一队"
    assert back.rows(select(conflict)) == []


def test_an_edit_that_says_something_else_is_asked_about_and_the_person_stands(
    sent: Sent, back: Back, cast: Cast
) -> None:
    first = sent(1, [tree("1", 33.1)])
    corrected(back, cast, "1", "33.1", "23.1")
    second = sent(1, [tree("1", 25.0)], deprecated_id=first)
    assert counting(back) == {"1": (23.1, None)}
    assert clashes(back) == [("1", "dbh_cm", "23.1", "25")]
    decide(back, cast, {0: Choice("theirs")})
    assert counting(back) == {"1": (25.0, None)}
    sent(1, [tree("1", 25.0), tree("2", 9.0)], deprecated_id=second)
    assert clashes(back) == []  # it is settled, and nothing new was said
    assert counting(back)["1"] == (25.0, None)


def test_an_edit_that_took_a_corrected_tree_away_is_asked_about(sent: Sent, back: Back, cast: Cast) -> None:
    first = sent(1, [tree("1", 33.1), tree("2", 20.0)])
    corrected(back, cast, "1", "33.1", "23.1")
    sent(1, [tree("2", 20.0)], deprecated_id=first)
    assert clashes(back) == [("1", "dbh_cm", "", "23.1")]


# settling


def two_tapes(sent: Sent) -> None:
    first = sent(1, PLOT)
    sent(1, [tree("1", 11.0), tree("2", 21.0), PLOT[2]], deprecated_id=first)
    sent(2, [tree("1", 12.0), tree("2", 22.0), PLOT[2]], deprecated_id=first)


def test_a_person_may_choose_another_value_and_leave_the_rest_for_later(
    sent: Sent, back: Back, cast: Cast
) -> None:
    two_tapes(sent)
    assert not decide(back, cast, {0: Choice("other", "11.5")})
    assert counting(back)["1"] == (11.5, None)
    assert [row.action for row in back.rows(select(event).where(event.c.action.startswith("conflict")))] == [
        "conflict.settle"
    ]
    assert decide(back, cast, {1: Choice("mine")})
    assert counting(back) == {"1": (11.5, None), "2": (21.0, None), "3": (30.0, None)}
    assert back.rows(select(conflict.c.state, conflict.c.settled_by)) == [("settled", "li")]


def test_what_was_settled_can_be_opened_again(sent: Sent, back: Back, cast: Cast) -> None:
    two_tapes(sent)
    assert decide(back, cast, {0: Choice("theirs"), 1: Choice("theirs")})
    with back.database.writing() as connection:
        row = conflicts.find(connection, cast.project, 1)
        assert row is not None
        settle_conflict.reopen(connection, cast.project, 1, conflicts.mark_of(row.fields), Act("li", "", 9))
    back.drain()
    assert counting(back) == {"1": (11.0, None), "2": (21.0, None), "3": (30.0, None)}
    assert len(clashes(back)) == 2
    assert held(back, cast) == ["edit-of-old"]


def test_a_choice_needs_a_reason_a_value_and_a_look_at_what_stands_now(
    sent: Sent, back: Back, cast: Cast
) -> None:
    two_tapes(sent)
    with pytest.raises(ReasonMissing):
        decide(back, cast, {0: Choice("mine")}, why="  ")
    with pytest.raises(NothingChosen):
        decide(back, cast, {})
    for text in ("", "x", "-3", "1e9"):
        with pytest.raises(ValueUnfit):
            decide(back, cast, {0: Choice("other", text or "nan")})
    with back.database.writing() as connection, pytest.raises(ConflictChanged):
        settle_conflict.settle(connection, cast.project, 1, "0" * 16, {0: Choice("mine")}, Act("li", "x", 1))
    assert len(clashes(back)) == 2
