"""C04 and C05: growth as one crew measured it beside what the other crews of the same strata measured.

A tape that reads 3 % too much, a list filled in from the last one, growth that is the same for every tree: one tree
shows nothing of it, two hundred do. What is expected of a tree is the median of the *other* crews in its stratum, its
species and size; plots, not trees, are the sample, because trees of one plot share its soil. A crew alone in a stratum
cannot be told from the stratum and is not judged there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import exp, log, sqrt
from statistics import median
from typing import Any, NamedTuple

from server.validation.bands import size_class
from server.validation.flag import Flag
from server.validation.parameters.limits import Limits
from server.validation.rule import raised
from server.validation.shares import Z95, as_normal, as_student, chance_above, likely, spread, wilson

LEAST_SPREAD_CM = 0.3
"""Growth differs by at least this between trees, cm: two tapes do (project default)."""
WINSOR = 4.0
"""Robust standard deviations beyond which a difference counts as that many: a typing slip is no bias."""
_MAD_ERROR = 1.17
"""Standard error of ln(median deviation) times √n, for a normal distribution."""


class Pair(NamedTuple):
    """A tree that this crew measured and an earlier census too. `visit_id` is the crew's visit, `month` its month."""

    visit_id: int
    month: str
    stratum: int | None
    species: str
    before_cm: float
    dbh_cm: float
    years: float


Key = tuple[object, ...]


class _Beside(NamedTuple):
    """A pair beside what was expected: `more_cm` above it, `sd_cm` the spread of growth among the others."""

    pair: Pair
    more_cm: float
    sd_cm: float


class _Bias(NamedTuple):
    share: float
    error: float
    plots: int
    mean_cm: float


def figures(pairs: Mapping[int, Sequence[Pair]], limits: Limits) -> dict[int, dict[str, Any]]:
    """Every crew beside the others; None where there is nobody to compare with."""
    kinds = _by_kind(pairs)
    found = {}
    for crew, mine in pairs.items():
        beside = list(_beside(crew, mine, kinds, limits))
        others = [one for other, some in pairs.items() if other != crew for one in some]
        found[crew] = {
            "pairs": len(mine),
            **_bias_figures(crew, beside, pairs, kinds, limits),
            **_spread_figures(beside),
            **_constant_figures(mine, others),
        }
    return found


# what is expected


_Kinds = Mapping[Key, Mapping[int, list[float]]]


