"""What an author is told about a form that works, but not well on a phone."""

from __future__ import annotations

import pytest

from tests.forms.conftest import library

HEAD = "| survey |\n| | type | name | label | calculation |\n"
TREE = "| | begin_repeat | tree | Tree | |\n| | decimal | dbh_cm | DBH | |\n"
END = "| | end_repeat | | | |\n"
OWN_GROUP = HEAD + "| | begin_group | trees | Trees | |\n" + TREE + END + "| | end_group | | | |\n"


@pytest.mark.parametrize("name", ["plot_visit", "audit_visit", "thinning_record"])
def test_the_forms_that_we_ship_follow_our_own_advice(name: str) -> None:
    assert library(name).form.warnings == ()


def told(compiled, text: str) -> str:
    return "\n".join(compiled(text, {"plots.csv": b"name,label\n"}).form.warnings)


def test_a_repeat_beside_other_questions_is_better_in_a_group_of_its_own(compiled) -> None:
    assert "group of its own" in told(compiled, HEAD + "| | text | crew | Crew | |\n" + TREE + END)
    assert "group of its own" not in told(compiled, OWN_GROUP + "| | text | crew | Crew | |\n")


def test_choices_from_a_file_are_better_outside_a_repeat(compiled) -> None:
    select = "| | select_one_from_file plots.csv | near | Near | |\n"
    assert "near reads its choices" in told(compiled, OWN_GROUP.replace(END, select + END))
    assert "near reads its choices" not in told(compiled, OWN_GROUP + select)


def test_indexed_repeat_in_every_row_is_slow(compiled) -> None:
    row = "| | calculate | before | | indexed-repeat(${dbh_cm}, ${tree}, position(..) - 1) |\n"
    assert "before uses indexed-repeat" in told(compiled, OWN_GROUP.replace(END, row + END))


@pytest.mark.parametrize(("formula", "is_told"), [
    ("max(${dbh_cm})", True), ("min( ${dbh_cm} )", True), ("sum(${dbh_cm})", False),
])  # fmt: skip
def test_the_largest_of_rows_that_may_be_blank_needs_a_condition(
    compiled, formula: str, is_told: bool
) -> None:
    said = told(compiled, OWN_GROUP + f"| | calculate | thickest | | {formula} |\n")
    assert ("thickest" in said) == is_told
