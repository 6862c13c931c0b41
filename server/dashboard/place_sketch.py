"""Where a plot was planned, where the phone was, and where that is once its datum is known: a sketch, north up.

Pure: it is handed positions and gives circles, a scale and texts for an SVG.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.forest.position import Point, offset

WIDTH_PX, HEIGHT_PX = 320.0, 240.0
MARGIN_PX = 34.0
LEAST_REACH_M = 20.0
_NICE_M = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)


@dataclass(frozen=True, slots=True)
class Mark:
    """A position on its way into the sketch. `kind`: design, fix, restored, photo, corner, other."""

    kind: str
    point: Point
    accuracy_m: float = 0.0
    label: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """A mark as it is drawn; `reach_px` the circle of its accuracy."""

    kind: str
    cx: float
    cy: float
    reach_px: float
    label: str


@dataclass(frozen=True, slots=True)
class Sketch:
    """Spots in a frame of `width_px` by `height_px`, and a bar of a round number of metres."""

    spots: tuple[Spot, ...]
    bar_px: float
    bar_m: int
    width_px: float = WIDTH_PX
    height_px: float = HEIGHT_PX


def sketch(marks: Sequence[Mark]) -> Sketch | None:
    """The sketch of some positions; None where there are less than two to compare."""
    if len(marks) < 2:
        return None
    ways = [offset(marks[0].point, mark.point) for mark in marks]
    east, north = [way.east_m for way in ways], [way.north_m for way in ways]
    middle = ((min(east) + max(east)) / 2, (min(north) + max(north)) / 2)
    wide, high = max(max(east) - min(east), LEAST_REACH_M), max(max(north) - min(north), LEAST_REACH_M)
    scale = min((WIDTH_PX - 2 * MARGIN_PX) / wide, (HEIGHT_PX - 2 * MARGIN_PX) / high)
    spots = tuple(
        Spot(mark.kind, round(WIDTH_PX / 2 + (way.east_m - middle[0]) * scale, 1),
             round(HEIGHT_PX / 2 - (way.north_m - middle[1]) * scale, 1), round(mark.accuracy_m * scale, 1), mark.label)
        for mark, way in zip(marks, ways, strict=True)
    )  # fmt: skip
    bar_m = max((m for m in _NICE_M if m * scale <= WIDTH_PX / 3), default=_NICE_M[0])
    return Sketch(spots, round(bar_m * scale, 1), bar_m)
