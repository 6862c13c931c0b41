"""One tree's diameter (or height) over its censuses, drawn: what was measured, what was to be expected, what is
doubted and what was probably meant. Pure: values in, places on a sheet out, ready for SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

WIDTH_PX, HEIGHT_PX = 640.0, 300.0
LEFT_PX, RIGHT_PX, TOP_PX, FOOT_PX = 48.0, 92.0, 16.0, 34.0
BAND_PX = 22.0
"""Drawn width of the expected interval at the census of the flag."""
AIR = 0.08
"""Share of the values' range that stays free above and below."""
STEPS = (1.0, 2.0, 5.0)


class Seen(NamedTuple):
    """What one census says: its name, its day (None: unknown), the value that counts, what stood there before a
    correction (None: nothing else)."""

    census: str
    on: date | None
    value: float | None
    was: float | None = None


class Dot(NamedTuple):
    """A point on the sheet with the number beside it. `kind`: counts, doubted, was, meant."""

    x: float
    y: float
    text: str
    kind: str


class Tick(NamedTuple):
    """A mark on an axis: where, and its words."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """What to draw. `line` joins what counts; `cone` opens from the last value to the expected interval, `band` is
    that interval as x, y, width and height; "" and None where nothing was expected. An interval with one end has no
    cone: it does not follow from the last value."""

    dots: tuple[Dot, ...]
    line: str
    cone: str
    band: tuple[float, float, float, float] | None
    censuses: tuple[Tick, ...]
    values: tuple[Tick, ...]
    width_px: float = WIDTH_PX
    height_px: float = HEIGHT_PX
    left_px: float = LEFT_PX
    foot_px: float = HEIGHT_PX - FOOT_PX


def drawing(
    seen: Sequence[Seen], doubted: int, low: float | None = None, high: float | None = None,
    meant: float | None = None,
) -> Drawing | None:  # fmt: skip
    """The drawing of a tree, censuses in order; `doubted` is the place of the flag's census among them. None where
    there is not one number to draw."""
    numbers = [n for one in seen for n in (one.value, one.was) if n is not None]
    if not numbers:
        return None
    numbers += [n for n in (low, high, meant) if n is not None]
    xs, scale = _xs(seen), _Scale.over(numbers)
    dots = [*_dots(seen, xs, scale, doubted)]
    if meant is not None:
        dots.append(Dot(xs[doubted], scale.y(meant), f"{meant:g}?", "meant"))
    earlier = [place for place in range(doubted) if seen[place].value is not None]
    bottom, top = scale.y(scale.least if low is None else low), scale.y(scale.most if high is None else high)
    is_bounded, is_closed = low is not None or high is not None, low is not None and high is not None
    return Drawing(
        dots=tuple(dots),
        line=_path([(x, scale.y(one.value)) for x, one in zip(xs, seen, strict=True) if one.value is not None]),
        cone=_cone(xs, seen, scale, earlier[-1], doubted, bottom, top) if is_closed and earlier else "",
        band=(xs[doubted] - BAND_PX / 2, top, BAND_PX, max(bottom - top, 1.0)) if is_bounded else None,
        censuses=tuple(Tick(x, one.census) for x, one in zip(xs, seen, strict=True)),
        values=tuple(Tick(scale.y(value), f"{value:g}") for value in scale.round_values()),
    )  # fmt: skip


class _Scale(NamedTuple):
    least: float
    most: float

    @classmethod
    def over(cls, numbers: Sequence[float]) -> _Scale:
        low, high = min(numbers), max(numbers)
        air = max((high - low) * AIR, 0.5)
        return cls(max(low - air, 0.0), high + air)

    def y(self, value: float) -> float:
        share = (value - self.least) / (self.most - self.least)
        return round(HEIGHT_PX - FOOT_PX - share * (HEIGHT_PX - FOOT_PX - TOP_PX), 1)

    def round_values(self) -> list[float]:
        """Four to nine round numbers within the scale."""
        size = 0.1
        while True:
            for step in STEPS:
                wide = size * step
                if (self.most - self.least) / wide <= 8:  # more would crowd the axis
                    first = int(self.least / wide) + (self.least > 0)
                    return [round(n * wide, 6) for n in range(first, int(self.most / wide) + 1)]
            size *= 10


def _xs(seen: Sequence[Seen]) -> list[float]:
    """Across the sheet by day; by order where a day is unknown or two are the same."""
    days = [one.on.toordinal() for one in seen if one.on is not None]
    places = days if len(days) == len(seen) == len(set(days)) else list(range(len(seen)))
    first, whole = places[0], max(places[-1] - places[0], 1)
    room = WIDTH_PX - LEFT_PX - RIGHT_PX - 2 * BAND_PX
    if len(places) == 1:
        return [LEFT_PX + BAND_PX + room / 2]
    return [round(LEFT_PX + BAND_PX + room * (place - first) / whole, 1) for place in places]


def _dots(seen: Sequence[Seen], xs: Sequence[float], scale: _Scale, doubted: int) -> list[Dot]:
    dots = []
    for place, (one, x) in enumerate(zip(seen, xs, strict=True)):
        if one.was is not None and one.was != one.value:
            dots.append(Dot(x, scale.y(one.was), f"{one.was:g}", "was"))
        if one.value is not None:
            kind = "doubted" if place == doubted else "counts"
            dots.append(Dot(x, scale.y(one.value), f"{one.value:g}", kind))
    return dots


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)


def _cone(
    xs: Sequence[float],
    seen: Sequence[Seen],
    scale: _Scale,
    last: int,
    doubted: int,
    bottom: float,
    top: float,
) -> str:
    value = seen[last].value
    assert value is not None  # `last` is a census with a value
    return _path([(xs[last], scale.y(value)), (xs[doubted], top), (xs[doubted], bottom)])
