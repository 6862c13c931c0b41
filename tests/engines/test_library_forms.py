"""The forms that we ship, filled by two engines that nobody here wrote."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from forms.compile import Compiled, compile_form
from forms.instance import Answers, Reader, read
from tests.engines import scripts
from tests.engines.fill import Filled, fill_with_javarosa, fill_with_xforms_engine, validate

pytestmark = pytest.mark.slow  # two engines start for each form

LIBRARY = Path(__file__).parents[2] / "forms" / "library"
SCRIPTS = {
    "plot_visit": {
        **scripts.VISIT, **scripts.FACTORS, **scripts.CORNERS, **scripts.BOUNDARY, **scripts.TREES,
        **scripts.PHOTOS,
        "/data/note": "坡顶有新修便道",
    },
    "audit_visit": {**scripts.VISIT, "/data/visit/audit_kind": "random", **scripts.TREES, **scripts.PHOTOS},
    "thinning_record": scripts.THINNING,
}  # fmt: skip


@cache
def compiled(name: str) -> Compiled:
    return compile_form(LIBRARY / f"{name}.md")


@cache
def in_collect(name: str) -> Filled:
    return fill_with_javarosa(compiled(name).xml, {}, SCRIPTS[name])


@cache
def in_web_forms(name: str) -> Filled:
    return fill_with_xforms_engine(compiled(name).xml, {}, SCRIPTS[name])


def answers(name: str, filled: Filled) -> Answers:
    found = Reader(compiled(name).form).answers(read(filled.xml).root)
    for row in found.rows.get("visit", []):
        del row["started_at"], row["ended_at"]  # the moment of the test itself
    return found


def test_every_form_of_the_library_has_a_script() -> None:
    assert {path.stem for path in LIBRARY.glob("*.md")} - {"README"} == set(SCRIPTS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_odk_validate_is_content_with_the_form(name: str, javarosa: None) -> None:
    assert validate(compiled(name).xml) == ""


@pytest.mark.parametrize("name", SCRIPTS)
def test_both_engines_write_the_same_answers(name: str, javarosa: None, xforms_engine: None) -> None:
    assert answers(name, in_collect(name)) == answers(name, in_web_forms(name))


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_crew_that_answers_properly_can_finish(name: str, javarosa: None, xforms_engine: None) -> None:
    assert in_collect(name).violations == in_web_forms(name).violations == frozenset()


def test_the_answers_of_a_visit_arrive_as_they_were_given(javarosa: None) -> None:
    found = answers("plot_visit", in_collect("plot_visit"))
    assert found.one("visit") == {
        "kind": "visit", "census": "2026", "crew": "一队", "surveyor": "张三", "measured_on": "2026-06-03",
        "position": "36.2 113.44 1204.5 4.2", "disturbance": "insects snow", "note": "坡顶有新修便道",
        "photo": "plot.jpg north.jpg centre.jpg",
    }  # fmt: skip
    assert found.one("plot")["canopy_cover"] == "0.65"
    assert (found.one("plot")["perimeter_m"], found.one("plot")["closure_m"]) == ("103.4", "0.2")
    assert found.rows["corner"] == [
        {"number": "SW", "position": "36.2001 113.4401 1204.0 3.0"},
        {"number": "NE"},
    ]
    # both engines write a whole number in a decimal question with its ".0"
    assert found.trees == [
        {"tag": "1", "species": "pinus_tabuliformis", "tally_code": "11", "dbh_cm": "14.3",
         "azimuth_deg": "31.0", "distance_m": "4.2"},
        {"tag": "2", "species": "pinus_tabuliformis", "tally_code": "14"},
        {"tag": "3", "stem_id": "2", "species": "quercus_variabilis", "tally_code": "11", "dbh_cm": "9.0",
         "height_m": "7.5", "note": "萌生"},
    ]  # fmt: skip
    assert found.files == ["plot.jpg", "north.jpg", "centre.jpg"]


def test_an_audit_says_that_it_is_one(javarosa: None) -> None:
    assert answers("audit_visit", in_collect("audit_visit")).one("visit")["kind"] == "audit"


def test_a_thinning_arrives_as_it_was_recorded(javarosa: None) -> None:
    found = answers("thinning_record", in_collect("thinning_record"))
    assert found.one("thinning") == {
        "parcel_id": "03-012", "plot_ids": "PS-014 PS-015", "felled_on": "2026-03-20", "method": "thinning",
        "area_ha": "2.4", "trees_cut": "310", "volume_m3": "18.6", "intensity_pct": "17.5",
        "permit": "平林采字 2026-31", "photo": "after.jpg",
    }  # fmt: skip
