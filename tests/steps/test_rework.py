"""Trees go back to a crew, a second tape says what it says, and a person's decision stands against every machine."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from sqlalchemy import select

from forms.compile import Compiled
from forms.rework import make
from server.demo.instance import Renderer
from server.problems import AlreadySentBack, DayUnfit, NothingToSendBack, ReasonMissing, ReworkClosed
from server.steps import review, send_back
from server.steps.send_back import Doubt, Order
from server.store import feed, jobs, reviews, rework, schema, visits
from server.store.db import Database
from server.store.reviews import Act
from server.store.schema import flag, rework_tree
from server.store.scope import Scope
from tests.cast import Cast
from tests.phone import Back, Phone, new_id, plot_visit, tree

REASON = "太粗，请再量一次"


def act(back: Back, why: str = REASON, by: str = "li") -> Act:
    return Act(by, why, back.clock.tick(60))


def send(phone: Phone, back: Back, *trees: Mapping[str, str], **kwargs: Any) -> str:
    instance_id = new_id()
    answer = phone.send(plot_visit(instance_id, trees=trees, **kwargs))
    assert answer.status_code == 201, answer.text
    back.drain()
    return instance_id


def visit_id(back: Back, kind: str = "visit") -> int:
    rows = back.rows(select(schema.visit.c.id).where(schema.visit.c.kind == kind).order_by(schema.visit.c.id))
    return int(rows[-1].id)


def order(
    database: Database, back: Back, cast: Cast, *doubts: Doubt, to: Order | None = None, why: str = REASON
) -> int:
    with database.writing() as pen:
        number = send_back.send_back(pen, cast.project, visit_id(back), doubts, to or Order(), act(back, why))
    back.drain()
    return number


@cache
def rework_form() -> Compiled:
    """The form that the server makes for a project without a list of species."""
    return make([])


def answer(
    phone: Phone, back: Back, number: int | None, *trees: Mapping[str, str], deprecated_id: str | None = None,
    plot_id: str = "PS-001",
) -> str:  # fmt: skip
    """A crew answers for an order, with the form that was published for it; the id of its instance."""
    about = {"kind": "rework", "census": "2026", "surveyor": "王强", "measured_on": "2026-06-03"}
    if number is not None:
        about["rework_id"] = str(number)
    rows = {"plot": [{"plot_id": plot_id}], "visit": [about], **({"tree": list(trees)} if trees else {})}
    instance_id = new_id()
    xml = Renderer(rework_form().form).render(rows, instance_id, deprecated_id=deprecated_id)
    response = phone.send(xml)
    assert response.status_code == 201, response.text
    back.drain()
    return instance_id


def again(tag: str, dbh_cm: str = "", **fields: str) -> dict[str, str]:
    row = {"tag": tag, "stem_id": "1", "species": "pinus_tabuliformis", "tally_code": "11", "dbh_cm": dbh_cm}
    return {name: text for name, text in {**row, **fields}.items() if text}


def trees_of(back: Back) -> list[tuple[str, str, Any]]:
    query = select(rework_tree.c.tag, rework_tree.c.state, rework_tree.c.after)
    return [tuple(row) for row in back.rows(query.order_by(rework_tree.c.rework_id, rework_tree.c.tag))]


def flags(back: Back) -> list[tuple[str, str]]:
    return [tuple(row) for row in back.rows(select(flag.c.tag, flag.c.state).order_by(flag.c.id))]


def dbh(back: Back, tag: str) -> tuple[float | None, bool]:
    """The diameter that counts, and whether it counts as verified."""
    with back.database.reading() as connection:
        number = (
            connection.execute(
                select(schema.visit.c.id).where(schema.visit.c.kind == "visit").order_by(schema.visit.c.id)
            )
            .scalars()
            .all()[-1]
        )
        found = visits.measurements(connection, [number])[number]
    return next((one.dbh_cm, one.verified) for one in found if one.tag == tag)


def order_state(back: Back) -> str:
    return str(back.rows(select(schema.rework.c.state))[-1].state)


def review_state(back: Back) -> str:
    query = select(schema.visit.c.review_state).where(schema.visit.c.kind == "visit")
    return str(back.rows(query)[-1].review_state)


@pytest.fixture
def doubted(phone: Phone, back: Back) -> str:
    """A plot with one tree that nobody believes; the id of its instance."""
    return send(phone, back, tree("1", 12.0), tree("2", 231), tree("3", 18.0))


def test_a_flag_goes_back_with_its_tree(doubted: str, database: Database, back: Back, cast: Cast) -> None:
    assert flags(back) == [("2", "open")]
    number = order(database, back, cast, Doubt("2"))
    assert flags(back) == [("2", "sent_back")]
    assert (order_state(back), review_state(back)) == ("open", "has_issues")
    with database.reading() as connection:
        [said] = rework.as_wire(connection, [number])
        assert rework.open_for(connection, Scope(cast.project, cast.crew_one)) == [(number, cast.plot)]
        assert rework.open_for(connection, Scope(cast.project, cast.crew_two)) == []
    assert said == {
        "kind": "rework", "rework_id": number, "plot_id": "PS-001", "census": "2026", "reason": REASON,
        "due_on": None, "state": "open",
        "trees": [{"tag": "2", "stem_id": "1", "species": "pinus_tabuliformis", "reason": "", "state": "open",
                   "before": {"species": "pinus_tabuliformis", "tally_code": "11", "dbh_cm": "231"}}],
    }  # fmt: skip


def test_another_crew_may_be_asked(doubted: str, database: Database, back: Back, cast: Cast) -> None:
    number = order(database, back, cast, Doubt("2"), to=Order(cast.crew_two, "2026-06-30"))
    with database.reading() as connection:
        assert [one.id for one in rework.open_for(connection, Scope(cast.project, cast.crew_two))] == [number]
        assert rework.as_wire(connection, [number])[0]["due_on"] == "2026-06-30"


def test_a_tree_is_in_one_open_order_at_most(
    doubted: str, database: Database, back: Back, cast: Cast
) -> None:
    order(database, back, cast, Doubt("2"))
    with pytest.raises(AlreadySentBack, match="already-sent-back") as refused:
        order(database, back, cast, Doubt("3"), Doubt("2"))
    assert "2" in refused.value.sentence("zh")
    order(database, back, cast, Doubt("3"))


@pytest.mark.parametrize(
    ("doubts", "to", "why", "problem"),
    [
        ((), Order(), REASON, NothingToSendBack),
        ((Doubt("2" * 41),), Order(), REASON, NothingToSendBack),
        ((Doubt("2", "1" * 21),), Order(), REASON, NothingToSendBack),
        ((Doubt("2"),), Order(), "  ", ReasonMissing),
        ((Doubt("2"),), Order(due_on="30.6.2026"), REASON, DayUnfit),
        ((Doubt("2"),), Order(crew_id=999_999), REASON, send_back.CrewUnknown),
    ],
)
def test_an_order_that_nobody_could_follow_is_refused(
    doubted: str, database: Database, back: Back, cast: Cast, doubts: Any, to: Order, why: str, problem: Any
) -> None:
    with pytest.raises(problem):
        order(database, back, cast, *doubts, to=to, why=why)
    assert flags(back) == [("2", "open")]


def test_a_second_tape_corrects_and_both_values_stay(
    doubted: str, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    number = order(database, back, cast, Doubt("2"))
    answer(phone, back, number, again("2", "23.1"))
    assert trees_of(back) == [
        ("2", "corrected", {"species": "pinus_tabuliformis", "tally_code": "11", "dbh_cm": "23.1"})
    ]
    assert dbh(back, "2") == (23.1, True)
    assert flags(back) == [("2", "corrected")]
    assert (order_state(back), review_state(back)) == ("returned", "edited")
    [made] = back.rows(select(schema.correction))
    assert (made.old, made.new, made.source, made.source_id, made.made_by) == (
        "231", "23.1", "rework", number, "一队",
    )  # fmt: skip
    [came] = back.rows(select(schema.measurement.c.dbh_text).where(schema.measurement.c.ordinal == 1))
    assert came.dbh_text == "231"


@pytest.mark.parametrize("second", ["231", "231.0", "229.0"])  # tapes differ by 1.5 % from 20 cm on
def test_a_tape_that_agrees_confirms_the_first(
    doubted: str, phone: Phone, database: Database, back: Back, cast: Cast, second: str
) -> None:
    number = order(database, back, cast, Doubt("2"))
    answer(phone, back, number, again("2", second))
    [(_, state, after)] = trees_of(back)
    assert (state, after["dbh_cm"]) == ("confirmed", second)
    assert dbh(back, "2") == (231.0, True)
    assert flags(back) == [("2", "accepted")]


NOT_FOUND = {"tag": "2", "stem_id": "1", "tally_code": "missing", "found": "no"}


def test_a_tree_that_is_not_there_waits_for_a_person(
    doubted: str, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    number = order(database, back, cast, Doubt("2"))
    answer(phone, back, number, NOT_FOUND)
    assert trees_of(back) == [("2", "gone", {"found": "no"})]
    assert flags(back) == [("2", "open")]
    assert dbh(back, "2") == (231.0, False)
    assert order_state(back) == "returned"


def test_an_order_is_returned_when_its_last_tree_is(
    doubted: str, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    number = order(database, back, cast, Doubt("2"), Doubt("3"))
    answer(phone, back, number, again("3", "18.0"))
    assert [state for _, state, _ in trees_of(back)] == ["open", "confirmed"]
    assert (order_state(back), review_state(back)) == ("open", "has_issues")
    answer(phone, back, number, again("2", "23.1"))
    assert (order_state(back), review_state(back)) == ("returned", "edited")


def test_trees_are_found_by_plot_and_tag_where_no_order_is_named(
    doubted: str, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    order(database, back, cast, Doubt("2"))
    order(database, back, cast, Doubt("3"))
    answer(phone, back, None, again("2", "23.1"), again("3", "18.0"))
    assert [state for _, state, _ in trees_of(back)] == ["corrected", "confirmed"]


@pytest.mark.parametrize("elsewhere", [999_999, 2**70])
def test_an_order_that_is_not_there_is_no_harm(
    doubted: str, phone: Phone, database: Database, back: Back, cast: Cast, elsewhere: int
) -> None:
    order(database, back, cast, Doubt("2"))
    answer(phone, back, elsewhere, again("2", "23.1"))
    assert dbh(back, "2") == (23.1, True)  # by plot and tag


def test_an_order_of_another_plot_is_not_answered(
    doubted: str, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    number = order(database, back, cast, Doubt("2"))
    answer(phone, back, number, again("2", "23.1"), plot_id="PS-002")
    assert trees_of(back) == [("2", "open", None)]


def test_an_edit_of_the_answer_replaces_what_it_made(
    doubted: str, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    number = order(database, back, cast, Doubt("2"))
    first = answer(phone, back, number, again("2", "23.1"))
    second = answer(phone, back, number, again("2", "32.1"), deprecated_id=first)
    assert dbh(back, "2") == (32.1, True)
    third = answer(phone, back, number, again("2", "231"), deprecated_id=second)
    assert (dbh(back, "2"), flags(back)) == ((231.0, True), [("2", "accepted")])
    assert trees_of(back)[0][1] == "confirmed"
    answer(phone, back, number, deprecated_id=third)  # it says nothing of the tree any more
    assert (dbh(back, "2"), flags(back)) == ((231.0, False), [("2", "sent_back")])
    assert trees_of(back) == [("2", "open", None)]
    assert (order_state(back), review_state(back)) == ("open", "has_issues")


def test_doing_it_again_changes_nothing(
    doubted: str, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    number = order(database, back, cast, Doubt("2"), Doubt("3"))
    answer(phone, back, number, again("2", "23.1"), again("3", "18.1"))

    def everything() -> list[Any]:
        return [back.rows(select(table).order_by(table.c.id)) for table in (schema.correction, schema.flag)]

    before = everything()
    for _ in range(2):
        with database.writing() as pen:
            jobs.put(pen, jobs.RETURN_REWORK, [row.id for row in pen.execute(select(schema.visit.c.id))], 0)
        back.drain()
        assert everything() == before


def test_a_crew_that_edits_what_it_sent_has_answered_too(
    doubted: str, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    order(database, back, cast, Doubt("2"), Doubt("3"))
    edit = send(phone, back, tree("1", 12.0), tree("2", 23.1), tree("3", 18.0), deprecated_id=doubted)
    assert [state for _, state, _ in trees_of(back)] == ["corrected", "open"]
    assert flags(back) == [("2", "corrected")]
    assert dbh(back, "2") == (23.1, False)
    assert back.rows(select(schema.correction)) == []
    send(phone, back, tree("1", 12.0), tree("2", 231), tree("3", 18.0), deprecated_id=edit)
    assert [state for _, state, _ in trees_of(back)] == ["open", "open"]
    assert flags(back) == [("2", "sent_back")]


def test_an_edit_that_takes_the_tree_off_the_list_ends_the_doubt(
    doubted: str, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    order(database, back, cast, Doubt("2"))
    send(phone, back, tree("1", 12.0), tree("3", 18.0), deprecated_id=doubted)
    assert trees_of(back) == [("2", "gone", {"found": "no"})]
    assert flags(back) == [("2", "void")]


def test_an_order_can_be_cancelled_and_its_flags_are_open_again(
    doubted: str, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    number = order(database, back, cast, Doubt("2"))
    with database.writing() as pen:
        send_back.cancel(pen, cast.project, number, act(back, ""))
    assert (order_state(back), review_state(back), flags(back)) == ("cancelled", "received", [("2", "open")])
    with database.writing() as pen, pytest.raises(ReworkClosed):
        send_back.cancel(pen, cast.project, number, act(back, ""))
    # a crew that had gone already: what it measured is kept, and changes nothing by itself
    answer(phone, back, number, again("2", "23.1"))
    assert [(state, after["dbh_cm"]) for _, state, after in trees_of(back)] == [("cancelled", "23.1")]
    assert (order_state(back), dbh(back, "2")) == ("cancelled", (231.0, False))


def test_a_tree_that_was_never_listed_can_be_looked_for(
    doubted: str, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    number = order(database, back, cast, Doubt("9"))
    answer(phone, back, number, {**NOT_FOUND, "tag": "9"})
    assert trees_of(back) == [("9", "gone", {"found": "no"})]


def test_rework_is_no_census(doubted: str, phone: Phone, database: Database, back: Back, cast: Cast) -> None:
    number = order(database, back, cast, Doubt("2"))
    answer(phone, back, number, again("2", "23.1"))
    of_rework = visit_id(back, "rework")
    assert back.rows(select(flag).where(flag.c.visit_id == of_rework)) == []
    assert back.rows(select(schema.visit.c.checked_at).where(schema.visit.c.id == of_rework))[0].checked_at
    with database.reading() as connection:
        assert reviews.as_wire(connection, [of_rework]) == []


# a person decides, and machines do not override it


def correct(database: Database, back: Back, cast: Cast, ordinal: int, field: str, value: str) -> int:
    with database.writing() as pen:
        number = review.correct(
            pen, cast.project, visit_id(back), review.Change(ordinal, field, value), act(back, "看照片")
        )
    back.drain()
    return number


def decide(database: Database, back: Back, cast: Cast, decision: Any, why: str = "看照片") -> None:
    [row] = back.rows(select(flag.c.id).where(flag.c.tag == "2").order_by(flag.c.id.desc()).limit(1))
    with database.writing() as pen:
        decision(pen, cast.project, row.id, act(back, why))
    back.drain()


def test_what_a_person_corrected_meanwhile_stands_and_she_is_told(
    doubted: str, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    number = order(database, back, cast, Doubt("2"))
    correct(database, back, cast, 1, "dbh_cm", "32.1")
    assert order_state(back) == "cancelled"  # nobody needs to go there for it any more
    answer(phone, back, number, again("2", "23.1"))
    assert dbh(back, "2") == (32.1, False)
    assert trees_of(back)[0][2]["dbh_cm"] == "23.1"
    [told] = back.rows(select(schema.conflict))
    [cell] = told.fields
    assert (told.state, cell["tag"], cell["field"], cell["mine"], cell["theirs"]) == (
        "open", "2", "dbh_cm", "32.1", "23.1",
    )  # fmt: skip


def test_what_a_person_accepted_meanwhile_stands(
    doubted: str, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    number = order(database, back, cast, Doubt("2"))
    decide(database, back, cast, review.accept)
    assert (flags(back), order_state(back)) == ([("2", "accepted")], "cancelled")
    answer(phone, back, number, again("2", "23.1"))
    assert (dbh(back, "2"), flags(back)) == ((231.0, False), [("2", "accepted")])
    assert len(back.rows(select(schema.conflict))) == 1


def test_a_tape_that_agrees_with_her_is_no_clash(
    doubted: str, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    number = order(database, back, cast, Doubt("2"))
    correct(database, back, cast, 1, "dbh_cm", "23.1")
    answer(phone, back, number, again("2", "23.2"))
    assert dbh(back, "2") == (23.1, False)
    assert back.rows(select(schema.conflict)) == []


def test_a_decision_covers_the_values_it_saw_and_no_others(
    doubted: str, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    decide(database, back, cast, review.accept, why="古树")
    edit = send(phone, back, tree("1", 12.0), tree("2", 321), tree("3", 18.0), deprecated_id=doubted)
    assert flags(back) == [("2", "accepted"), ("2", "open")]  # the old decision can still be read
    [said] = back.rows(select(schema.review))
    assert (said.decision, said.why) == ("accept", "古树")
    send(phone, back, tree("1", 12.0), tree("2", 231), tree("3", 18.0), deprecated_id=edit)
    assert flags(back) == [("2", "accepted"), ("2", "void")]  # and holds again for the value it was about


def test_an_undone_correction_brings_the_doubt_back(
    doubted: str, database: Database, back: Back, cast: Cast
) -> None:
    number = correct(database, back, cast, 1, "dbh_cm", "23.1")
    assert (flags(back), dbh(back, "2")) == ([("2", "corrected")], (23.1, False))
    with database.writing() as pen:
        review.undo(pen, cast.project, number, act(back))
    back.drain()
    assert (flags(back), dbh(back, "2")) == ([("2", "open")], (231.0, False))


def test_a_second_tape_that_a_person_takes_back_is_gone(
    doubted: str, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    number = order(database, back, cast, Doubt("2"))
    answer(phone, back, number, again("2", "231"))
    assert dbh(back, "2") == (231.0, True)
    decide(database, back, cast, review.reopen)
    assert (flags(back), dbh(back, "2")) == ([("2", "open")], (231.0, False))


def test_phones_hear_of_what_was_decided_and_of_nothing_else(
    doubted: str, database: Database, back: Back, cast: Cast
) -> None:
    def heard(since: int) -> set[tuple[str, int]]:
        query = select(schema.feed.c.kind, schema.feed.c.subject_id).where(schema.feed.c.number > since)
        return {tuple(row) for row in back.rows(query)}

    with database.reading() as connection:
        before = feed.head(connection, cast.project)
    number = order(database, back, cast, Doubt("2"))
    visit = visit_id(back)
    form_key = back.rows(select(schema.form.c.id).where(schema.form.c.form_id == "rework"))[0].id
    assert heard(before) == {
        ("rework", number), ("review", visit), ("plot", cast.plot), ("form", form_key),
    }  # fmt: skip
    with database.reading() as connection:
        before = feed.head(connection, cast.project)
    correct(database, back, cast, 1, "dbh_cm", "23.1")
    [row] = back.rows(select(schema.tree.c.id).where(schema.tree.c.tag == "2"))
    assert heard(before) == {("rework", number), ("review", visit), ("plot", cast.plot), ("tree", row.id)}


def test_every_decision_is_in_the_log_with_who_and_why(
    doubted: str, database: Database, back: Back, cast: Cast
) -> None:
    number = order(database, back, cast, Doubt("2"))
    with database.writing() as pen:
        send_back.cancel(pen, cast.project, number, act(back, "走错了"))
    decide(database, back, cast, review.accept, why="古树")
    query = select(schema.event.c.action, schema.event.c.actor, schema.event.c.detail).order_by(
        schema.event.c.id
    )
    told = [row for row in back.rows(query) if row.action.startswith(("review.", "rework."))]
    assert [(row.action, row.actor, row.detail["why"]) for row in told] == [
        ("rework.send", "li", REASON), ("rework.cancel", "li", "走错了"), ("review.accept", "li", "古树"),
    ]  # fmt: skip


def test_a_tape_that_a_person_has_undone_is_not_laid_on_again(
    doubted: str, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    number = order(database, back, cast, Doubt("2"))
    first = answer(phone, back, number, again("2", "23.1"))
    [made] = back.rows(select(schema.correction.c.id))
    with database.writing() as pen:
        review.undo(pen, cast.project, made.id, act(back))
    back.drain()
    answer(phone, back, number, again("2", "23.1"), deprecated_id=first)
    assert (dbh(back, "2"), flags(back)) == ((231.0, False), [("2", "open")])
    assert [row.state for row in back.rows(select(schema.conflict))] == ["open"]


def test_what_was_approved_is_looked_at_again_when_it_changes(
    doubted: str, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    number = order(database, back, cast, Doubt("2"))
    first = answer(phone, back, number, again("2", "23.1"))

    def approve() -> None:
        with database.writing() as pen:
            review.approve(pen, cast.project, visit_id(back), act(back))
        assert review_state(back) == "approved"

    approve()
    second = answer(phone, back, number, again("2", "23.1"), deprecated_id=first)  # the same again
    assert review_state(back) == "approved"
    answer(phone, back, number, again("2", "24.1"), deprecated_id=second)
    assert review_state(back) == "edited"
    approve()
    correct(database, back, cast, 0, "height_m", "9.5")
    assert review_state(back) == "edited"
