"""Every way in which an XLSForm cannot be published, named by sheet, row and column."""

from __future__ import annotations

import pytest

from forms.errors import Fault, FormInvalid

HEAD = "| survey |\n| | type | name | label | bind::yd:measure | calculation |\n"
PLOT = "| | text | plot | Plot | plot.plot_id | |\n"


def place(fault: Fault) -> tuple[str, int, str]:
    return fault.sheet, fault.row, fault.column


def test_a_form_without_version(faults) -> None:
    found = faults(HEAD + PLOT + "| settings |\n| | form_id |\n| | f |\n")
    assert [place(fault) for fault in found] == [("settings", 2, "version")]
    assert "add a version" in found[0].to_do


@pytest.mark.parametrize(("written", "meant"), [
    ("tree.dhb_cm", "tree.dbh_cm"), ("dbh_cm", "tree.dbh_cm"), ("Tree.DBH_cm", "tree.dbh_cm"),
    ("plots.canopy", "plot.canopy_pct"), ("visit.surveyer", "visit.surveyor"),
])  # fmt: skip
def test_an_unknown_measure_with_the_nearest_one(faults, written: str, meant: str) -> None:
    found = faults(HEAD + PLOT + f"| | decimal | d | D | {written} | |\n")
    assert [place(fault) for fault in found] == [("survey", 3, "bind::yd:measure")]
    assert meant in found[0].to_do


def test_a_measure_that_resembles_nothing_points_to_the_list(faults) -> None:
    (found,) = faults(HEAD + PLOT + "| | text | d | D | 胸径 | |\n")
    assert "yangdi form measures" in found.to_do


def test_a_measure_twice_at_one_level(faults) -> None:
    (found,) = faults(HEAD + PLOT + "| | text | again | Plot | plot.plot_id | |\n")
    assert place(found) == ("survey", 3, "bind::yd:measure")
    assert "plot in row 2" in found.what


def test_a_measure_may_stand_in_two_repeats(compiled) -> None:
    repeat = "| | begin_repeat | {0} | T | | |\n| | text | {0}_tag | Tag | tree.tag | |\n"
    repeat += "| | end_repeat | | | | |\n"
    form = compiled(HEAD + PLOT + repeat.format("known") + repeat.format("new")).form
    assert [q.measure for q in form.questions].count("tree.tag") == 2


@pytest.mark.parametrize(("kind", "measure"), [
    ("text", "tree.dbh_cm"), ("select_one a", "tree.dbh_cm"), ("decimal", "tree.species"),
    ("text", "visit.measured_on"), ("geotrace", "visit.position"), ("text", "tree.photo"),
    ("note", "visit.note"), ("decimal", "thinning.trees_cut"), ("select_one a", "visit.disturbance"),
    ("image", "tree.tag"), ("date", "visit.started_at"),
])  # fmt: skip
def test_a_question_that_cannot_hold_its_measure(faults, kind: str, measure: str) -> None:
    text = (
        HEAD + PLOT + "| | text | tag | Tag | tree.tag | |\n| | text | parcel | P | thinning.parcel_id | |\n"
    )
    text += "| choices |\n| | list_name | name | label |\n| | a | 1 | One |\n"
    row = f"| | {kind} | q | Q | {measure} | |\n"
    found = faults(text.replace("| choices |", row + "| choices |"))
    assert ("survey", 5, "type") in [place(fault) for fault in found]


@pytest.mark.parametrize(("kind", "measure"), [
    ("integer", "tree.tag"), ("barcode", "tree.tag"), ("int", "tree.dbh_cm"), ("range", "tree.dbh_cm"),
    ("calculate", "tree.dbh_cm"), ("text", "tree.species"), ("today", "visit.measured_on"),
    ("start", "visit.started_at"), ("photo", "tree.photo"), ("gps", "visit.position"),
    ("acknowledge", "tree.verified"), ("hidden", "visit.kind"), ("select_multiple a", "visit.disturbance"),
    ("select all that apply from a", "tree.codes"),
])  # fmt: skip
def test_a_question_that_can_hold_its_measure(compiled, kind: str, measure: str) -> None:
    text = HEAD + PLOT + f"| | {kind} | q | Q | {measure} | '1' |\n"
    if measure.startswith("tree.") and measure != "tree.tag":
        text += "| | text | tag | Tag | tree.tag | |\n"
    text += "| choices |\n| | list_name | name | label |\n| | a | 1 | One |\n"
    assert measure in [q.measure for q in compiled(text).form.questions]


def test_trees_without_a_tag(faults) -> None:
    found = faults(HEAD + PLOT + "| | decimal | d | D | tree.dbh_cm | |\n")
    assert [place(fault) for fault in found] == [("survey", 0, "bind::yd:measure")]
    assert "tree.tag" in found[0].to_do


def test_trees_without_a_plot(faults) -> None:
    (found,) = faults(HEAD + "| | text | tag | Tag | tree.tag | |\n")
    assert "plot.plot_id" in found.to_do


