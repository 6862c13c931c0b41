"""Shares and what chance makes of them: intervals, limits of acceptance, power. Plain statistics, no forest.

Written out here because they are a few lines each, and a library of statistics is heavier than the whole worker.
"""

from __future__ import annotations

from math import exp, lgamma, log, log1p, sqrt
from statistics import NormalDist
from typing import NamedTuple

Z95 = 1.959964
"""Standard errors on either side of a value that hold it nineteen times of twenty."""
_NORMAL = NormalDist()


class Interval(NamedTuple):
    """What the data allow, from `low` to `high`, nineteen times of twenty."""

    low: float
    high: float


def wilson(hits: int, of: int) -> Interval:
    """Interval of a share (Wilson 1927): honest for few trials and for shares near 0 and 1."""
    if not of:
        return Interval(0.0, 1.0)
    share, z2 = hits / of, Z95 * Z95
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = Z95 * sqrt(share * (1 - share) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


def chance_above(hits: int, of: int, limit: float) -> float:
    """Probability that the true share lies above `limit`, when nothing was known of it before."""
    if not of:
        return 0.0
    share = (hits + 0.5) / (of + 1)
    return likely((share - limit) / sqrt(share * (1 - share) / of))


def likely(z: float) -> float:
    """Probability that a normal deviate lies below `z`."""
    return _NORMAL.cdf(z)


def most_by_chance(of: int, share: float, sure: float = 0.95) -> int:
    """The most misses among `of` that a crew with a true `share` of misses makes `sure` of the times."""
    total = 0.0
    for hits in range(of + 1):
        total += _binomial(hits, of, share)
        if total >= sure:
            return hits
    return of


def power(of: int, most: int, share: float) -> float:
    """Chance that a crew with a true `share` of misses makes more than `most` among `of`."""
    return max(0.0, 1.0 - sum(_binomial(hits, of, share) for hits in range(most + 1)))


def _binomial(hits: int, of: int, share: float) -> float:
    if share in {0.0, 1.0}:
        return float(hits == of * share)
    ways = lgamma(of + 1) - lgamma(hits + 1) - lgamma(of - hits + 1)
    return exp(ways + hits * log(share) + (of - hits) * log1p(-share))


def log10_tail(hits: int, tries: int, chance: float) -> float:
    """log10 of the probability of so many hits or more (binomial, its first term with a bound for the rest)."""
    if not 0 < chance < 1 or hits <= tries * chance:
        return 0.0
    choose = lgamma(tries + 1) - lgamma(hits + 1) - lgamma(tries - hits + 1)
    first = choose + hits * log(chance) + (tries - hits) * log(1 - chance)
    ratio = (tries - hits) / (hits + 1) * chance / (1 - chance)
    rest = -log(1 - ratio) if ratio < 1 else 0.0
    return min((first + rest) / log(10), 0.0)


def as_normal(t: float, freedom: float) -> float:
    """The normal deviate that is as rare as Student's `t` with so many degrees of freedom (Wallace 1959)."""
    size = sqrt(freedom * log1p(t * t / freedom)) * (8 * freedom + 1) / (8 * freedom + 3)
    return size if t >= 0 else -size


def as_student(z: float, freedom: float) -> float:
    """The inverse of `as_normal`: how many standard errors `z` normal ones are with few degrees of freedom."""
    root = z * (8 * freedom + 3) / (8 * freedom + 1)
    size = sqrt(freedom * (exp(min(root * root / freedom, 700.0)) - 1))
    return size if z >= 0 else -size
