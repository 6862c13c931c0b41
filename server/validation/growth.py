"""A diameter against last time's (X01, X02, X04, X05, X13 exchanged values) and the slips that explain it (T05, T06).

A tree gets one flag at most from here: the one that explains most. What a plot's own trees did in the same years
is the measure where there are enough of them; else a cautious default.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from statistics import median

from server.forest.tree import Measurement, TallyCode
from server.validation.flag import Flag, Severity
from server.validation.history import pom_changed
from server.validation.parameters.limits import Limits
from server.validation.rule import raised
from server.validation.scene import Pair, Scene, shown
from server.validation.suggest import Expected, Slip, best_slip, ratio_slip

MAD_TO_SD = 1.4826
"""Standard deviation of a normal distribution in units of its median absolute deviation."""


@dataclass(frozen=True, slots=True)
class Growth:
    """Growth of a group of trees: median rate and spread upward in cm a year, `trees` it rests on (0: default)."""

    rate_cm_yr: float
    spread_cm_yr: float
    trees: int


@dataclass(slots=True)
class Judged:
    """One tree's diameter beside what was to be expected. `steps` is its distance from there, in spreads upward
    and in standard errors of two tapes downward."""

    pair: Pair
    dbh: float
    last: float
    expected: Expected
    low: float  # strong shrinkage begins here, cm
    soft: float  # growth is questioned from here, cm
    high: float  # growth is impossible from here, cm
    steps: float
    growth: Growth


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
    return last_cm + _allowance(scene, cap) + 2 * sqrt(2) * tape_sd_cm(limits, last_cm)


def _allowance(scene: Scene, cap_cm_yr: float) -> float:
    return cap_cm_yr * scene.years * (scene.limits.x04_thinned_factor if scene.now.thinned else 1.0)


def growth_flags(scene: Scene) -> Iterator[Flag]:
    """Every tree that lived and was measured both times, against its own last diameter."""
    if not scene.grown:
        return
    limits, years = scene.limits, scene.years
    by_species, whole = _plot_growth(scene)
    odd: list[Judged] = []
    share, small = limits.x02_factor * limits.x02_tolerance_share, limits.x02_factor * limits.x02_tolerance_cm
    for pair in scene.grown:
        now, before = pair
        dbh, last = now.dbh_cm or 0.0, before.dbh_cm or 0.0
        growth = by_species.get(now.species, whole)
        allowed = small if last < limits.x02_large_cm else share * last
        usual = last + (growth.rate_cm_yr + 2 * growth.spread_cm_yr) * years
        if last - allowed <= dbh <= usual:
            continue  # nearly every tree
        judged = _judged(scene, pair, dbh, last, growth)
        if dbh < last - allowed or dbh > judged.soft or dbh > limits.x05_high * last:
            odd.append(judged)
    for judged in odd:
        flag = _flag(scene, judged, odd)
        if flag is not None:
            yield flag


def _plot_growth(scene: Scene) -> tuple[dict[str, Growth], Growth]:
    limits, years = scene.limits, scene.years
    rates: dict[str, list[float]] = {}
    for now, before in scene.grown:
        rates.setdefault(now.species, []).append(((now.dbh_cm or 0.0) - (before.dbh_cm or 0.0)) / years)
    enough = limits.t06_min_pairs
    every = [rate for some in rates.values() for rate in some]
    default = Growth(limits.t06_rate_cm_yr, limits.t06_rate_spread_cm_yr, 0)
    whole = _growth(every, limits) if len(every) >= enough else default
    return {name: _growth(some, limits) for name, some in rates.items() if len(some) >= enough}, whole


def _growth(rates: list[float], limits: Limits) -> Growth:
    """Median and the spread above it: trees grow by different amounts, they shrink only by error."""
    middle = median(rates)
    upward = [rate - middle for rate in rates if rate > middle]
    spread = MAD_TO_SD * median(upward) if upward else 0.0
    return Growth(middle, max(spread, limits.t06_spread_cm_yr), len(rates))


def _judged(scene: Scene, pair: Pair, dbh: float, last: float, growth: Growth) -> Judged:
    limits, years = scene.limits, scene.years
    sd = tape_sd_cm(limits, last)
    likely = last + max(growth.rate_cm_yr, 0.0) * years
    spread = sqrt((growth.spread_cm_yr * years) ** 2 + 2 * sd * sd)
    low, high = smallest_plausible_cm(limits, last), largest_plausible_cm(scene, pair.now, last)
    soft = min(last + limits.t06_cap_share * (high - last), likely + limits.t06_z * spread) if growth.trees else (
        last + limits.t06_cap_share * (high - last)
    )  # fmt: skip
    if pom_changed(pair.now, pair.before, limits.x14_use_share):
        taper = limits.x14_taper_share * last
        low, soft, high = low - taper, soft + taper, high + taper
    core = Expected(
        likely, spread, max(low, last - 2 * sqrt(2) * sd), likely + limits.t06_core_z * spread,
    )  # fmt: skip
    steps = (dbh - likely) / spread if dbh > likely else (last - dbh) / (sqrt(2) * sd)
    return Judged(pair, dbh, last, core, low, soft, high, steps, growth)


def _flag(scene: Scene, judged: Judged, odd: list[Judged]) -> Flag | None:
    limits = scene.limits
    doubted = scene.limits.x04_warn_cm_yr
    known_group = scene.info(judged.pair.now.species).group in limits.x04_cap_by_group
    questioned = judged.high
    if not known_group:
        questioned = min(judged.high, judged.last + _allowance(scene, doubted) + (judged.high - judged.last
                         - _allowance(scene, limits.x04_cap_cm_yr)))  # fmt: skip
    dbh, last = judged.dbh, judged.last
    if dbh < judged.low or dbh > questioned:
        slip = ratio_slip(dbh, judged.expected)
        if slip is not None:
            return _raise("T05", judged, slip, case=slip.kind)
        slip = best_slip(dbh, judged.expected, _partners(judged, odd))
        if dbh < judged.low:
            return _raise("X01", judged, slip)
        doubtful = dbh <= judged.high
        return _raise("X04", judged, slip, severity=Severity.WARN if doubtful else None, years=round(scene.years, 1),
                      cap_cm_yr=round((judged.high - last) / scene.years, 2))  # fmt: skip
    if _odd_ratio(limits, dbh, last):
        return _raise(
            "X05", judged, best_slip(dbh, judged.expected, _partners(judged, odd)), ratio=round(dbh / last, 2)
        )
    if dbh > judged.soft:
        return _typing_slip(judged, odd)
    if dbh < last and not pom_changed(judged.pair.now, judged.pair.before, limits.x14_use_share):
        return _raise("X02", judged, None)
    return None


def _typing_slip(judged: Judged, odd: list[Judged]) -> Flag | None:
    slip = best_slip(judged.dbh, judged.expected, typed_only=True)
    if slip is not None:
        case = "tens" if slip.kind == "tens" else ""
        return _raise("T06", judged, slip, case=case, plot_rate_cm_yr=judged.growth.rate_cm_yr)
    swap = best_slip(judged.dbh, judged.expected, _partners(judged, odd))
    if swap is not None and swap.kind == "swap":
        other = next(one.pair.now.tag for one in odd if one.dbh == swap.value_cm)
        return _raise("X13", judged, swap, case="swap", other=other)
    return None


def _odd_ratio(limits: Limits, dbh: float, last: float) -> bool:
    if abs(dbh - last) < limits.x05_min_change_cm:
        return False
    return dbh < limits.x05_low * last or (last < limits.x05_small_cm and dbh > limits.x05_high * last)


def _partners(judged: Judged, odd: list[Judged]) -> list[float]:
    """Diameters now of other odd trees that would fit here while this one's fits there."""
    return [
        other.dbh for other in odd
        if other is not judged and judged.expected.holds(other.dbh) and other.expected.holds(judged.dbh)
    ]  # fmt: skip


def _raise(
    rule: str, judged: Judged, slip: Slip | None, *, severity: Severity | None = None, **facts: str | float
) -> Flag:
    now = judged.pair.now
    corrected = (
        now.tally_code is TallyCode.DBH_ERROR
    )  # the crew says that last time's value was the wrong one
    return raised(
        rule, now.ordinal, now.tag, now.stem_id, "dbh_cm", shown(now),
        round(judged.expected.low_cm, 1), round(judged.expected.high_cm, 1),
        suggestion=slip.text if slip else "", severity=Severity.INFO if corrected else severity,
        score=10 * judged.steps / (judged.steps + 8), before_cm=judged.last,
        slip=slip.kind if slip else "", **facts,
    )  # fmt: skip
