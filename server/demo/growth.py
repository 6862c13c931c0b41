"""What truly stands in a plot: trees with diameters that only ever grow, until they die or are cut.

This is the truth behind the crews' tapes. It knows no mistakes: those are made in `crews` and `slips`.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from itertools import pairwise

from server.demo.county import PLOT_SIDE_M, Census, Plot
from server.demo.species import SpeciesGrowth, all_species
from server.forest.tree import TallyCode

TALLY_LIMIT_CM = 5.0
"""Smallest diameter that is tallied (project setting; source: unverified)."""
SITE_SPREAD, TREE_SPREAD, YEAR_SPREAD = 0.18, 0.30, 0.15
"""Standard deviations of the logarithm of growth between plots, trees and years (source: unverified)."""
HEIGHT_SPREAD = 0.10
"""Standard deviation of height around its curve, as a share (source: unverified)."""
INGROWTH_HA_A = 8.0
"""Trees a hectare and year that reach the tally limit (source: unverified)."""
CUT_SHARE = 0.30
"""Share of the stems that a thinning takes, the small ones first (source: unverified)."""
LEAST_GAP_M = 0.6
"""Two stems do not stand closer than this."""


Polar = tuple[float, float]  # azimuth in degrees clockwise from north, distance in m


@dataclass(frozen=True, slots=True)
class State:
    """A tree in one census: its true diameter and height, unrounded, and what became of it. A dead or cut
    tree keeps the diameter that it had when it was last alive in a census."""

    dbh_cm: float
    height_m: float
    tally_code: TallyCode


@dataclass(slots=True)
class TrueTree:
    """A tree, seen from the plot's centre; `states` by census name, from the census that first tallied it
    to the one that found it gone."""

    tag: str
    species: SpeciesGrowth
    azimuth_deg: float
    distance_m: float
    vigour: float  # its growth as a multiple of its kind's
    tallness: float  # its height as a multiple of its kind's
    states: dict[str, State] = field(default_factory=dict)


@dataclass(slots=True)
class TruePlot:
    plot: Plot
    trees: list[TrueTree]

    def found_in(self, census: str) -> list[TrueTree]:
        """Trees that a perfect crew would list in a census, in the order of their tags."""
        return [tree for tree in self.trees if census in tree.states]


def grow_plot(
    plot: Plot,
    censuses: tuple[Census, ...],
    seed: int,
    *,
    tree_count: int | None = None,
    is_thinned: bool = False,
) -> TruePlot:
    """The trees of a plot through its censuses, the same for the same seed.

    `tree_count` fixes the number in the first census (else by the stratum's density); `is_thinned` cuts
    between the first two.
    """
    luck = random.Random(f"{seed}/trees/{plot.plot_id}")
    site = math.exp(luck.gauss(0, SITE_SPREAD))
    count = tree_count if tree_count is not None else max(12, round(_stems(plot) * luck.gauss(1, 0.22)))
    trees = _first_trees(luck, plot, count, censuses[0].name)
    for number, (before, now) in enumerate(pairwise(censuses)):
        years = now.starts_on.year - before.starts_on.year
        cut = _chosen_for_felling(luck, trees, before.name) if is_thinned and number == 0 else set()
        _grow_all(luck, trees, before.name, now.name, years, site, cut)
        trees += _ingrowth(luck, plot, trees, now.name, years)
    return TruePlot(plot, trees)


def _stems(plot: Plot) -> float:
    return plot.stratum.stems_ha * plot.area_ha


def _first_trees(luck: random.Random, plot: Plot, count: int, census: str) -> list[TrueTree]:
    stand = math.exp(luck.gauss(0, 0.15))  # some stands are older than others
    places = _places(luck, count)
    trees = []
    for number, place in enumerate(places, start=1):
        species = _species(luck, plot)
        dbh = TALLY_LIMIT_CM + 0.05 + stand * luck.weibullvariate(species.dbh_scale_cm, species.dbh_shape)
        trees.append(_tree(luck, number, species, place, dbh, census, TallyCode.ALIVE))
    return trees


def _tree(
    luck: random.Random,
    number: int,
    species: SpeciesGrowth,
    place: Polar,
    dbh_cm: float,
    census: str,
    code: TallyCode,
) -> TrueTree:
    tallness = max(0.6, luck.gauss(1, HEIGHT_SPREAD))
    tree = TrueTree(str(number), species, *place, math.exp(luck.gauss(0, TREE_SPREAD)), tallness)
    tree.states[census] = State(dbh_cm, _height_m(tree, dbh_cm), code)
    return tree


def _height_m(tree: TrueTree, dbh_cm: float) -> float:
    return max(1.5, tree.species.height_m(dbh_cm) * tree.tallness)


def _species(luck: random.Random, plot: Plot) -> SpeciesGrowth:
    mix = plot.stratum.mix
    return all_species()[luck.choices(list(mix), list(mix.values()))[0]]


def _places(luck: random.Random, count: int) -> list[Polar]:
    """Azimuth and distance from the centre of stems in a square, tagged in the order of their azimuth."""
    half = PLOT_SIDE_M / 2 - 0.05
    spots: list[tuple[float, float]] = []
    gap = LEAST_GAP_M
    while len(spots) < count:
        spot = luck.uniform(-half, half), luck.uniform(-half, half)
        if all(abs(spot[0] - x) + abs(spot[1] - y) > gap for x, y in spots):
            spots.append(spot)
        else:
            gap *= 0.995  # a very dense plot: they stand closer
    return sorted(_polar(spot) for spot in spots)


def _polar(spot: tuple[float, float]) -> Polar:
    """Azimuth in degrees clockwise from north and distance in metres of a spot (metres east, metres
    north)."""
    east, north = spot
    return math.degrees(math.atan2(east, north)) % 360, math.hypot(east, north)


def _chosen_for_felling(luck: random.Random, trees: list[TrueTree], census: str) -> set[str]:
    by_size = sorted(trees, key=lambda tree: tree.states[census].dbh_cm * luck.uniform(0.4, 1.8))
    return {tree.tag for tree in by_size[: round(CUT_SHARE * len(trees))]}


def _grow_all(luck: random.Random, trees: list[TrueTree], before: str, now: str, years: int, site: float,
              cut: set[str]) -> None:  # fmt: skip
    weather = [math.exp(luck.gauss(0, YEAR_SPREAD)) for _ in range(years)]
    release = 1.15 if cut else 1.0  # more light for those that stay (source: unverified)
    for tree in trees:
        last = tree.states.get(before)
        if last is None or last.tally_code.is_gone:
            continue
        dies = luck.random() < 1 - (1 - tree.species.mortality_pct_a / 100) ** years
        fallen = luck.random() < 0.3
        if tree.tag in cut:
            tree.states[now] = State(last.dbh_cm, last.height_m, TallyCode.CUT)
        elif dies:
            code = TallyCode.FALLEN_DEAD if fallen else TallyCode.STANDING_DEAD
            tree.states[now] = State(last.dbh_cm, last.height_m, code)
        else:
            dbh = _grown(tree, last.dbh_cm, [year * site * release for year in weather])
            tree.states[now] = State(dbh, max(last.height_m, _height_m(tree, dbh)), TallyCode.ALIVE)


def _grown(tree: TrueTree, dbh_cm: float, years: list[float]) -> float:
    for factor in years:
        dbh_cm += tree.species.yearly_growth_cm(dbh_cm) * tree.vigour * factor
    return dbh_cm


def _ingrowth(
    luck: random.Random, plot: Plot, trees: list[TrueTree], census: str, years: int
) -> list[TrueTree]:
    expected = INGROWTH_HA_A * plot.area_ha * years
    count = sum(luck.random() < expected / 12 for _ in range(12))
    new = []
    for number, place in enumerate(_places(luck, count), start=len(trees) + 1):
        species = _species(luck, plot)
        dbh = TALLY_LIMIT_CM + 0.05 + min(luck.expovariate(1.2), 0.6 * years * species.increment_cm_a)
        new.append(_tree(luck, number, species, place, dbh, census, TallyCode.INGROWTH))
    return new