def _by_kind(pairs: Mapping[int, Sequence[Pair]]) -> _Kinds:
    """Rates of growth, cm a year, by kind of tree and crew."""
    kinds: dict[Key, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for crew, some in pairs.items():
        for pair in some:
            for key in _keys(pair):
                kinds[key][crew].append((pair.dbh_cm - pair.before_cm) / pair.years)
    return kinds


def _keys(pair: Pair) -> tuple[Key, ...]:
    """Kinds of tree, the narrowest first; never wider than the stratum."""
    size = size_class(pair.before_cm)
    return (pair.stratum, pair.species, size), (pair.stratum, "", size), (pair.stratum, "", "")


def _beside(
    crew: int | None, mine: Iterable[Pair], kinds: _Kinds, limits: Limits, without: int | None = None
) -> Iterator[_Beside]:
    """Each pair beside the others' growth: those of `without` left out as well as the crew's own."""
    known: dict[Key, tuple[float, float] | None] = {}
    for pair in mine:
        expected = None
        for key in _keys(pair):
            if key not in known:
                known[key] = _expected(kinds[key], {crew, without}, limits.c05_min_kind)
            expected = known[key]
            if expected is not None:
                break
        if expected is None:
            continue
        rate, sd = expected
        sd_cm = max(sd * pair.years, LEAST_SPREAD_CM)
        more = pair.dbh_cm - pair.before_cm - rate * pair.years
        yield _Beside(pair, max(-WINSOR * sd_cm, min(WINSOR * sd_cm, more)), sd_cm)


def _expected(
    rates: Mapping[int, list[float]], without: set[int | None], least: float
) -> tuple[float, float] | None:
    others = [rate for crew, some in rates.items() if crew not in without for rate in some]
    return (median(others), spread(others)) if len(others) >= least else None


# bias


def _bias_figures(
    crew: int, beside: Sequence[_Beside], pairs: Mapping[int, Sequence[Pair]], kinds: _Kinds, limits: Limits
) -> dict[str, Any]:
    """How much larger this crew reads, as a share of the diameter, with its interval and the smallest share that its
    plots could show."""
    strata = {one.pair.stratum for one in beside}
    rest = [p for other, some in pairs.items() if other != crew for p in some if p.stratum in strata]
    mine, others = _bias(beside), _bias(list(_beside(None, rest, kinds, limits, without=crew)))
    compared = {"compared": len(beside), "plots": mine.plots if mine else 0}
    if mine is None or others is None:
        return {**compared, "bias": None}
    error = sqrt(mine.error**2 + others.error**2)
    freedom = (
        error**4 / (mine.error**4 / (mine.plots - 1) + others.error**4 / (others.plots - 1)) if error else 1.0
    )
    bias = mine.share - others.share
    half = as_student(Z95, freedom) * error
    return {
        **compared,
        "bias": bias,
        "interval": [bias - half, bias + half],
        "z": as_normal(bias / error, freedom) if error else 0.0,
        "detectable": as_student(limits.c05_z, freedom) * error,
        "mean_cm": mine.mean_cm,
    }


def _bias(beside: Sequence[_Beside]) -> _Bias | None:
    """Difference in proportion to the diameter, and its standard error between plots; None for fewer than two."""
    plots: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for one in beside:
        sums, weight = plots[one.pair.visit_id], 1 / (one.sd_cm * one.sd_cm)
        sums[0] += weight * one.more_cm * one.pair.before_cm
        sums[1] += weight * one.pair.before_cm**2
    if len(plots) < 2:
        return None
    above, below = (sum(sums[side] for sums in plots.values()) for side in (0, 1))
    share, count = above / below, len(plots)
    square = sum((sums[0] - share * sums[1]) ** 2 for sums in plots.values())
    mean_cm = sum(one.more_cm for one in beside) / len(beside)
    return _Bias(share, sqrt(square * count / (count - 1)) / below, count, mean_cm)


# too even to be true


def _spread_figures(beside: Sequence[_Beside]) -> dict[str, Any]:
    """How much growth differs between the trees of one plot, where 1 is how much it does for the others."""
    of_plot: dict[int, list[float]] = defaultdict(list)
    for one in beside:
        of_plot[one.pair.visit_id].append(one.more_cm / one.sd_cm)
    apart = [value - median(some) for some in of_plot.values() if len(some) > 2 for value in some]
    if len(apart) < 2:
        return {"spread": None, "spread_trees": 0}
    ratio, error = spread(apart), _MAD_ERROR / sqrt(len(apart))
    bounds = [ratio * exp(-Z95 * error), ratio * exp(Z95 * error)]
    return {"spread": ratio, "spread_interval": bounds, "spread_trees": len(apart)}


def _constant_figures(mine: Sequence[Pair], others: Sequence[Pair]) -> dict[str, Any]:
    """Values as last time, and the commonest growth, beside the others."""
    step, hits = _commonest(mine)
    same, their_same = (sum(p.dbh_cm == p.before_cm for p in some) for some in (mine, others))
    return {
        "same": same,
        "same_interval": list(wilson(same, len(mine))),
        "others_same": their_same / len(others) if others else None,
        "commonest_cm": step,
        "commonest": hits,
        "others_commonest": _commonest(others)[1] / len(others) if others else None,
    }


def _commonest(pairs: Sequence[Pair]) -> tuple[float | None, int]:
    """The growth that most trees share, if it is any; and how many trees."""
    steps = Counter(round(p.dbh_cm - p.before_cm, 1) for p in pairs if p.dbh_cm != p.before_cm)
    return steps.most_common(1)[0] if steps else (None, 0)


def flags(figures: dict[str, Any], limits: Limits) -> Iterator[Flag]:
    """C04 (too even, all the same growth, values as last time) and C05 (reads more or less than the others)."""
    seen = figures["growth"]
    yield from _bias_flags(seen, limits)
    yield from _even_flags(seen, limits)
    yield from _constant_flags(seen, limits)


def _bias_flags(seen: dict[str, Any], limits: Limits) -> Iterator[Flag]:
    bias = seen["bias"]
    if bias is None or seen["compared"] < limits.c05_min_pairs or seen["plots"] < limits.c05_min_plots:
        return
    if abs(seen["z"]) <= limits.c05_z or abs(bias) < limits.c05_share:
        return
    low, high = seen["interval"]
    yield raised(
        "C05", None, "", "", "dbh_cm", f"{100 * bias:+.1f} %", case="more" if bias > 0 else "less",
        bias_pct=100 * abs(bias), low_pct=100 * min(abs(low), abs(high)), high_pct=100 * max(abs(low), abs(high)),
        mean_cm=f"{seen['mean_cm']:+.2f}", trees=seen["compared"], plots=seen["plots"], step=round(100 * bias),
        score=likely(abs(seen["z"]) * (1 - limits.c05_share / abs(bias))),
    )  # fmt: skip


def _even_flags(seen: dict[str, Any], limits: Limits) -> Iterator[Flag]:
    if seen["spread"] is None or seen["spread_trees"] < limits.c04_min_pairs:
        return
    ratio, (_, high) = seen["spread"], seen["spread_interval"]
    if ratio < limits.c04_spread and high < (1 + limits.c04_spread) / 2:
        away = log(limits.c04_spread / max(ratio, 0.01)) * sqrt(seen["spread_trees"]) / _MAD_ERROR
        yield raised("C04", None, "", "", "dbh_cm", f"{ratio:.2f}", spread_pct=100 * ratio, high_pct=100 * high,
                     trees=seen["spread_trees"], step=round(10 * ratio), score=likely(away))  # fmt: skip


def _constant_flags(seen: dict[str, Any], limits: Limits) -> Iterator[Flag]:
    for case, hits, usual, limit in (
        ("same", seen["same"], seen["others_same"], limits.c04_same_share),
        ("constant", seen["commonest"], seen["others_commonest"], limits.c04_constant_share),
    ):
        trees = seen["pairs"]
        if trees < limits.c04_min_pairs or hits <= limit * trees:
            continue
        low, high = wilson(hits, trees)
        if (
            usual is not None and low <= limits.c04_times * usual
        ):  # a dry year, or a tape in whole centimetres
            continue
        yield raised("C04", None, "", "", "dbh_cm", f"{hits / trees:.2f}", case=case, share_pct=100 * hits / trees,
                     low_pct=100 * low, high_pct=100 * high, usual_pct=None if usual is None else 100 * usual,
                     growth_cm=seen["commonest_cm"], trees=trees, step=round(10 * hits / trees),
                     score=chance_above(hits, trees, limit))  # fmt: skip
