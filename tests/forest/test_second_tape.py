"""What a second tape means: laws that hold for whatever two crews wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.forest.second_tape import (
    CANCELLED,
    CONFIRMED,
    CORRECTED,
    GONE,
    MEASURED_AGAIN,
    NOT_FOUND,
    NOT_YET,
    OPEN,
    agrees,
    judge,
    judge_edit,
)

NUMBERS = st.floats(0.1, 300).map(lambda value: f"{value:.1f}")
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "species": st.sampled_from(["pinus", "quercus"]),
        "tally_code": st.sampled_from(["11", "13", "14", "11 保留木", "alive"]),
        "dbh_cm": NUMBERS,
        "height_m": NUMBERS,
        "pom_m": st.sampled_from(["1.3", "1.30", "1.6"]),
    },
)
HELD = st.sets(st.sampled_from(MEASURED_AGAIN))


@given(VALUES, VALUES, HELD)
def test_every_cell_that_was_measured_again_is_the_same_changed_or_clashes(stands, again, held) -> None:
    verdict = judge(stands, again, 0.3, held)
    parts = [set(verdict.changed), set(verdict.same), set(verdict.clashing)]
    assert set.union(*parts) == set(again)
    assert sum(map(len, parts)) == len(again)


@given(VALUES, VALUES, HELD)
def test_a_person_is_never_overridden(stands, again, held) -> None:
    verdict = judge(stands, again, 0.3, held)
    assert not set(verdict.changed) & held
    assert set(verdict.clashing) <= held
    assert all(verdict.flag_state(field) == "sent_back" for field in verdict.clashing)


@given(VALUES, VALUES)
def test_what_differs_is_taken_as_the_second_crew_wrote_it(stands, again) -> None:
    verdict = judge(stands, again, 0.0)
    assert all(again[field] == new for field, new in verdict.changed.items())
    laid = {**stands, **verdict.changed}
    assert all(agrees(field, laid[field], again[field]) for field in again)
    assert judge(laid, again, 0.0).state in {CONFIRMED, OPEN}  # asked once more, nothing is left to change


@given(VALUES)
def test_the_same_again_confirms(values) -> None:
    assert judge(values, values, 0.0).state == (CONFIRMED if values else OPEN)
    assert judge_edit(values, values) is NOT_YET


@given(VALUES, VALUES)
def test_what_was_not_measured_again_keeps_its_flag_open_for_a_person(stands, again) -> None:
    verdict = judge(stands, again, 0.3)
    for field in set(MEASURED_AGAIN) - set(again):
        assert verdict.flag_state(field) == ("sent_back" if verdict.state == OPEN else "open")


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [("20.0", "20.3", CONFIRMED), ("20.0", "19.7", CONFIRMED), ("20.0", "20.4", CORRECTED), ("20.0", "2.0", CORRECTED)],
)  # fmt: skip
def test_two_tapes_within_the_tolerance_say_the_same(first: str, second: str, state: str) -> None:
    assert judge({"dbh_cm": first}, {"dbh_cm": second}, 0.3).state == state


def test_a_tape_that_contradicts_a_person_only_waits_for_her() -> None:
    verdict = judge({"dbh_cm": "23.1"}, {"dbh_cm": "32.1"}, 0.3, {"dbh_cm"})
    assert (verdict.state, verdict.changed, verdict.clashing) == (CANCELLED, {}, {"dbh_cm"})


def test_a_tree_that_is_gone_leaves_its_flags_to_a_person() -> None:
    assert (NOT_FOUND.state, NOT_FOUND.flag_state("dbh_cm")) == (GONE, "open")
    assert judge_edit({"dbh_cm": "231"}, None) is NOT_FOUND


def test_an_edit_that_blanks_a_value_has_changed_it() -> None:
    assert judge_edit({"dbh_cm": "23", "height_m": "50"}, {"dbh_cm": "23"}).changed == {"height_m": ""}


@pytest.mark.parametrize(("one", "other"), [("25", "25.0"), ("２５", "25"), ("25,0", "25.0")])
def test_a_number_is_the_same_however_it_is_typed(one: str, other: str) -> None:
    assert agrees("height_m", one, other)
