"""The made-up county: whole, made up, and the same every time."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest
from shapely.geometry import Point, Polygon, shape
from shapely.ops import unary_union

from server.demo.county import TOWNSHIPS, County, loose_plot, make_county
from server.demo.species import all_species


@cache
def _county(seed: int = 1) -> County:
    return make_county(seed)


def test_the_same_seed_gives_the_same_county() -> None:
    assert make_county(7) == make_county(7)
    assert make_county(7) != make_county(8)


def test_a_county_says_that_it_is_made_up() -> None:
    county = _county()
    assert county.is_generated
    assert all(township.is_generated for township in county.townships)
    assert "模拟" in county.name


@pytest.mark.parametrize("seed", range(4))
def test_every_plot_stands_inside_its_own_township(seed: int) -> None:
    county = make_county(seed)
    boundaries = {township.name: shape(township.boundary) for township in county.townships}
    for plot in county.plots:
        assert boundaries[plot.township].contains(Point(plot.lon, plot.lat))


def test_townships_fill_the_county_and_do_not_overlap() -> None:
    county = _county()
    parts = [shape(township.boundary) for township in county.townships]
    whole = shape(county.boundary)
    assert [t.name for t in county.townships] == list(TOWNSHIPS)
    assert sum(part.area for part in parts) == pytest.approx(whole.area, rel=1e-3)
    assert unary_union(parts).area == pytest.approx(whole.area, rel=1e-3)
    assert all(isinstance(part, Polygon) and part.is_valid for part in parts)


def test_plots_are_numbered_without_gaps_and_stand_apart() -> None:
    plots = _county().plots
    assert [plot.plot_id for plot in plots] == [f"PS-{n:04d}" for n in range(1, 61)]
    assert len({(plot.lat, plot.lon) for plot in plots}) == 60


def test_each_crew_has_a_quarter_of_the_plots_and_every_stratum_has_some() -> None:
    plots = _county().plots
    assert set(Counter(plot.crew.name for plot in plots).values()) == {15}
    assert {plot.stratum.name for plot in plots} == {stratum.name for stratum in _county().strata}


def test_a_plot_is_one_mu() -> None:
    # 1 mu = 1/15 ha = 666.7 m²; a square of 25.82 m has 666.7 m²
    assert _county().plots[0].area_ha == pytest.approx(1 / 15, abs=1e-4)


def test_every_species_of_the_strata_is_in_the_table_with_its_source() -> None:
    known = all_species()
    assert {code for stratum in _county().strata for code in stratum.mix} <= known.keys()
    assert all(abs(sum(stratum.mix.values()) - 1) < 1e-9 for stratum in _county().strata)
    assert {species.source for species in known.values()} == {"unverified"}


def test_plots_of_a_load_test_are_made_one_by_one() -> None:
    assert loose_plot(1, 5) == loose_plot(1, 5)
    assert loose_plot(1, 5).plot_id == "SIM-000005"
