"""How much trees of a species and size grow a year: robust bands from remeasured, accepted trees.

Medians and quantiles of histograms, so that a few wrong diameters among a million do not move a band and a million
need no more memory than a thousand. A species with few trees leans on its genus, a genus on all trees, a size class
on all sizes: the fewer trees, the more.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import NamedTuple

SIZE_CLASSES_CM = (10.0, 20.0, 30.0, 40.0, 60.0)
"""Upper bounds of the diameter classes that have a band of their own, cm; the last class is open (project default)."""

ALL_SPECIES = "*"
GENUS = "genus:"
MIN_PAIRS = 40
"""Remeasured trees below which there are no bands at all (project default)."""
LEAN_PAIRS = 20
"""A group of this many trees counts as much as what it leans on (project default)."""
LEAST_SPREAD_CM_YR = 0.02
"""No group is more alike than this: a year's growth differs with the side of the tape (project default)."""
WIDEST = 3.0
"""No group spreads more than so many times what it leans on: that would be wrong values among few trees."""
STEPS_PER_CM = 100
"""Rates are counted in steps of 0.01 cm a year."""

TAPE_SD = (0.0062, 0.0904)
"""Standard deviation of one measurement, cm: 0.0062 D + 0.0904 (Chave et al. 2004)."""

Band = tuple[str, int]  # species, "genus:…" or "*"; size class


class Growth(NamedTuple):
    """Growth of a group of trees in cm a year: the median, the spread above and below it as one standard deviation
    without the tape's own error, and the `trees` that it rests on (0: a default)."""

    rate_cm_yr: float
    up_cm_yr: float
    down_cm_yr: float
    trees: int


def size_class(dbh_cm: float) -> int:
    """Number of the diameter class, from 0."""
    return bisect_right(SIZE_CLASSES_CM, dbh_cm)


def tape_variance_cm2(last_cm: float) -> float:
    """Variance of the difference of two measurements of a tree of `last_cm`, cm2."""
    return 2 * (TAPE_SD[0] * last_cm + TAPE_SD[1]) ** 2


@dataclass(slots=True)
class Rates:
    """Growth rates of one group, counted in steps; `tape` sums what two tapes add to the variance of a rate."""

    steps: Counter[int] = field(default_factory=Counter)
    tape: float = 0.0

    def add(self, last_cm: float, now_cm: float, years: float, trees: int = 1) -> None:
        """`trees` that went from `last_cm` to `now_cm` in `years`."""
        self.steps[round(STEPS_PER_CM * (now_cm - last_cm) / years)] += trees
        self.tape += trees * tape_variance_cm2(last_cm) / years**2

    def merge(self, other: Rates) -> None:
        """Count what another group counted."""
        self.steps.update(other.steps)
        self.tape += other.tape

    def growth(self) -> Growth:
        """Median and spreads; the tape's error is taken out of the spreads."""
        trees = self.steps.total()
        low, middle, high = _quantiles(self.steps, trees, (0.1587, 0.5, 0.8413))
        tape = self.tape / trees
        return Growth(middle, _own_spread(high - middle, tape), _own_spread(middle - low, tape), trees)


def _own_spread(seen: float, tape: float) -> float:
    return max(sqrt(max(seen * seen - tape, 0.0)), LEAST_SPREAD_CM_YR)


def _quantiles(steps: Counter[int], trees: int, shares: Iterable[float]) -> list[float]:
    ordered = sorted(steps.items())
    found, seen, at = [], 0, 0
    for share in shares:
        while seen + ordered[at][1] < share * trees:
            seen += ordered[at][1]
            at += 1
        found.append(ordered[at][0] / STEPS_PER_CM)
    return found


def leaning(own: Growth | None, on: Growth) -> Growth:
    """A group's growth, drawn towards what it leans on: the fewer trees, the more."""
    if own is None:
        return on
    share = own.trees / (own.trees + LEAN_PAIRS)

    def drawn(mine: float, theirs: float) -> float:
        return round(share * mine + (1 - share) * theirs, 4)

    rate = drawn(own.rate_cm_yr, on.rate_cm_yr)
    up = drawn(min(own.up_cm_yr, WIDEST * on.up_cm_yr), on.up_cm_yr)
    down = drawn(min(own.down_cm_yr, WIDEST * on.down_cm_yr), on.down_cm_yr)
    return Growth(rate, up, down, own.trees)


def fitted(rates: Mapping[Band, Rates], genera: Mapping[str, str]) -> dict[Band, Growth]:
    """Bands of every species, genus and size class that has trees, and of all species in every class; none where
    there are fewer than MIN_PAIRS trees together. `rates` are by species; `genera` gives the genus of some."""
    every = _pooled(rates, lambda _species, _size: (ALL_SPECIES, -1))
    if not every or every[ALL_SPECIES, -1].steps.total() < MIN_PAIRS:
        return {}
    base = every[ALL_SPECIES, -1].growth()
    sizes = _pooled(rates, lambda _species, size: (ALL_SPECIES, size))
    related = _pooled(
        {band: some for band, some in rates.items() if genera.get(band[0])},
        lambda species, size: (GENUS + genera[species], size),
    )
    bands: dict[Band, Growth] = {}
    for size in range(len(SIZE_CLASSES_CM) + 1):
        here = sizes.get((ALL_SPECIES, size))
        bands[ALL_SPECIES, size] = leaning(here.growth() if here else None, base)
    for band, some in related.items():
        bands[band] = leaning(some.growth(), bands[ALL_SPECIES, band[1]])
    for (species, size), some in rates.items():
        genus = bands.get((GENUS + genera.get(species, ""), size))
        bands[species, size] = leaning(some.growth(), genus or bands[ALL_SPECIES, size])
    return bands


def _pooled(rates: Mapping[Band, Rates], into: Callable[[str, int], Band]) -> dict[Band, Rates]:
    pooled: dict[Band, Rates] = {}
    for band, some in rates.items():
        pooled.setdefault(into(*band), Rates()).merge(some)
    return pooled


def growth_in(bands: Mapping[Band, Growth], species: str, genus: str, size: int) -> Growth | None:
    """The band of the species, else of its genus, else of all; None where there are no bands."""
    found = bands.get((species, size))
    if found is None and genus:
        found = bands.get((GENUS + genus, size))
    return found or bands.get((ALL_SPECIES, size))
