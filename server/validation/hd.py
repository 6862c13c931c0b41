"""Height against diameter: a robust curve for each species, from accepted trees.

ln H is a quadratic of ln D. A species with few trees uses the curve of its genus or of all trees, moved by what its
own trees say. Fitted on counted cells (1 cm, 0.5 m), so that any number of trees needs little memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from math import exp, log
from typing import NamedTuple

from server.validation.stats import MAD_TO_SD

MIN_TREES = 50
"""Accepted heights that a curve of its own rests on (project default)."""
LEAN_TREES = 10
"""A group of this many trees moves the curve half of the way to itself (project default)."""
LEAST_SPREAD = 0.08
"""Heights repeat to some 8 % (SD of repeated measurements in a remeasured forest)."""
DBH_STEP_CM, HEIGHT_STEP_M = 1.0, 0.5
ROUNDS = 5

Cells = Counter[tuple[int, int]]  # diameter and height in steps


class HeightCurve(NamedTuple):
    """ln H = a + b ln D + c (ln D)^2; `spread` is the standard deviation of ln H around it, resting on `trees`.
    Between `low_cm` and `high_cm` there were trees: outside, the curve goes on straight."""

    a: float
    b: float
    c: float
    spread: float
    trees: int
    low_cm: float
    high_cm: float

    def height_m(self, dbh_cm: float) -> float:
        """The usual height of a tree of this diameter, m."""
        return exp(self.log_height(dbh_cm))

    def log_height(self, dbh_cm: float) -> float:
        """Its natural logarithm."""
        x = log(dbh_cm)
        inner = min(max(x, log(self.low_cm)), log(self.high_cm))
        slope = max(self.b + 2 * self.c * inner, 0.0)
        return self.a + self.b * inner + self.c * inner * inner + slope * (x - inner)

    def steps(self, dbh_cm: float, height_m: float) -> float:
        """How many spreads a height lies above (or, negative, below) the curve."""
        return (log(height_m) - self.log_height(dbh_cm)) / self.spread


def cell(dbh_cm: float, height_m: float) -> tuple[int, int]:
    """The cell that a tree is counted in."""
    return round(dbh_cm / DBH_STEP_CM), round(height_m / HEIGHT_STEP_M)


def curves(cells: Mapping[str, Cells], genera: Mapping[str, str]) -> dict[str, HeightCurve]:
    """Curves of all ("*"), of every genus ("genus:…") and species; none where there are too few trees together."""
    everything = _pooled(cells, lambda _species: "*")
    if not everything or everything["*"].total() < MIN_TREES:
        return {}
    found = {"*": _curve(_points(everything["*"]))}
    known = {species: some for species, some in cells.items() if genera.get(species)}
    for name, some in _pooled(known, lambda species: f"genus:{genera[species]}").items():
        found[name] = _leaning(some, found["*"])
    for species, some in cells.items():
        found[species] = _leaning(some, found.get(f"genus:{genera.get(species, '')}") or found["*"])
    return found


def _pooled(cells: Mapping[str, Cells], into: Callable[[str], str]) -> dict[str, Cells]:
    pooled: dict[str, Cells] = {}
    for species, some in cells.items():
        pooled.setdefault(into(species), Counter()).update(some)
    return pooled


Point = tuple[float, float, int]  # ln D, ln H, trees


def _points(cells: Cells) -> list[Point]:
    return [
        (log(d * DBH_STEP_CM), log(h * HEIGHT_STEP_M), trees)
        for (d, h), trees in sorted(cells.items())
        if d > 0 and h > 0
    ]


def _leaning(cells: Cells, on: HeightCurve) -> HeightCurve:
    points = _points(cells)
    trees = sum(point[2] for point in points)
    if trees >= MIN_TREES:
        return _curve(points)
    if not trees:
        return on
    away = [(y - on.log_height(exp(x)), n) for x, y, n in points]
    share = trees / (trees + LEAN_TREES)
    return on._replace(a=round(on.a + share * _median(away), 5), trees=trees)


def _curve(points: list[Point]) -> HeightCurve:
    """Weighted least squares, repeated with less weight for what lies far off (Tukey's biweight)."""
    weights = [float(n) for _, _, n in points]
    a, b, c, spread = 0.0, 0.0, 0.0, 1.0
    for _ in range(ROUNDS):
        a, b, c = quadratic(points, weights)
        off = [y - (a + b * x + c * x * x) for x, y, _ in points]
        spread = max(
            MAD_TO_SD * _median([(abs(e), n) for e, (_, _, n) in zip(off, points, strict=True)]), 1e-3
        )
        weights = [
            n * max(1 - (e / (4.685 * spread)) ** 2, 0.0) ** 2
            for e, (_, _, n) in zip(off, points, strict=True)
        ]
    diameters = [exp(x) for x, _, _ in points]
    return HeightCurve(
        round(a, 5), round(b, 5), round(c, 5), round(max(spread, LEAST_SPREAD), 4), sum(n for *_, n in points),
        round(min(diameters), 1), round(max(diameters), 1),
    )  # fmt: skip


def quadratic(points: list[Point], weights: list[float]) -> tuple[float, float, float]:
    """Least squares of y on 1, x, x2; a straight line or a level where the points carry no more."""
    places = len({round(x, 3) for (x, _, _), w in zip(points, weights, strict=True) if w > 0})
    degree = min(2, max(places - 1, 0))
    rows = [
        [
            sum(w * x ** (i + j) for (x, _, _), w in zip(points, weights, strict=True))
            for j in range(degree + 1)
        ]
        + [sum(w * y * x**i for (x, y, _), w in zip(points, weights, strict=True))]
        for i in range(degree + 1)
    ]
    found = _solved(rows)
    return (*found, 0.0, 0.0)[:3]  # type: ignore[return-value]


def _solved(rows: list[list[float]]) -> list[float]:
    """Gauss-Jordan with pivoting."""
    size = len(rows)
    for at in range(size):
        pivot = max(range(at, size), key=lambda row: abs(rows[row][at]))
        rows[at], rows[pivot] = rows[pivot], rows[at]
        rows[at] = [value / (rows[at][at] or 1.0) for value in rows[at]]
        for other in range(size):
            if other != at:
                factor = rows[other][at]
                rows[other] = [
                    mine - factor * theirs for mine, theirs in zip(rows[other], rows[at], strict=True)
                ]
    return [row[-1] for row in rows]


def _median(values: list[tuple[float, int]]) -> float:
    half = sum(n for _, n in values) / 2
    seen = 0
    for value, n in sorted(values):
        seen += n
        if seen >= half:
            return value
    return 0.0
