"""Where a tree's diameter should be now: from its own growth before, accepted bands, the plot, or a default."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import exp, hypot, sqrt
from typing import NamedTuple

from server.forest.tree import Measurement
from server.validation.bands import Band, Growth, Rates, leaning, size_class
from server.validation.parameters.limits import Limits
from server.validation.scene import ALIVE, Key, Pair, Scene

SHAPE_UP, SHAPE_DOWN = 0.9, 0.6
"""Width of the two sides of honest growth, as a Student distribution of four degrees of freedom, in spreads: fitted
on the first interval of one remeasured forest, looked at on two others (temperate and tropical, annual cycles)."""


STANDING_STILL = 0.1
"""Share of trees that do not grow, whatever their kind does: shaded, dry or old. Two temperate forests are told best by
0.2 or more, a tropical one by less; more would excuse values that other censuses prove wrong."""
FAR, FAR_RATE = 12.0, 0.5
"""Beyond so many widths honest growth gets rarer by e for each two more: no tail goes on for ever."""
REACH = 30.0
"""Farther away than so many widths honest work is next to impossible, below 6e-9 a width: far rarer than any slip."""


class Expected(NamedTuple):
    """Where a value should be: the most likely one and its spread above and below it, in cm. Some trees stand still:
    they are where they were last time, `last_cm`, give or take two tapes, `tape_cm`."""

    cm: float
    up_cm: float
    down_cm: float
    last_cm: float
    tape_cm: float

    def densities(self, dbhs_cm: Iterable[float]) -> list[float]:
        """How likely honest work finds each of these, per cm. Trees are odder than a normal distribution knows."""
        cm, up, down, last, tape = self
        above, below = SHAPE_UP * up, SHAPE_DOWN * down
        found = []
        for dbh in (
            dbhs_cm
        ):  # a hundred for each doubt, so that `student` is written out here where it is asked most
            width = above if dbh > cm else below
            away = abs(dbh - cm) / width
            if away > FAR:
                likely = _AT_FAR * exp((FAR - away) * FAR_RATE) / width
            else:
                thin = 1 + 0.25 * away * away
                likely = 0.375 / (thin * thin * sqrt(thin)) / width
            if dbh <= cm:
                likely += STANDING_STILL * student(abs(dbh - last) / tape) / tape
            found.append(likely)
        return found

    @property
    def reach(self) -> tuple[float, float]:
        """Between these lies all but less than a millionth of what honest work finds, cm."""
        cm, up, down, last, tape = self
        return min(cm - REACH * SHAPE_DOWN * down, last - REACH * tape), cm + REACH * SHAPE_UP * up

    def backwards(self, dbh_cm: float) -> Expected:
        """What the last diameter should have been where today's is `dbh_cm` and right."""
        grown = self.cm - self.last_cm
        return Expected(max(dbh_cm - grown, dbh_cm / 2), self.down_cm, self.up_cm, dbh_cm, self.tape_cm)

    def steps(self, dbh_cm: float) -> float:
        """How many spreads a value lies above or below."""
        away = dbh_cm - self.cm
        return away / self.up_cm if away > 0 else -away / self.down_cm


def student(away: float) -> float:
    """Density of a Student distribution of four degrees of freedom, with an end."""
    if away > FAR:
        return _AT_FAR * exp((FAR - away) * FAR_RATE)
    thin = 1 + 0.25 * away * away
    return 0.375 / (thin * thin * sqrt(thin))


_AT_FAR = student(FAR)


@dataclass(slots=True)
class Judged:
    """One tree's diameter beside what was to be expected, in cm.

    Below `low` it has shrunk more than tapes differ, above `high` its kind cannot have grown. `older` is the diameter
    before the last one, None where it is not known; `rate` the growth that is expected of it, cm a year.
    """

    pair: Pair
    dbh: float
    last: float
    expected: Expected
    low: float
    high: float
    growth: Growth
    older: float | None
    rate: float

    @property
    def is_possible(self) -> bool:
        """Can a tree of the last diameter have this one now, were it by a wonder?"""
        return self.last / 2 < self.dbh <= self.high