def test_a_thinning_without_a_parcel(faults) -> None:
    (found,) = faults(HEAD + "| | decimal | area | Area | thinning.area_ha | |\n")
    assert "thinning.parcel_id" in found.to_do


def test_trees_half_inside_and_half_outside_the_repeat(faults) -> None:
    found = faults(
        HEAD + PLOT + "| | begin_repeat | tree | T | | |\n| | text | tag | Tag | tree.tag | |\n"
        "| | end_repeat | | | | |\n| | decimal | d | D | tree.dbh_cm | |\n| | decimal | h | H | tree.height_m | |\n"
    )
    assert [place(fault)[1] for fault in found] == [6, 7]
    assert "tree.tag (row 4)" in found[0].what


def test_a_repeat_within_a_repeat_needs_a_tag_of_its_own(faults) -> None:
    found = faults(
        HEAD + PLOT + "| | begin_repeat | tree | T | | |\n| | text | tag | Tag | tree.tag | |\n"
        "| | begin_repeat | stem | S | | |\n| | decimal | d | D | tree.dbh_cm | |\n"
        "| | end_repeat | | | | |\n| | end_repeat | | | | |\n"
    )
    assert [place(fault)[1] for fault in found] == [6]


def test_a_plot_inside_a_repeat(faults) -> None:
    found = faults(HEAD + "| | begin_repeat | plots | P | | |\n" + PLOT + "| | end_repeat | | | | |\n")
    assert [place(fault) for fault in found] == [("survey", 3, "bind::yd:measure")]
    assert "move the question out" in found[0].to_do


def test_a_prefix_that_stands_for_something_else(faults) -> None:
    settings = (
        '| settings |\n| | form_id | version | namespaces |\n| | f | 1 | yd="https://other.example" |\n'
    )
    assert ("settings", 2, "namespaces") in [place(fault) for fault in faults(HEAD + PLOT + settings)]


def test_pyxforms_own_errors_are_placed_in_their_cell(faults) -> None:
    (found,) = faults(HEAD + PLOT + "| | calculate | c | | | ${nowhere} |\n")
    assert place(found) == ("survey", 3, "calculation")
    assert "nowhere" in found.what


def test_a_name_that_stands_twice(faults) -> None:
    (found,) = faults(HEAD + PLOT + "| | text | plot | Again | | |\n")
    assert place(found) == ("survey", 3, "name")


def test_a_question_type_that_does_not_exist(faults) -> None:
    (found,) = faults(HEAD + PLOT + "| | diameter | d | D | | |\n")
    assert "diameter" in found.what


def test_a_repeat_that_never_ends(faults) -> None:
    (found,) = faults(
        HEAD + PLOT + "| | begin_repeat | tree | T | | |\n| | text | tag | Tag | tree.tag | |\n"
    )
    assert found.row == 3


def test_a_table_that_a_formula_looks_into_and_nobody_declared(faults) -> None:
    (found,) = faults(
        HEAD + PLOT + "| | calculate | c | | | instance('trees')/root/item[name = ${plot}]/tag |\n"
    )
    assert place(found) == ("survey", 3, "")
    assert "csv-external named trees" in found.to_do


def test_a_table_without_the_column_that_a_select_reads(faults) -> None:
    (found,) = faults(
        HEAD + "| | select_one_from_file plots.csv | plot | Plot | plot.plot_id | |\n",
        media={"plots.csv": "plot,label\nPS-014,PS-014\n".encode("utf-8-sig")},
    )
    assert place(found) == ("plots.csv", 1, "name")
    assert "plot, label" in found.what


def test_all_faults_are_told_at_once_in_the_order_of_the_sheet(faults) -> None:
    found = faults(
        HEAD + PLOT + "| | text | a | A | tree.dbh_cm | |\n| | text | b | B | tree.hieght_m | |\n"
        "| | calculate | c | | | ${nowhere} |\n| settings |\n| | form_id |\n| | f |\n"
    )
    assert [place(fault) for fault in found] == [
        ("settings", 2, "version"),
        ("survey", 3, "type"),
        ("survey", 4, "bind::yd:measure"),
        ("survey", 0, "bind::yd:measure"),
        ("survey", 5, "calculation"),
    ]


def test_a_fault_speaks_chinese_and_english() -> None:
    fault = Fault("survey", 3, "type", "it is wrong", "mend it", "有错", "改正")
    assert fault.sentence("zh-CN") == "survey · 第 3 行 · type: 有错 → 改正"
    assert fault.sentence("en") == str(fault) == "survey · row 3 · type: it is wrong → mend it"
    assert FormInvalid((fault, fault)).sentences("zh") == "\n".join([fault.sentence("zh")] * 2)


def test_our_own_faults_have_chinese_words_throughout(faults) -> None:
    for fault in faults(
        "| survey |\n| | type | name | label | bind::yd:measure |\n| | text | a | A | tree.dbh_cm |\n"
        "| | decimal | b | B | tree.hieght_m |\n| settings |\n| | form_id |\n| | f |\n"
    ):
        assert fault.what_zh
        assert fault.to_do_zh
