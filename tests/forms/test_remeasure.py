"""What a crew takes along to the trees of the last census; the form itself is proved in tests/engines."""

from __future__ import annotations

import csv
import io

import pytest

from forms.definition import Choice
from forms.remeasure import Limits, Remeasure, RemeasurePlot, RemeasureTree, limits, make

PINE = Choice("pine", {"zh": "油松", "en": "Pine"})


def tables(made: Remeasure) -> dict[str, list[dict[str, str]]]:
    return {name: list(csv.DictReader(io.StringIO(content.decode()))) for name, content in made.media.items()}


def trees(*found: RemeasureTree, entities: bool = False) -> list[dict[str, str]]:
    plot = RemeasurePlot("PS-014", trees=found)
    return tables(make("P", "2026", [plot], version="1", species=[PINE], entities=entities))["trees.csv"]


def test_a_tree_may_shrink_by_twice_the_tolerance_and_grow_by_the_cap_of_each_year() -> None:
    # 22.4 - 2 * 0.336 = 21.728; 22.4 + 2.5 * 5 + 2 * 0.336 = 35.572
    assert limits(22.4, 5, 0.336, 2.5) == Limits(21.7, 35.6)


def test_the_lower_limit_of_a_sapling_stays_above_zero() -> None:
    assert limits(0.5, 1, 0.3, 2.5).low_cm == 0.1


@pytest.mark.parametrize(("previous_cm", "years"), [(0, 5), (-1, 5), (22.4, 0), (22.4, -5)])
def test_limits_need_a_diameter_and_a_time(previous_cm: float, years: float) -> None:
    with pytest.raises(ValueError, match="above zero"):
        limits(previous_cm, years, 0.3, 2.5)


def test_trees_are_listed_as_a_crew_walks_round_the_centre() -> None:
    found = trees(
        RemeasureTree("1", azimuth_deg=200), RemeasureTree("10"), RemeasureTree("9"),
        RemeasureTree("2", azimuth_deg=30, distance_m=9), RemeasureTree("3", azimuth_deg=30, distance_m=2),
    )  # fmt: skip
    assert [row["tag"] for row in found] == ["3", "2", "1", "9", "10"]
    assert [row["key"] for row in found] == [f"PS-014/{n}" for n in range(1, 6)]


def test_a_tree_carries_what_is_known_of_it() -> None:
    (row,) = trees(RemeasureTree("14", "1", "pine", 11, 22.4, 21.7, 35.6, 30, 4.25))
    assert row == {
        "name": "PS-014/14/1", "label": "PS-014 14", "key": "PS-014/1", "plot_id": "PS-014", "tag": "14",
        "stem_id": "1", "species": "pine", "species_zh": "油松", "species_en": "Pine", "tally_code": "11",
        "dbh_cm": "22.4", "low_cm": "21.7", "high_cm": "35.6", "azimuth_deg": "30", "distance_m": "4.25",
        "packed": "PS-014/14/1 14 1 pine 油松 Pine 22.4 11 21.7 35.6 30 4.25",
    }  # fmt: skip


def test_a_tree_of_unknown_diameter_has_the_limits_of_any_tree() -> None:
    (row,) = trees(RemeasureTree("14"))
    assert (row["dbh_cm"], row["low_cm"], row["high_cm"]) == ("", "5", "200")


def test_what_has_spaces_or_is_not_known_keeps_its_place_in_the_packed_list() -> None:
    (row,) = trees(RemeasureTree("A 7", species="Quercus aliena"))
    assert row["packed"].split() == [
        "PS-014/A␣7/1", "A␣7", "1", "Quercus␣aliena", "Quercus␣aliena", "Quercus␣aliena", "∅", "11", "5", "200",
        "∅", "∅",
    ]  # fmt: skip


def test_a_list_of_entities_has_their_ids_and_versions() -> None:
    (row,) = trees(RemeasureTree("14", entity_id="0b1c", version=4), entities=True)
    assert (row["name"], row["__version"]) == ("0b1c", "4")


def plots_csv(plot: RemeasurePlot) -> dict[str, str]:
    (row,) = tables(make("P", "2026", [plot], version="1"))["plots.csv"]
    return row


def test_a_plot_shows_its_crew_its_place_and_how_many_trees_it_has() -> None:
    assert plots_csv(RemeasurePlot("PS-014", 36.2, 113.44, "一队", [RemeasureTree("1")])) == {
        "name": "PS-014", "label": "PS-014 · 一队", "geometry": "36.2 113.44 0 0", "crew": "一队", "trees": "1",
        "highest_tag": "1",
    }  # fmt: skip


def test_a_new_tree_gets_no_number_that_was_ever_used() -> None:
    listed = [RemeasureTree("9"), RemeasureTree("10"), RemeasureTree("A3")]
    assert plots_csv(RemeasurePlot("A", trees=listed))["highest_tag"] == "10"
    assert plots_csv(RemeasurePlot("A", trees=listed, highest_tag=57))["highest_tag"] == "57"
    assert plots_csv(RemeasurePlot("A"))["highest_tag"] == "0"


@pytest.mark.parametrize(("plots", "why"), [
    ([RemeasurePlot("A"), RemeasurePlot("A")], "plot A stands twice"),
    ([RemeasurePlot("A", trees=[RemeasureTree("1"), RemeasureTree("1")])], "tag 1/1 stands twice"),
])  # fmt: skip
def test_what_stands_twice_is_refused(plots: list[RemeasurePlot], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        make("P", "2026", plots, version="1")


def test_two_stems_on_one_tag_are_two_trees() -> None:
    assert len(trees(RemeasureTree("1", "1"), RemeasureTree("1", "2"))) == 2


@pytest.mark.parametrize(("found", "why"), [
    ([RemeasureTree("1")], "no entity_id for 1"),
    ([RemeasureTree("1", entity_id="x"), RemeasureTree("2", entity_id="x")], "entity_id x stands twice"),
])  # fmt: skip
def test_an_entity_needs_an_id_of_its_own(found: list[RemeasureTree], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        trees(*found, entities=True)


def test_a_species_that_the_project_does_not_list_is_offered_under_its_code(compiled) -> None:
    plot = RemeasurePlot("A", trees=[RemeasureTree("1", species="oak")])
    made = make("P", "2026", [plot], version="1", species=[PINE])
    form = compiled(made.form_markdown, made.media).form
    species = next(question for question in form.questions if question.name == "new_species")
    assert [choice.value for choice in species.choices] == ["pine", "oak"]


@pytest.mark.parametrize("title", ["油松|侧柏 项目", "line\nbreak", "50% #1", "R&D <b>", "@census@"])
@pytest.mark.parametrize("census", ["2026", "O'Neill", 'the "second"', "both ' and \""])
def test_no_title_and_no_census_breaks_the_form(compiled, title: str, census: str) -> None:
    made = make(title, census, [RemeasurePlot("A")], version="1", species=[PINE])
    form = compiled(made.form_markdown, made.media).form
    assert form.title == " ".join(f"{title} 复测 {census}".split())
    assert form.form_id == "remeasure"


def test_known_and_new_trees_carry_the_same_measures(compiled) -> None:
    made = make("P", "2026", [RemeasurePlot("A")], version="1", species=[PINE])
    form = compiled(made.form_markdown, made.media).form
    known, new = (
        {q.measure for q in form.questions if q.measure and q.path.startswith(f"{repeat}/")}
        for repeat in form.repeats
    )
    assert known == new
    assert form.warnings == ()
