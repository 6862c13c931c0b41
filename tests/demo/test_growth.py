"""What truly stands in the plots."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from statistics import mean

from hypothesis import given, settings
from hypothesis import strategies as st

from server.demo.county import CENSUSES, PLOT_SIDE_M, loose_plot, make_county
from server.demo.growth import TruePlot, grow_plot
from server.demo.species import all_species
from server.forest.tree import TallyCode


@cache
def _plots() -> list[TruePlot]:
    county = make_county(1)
    return [grow_plot(plot, CENSUSES, 1) for plot in county.plots]


@given(seed=st.integers(0, 10_000), is_thinned=st.booleans())
@settings(max_examples=30)
def test_no_tree_ever_shrinks(seed: int, is_thinned: bool) -> None:
    plot = grow_plot(loose_plot(seed, 1), CENSUSES, seed, is_thinned=is_thinned)
    for tree in plot.trees:
        states = list(tree.states.values())
        for before, now in pairwise(states):
            assert now.dbh_cm > before.dbh_cm or now.tally_code.is_gone
            assert now.height_m >= before.height_m


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20)
def test_the_same_seed_grows_the_same_trees(seed: int) -> None:
    plot = loose_plot(seed, 2)
    assert grow_plot(plot, CENSUSES, seed) == grow_plot(plot, CENSUSES, seed)


def test_every_tree_of_the_first_census_has_an_end_or_lives_on() -> None:
    for plot in _plots():
        for tree in plot.found_in("2021"):
            assert tree.states["2021"].tally_code is TallyCode.ALIVE
            assert "2026" in tree.states


def test_new_trees_are_ingrowth_with_tags_of_their_own() -> None:
    for plot in _plots():
        new = [tree for tree in plot.trees if "2021" not in tree.states]
        assert all(tree.states["2026"].tally_code is TallyCode.INGROWTH for tree in new)
        assert len({tree.tag for tree in plot.trees}) == len(plot.trees)


def test_every_tree_stands_inside_its_plot_and_above_the_tally_limit() -> None:
    half_diagonal_m = PLOT_SIDE_M / 2 * 2**0.5
    for plot in _plots():
        for tree in plot.trees:
            assert tree.distance_m < half_diagonal_m
            assert 0 <= tree.azimuth_deg < 360
            assert all(state.dbh_cm > 5.0 and state.height_m > 1.3 for state in tree.states.values())


def test_a_thinning_cuts_three_in_ten_stems() -> None:
    county = make_county(1)
    plot = grow_plot(county.plots[0], CENSUSES, 1, is_thinned=True)
    cut = [tree for tree in plot.trees if tree.states["2026"].tally_code is TallyCode.CUT]
    assert len(cut) == round(0.30 * len(plot.found_in("2021")))
    assert mean(t.states["2021"].dbh_cm for t in cut) < mean(
        t.states["2021"].dbh_cm for t in plot.found_in("2021")
    )


def test_trees_grow_as_trees_in_a_dry_mountain_do() -> None:
    # between a tenth and one centimetre a year on the mean of every plot; nothing above 2 cm a year
    for plot in _plots():
        alive = [
            t.states for t in plot.trees if len(t.states) == 2 and not t.states["2026"].tally_code.is_gone
        ]
        yearly = [(states["2026"].dbh_cm - states["2021"].dbh_cm) / 5 for states in alive]
        assert 0.08 < mean(yearly) < 1.0
        assert max(yearly) < 2.0


def test_a_height_curve_starts_at_breast_height_and_stays_below_its_limit() -> None:
    for species in all_species().values():
        assert species.height_m(0) == 1.3
        assert species.height_m(10) < species.height_m(30) < species.height_max_m


def test_a_tree_grows_most_at_its_best_size() -> None:
    for species in all_species().values():
        best = species.yearly_growth_cm(species.best_size_cm)
        assert best == species.increment_cm_a
        assert 0 < species.yearly_growth_cm(200) < best > species.yearly_growth_cm(5) > 0
