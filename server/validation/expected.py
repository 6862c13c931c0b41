"""Where a tree's diameter should be now: from its own growth before, accepted bands, the plot, or a default."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from server.forest.tree import Measurement
from server.validation.bands import ALL_SPECIES, Growth, growth_of, size_class
from server.validation.parameters.limits import Limits
from server.validation.scene import ALIVE, Key, Pair, Scene
from server.validation.suggest import Expected


@dataclass(slots=True)
class Judged:
    """One tree's diameter beside what was to be expected, in cm.

    Below `low` it has shrunk more than tapes differ, above `soft` it is questioned, above `high` its kind cannot
    have grown. `steps` is its distance from what was expected: in spreads of growth upward, in standard errors of
    two tapes downward. `older` is the diameter before the last one, None where it is not known.
    """

    pair: Pair
    dbh: float
    last: float
    expected: Expected
    low: float
    soft: float
    high: float
    steps: float
    growth: Growth
    older: float | None
    last_was_odd: bool


class Expectations:
    """What the trees of one visit are expected to have become. Made once for a visit."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._bands = scene.reference.growth if scene.reference is not None else {}
        self._by_species, self._plot = _plot_growth(scene)
        self._older, self._older_years = _older_diameters(scene)

    def growth(self, tree: Measurement, last_cm: float) -> Growth:
        """Of the tree's species and size if accepted data know it, else of the plot, else the default."""
        if self._bands:
            size = size_class(last_cm)
            band = self._bands.get((tree.species, size)) or self._bands.get((ALL_SPECIES, size))
            if band is not None:
                return band
        return self._by_species.get(tree.species, self._plot)

    def judged(self, pair: Pair, growth: Growth) -> Judged:
        """The tree's diameter beside what was to be expected."""
        scene, limits = self.scene, self.scene.limits
        dbh, last = pair.now.dbh_cm or 0.0, pair.before.dbh_cm or 0.0
        older = self._older.get((pair.now.tag, pair.now.stem_id)) if self._older else None
        sd = sqrt(2) * tape_sd_cm(limits, last)
        spread_yr = max(growth.spread_cm_yr, limits.t06_spread_cm_yr)
        if scene.now.thinned:  # some trees are released, others not
            spread_yr *= limits.x04_thinned_factor
        spread = sqrt((spread_yr * scene.years) ** 2 + sd * sd)
        likely = last + self._rate(growth, spread_yr, last, older) * scene.years
        low, high = smallest_plausible_cm(limits, last), largest_plausible_cm(scene, pair.now, last)
        soft = last + limits.t06_cap_share * (high - last)
        if growth.trees:
            soft = min(soft, likely + limits.x03_steps * spread)
        room = limits.x14_taper_share * last if pom_changed(pair, limits.x14_use_share) else 0.0
        return Judged(
            pair=pair, dbh=dbh, last=last, low=low - room, soft=soft + room, high=high + room,
            expected=Expected(likely, spread, max(low, last - 2 * sd), likely + limits.t06_core_z * spread),
            steps=(dbh - likely) / spread if dbh > likely else max(last - dbh, 0.0) / sd,
            growth=growth, older=older,
            last_was_odd=older is not None and self._last_was_odd(growth, spread_yr, older, last, dbh),
        )  # fmt: skip

    def _rate(self, growth: Growth, spread_yr: float, last: float, older: float | None) -> float:
        """A tree tends to go on as it did: its own rate counts beside that of its kind."""
        usual = max(growth.rate_cm_yr, 0.0)
        if older is None:
            return usual
        own = min(max((last - older) / self._older_years, 0.0), usual + 3 * spread_yr)
        share = self.scene.limits.x03_own_share
        return (1 - share) * usual + share * own

    def _last_was_odd(self, growth: Growth, spread_yr: float, older: float, last: float, dbh: float) -> bool:
        """Does the diameter before last fit today's and not the last one?"""
        steps = self.scene.limits.x03_steps
        years = self._older_years
        then = _steps(self.scene.limits, growth.rate_cm_yr, spread_yr, older, last, years)
        over_both = _steps(
            self.scene.limits, growth.rate_cm_yr, spread_yr, older, dbh, years + self.scene.years
        )
        return then > steps and over_both < steps / 2


def _steps(limits: Limits, rate: float, spread_yr: float, last: float, dbh: float, years: float) -> float:
    sd = sqrt(2) * tape_sd_cm(limits, last)
    likely = last + max(rate, 0.0) * years
    return (
        (dbh - likely) / sqrt((spread_yr * years) ** 2 + sd * sd)
        if dbh > likely
        else max(last - dbh, 0.0) / sd
    )


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


def pom_changed(pair: Pair, share: float) -> bool:
    """Was the stem measured at another height than last time, by more than this share of it?"""
    now, before = pair.now.pom_m, pair.before.pom_m
    if now == before or not now or not before:
        return False
    return abs(now - before) > share * before


def _plot_growth(scene: Scene) -> tuple[dict[str, Growth], Growth]:
    limits, years = scene.limits, scene.years
    rates: dict[str, list[float]] = {}
    for now, before in scene.grown:
        rates.setdefault(now.species, []).append(((now.dbh_cm or 0.0) - (before.dbh_cm or 0.0)) / years)
    enough = limits.t06_min_pairs
    every = [rate for some in rates.values() for rate in some]
    default = Growth(limits.t06_rate_cm_yr, limits.t06_rate_spread_cm_yr, 0)
    whole = growth_of(every) if len(every) >= enough else default
    return {name: growth_of(some) for name, some in rates.items() if len(some) >= enough}, whole


def _older_diameters(scene: Scene) -> tuple[dict[Key, float], float]:
    """Diameters of the visit before the last, and the years until the last."""
    if not scene.earlier or scene.before is None:
        return {}, 0.0
    older = scene.earlier[0]
    if (
        older.measured_on is None
        or scene.before.measured_on is None
        or older.measured_on >= scene.before.measured_on
    ):
        return {}, 0.0
    found = {
        (tree.tag, tree.stem_id): tree.dbh_cm
        for tree in reversed(older.trees)
        if tree.dbh_cm is not None and tree.dbh_cm > 0 and tree.tally_code in ALIVE
    }
    return found, (scene.before.measured_on - older.measured_on).days / 365.25
