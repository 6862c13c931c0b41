"""What a crew typed, read as values; what cannot be read is nothing, never an error."""

from __future__ import annotations

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.instance import Answers
from server.forest import answers
from server.forest.tree import TallyCode, tally_code


@pytest.mark.parametrize(
    ("typed", "value"),
    [("33.1", 33.1), ("33,1", 33.1), ("３３．１", 33.1), ("33，1", 33.1), (" 7 ", 7.0), ("-3", -3.0), ("1e1", 10.0),
     ("", None), (None, None), ("十二", None), ("12cm", None), ("nan", None), ("inf", None), ("1e999", None),
     ("1.2.3", None), ("1,234.5", None)],
)  # fmt: skip
def test_a_number_is_read_as_crews_type_it(typed: str | None, value: float | None) -> None:
    assert answers.number(typed) == value


@given(st.text())
def test_any_text_is_a_finite_number_or_none(text: str) -> None:
    value = answers.number(text)
    assert value is None or math.isfinite(value)


@given(st.text())
def test_any_text_is_a_place_on_earth_or_none(text: str) -> None:
    fix = answers.position(text)
    assert fix is None or (abs(fix.lat) <= 90 and abs(fix.lon) <= 180)


@given(st.text(), st.dictionaries(st.sampled_from(["tag", "dbh_cm", "tally_code", "x_m", "azimuth_deg", "codes",
                                                   "distance_m", "verified", "note"]), st.text()))  # fmt: skip
def test_any_answers_make_a_tree_and_a_day_or_none(text: str, row: dict[str, str]) -> None:
    [found] = answers.trees(Answers({"tree": [row]}, []))
    assert found.measurement.tag == row.get("tag", "")
    assert found.measurement.dbh_text == row.get("dbh_cm", "")
    assert answers.measurements(Answers({"tree": [row]}, [])) == [found.measurement]
    answers.day(text)
    answers.moment_ms(text)


@pytest.mark.parametrize(
    ("typed", "day"),
    [("2026-06-01", date(2026, 6, 1)), ("2026-06-01T23:30:00.000+08:00", date(2026, 6, 1)), ("2026-02-30", None),
     ("", None), (None, None), ("June", None)],
)  # fmt: skip
def test_a_day_is_that_of_the_crew(typed: str | None, day: date | None) -> None:
    assert answers.day(typed) == day


def test_a_moment_without_its_offset_could_be_any() -> None:
    assert answers.moment_ms("2026-06-01T08:00:00.000+08:00") == 1_780_272_000_000  # `date -d … +%s`
    assert answers.moment_ms("2026-06-01T00:00:00Z") == 1_780_272_000_000
    assert answers.moment_ms("2026-06-01T08:00:00") is None


def test_a_position_may_lack_altitude_and_accuracy() -> None:
    assert answers.position("36.2 113.4 1200.5 4.5") == (36.2, 113.4, 1200.5, 4.5)
    assert answers.position("36.2 113.4") == (36.2, 113.4, None, None)
    assert answers.position("113.4 36.2 0 0") is None  # latitude and longitude are swapped


@pytest.mark.parametrize(
    ("azimuth", "x", "y"), [("0", 0, 10), ("90", 10, 0), ("180", 0, -10), ("270", -10, 0)]
)
def test_azimuth_runs_from_north_to_east(azimuth: str, x: float, y: float) -> None:
    row = {"tag": "1", "azimuth_deg": azimuth, "distance_m": "10"}
    [tree] = answers.measurements(Answers({"tree": [row]}, []))
    assert tree.x_m == pytest.approx(x, abs=1e-9)
    assert tree.y_m == pytest.approx(y, abs=1e-9)


def test_a_place_that_was_typed_counts_before_azimuth_and_distance() -> None:
    row = {"x_m": "3", "y_m": "4", "azimuth_deg": "0", "distance_m": "10"}
    [tree] = answers.measurements(Answers({"tree": [row]}, []))
    assert (tree.x_m, tree.y_m) == (3, 4)


def test_a_tree_with_a_diameter_and_no_tally_code_is_alive() -> None:
    [tree] = answers.measurements(Answers({"tree": [{"tag": "1", "dbh_cm": "12.0"}]}, []))
    assert tree.tally_code is TallyCode.ALIVE


@pytest.mark.parametrize(
    ("text", "code"),
    [("11", TallyCode.ALIVE), ("13 枯立木", TallyCode.STANDING_DEAD), ("cut", TallyCode.CUT), ("99", None),
     ("unknown", None), ("", None), (" ", None), ("²", None), ("1" * 5000, None)],
)  # fmt: skip
def test_a_tally_code_is_read_by_number_or_word(text: str, code: TallyCode | None) -> None:
    assert tally_code(text) is code


@given(st.text())
def test_any_text_is_a_tally_code_or_none(text: str) -> None:
    assert tally_code(text) is None or isinstance(tally_code(text), TallyCode)
