"""The forms that we ship: complete in both languages, tied to the forest, one list of codes for all."""

from __future__ import annotations

from itertools import combinations

import pytest

from forms.definition import Choice, Question
from forms.measures import MEASURES
from tests.forms.conftest import LIBRARY, library

NAMES = sorted(path.stem for path in LIBRARY.glob("*.md") if path.stem != "README")
README = (LIBRARY / "README.md").read_text(encoding="utf-8")


def questions(name: str) -> dict[str, Question]:
    return {question.measure: question for question in library(name).form.questions if question.measure}


def lists(name: str) -> dict[str, tuple[Choice, ...]]:
    return {measure: question.choices for measure, question in questions(name).items() if question.choices}


@pytest.mark.parametrize("name", NAMES)
def test_a_form_of_the_library_is_called_after_its_file_and_speaks_chinese_first(name: str) -> None:
    form = library(name).form
    assert form.form_id == name
    assert form.languages == ("zh", "en")
    assert form.mapping == "tags"
    assert form.warnings == ()


@pytest.mark.parametrize("name", NAMES)
def test_every_label_hint_message_and_choice_is_there_in_both_languages(name: str) -> None:
    header: list[str] = []
    sheet = ""
    for line in (LIBRARY / f"{name}.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| |"):
            row = cells[1:]
            if not header:
                header = row
                continue
            pairs = [
                (i, header.index(h.replace("中文 (zh)", "English (en)")))
                for i, h in enumerate(header)
                if "zh" in h
            ]
            for chinese, english in pairs:
                assert bool(row[chinese]) == bool(row[english]), (sheet, row)
        elif line.startswith("|"):
            sheet, header = cells[0], []


@pytest.mark.parametrize("name", NAMES)
def test_a_question_that_a_person_sees_has_a_label(name: str) -> None:
    for question in library(name).form.questions:
        if question.choices or question.required:
            assert set(question.labels) == {"zh", "en"}, question.path


@pytest.mark.parametrize(("one", "other"), list(combinations(NAMES, 2)))
def test_forms_share_their_lists_of_codes(one: str, other: str) -> None:
    for measure in lists(one).keys() & lists(other).keys():
        assert lists(one)[measure] == lists(other)[measure]


@pytest.mark.parametrize("name", NAMES)
def test_every_list_of_codes_says_where_it_comes_from(name: str) -> None:
    text = (LIBRARY / f"{name}.md").read_text(encoding="utf-8")
    used = {line.split("|")[2].strip().split()[1] for line in text.splitlines() if "| select_" in line}
    for list_name in used:
        assert f"| `{list_name}` |" in README


def test_a_plot_visit_asks_for_the_whole_header_of_the_inventory() -> None:
    asked = questions("plot_visit").keys()
    percentages = {"plot.canopy_pct", "plot.slope_pct"}  # asked for as a fraction and in degrees
    assert {key for key in MEASURES if key.startswith("plot.")} - percentages <= asked


@pytest.mark.parametrize("name", NAMES)
def test_a_mocked_fix_keeps_the_accuracy_that_betrays_it(name: str) -> None:
    assert b"allow-mock-accuracy" not in library(name).xml


def test_a_plot_visit_wants_three_photos_and_a_position() -> None:
    form = library("plot_visit").form
    photos = [q for q in form.questions if q.measure == "visit.photo"]
    assert [q.required for q in photos] == [True, True, True]
    assert questions("plot_visit")["visit.position"].type == "geopoint"


def test_the_tally_codes_are_those_of_the_forest() -> None:
    assert [choice.value for choice in questions("plot_visit")["tree.tally_code"].choices] == [
        str(code) for code in range(11, 21)
    ]


@pytest.mark.parametrize("name", ["plot_visit", "audit_visit"])
def test_an_audit_asks_for_the_same_of_each_tree(name: str) -> None:
    trees = {measure for measure in questions(name) if measure.startswith("tree.")}
    assert trees == {measure for measure in questions("plot_visit") if measure.startswith("tree.")}


def test_a_thinning_asks_for_everything_that_a_thinning_has() -> None:
    assert {key for key in MEASURES if key.startswith("thinning.")} == questions("thinning_record").keys()


@pytest.mark.parametrize("name", NAMES)
def test_an_instance_can_be_edited_after_it_was_sent(name: str) -> None:
    assert b'client-editable="true"' in library(name).xml
