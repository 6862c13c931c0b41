"""One crew at one plot in one census, with the trees they measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from server.forest.tree import Measurement

NO_PLOT = "?"
"""The plot of a visit whose crew left the plot's name empty: kept, and plain to see."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What one visit found. `area_ha` None where the plot's size is not known; `thinned` says that a thinning
    of this plot is on record since the visit before."""

    plot_id: str
    census: str
    measured_on: date | None
    trees: tuple[Measurement, ...] = field(default=())
    area_ha: float | None = None
    thinned: bool = False
    side_m: float | None = None  # of a square plot with its origin in a corner; None: unknown or round
    radius_m: float | None = None  # of a round plot with its origin in the centre

    def by_key(self) -> dict[tuple[str, str], Measurement]:
        """Trees by (tag, stem). Of a duplicate tag the first is kept; the duplicate is a flag's business."""
        found: dict[tuple[str, str], Measurement] = {}
        for tree in self.trees:
            found.setdefault(tree.key, tree)
        return found


def years_between(earlier: date | None, later: date | None) -> float | None:
    """Years between two days, in units of 365.25 days; None when either is unknown or they are out of order."""
    if earlier is None or later is None or later <= earlier:
        return None
    return (later - earlier).days / 365.25
