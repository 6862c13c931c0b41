"""How much trees of a species and size grow a year: robust bands from remeasured trees.

Medians and median deviations, so that a few wrong diameters among the trees do not move a band. Where neither a
band nor the plot itself says enough, the rules fall back to a cautious default (`expected`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from server.forest.tree import Measurement
from server.forest.visit import Visit, years_between

MAD_TO_SD = 1.4826
"""Standard deviation of a normal distribution in units of its median absolute deviation."""

SIZE_CLASSES_CM = (10.0, 20.0, 30.0, 40.0, 60.0)
"""Upper bounds of the diameter classes that have a band of their own, cm; the last class is open (project default)."""

ALL_SPECIES = "*"
MIN_PAIRS = 40
"""Remeasured trees that a band rests on at least (project default: a robust spread is then known to some 15 %)."""

Band = tuple[str, int]  # species, size class


@dataclass(frozen=True, slots=True)
class Growth:
    """Growth of a group of trees in cm a year: the median and the spread above it, as a standard deviation;
    `trees` that it rests on (0: the default)."""

    rate_cm_yr: float
    spread_cm_yr: float
    trees: int


def size_class(dbh_cm: float) -> int:
    """Number of the diameter class, from 0."""
    return bisect_right(SIZE_CLASSES_CM, dbh_cm)


def growth_of(rates: list[float]) -> Growth:
    """Median and the spread above it: trees grow by different amounts, they shrink only by error. The spread is that
    of the faster half, so that where most grew alike one slip does not become the measure of itself."""
    middle = median(rates)
    faster = sorted(rates)[len(rates) // 2 :]
    return Growth(middle, MAD_TO_SD * median([rate - middle for rate in faster]), len(rates))


def fitted(visits: Iterable[Visit]) -> Mapping[Band, Growth]:
    """Bands by species and size class, and for all species together, from each plot's successive visits.

    Visits without a date, trees that died and trees measured at another height of the stem say nothing.
    """
    rates: dict[Band, list[float]] = {}
    for last, now, years in _successive(visits):
        known = last.by_key()
        for tree in now.trees:
            before = known.get((tree.tag, tree.stem_id))
            if before is not None and before.dbh_cm and tree.dbh_cm and _comparable(tree, before):
                rate, size = (tree.dbh_cm - before.dbh_cm) / years, size_class(before.dbh_cm)
                rates.setdefault((tree.species, size), []).append(rate)
                rates.setdefault((ALL_SPECIES, size), []).append(rate)
    return {band: growth_of(some) for band, some in rates.items() if len(some) >= MIN_PAIRS}


def _comparable(tree: Measurement, before: Measurement) -> bool:
    alive = tree.tally_code is not None and before.tally_code is not None
    return (
        alive
        and tree.tally_code.is_alive  # type: ignore[union-attr]
        and before.tally_code.is_alive  # type: ignore[union-attr]
        and tree.species == before.species
        and (tree.pom_m == before.pom_m or not tree.pom_m or not before.pom_m)
    )


def _successive(visits: Iterable[Visit]) -> Iterator[tuple[Visit, Visit, float]]:
    by_plot: dict[str, list[Visit]] = {}
    for visit in visits:
        if visit.measured_on is not None:
            by_plot.setdefault(visit.plot_id, []).append(visit)
    for plot in by_plot.values():
        plot.sort(key=lambda visit: (visit.measured_on, visit.census))
        for last, now in pairwise(plot):
            years = years_between(last.measured_on, now.measured_on)
            if years is not None:
                yield last, now, years