class Expectations:
    """What the trees of one visit are expected to have become. Made once for a visit."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.older_years = _older_years(scene)
        self._known: dict[Band, Growth] = {}
        self._reach: dict[Growth, tuple[float, float]] = {}
        self._ranges: dict[float, list[tuple[float, float]]] = {}

    @cached_property
    def _older(self) -> dict[Key, float]:
        return _older_diameters(self.scene) if self.older_years else {}

    @cached_property
    def _plot(self) -> tuple[dict[str, Growth], Growth]:
        return _plot_growth(self.scene)

    def growth(self, tree: Measurement, last_cm: float) -> Growth:
        """Of the tree's species and size if accepted data know it, else of the plot, else the default."""
        band = (tree.species, size_class(last_cm))
        found = self._known.get(band)
        if found is None:
            found = self._known[band] = self._of(tree.species, last_cm)
        return found

    def _of(self, species: str, last_cm: float) -> Growth:
        bands = self.scene.bands
        if bands is not None:
            found = bands.growth_of(species, self.scene.info(species).genus, last_cm)
            if found is not None:
                return found
        by_species, whole = self._plot
        return by_species.get(species, whole)

    def near(self, dbh_cm: float, steps: float) -> Iterator[int]:
        """Places of all trees that may be expected within so many spreads of `dbh_cm`, and of some that are not: the
        quick look before `judged`. In a crowd these have been chosen already."""
        if self.scene.crowd is not None:
            return iter(range(len(self.scene.grown)))
        if steps not in self._ranges:
            self._ranges[steps] = [self._range_of(pair, steps) for pair in self.scene.grown]
        return (place for place, (low, high) in enumerate(self._ranges[steps]) if low <= dbh_cm <= high)

    def _range_of(self, pair: Pair, steps: float) -> tuple[float, float]:
        """Between these the tree may be expected within so many spreads, cm: a sum of two spreads is never less than
        the two together."""
        limits, reach, last, growth = (
            self.scene.limits,
            self._reach,
            pair.before.dbh_cm or 0.0,
            self._growth_of(pair),
        )
        up, down = reach.get(growth) or reach.setdefault(growth, self._reach_of(growth, steps))
        tape = steps * sqrt(2) * tape_sd_cm(limits, last)
        if pair.now.pom_m != pair.before.pom_m:
            tape += steps * limits.x14_taper_share * last
        return last - down - tape, last + up + tape

    def _reach_of(self, growth: Growth, steps: float) -> tuple[float, float]:
        """How much larger, and how much smaller than its last diameter a tree may be expected within so many spreads,
        cm, the tape's own error apart; whatever its own rate was."""
        limits, years, usual = self.scene.limits, self.scene.years, max(growth.rate_cm_yr, 0.0)
        share = limits.x03_own_share if self.older_years else 0.0
        released = limits.x04_thinned_factor if self.scene.now.thinned else 1.0
        most = usual + share * 3 * growth.up_cm_yr + steps * growth.up_cm_yr * released
        least = (1 - share) * usual - steps * growth.down_cm_yr
        return most * years + 1e-6, 1e-6 - least * years

    def judged(self, pair: Pair) -> Judged:
        """The tree's diameter beside what was to be expected."""
        limits, last, growth = self.scene.limits, pair.before.dbh_cm or 0.0, self._growth_of(pair)
        room, older = self._room_cm(pair), self._older_cm(pair)
        low, high = smallest_plausible_cm(limits, last), largest_plausible_cm(self.scene, pair.now, last)
        return Judged(
            pair=pair, dbh=pair.now.dbh_cm or 0.0, last=last, low=low - room, high=high + room, growth=growth,
            older=older, rate=self._rate(growth, last, older), expected=self.expected(pair),
        )  # fmt: skip

    def expected(self, pair: Pair) -> Expected:
        """Where the tree's diameter should be: all that its neighbours want to know of it."""
        scene, last, growth = self.scene, pair.before.dbh_cm or 0.0, self._growth_of(pair)
        limits, older = scene.limits, self._older_cm(pair)
        rate = self._rate(growth, last, older)
        if older is not None:
            up, down = (limits.x03_own_spread * spread for spread in (growth.up_cm_yr, growth.down_cm_yr))
            growth = growth._replace(up_cm_yr=up, down_cm_yr=down)
        return after(limits, growth, last, rate, scene.years, thinned=scene.now.thinned,
                     room_cm=self._room_cm(pair) / 2)  # fmt: skip

    def _growth_of(self, pair: Pair) -> Growth:
        return self.growth(pair.now, pair.before.dbh_cm or 0.0)

    def _older_cm(self, pair: Pair) -> float | None:
        return self._older.get(pair.now.key) if self.older_years else None

    def _room_cm(self, pair: Pair) -> float:
        """What another point of measurement may change, cm."""
        limits = self.scene.limits
        return (
            limits.x14_taper_share * (pair.before.dbh_cm or 0.0)
            if pom_changed(pair, limits.x14_use_share)
            else 0.0
        )

    def _rate(self, growth: Growth, last: float, older: float | None) -> float:
        """A tree tends to go on as it did: its own rate counts beside that of its kind."""
        usual = max(growth.rate_cm_yr, 0.0)
        if older is None:
            return usual
        own = min(max((last - older) / self.older_years, 0.0), usual + 3 * growth.up_cm_yr)
        share = self.scene.limits.x03_own_share
        return (1 - share) * usual + share * own


