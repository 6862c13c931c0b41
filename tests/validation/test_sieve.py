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
from server.forest.tree import Measurement
from server.forest.visit import Visit
from server.validation.reference import Reference
from tests.journeys import scbi
from tests.validation.makers import LAST, NOW, PARAMETERS, changed, stand, tree, visit
from tests.validation.sieved import Case, one_by_one, sieved
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
