"""Looking at a census at once says what looking plot by plot says: the sieve holds back no flag."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.cli.tree_table import read_trees
from server.forest.species import SpeciesInfo
from server.forest.tree import Measurement, TallyCode
from server.forest.visit import Visit
from server.validation.reference import Reference
from tests.journeys import scbi
from tests.validation.makers import LAST, NOW, PARAMETERS, changed, stand, tree, visit
from tests.validation.sieved import Case, handed_out, one_by_one, sieved
from tests.validation.test_laws import visits

OLDER = date(2014, 7, 1)
SPECIES = {name: SpeciesInfo(name, genus) for name, genus in (("油松", "Pinus"), ("侧柏", "Platycladus"))}


def accepted(on: date, grown_cm: float) -> list[Visit]:
    """Plots of pines with heights, as a supervisor has accepted them."""
    trees = [one._replace(height_m=6.0) for one in stand(40, 8.0, 0.7, grown_cm)]
    return [replace(visit(*trees, on=on), plot_id=f"A{number}") for number in range(4)]


REFERENCE = Reference.of([*accepted(LAST, 0.0), *accepted(NOW, 2.0)], SPECIES)

histories = st.one_of(
    st.just(()), st.tuples(visits(LAST)), st.tuples(visits(LAST), visits(OLDER)),
    st.tuples(visits(LAST), visits(LAST)),
)  # fmt: skip


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.builds(Case, visits(), histories), min_size=1, max_size=6),
    st.sampled_from([None, REFERENCE]),
    st.sampled_from([None, SPECIES]),
)
def test_a_census_at_once_says_what_its_plots_say_one_by_one(cases, reference, species):
    found, _ = sieved(cases, PARAMETERS, reference, species)
    assert found == one_by_one(cases, PARAMETERS, reference, species)


def _with(trees: list[Measurement], at: int, values: dict[str, Any]) -> list[Measurement]:
    return [one._replace(**values) if place == at else one for place, one in enumerate(trees)]


ordinary = st.builds(
    lambda grown, at, values: _with(stand(35, 8.0, 0.7, grown), at, values),
    st.floats(0.2, 3.0).map(lambda cm: round(cm, 1)),
    st.integers(0, 34),
    st.one_of(
        st.just({}),
        st.fixed_dictionaries({"dbh_cm": st.floats(1, 90).map(lambda cm: round(cm, 1))}),
        st.fixed_dictionaries({"tag": st.sampled_from(["36", "90", "1200", "B7", "１００"])}),
        st.fixed_dictionaries({"height_m": st.floats(0.5, 60)}),
        st.fixed_dictionaries({"species": st.sampled_from(["侧柏", "栎", ""])}),
    ),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ordinary, min_size=1, max_size=6), st.sampled_from([None, REFERENCE]))
def test_a_nearly_ordinary_plot_is_looked_at_where_it_is_odd(plots, reference):
    cases = [Case(visit(*trees, area_ha=0.04), (visit(*stand(35, 8.0, 0.7), on=LAST),)) for trees in plots]
    found, _ = sieved(cases, PARAMETERS, reference)
    assert found == one_by_one(cases, PARAMETERS, reference)


cells = st.one_of(
    st.fixed_dictionaries({"dbh_cm": st.one_of(st.none(), st.floats(1, 90).map(lambda cm: round(cm, 1)))}),
    st.fixed_dictionaries(
        {
            "tag": st.sampled_from(["36", "90", "-7", "7777777777777777777"]),
            "dbh_cm": st.sampled_from([1.5, 7.0, 80.0, 149.0]),
        }
    ),
    st.fixed_dictionaries({"height_m": st.floats(2, 30).map(lambda m: round(m, 1))}),
    st.fixed_dictionaries({"tally_code": st.sampled_from([None, *TallyCode]), "verified": st.booleans()}),
    st.fixed_dictionaries({"pom_m": st.sampled_from([0.0, 1.3, 1.7, 9.0])}),
)
places = st.integers(0, 34)


def exchanged(trees: list[Measurement], one: int, other: int) -> list[Measurement]:
    """The list with two diameters exchanged."""
    values = {one: trees[other].dbh_cm, other: trees[one].dbh_cm}
    return [tree._replace(dbh_cm=values.get(at, tree.dbh_cm)) for at, tree in enumerate(trees)]


@st.composite
def told(draw: st.DrawFn) -> Case:
    """An ordinary plot in up to four censuses, in which some values are slips and some were exchanged."""
    days = [NOW, LAST, OLDER, date(2009, 7, 1)][: draw(st.integers(2, 4))]
    known = []
    for place, on in enumerate(days):
        trees = stand(35, 8.0, 0.7, 3.0 - place)
        for at, values in draw(st.dictionaries(places, cells, max_size=3)).items():
            trees[at] = trees[at]._replace(**values)
        one, further = draw(places), draw(st.integers(0, 6))
        trees = exchanged(trees, one, min(one + further, 34))
        trees = [trees[11 * at % 35] for at in range(35)]  # as large ones and small ones stand in a forest
        new = [tree("40", cm) for cm in draw(st.lists(st.sampled_from([1.5, 7.0, 80.0, 149.0]), max_size=1))]
        gone = draw(st.sampled_from([0, 0, 0, 1]))
        known.append(visit(*trees[gone:], *new, on=on, area_ha=0.04, thinned=draw(st.booleans())))
    return Case(known[0], known[1:])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(told(), min_size=1, max_size=4), st.sampled_from([None, SPECIES]))
def test_some_trees_of_a_plot_tell_what_all_of_them_tell(cases, species):
    found, _ = sieved(cases, PARAMETERS, REFERENCE, species)
    assert found == one_by_one(cases, PARAMETERS, REFERENCE, species)


def test_of_a_plot_with_exchanged_trees_only_those_of_such_a_size_are_handed_out() -> None:
    grown = exchanged(stand(35, 8.0, 0.7, 2.0), 5, 12)
    case = Case(visit(*grown, area_ha=0.1), (visit(*stand(35, 8.0, 0.7), on=LAST),))
    handed = handed_out(case, PARAMETERS, REFERENCE)
    assert {"6", "13"} <= handed
    assert len(handed) < 10


def test_an_ordinary_plot_is_passed_over() -> None:
    grown = [
        one._replace(dbh_cm=round((one.dbh_cm or 0) + 2.0 + 0.1 * (n % 3), 1))
        for n, one in enumerate(stand(35, 8.0, 0.7))
    ]
    cases = [Case(visit(*grown), (visit(*stand(35, 8.0, 0.7), on=LAST),))] * 20
    found, asked = sieved(cases, PARAMETERS, REFERENCE)
    assert (found, asked) == ([[]] * 20, 0)


def test_one_odd_tree_is_asked_about_alone() -> None:
    grown = changed(stand(35, 8.0, 0.7, 2.0), "7", dbh_cm=149.0)
    case = Case(visit(*grown), (visit(*stand(35, 8.0, 0.7), on=LAST),))
    found, asked = sieved([case, Case(visit(tree("1")))], PARAMETERS, REFERENCE)
    assert asked == 1
    assert {flag.tag for flag in found[0]} == {"7"}


@pytest.mark.skipif(not scbi.TABLE.exists(), reason="the reference data are not beside the checkout")
@pytest.mark.parametrize("with_reference", [True, False])
def test_a_real_census_at_once_says_what_its_plots_say(with_reference: bool) -> None:
    censuses = read_trees(scbi.TABLE).censuses
    reference = Reference.of([*censuses["1"].values(), *censuses["2"].values()]) if with_reference else None
    cases = [
        Case(now, tuple(censuses[name][plot] for name in ("2", "1") if plot in censuses[name]))
        for plot, now in list(censuses["3"].items())[:80]
    ]
    found, _ = sieved(cases, PARAMETERS, reference)
    assert found == one_by_one(cases, PARAMETERS, reference)
    assert sum(map(len, found)) > 40
