"""A phone asks again about an odd diameter, and takes it from a crew that measured again."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from forms.compile import compile_form
from forms.instance import Answers, Reader, read
from tests.engines import scripts
from tests.engines.fill import EngineFailed, Filled, fill_with_javarosa, fill_with_xforms_engine

pytestmark = pytest.mark.slow  # an engine starts for each script

AUDIT = Path(__file__).parents[2] / "forms" / "library" / "audit_visit.md"
ENGINES = pytest.mark.parametrize(
    "fill",
    [pytest.param(fill_with_javarosa, id="javarosa"), pytest.param(fill_with_xforms_engine, id="web-forms")],
)
COMPILED = cache(lambda: compile_form(AUDIT))
TAGGED = {"tag": "7", "species": "pinus_tabuliformis"}
DBH = "/data/trees/tree[1]/stem/dbh_cm"
VERIFIED = "/data/trees/tree[1]/stem/verified"


@pytest.fixture(autouse=True)
def engines(javarosa: None, xforms_engine: None) -> None:
    """Both engines, or a loud skip."""


def visit(**answers: str) -> dict[str, str]:
    return {**scripts.VISIT, **scripts.tree(1, **TAGGED, **answers), **scripts.PHOTOS}


def filled(fill, script: dict[str, str]) -> Filled:
    return fill(COMPILED().xml, {}, script)


def answers(found: Filled) -> Answers:
    return Reader(COMPILED().form).answers(read(found.xml).root)


@ENGINES
@pytest.mark.parametrize("dbh_cm", ["4.9", "200.1", "231"])
def test_an_odd_diameter_is_questioned(fill, dbh_cm: str) -> None:
    assert filled(fill, visit(dbh_cm=dbh_cm)).violations == {f"{DBH} constraint", f"{VERIFIED} required"}


@ENGINES
def test_an_odd_diameter_that_was_verified_can_be_sent(fill) -> None:
    found = filled(fill, visit(dbh_cm="231", verified="yes"))
    assert found.violations == frozenset()
    assert answers(found).trees[0]["dbh_cm"] == "231.0"
    assert answers(found).trees[0]["verified"] == "yes"


@ENGINES
def test_saying_that_it_was_not_verified_does_not_help(fill) -> None:
    assert filled(fill, visit(dbh_cm="231", verified="no")).violations == {f"{DBH} constraint"}


@ENGINES
@pytest.mark.parametrize("dbh_cm", ["14.35", "5.01"])
def test_a_diameter_has_one_decimal(fill, dbh_cm: str) -> None:
    assert filled(fill, visit(dbh_cm=dbh_cm)).violations == {f"{DBH} constraint"}


@ENGINES
@pytest.mark.parametrize("dbh_cm", ["5", "200", "16.1", "32.3", "64.7", "128.9"])
def test_an_ordinary_diameter_passes_without_a_question(fill, dbh_cm: str) -> None:
    assert filled(fill, visit(dbh_cm=dbh_cm)).violations == frozenset()


@ENGINES
@pytest.mark.parametrize("tally_code", ["13", "14", "15", "17"])
def test_a_dead_tree_needs_no_diameter(fill, tally_code: str) -> None:
    assert filled(fill, visit(tally_code=tally_code)).violations == frozenset()


@ENGINES
def test_a_living_tree_needs_a_diameter(fill) -> None:
    assert filled(fill, visit()).violations == {f"{DBH} required"}


@ENGINES
def test_an_ordinary_tree_is_not_asked_whether_it_was_verified(fill) -> None:
    with pytest.raises(EngineFailed, match="no question for"):
        filled(fill, visit(dbh_cm="14.3", verified="yes"))


@ENGINES
def test_a_plot_without_trees_can_be_sent(fill) -> None:
    found = filled(fill, {**scripts.VISIT, "/data/trees_present": "no", **scripts.PHOTOS})
    assert found.violations == frozenset()
    assert answers(found).trees == []
