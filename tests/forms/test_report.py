"""The table in which an author reads what each question is tied to."""

from __future__ import annotations

import pytest

from forms.measures import MEASURES
from forms.report import measures_table, report, table, width
from tests.forms.conftest import library


def test_each_measure_of_a_form_has_a_line_with_its_unit_and_its_repeat() -> None:
    lines = report(library("plot_visit").form, "en").splitlines()
    assert lines[0] == "Form plot_visit, version 2026112202: 样地调查 Plot visit"
    assert "dbh_cm tree.dbh_cm diameter at breast height cm each tree" in [
        " ".join(line.split()) for line in lines
    ]
    assert "plot_id plot.plot_id plot once" in [" ".join(line.split()) for line in lines]


def test_the_report_is_chinese_first() -> None:
    assert "胸径" in report(library("plot_visit").form)


def test_questions_that_are_tied_to_nothing_are_named() -> None:
    assert "tied to no measure: deviceid" in report(library("plot_visit").form, "en")


@pytest.mark.parametrize(("locale", "words"), [("zh", "不会生成样地调查"), ("en", "no visit comes of them")])
def test_a_form_without_measures_is_told_what_that_means(compiled, locale: str, words: str) -> None:
    form = compiled("| survey |\n| | type | name | label |\n| | text | rumour | Rumour |\n").form
    assert words in report(form, locale)


def test_columns_stay_in_line_where_characters_are_two_wide() -> None:
    lines = table([("样地", "x"), ("plot", "y"), ("a", "z")])
    assert [width(line[: line.index(mark)]) for line, mark in zip(lines, "xyz", strict=True)] == [6, 6, 6]


def test_the_list_of_measures_has_them_all() -> None:
    lines = measures_table("en").splitlines()
    assert "tree.dbh_cm decimal cm diameter at breast height" in [" ".join(line.split()) for line in lines]
    assert len(lines) == 1 + len(MEASURES)