def after(
    limits: Limits,
    growth: Growth,
    last_cm: float,
    rate_cm_yr: float,
    years: float,
    *,
    thinned: bool = False,
    room_cm: float = 0.0,
) -> Expected:
    """A tree of `last_cm` after so many years. A thinning releases some of the trees and not others; `room_cm` is
    what another point of measurement may change."""
    tape = hypot(sqrt(2) * tape_sd_cm(limits, last_cm), room_cm)
    likely = last_cm + rate_cm_yr * years
    up = growth.up_cm_yr * years * (limits.x04_thinned_factor if thinned else 1.0)
    return Expected(likely, hypot(up, tape), hypot(growth.down_cm_yr * years, tape), last_cm, tape)


def tape_sd_cm(limits: Limits, dbh_cm: float) -> float:
    """Standard deviation of one measurement, cm: 0.0062 D + 0.0904 as shipped (Chave et al. 2004)."""
    return limits.x01_sigma_slope * dbh_cm + limits.x01_sigma_cm


def smallest_plausible_cm(limits: Limits, last_cm: float) -> float:
    """Below this a tree that had `last_cm` has shrunk more than tapes differ, cm."""
    return last_cm - max(limits.x01_sigmas * tape_sd_cm(limits, last_cm), limits.x01_share * last_cm)


def largest_plausible_cm(scene: Scene, tree: Measurement, last_cm: float) -> float:
    """Above this a tree that had `last_cm` has grown more than its kind can, cm."""
    limits = scene.limits
    cap = limits.x04_cap_by_group.get(scene.info(tree.species).group, limits.x04_cap_cm_yr)
    return last_cm + allowance_cm(scene, cap) + 2 * sqrt(2) * tape_sd_cm(limits, last_cm)


def allowance_cm(scene: Scene, cap_cm_yr: float) -> float:
    """Growth that a yearly cap allows between the two visits, cm; a thinning gives room."""
    return cap_cm_yr * scene.years * (scene.limits.x04_thinned_factor if scene.now.thinned else 1.0)


def went_on(scene: Scene, tree: Measurement) -> bool:
    """Does its diameter go on from last time's, neither a tenth smaller nor larger than trees grow? Then it was taken
    of the same tree, and nothing odd beside it is the diameter's fault."""
    before = scene.known.get(tree.key)
    if before is None or not before.dbh_cm or not tree.dbh_cm:
        return False
    return 0.9 * before.dbh_cm <= tree.dbh_cm <= before.dbh_cm + scene.limits.x04_warn_cm_yr * scene.years


def pom_changed(pair: Pair, share: float) -> bool:
    """Was the stem measured at another height than last time, by more than this share of it?"""
    now, before = pair.now.pom_m, pair.before.pom_m
    if now == before or not now or not before:
        return False
    return abs(now - before) > share * before


def _plot_growth(scene: Scene) -> tuple[dict[str, Growth], Growth]:
    """Where nothing accepted is known, the plot's own trees say how trees grow here, drawn towards the default."""
    limits, years = scene.limits, scene.years
    rates: dict[str, Rates] = {}
    every = Rates()
    for now, before in scene.grown:
        last, dbh = before.dbh_cm or 0.0, now.dbh_cm or 0.0
        rates.setdefault(now.species, Rates()).add(last, dbh, years)
        every.add(last, dbh, years)
    # trees do not shrink, so that the slow half lies between nothing and the middle
    default = Growth(
        limits.t06_rate_cm_yr, limits.t06_rate_spread_cm_yr, max(limits.t06_rate_cm_yr, 0.0) / 4, 0
    )
    enough = limits.t06_min_pairs
    if every.steps.total() < enough:
        return {}, default
    whole = leaning(every.growth(), default)
    return {
        name: leaning(some.growth(), whole) for name, some in rates.items() if some.steps.total() >= enough
    }, whole


def _older_years(scene: Scene) -> float:
    """Years between the visit before the last and the last; 0 where there is none."""
    if not scene.earlier or scene.before is None:
        return 0.0
    older, last = scene.earlier[0].measured_on, scene.before.measured_on
    return 0.0 if older is None or last is None or older >= last else (last - older).days / 365.25


def _older_diameters(scene: Scene) -> dict[Key, float]:
    return {
        tree.key: tree.dbh_cm
        for tree in reversed(scene.earlier[0].trees)
        if tree.dbh_cm is not None and tree.dbh_cm > 0 and tree.tally_code in ALIVE
    }
