"""A crew goes back to the trees of the last census, on two engines that nobody here wrote."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from lxml import etree

from forms.compile import Compiled, compile_form
from forms.definition import Choice
from forms.instance import Answers, Reader, read
from forms.remeasure import Remeasure, RemeasurePlot, RemeasureTree, limits, make
from tests.engines import scripts
from tests.engines.fill import Filled, fill_with_javarosa, fill_with_xforms_engine, validate

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("javarosa", "xforms_engine")]

PINE = Choice("pinus_tabuliformis", {"zh": "油松", "en": "Chinese pine"})
OAK = Choice("quercus_variabilis", {"zh": "栓皮栎", "en": "Chinese cork oak"})
IDS = {"1": "6f1c3a52-8f9e-4e57-9f6d-2f0b8c1d7a11", "3": "0b1c3a52-8f9e-4e57-9f6d-2f0b8c1d7a33"}
VISIT = {path: text for path, text in scripts.VISIT.items() if not path.endswith("/census")}
ENGINES = pytest.mark.parametrize(
    "fill",
    [pytest.param(fill_with_javarosa, id="javarosa"), pytest.param(fill_with_xforms_engine, id="web-forms")],
)


def tree(tag: str, dbh_cm: float, azimuth_deg: float, entity_id: str = "") -> RemeasureTree:
    # five years, tape tolerance 0.3 cm, growth at most 2.5 cm a year: 22.4 -> 21.8 to 35.5
    low_cm, high_cm = limits(dbh_cm, 5, 0.3, 2.5)
    return RemeasureTree(
        tag, "1", PINE.value, 11, dbh_cm, low_cm, high_cm, azimuth_deg, 4.2, entity_id or IDS[tag], 3
    )


@cache
def made(entities: bool = False) -> Remeasure:
    plots = [
        RemeasurePlot("PS-014", 36.2, 113.44, "一队", [tree("3", 10.4, 200), tree("1", 22.4, 30)]),
        RemeasurePlot("PS-015", 36.3, 113.45, "二队", [tree("1", 31.0, 10, "other")]),
        RemeasurePlot("PS-016", 36.3, 113.46, "二队"),
    ]
    return make("平顺县", "2026", plots, version="2026112201", species=[PINE, OAK], entities=entities)


@cache
def compiled(entities: bool = False) -> Compiled:
    with TemporaryDirectory() as folder:
        source = Path(folder) / "remeasure.md"
        source.write_text(made(entities).form_markdown, encoding="utf-8")
        return compile_form(source, media=made(entities).media)


def filled(fill, script: dict[str, str], entities: bool = False) -> Filled:
    return fill(
        compiled(entities).xml,
        made(entities).media,
        {**VISIT, "/data/new_found": "no"} | script | scripts.PHOTOS,
    )


def answers(found: Filled) -> Answers:
    return Reader(compiled().form).answers(read(found.xml).root)


@pytest.mark.parametrize("entities", [False, True])
def test_odk_validate_is_content_with_the_form(entities: bool) -> None:
    assert validate(compiled(entities).xml) == ""


@ENGINES
def test_known_and_new_trees_come_back_as_one_list(fill) -> None:
    script = {
        **scripts.again(1, dbh_cm="25.1"),
        **scripts.again(2, tally_code="14"),
        **scripts.BOUNDARY,
        "/data/new_found": "yes",
        **scripts.found(1, tag="4", species=OAK.value, dbh_cm="5.2"),
    }
    found = filled(fill, script)
    assert found.violations == frozenset()
    known = {"stem_id": "1", "species": PINE.value, "distance_m": "4.2"}
    assert answers(found).trees == [
        {**known, "tag": "1", "azimuth_deg": "30", "tally_code": "11", "dbh_cm": "25.1"},
        {**known, "tag": "3", "azimuth_deg": "200", "tally_code": "14"},
        {"tag": "4", "species": OAK.value, "tally_code": "12", "dbh_cm": "5.2"},
    ]
    assert answers(found).one("visit")["census"] == "2026"
    assert answers(found).one("plot") == {"plot_id": "PS-014", "perimeter_m": "103.4", "closure_m": "0.2"}


@ENGINES
@pytest.mark.parametrize(("first", "second"), [("21.7", "23.6"), ("35.6", "9.7")])
def test_a_diameter_outside_the_limits_of_its_own_tree_is_questioned(fill, first: str, second: str) -> None:
    # the first tree had 22.4 cm, so 21.8 to 35.5 are expected; the second 10.4 cm, so 9.8 to 23.5
    found = filled(fill, {**scripts.again(1, dbh_cm=first), **scripts.again(2, dbh_cm=second)})
    stems = [f"/data/known/tree[{position}]/stem" for position in (1, 2)]
    assert found.violations == {f"{s}/{w}" for s in stems for w in ("dbh_cm constraint", "verified required")}


@ENGINES
def test_a_tree_that_shrank_can_be_sent_once_it_was_measured_again(fill) -> None:
    found = filled(fill, {**scripts.again(1, dbh_cm="20.3", verified="yes"), **scripts.again(2, dbh_cm="11")})
    assert found.violations == frozenset()
    assert answers(found).trees[0]["dbh_cm"] == "20.3"


@ENGINES
def test_every_tree_of_the_last_census_must_be_answered(fill) -> None:
    assert filled(fill, {}).violations == {f"/data/known/tree[{n}]/stem/dbh_cm required" for n in (1, 2)}


@ENGINES
def test_a_wrong_species_is_corrected_with_code_19(fill) -> None:
    script = {
        **scripts.again(1, dbh_cm="23", tally_code="19", species_now=OAK.value),
        **scripts.again(2, dbh_cm="11"),
    }
    assert [row["species"] for row in answers(filled(fill, script)).trees] == [OAK.value, PINE.value]


@ENGINES
def test_a_plot_without_trees_last_time_asks_only_for_new_ones(fill) -> None:
    found = filled(fill, {"/data/visit/plot_id": "PS-016"})
    assert found.violations == frozenset()
    assert answers(found).trees == []


@ENGINES
def test_what_is_not_known_of_a_tree_stays_blank_and_what_has_spaces_keeps_them(fill) -> None:
    oak = RemeasureTree("A 7", species="Quercus aliena")
    odd = make("平顺县", "2026", [RemeasurePlot("PS-020", trees=[oak])], version="1")
    with TemporaryDirectory() as folder:
        source = Path(folder) / "remeasure.md"
        source.write_text(odd.form_markdown, encoding="utf-8")
        form = compile_form(source, media=odd.media)
    script = {**VISIT, "/data/visit/plot_id": "PS-020", "/data/new_found": "no", **scripts.PHOTOS}
    found = fill(form.xml, odd.media, script | scripts.again(1, dbh_cm="11.5"))
    assert found.violations == frozenset()
    assert Reader(form.form).answers(read(found.xml).root).trees == [
        {"tag": "A 7", "stem_id": "1", "species": "Quercus aliena", "tally_code": "11", "dbh_cm": "11.5"}
    ]


@ENGINES
def test_each_tree_updates_its_own_entity(fill) -> None:
    found = filled(fill, {**scripts.again(1, dbh_cm="25.1"), **scripts.again(2, dbh_cm="11")}, entities=True)
    entities = etree.fromstring(found.xml).findall(".//{*}entity")
    assert [(e.get("dataset"), e.get("update"), e.get("id"), e.get("baseVersion")) for e in entities] == [
        ("trees", "1", IDS["1"], "3"),
        ("trees", "1", IDS["3"], "3"),
    ]
