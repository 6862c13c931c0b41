"""C04 and C05: growth as one crew measured it beside what the other crews of the same strata measured.

A tape that reads 3 % too much, a list filled in from the last one, growth that is the same for every tree: one tree
shows nothing of it, two hundred do. What is expected of a tree is the median of the *other* crews in its stratum, its
species and size; plots, not trees, are the sample, because trees of one plot share its soil. A crew alone in a stratum
cannot be told from the stratum and is not judged there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import exp, log, sqrt
from statistics import median
from typing import Any, NamedTuple

from server.validation.bands import size_class
from server.validation.flag import Flag
from server.validation.parameters.limits import Limits
from server.validation.rule import raised
from server.validation.shares import Z95, as_normal, as_student, chance_above, likely, wilson
from server.validation.stats import middle_and_spread

LEAST_SPREAD_CM = 0.3
"""Growth differs by at least this between trees, cm: two tapes do (project default)."""
WINSOR = 4.0
"""Robust standard deviations beyond which a difference counts as that many: a typing slip is no bias."""
_REACH_ERROR = 1.3
"""Standard error of ln(90th less 10th of a hundred) times √n: 1.0 for a normal distribution, more where trees differ as
trees do."""


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
_Kind = dict[int, list[float]]
"""Rates of growth of one kind of tree by crew, cm a year."""


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
    years: float


def figures(pairs: Mapping[int, Sequence[Pair]], limits: Limits) -> dict[int, dict[str, Any]]:
    """Every crew beside the others; None where there is nobody to compare with."""
    beside = _beside(pairs, limits)
    biases = {crew: _bias(some) for crew, some in beside.items()}
    apart = {crew: _apart(some) for crew, some in pairs.items()}
    steps = {crew: Counter(round(p.dbh_cm - p.before_cm, 2) for p in some) for crew, some in pairs.items()}
    return {
        crew: {
            "pairs": len(mine),
            "compared": len(beside[crew]),
            **_bias_figures(crew, biases, limits),
            **_spread_figures(crew, apart),
            **_constant_figures(
                steps[crew], sum((some for other, some in steps.items() if other != crew), Counter())
            ),
        }
        for crew, mine in pairs.items()
    }


# what is expected


def _beside(pairs: Mapping[int, Sequence[Pair]], limits: Limits) -> dict[int, list[_Beside]]:
    """Each pair beside the growth of its kind, those left out whose kind no other crew knows well enough."""
    kinds = _by_kind(pairs)
    known: dict[Key, tuple[float, float]] = {}
    found: dict[int, list[_Beside]] = {crew: [] for crew in pairs}
    for crew, some in pairs.items():
        chosen: dict[Key, Key | None] = {}
        for pair in some:
            keys = _keys(pair)
            if keys[0] not in chosen:
                enough = (key for key in keys if _others(kinds[key], crew) >= limits.c05_min_kind)
                chosen[keys[0]] = next(enough, None)
            key = chosen[keys[0]]
            if key is not None:
                if key not in known:
                    known[key] = _usual(kinds[key])
                found[crew].append(_against(pair, *known[key]))
    return found


def _usual(kind: _Kind) -> tuple[float, float]:
    rates = [rate for some in kind.values() for rate in some]
    return middle_and_spread(rates)


def _against(pair: Pair, rate_cm_yr: float, spread_cm_yr: float) -> _Beside:
    sd_cm = max(spread_cm_yr * pair.years, LEAST_SPREAD_CM)
    more = pair.dbh_cm - pair.before_cm - rate_cm_yr * pair.years
    return _Beside(pair, max(-WINSOR * sd_cm, min(WINSOR * sd_cm, more)), sd_cm)


def _by_kind(pairs: Mapping[int, Sequence[Pair]]) -> dict[Key, _Kind]:
    """Rates of growth, cm a year, by kind of tree and crew."""
    kinds: dict[Key, _Kind] = {}
    for crew, some in pairs.items():
        for pair in some:
            rate = (pair.dbh_cm - pair.before_cm) / pair.years
            for key in _keys(pair):
                kinds.setdefault(key, {}).setdefault(crew, []).append(rate)
    return kinds


def _keys(pair: Pair) -> tuple[Key, ...]:
    """Kinds of tree, the narrowest first; never wider than the stratum."""
    size = size_class(pair.before_cm)
    return (pair.stratum, pair.species, size), (pair.stratum, "", size), (pair.stratum, "", "")


def _others(kind: _Kind, crew: int) -> int:
    return sum(len(rates) for other, rates in kind.items() if other != crew)


# bias


def _bias_figures(crew: int, biases: Mapping[int, _Bias | None], limits: Limits) -> dict[str, Any]:
    """How much larger this crew reads than the middle one of the others, as a share of the diameter, with its interval
    and the smallest share that its plots could show. Crews differ by their places too: by what the others show, and
    by no less than `place_yr`."""
    mine = biases[crew]
    others = [one for other, one in biases.items() if other != crew and one is not None]
    if mine is None or not others:
        return {"plots": mine.plots if mine else 0, "bias": None}
    middle = median([one.share for one in others])
    own_errors = sum(one.error**2 for one in others) / len(others)
    apart = middle_and_spread([one.share for one in others])[1] if len(others) > 2 else 0.0
    places = max(apart**2 - own_errors, (limits.c05_place_yr * mine.years) ** 2)
    sampled = mine.error**2 + own_errors / len(others)
    error = sqrt(sampled + places * (1 + 1 / len(others)))
    freedom = (mine.plots - 1) * (error**4 / max(mine.error**4, 1e-18))
    bias = mine.share - middle
    half = as_student(Z95, freedom) * error
    return {
        "plots": mine.plots,
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
    error = sqrt(square * count / (count - 1)) / below
    mean_cm, years = (
        sum(some) / len(beside) for some in zip(*((o.more_cm, o.pair.years) for o in beside), strict=True)
    )
    return _Bias(share, error, count, mean_cm, years)


# too even to be true


_Apart = Mapping[int | None, Sequence[float]]
"""Growth a year less that of the middle tree of its plot, cm, by stratum."""


def _apart(pairs: Sequence[Pair]) -> _Apart:
    of_plot: dict[int, list[Pair]] = defaultdict(list)
    for pair in pairs:
        of_plot[pair.visit_id].append(pair)
    found: dict[int | None, list[float]] = defaultdict(list)
    for some in of_plot.values():
        if len(some) > 2:
            rates = [(pair.dbh_cm - pair.before_cm) / pair.years for pair in some]
            middle = median(rates)
            found[some[0].stratum] += [rate - middle for rate in rates]
    return found


def _spread_figures(crew: int, apart: Mapping[int, _Apart]) -> dict[str, Any]:
    """How far growth reaches from the slow to the fast trees of one plot, where 1 is how far it does for the others in
    the same strata: invented growth has no fast trees."""
    mine = [value for some in apart[crew].values() for value in some]
    others = [value for other, known in apart.items() if other != crew
              for stratum in apart[crew] for value in known.get(stratum, ())]  # fmt: skip
    own, usual = _reach(mine), _reach(others)
    if own is None or not usual:
        return {"spread": None, "spread_trees": 0}
    ratio, error = own / usual, _REACH_ERROR * sqrt(1 / len(mine) + 1 / len(others))
    bounds = [ratio * exp(-Z95 * error), ratio * exp(Z95 * error)]
    return {"spread": ratio, "spread_interval": bounds, "spread_trees": len(mine)}


def _reach(values: Sequence[float]) -> float | None:
    """Distance between the 10th and the 90th of a hundred; None for a handful."""
    if len(values) < 20:
        return None
    ordered = sorted(values)
    return ordered[len(values) * 9 // 10] - ordered[len(values) // 10]


def _constant_figures(mine: Counter[float], others: Counter[float]) -> dict[str, Any]:
    """Values as last time, and the commonest growth, beside the others; both from growths to the millimetre."""
    trees, theirs = mine.total(), others.total()
    step, hits = _commonest(mine)
    return {
        "same": mine[0.0],
        "same_interval": list(wilson(mine[0.0], trees)),
        "others_same": others[0.0] / theirs if theirs else None,
        "commonest_cm": step,
        "commonest": hits,
        "others_commonest": _commonest(others)[1] / theirs if theirs else None,
    }


def _commonest(steps: Counter[float]) -> tuple[float | None, int]:
    """The growth that most trees share, if it is any; and how many trees."""
    return max(
        ((step, trees) for step, trees in steps.items() if step), key=lambda one: one[1], default=(None, 0)
    )


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
        away = log(limits.c04_spread / max(ratio, 0.01)) * sqrt(seen["spread_trees"]) / _REACH_ERROR
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
