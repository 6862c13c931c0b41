"""Small pictures of a crew's habits as numbers for SVG: places in px, drawn by the templates.

No script and no style of a page's own: colour and width stand in crews.css, shapes here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

LEAST_TREES = 10
"""Trees of a month below which its share is noise and is left out of a line."""


class Point(NamedTuple):
    """A dot of a line, with what it says in words."""

    x: float
    y: float
    label: str


class Line(NamedTuple):
    """A line of months in a box of `width` and `height` px; `path` as an SVG polyline has it."""

    width: int
    height: int
    points: tuple[Point, ...]
    limit_y: float

    @property
    def path(self) -> str:
        return " ".join(f"{point.x:g},{point.y:g}" for point in self.points)


def line(months: Mapping[str, Mapping[str, int]], part: str, of: str, limit: float,
         size: tuple[int, int] = (90, 26)) -> Line | None:  # fmt: skip
    """The share of `part` among `of` from month to month, 0 below and 60 % or the largest above; None for fewer than
    two months."""
    width, height = size
    shares = [(month, some[part] / some[of]) for month, some in months.items() if some[of] >= LEAST_TREES]
    if len(shares) < 2:
        return None
    top, step = max(0.6, *(share for _, share in shares)), (width - 8) / (len(shares) - 1)
    points = tuple(
        Point(round(4 + n * step, 1), _down(share, top, height), f"{month} {100 * share:.0f}%")
        for n, (month, share) in enumerate(shares)
    )
    return Line(width, height, points, _down(limit, top, height))


def _down(share: float, top: float, height: int) -> float:
    return round(height - 4 - share / top * (height - 8), 1)


class Column(NamedTuple):
    """A column of the histogram; `is_round`: the digit 0 or 5."""

    digit: int
    x: float
    y: float
    height: float
    share: float
    is_round: bool


class Histogram(NamedTuple):
    """Ten columns, the line of chance and the most that an honest 0 or 5 has, px from above."""

    columns: tuple[Column, ...]
    chance_y: float
    honest_y: float
    foot_y: float


def histogram(digits: Sequence[int], honest_share: float) -> Histogram | None:
    """Diameters by last digit, in a box of 340 by 150 px; None without any."""
    trees = sum(digits)
    if not trees:
        return None
    top, foot, room = max(0.25, *(count / trees for count in digits)) * 1.1, 132.0, 122.0
    columns = []
    for digit, count in enumerate(digits):
        tall = count / trees / top * room
        columns.append(Column(digit, 10 + 33 * digit, round(foot - tall, 1), round(tall, 1), count / trees,
                              digit in {0, 5}))  # fmt: skip
    return Histogram(
        tuple(columns),
        round(foot - 0.1 / top * room, 1),
        round(foot - honest_share / 2 / top * room, 1),
        foot,
    )


class Span(NamedTuple):
    """An interval on a scale from left to right, px."""

    left: float
    right: float
    middle: float


def span(interval: Sequence[float], middle: float, reach: tuple[float, float], width: float) -> Span:
    """Where an interval lies on a scale that reaches from `reach[0]` to `reach[1]` over `width` px; what is beyond
    ends at the edge."""
    low, high = reach

    def at(value: float) -> float:
        return round(width * (min(max(value, low), high) - low) / (high - low), 1)

    return Span(at(interval[0]), at(interval[1]), at(middle))


def biases(rows: Sequence[Mapping[str, Any]], width: float = 300) -> list[dict[str, Any]]:
    """Crews beside each other: bias with its interval on one scale, zero in the middle; and how far it reaches."""
    known = [row for row in rows if row["figures"] and row["figures"]["growth"].get("bias") is not None]
    ends = [abs(end) for row in known for end in row["figures"]["growth"]["interval"]]
    reach = min(max([0.03, *ends]), 0.2)
    return [
        {"id": row["id"], "name": row["name"], "bias": row["figures"]["growth"]["bias"], "reach": reach,
         "span": span(row["figures"]["growth"]["interval"], row["figures"]["growth"]["bias"], (-reach, reach), width)}
        for row in known
    ]  # fmt: skip
