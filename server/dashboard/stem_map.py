"""Where the trees of a plot stand: circles on a sheet, north up, ready to be drawn as SVG.

Positions come from azimuth and horizontal distance to the plot's centre, or from x (east) and y (north) in metres;
a visit is drawn in whichever of the two more of its trees have. x and y start in the plot's south-west corner
unless one of them is negative, which only an origin in the centre allows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from server.dashboard.tally_sheet import TreeRow
from server.forest.tree import TallyCode

SIDE_PX = 320.0
MARGIN_PX = 16.0
LEAST_RADIUS_PX, MOST_RADIUS_PX = 2.5, 13.0
PX_PER_CM = 0.28
"""Drawn radius for each cm of diameter: a stem of 25 cm is a 7 px circle; stems are not to the map's scale."""
GRID_M = 5.0
_GONE = frozenset(int(code) for code in TallyCode if code.is_gone)


@dataclass(frozen=True, slots=True)
class Stem:
    """One circle. `kind`: alive, gone (dead or cut), absent (of last time only)."""

    cx: float
    cy: float
    r: float
    label: str
    kind: str
    worst: str


@dataclass(frozen=True, slots=True)
class StemMap:
    """What to draw in a square of `side_px`: stems, and either rings around a centre or a frame of plot's size."""

    stems: tuple[Stem, ...]
    rings_px: tuple[tuple[float, int], ...]  # radius in px, metres
    frame_px: float | None
    side_px: float = SIDE_PX


def stem_map(rows: Sequence[TreeRow], side_m: float | None = None) -> StemMap | None:
    """The map of a visit; None where no tree has a position. `side_m`: of a square plot, to draw its edge."""
    polar = [(row, _polar(row)) for row in rows]
    square = [(row, _square(row)) for row in rows]
    if sum(p is not None for _, p in polar) >= sum(p is not None for _, p in square):
        return _around_centre([(row, p) for row, p in polar if p is not None], side_m)
    return _in_square([(row, p) for row, p in square if p is not None], side_m)


Placed = Sequence[tuple[TreeRow, tuple[float, float]]]


def _polar(row: TreeRow) -> tuple[float, float] | None:
    """Metres east and north of the centre."""
    azimuth, distance = row.tree["azimuth_deg"], row.tree["distance_m"]
    if azimuth is None or distance is None:
        return None
    turn = math.radians(azimuth)
    return distance * math.sin(turn), distance * math.cos(turn)


def _square(row: TreeRow) -> tuple[float, float] | None:
    x, y = row.tree["x_m"], row.tree["y_m"]
    return None if x is None or y is None else (x, y)


def _around_centre(placed: Placed, side_m: float | None) -> StemMap | None:
    if not placed:
        return None
    reach = max([math.hypot(*at) for _, at in placed] + ([side_m / 2] if side_m else []))
    reach = max(GRID_M, math.ceil(reach / GRID_M) * GRID_M)
    scale = (SIDE_PX / 2 - MARGIN_PX) / reach
    middle = SIDE_PX / 2
    stems = tuple(_stem(row, middle + e * scale, middle - n * scale) for row, (e, n) in placed)
    rings = tuple((round(m * scale, 1), m) for m in range(int(GRID_M), int(reach) + 1, int(GRID_M)))
    return StemMap(stems, rings, side_m * scale if side_m else None)


def _in_square(placed: Placed, side_m: float | None) -> StemMap | None:
    if not placed:
        return None
    if any(min(at) < 0 for _, at in placed):
        return _around_centre(placed, side_m)
    reach = max([max(at) for _, at in placed] + [side_m or GRID_M])
    scale = (SIDE_PX - 2 * MARGIN_PX) / reach
    foot = SIDE_PX - MARGIN_PX
    stems = tuple(_stem(row, MARGIN_PX + x * scale, foot - y * scale) for row, (x, y) in placed)
    return StemMap(stems, (), (side_m or reach) * scale)


def _stem(row: TreeRow, cx: float, cy: float) -> Stem:
    dbh = row.tree["dbh_cm"] or 0.0
    radius = min(max(dbh * PX_PER_CM, LEAST_RADIUS_PX), MOST_RADIUS_PX)
    kind = "absent" if row.now is None else "gone" if row.now["tally_code"] in _GONE else "alive"
    return Stem(round(cx, 1), round(cy, 1), round(radius, 1), row.label, kind, row.worst)
