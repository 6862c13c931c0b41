"""A phone asks again about an odd diameter, and takes it from a crew that measured again.

One plot with a tree of each kind, filled once by each engine; every test looks at its own tree.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from forms.compile import compile_form
from forms.instance import Reader, read
from tests.engines import scripts
from tests.engines.fill import EngineFailed, fill_with_javarosa, fill_with_xforms_engine

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("javarosa", "xforms_engine")]

AUDIT = Path(__file__).parents[2] / "forms" / "library" / "audit_visit.md"
FILL = {"javarosa": fill_with_javarosa, "web-forms": fill_with_xforms_engine}
ENGINES = pytest.mark.parametrize("engine", FILL)
COMPILED = cache(lambda: compile_form(AUDIT))

VISIT = {**scripts.VISIT, "/data/visit/audit_kind": "random"}
QUESTIONED = ("4.9", "200.1", "231")
ORDINARY = ("5", "200", "16.1", "32.3", "64.7", "128.9")
TWO_DECIMALS = ("14.35", "5.01")
GONE = ("13", "14", "15", "17")
TREES: dict[str, dict[str, str]] = {
    **{f"questioned {dbh_cm}": {"dbh_cm": dbh_cm} for dbh_cm in QUESTIONED},
    **{f"ordinary {dbh_cm}": {"dbh_cm": dbh_cm} for dbh_cm in ORDINARY},
    **{f"two decimals {dbh_cm}": {"dbh_cm": dbh_cm} for dbh_cm in TWO_DECIMALS},
    **{f"gone {code}": {"tally_code": code} for code in GONE},
    "verified": {"dbh_cm": "231", "verified": "yes"},
    "not verified": {"dbh_cm": "231", "verified": "no"},
    "beyond belief": {"dbh_cm": "1000", "verified": "yes"},
    "not measured": {},
    "dwarf": {"dbh_cm": "9.5", "height_m": "1.2"},
    "giant": {"dbh_cm": "95", "height_m": "61", "verified": "yes"},
}


class Tree(NamedTuple):
    """What became of one tree: the answers that arrived, and what the phone would not let pass."""

    answers: dict[str, str]
    violations: set[str]


@cache
def plot(engine: str) -> dict[str, Tree]:
    script = dict(VISIT)
    for position, answers in enumerate(TREES.values(), start=1):
        script |= scripts.tree(position, tag=str(position), species="pinus_tabuliformis", **answers)
    found = FILL[engine](COMPILED().xml, {}, script | scripts.PHOTOS)
    trees = Reader(COMPILED().form).answers(read(found.xml).root).trees
    stems = [f"/data/trees/tree[{position}]/stem/" for position in range(1, len(TREES) + 1)]
    assert all(violation.startswith(tuple(stems)) for violation in found.violations)
    return {
        name: Tree(answers, {v.removeprefix(stem) for v in found.violations if v.startswith(stem)})
        for name, answers, stem in zip(TREES, trees, stems, strict=True)
    }


@ENGINES
@pytest.mark.parametrize("dbh_cm", QUESTIONED)
def test_an_odd_diameter_is_questioned(engine: str, dbh_cm: str) -> None:
    assert plot(engine)[f"questioned {dbh_cm}"].violations == {"dbh_cm constraint", "verified required"}


@ENGINES
def test_an_odd_diameter_that_was_verified_can_be_sent(engine: str) -> None:
    tree = plot(engine)["verified"]
    assert tree.violations == set()
    assert (tree.answers["dbh_cm"], tree.answers["verified"]) == ("231.0", "yes")


@ENGINES
def test_saying_that_it_was_not_verified_does_not_help(engine: str) -> None:
    assert plot(engine)["not verified"].violations == {"dbh_cm constraint"}


@ENGINES
def test_no_tree_has_ten_metres_however_often_it_was_measured(engine: str) -> None:
    assert plot(engine)["beyond belief"].violations == {"dbh_cm constraint"}


@ENGINES
@pytest.mark.parametrize("dbh_cm", TWO_DECIMALS)
def test_a_diameter_has_one_decimal(engine: str, dbh_cm: str) -> None:
    assert plot(engine)[f"two decimals {dbh_cm}"].violations == {"dbh_cm constraint"}


@ENGINES
@pytest.mark.parametrize("dbh_cm", ORDINARY)
def test_an_ordinary_diameter_passes_without_a_question(engine: str, dbh_cm: str) -> None:
    tree = plot(engine)[f"ordinary {dbh_cm}"]
    assert tree.violations == set()
    assert "verified" not in tree.answers


@ENGINES
@pytest.mark.parametrize("code", GONE)
def test_a_dead_tree_needs_no_diameter(engine: str, code: str) -> None:
    tree = plot(engine)[f"gone {code}"]
    assert tree.violations == set()
    assert tree.answers["tally_code"] == code


@ENGINES
def test_a_living_tree_needs_a_diameter(engine: str) -> None:
    assert plot(engine)["not measured"].violations == {"dbh_cm required"}


@ENGINES
def test_an_odd_height_is_questioned_too(engine: str) -> None:
    assert plot(engine)["dwarf"].violations == {"height_m constraint", "verified required"}
    assert plot(engine)["giant"].violations == set()


@ENGINES
def test_an_ordinary_tree_is_not_asked_whether_it_was_verified(engine: str) -> None:
    answers = {"tag": "1", "species": "pinus_tabuliformis", "dbh_cm": "14.3", "verified": "yes"}
    with pytest.raises(EngineFailed, match="no question for"):
        FILL[engine](COMPILED().xml, {}, VISIT | scripts.tree(1, **answers))


@ENGINES
def test_a_plot_without_trees_can_be_sent(engine: str) -> None:
    found = FILL[engine](COMPILED().xml, {}, {**VISIT, "/data/trees_present": "no", **scripts.PHOTOS})
    assert found.violations == frozenset()
    assert Reader(COMPILED().form).answers(read(found.xml).root).trees == []
