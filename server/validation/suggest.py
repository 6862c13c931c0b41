"""Which slip of the hand or the eye would turn a likely diameter into the one that stands there.

Slips are weighed by how often each was found among published corrections of census data; a candidate must then
lie where the tree is expected to be. What comes out is shown to a person and never applied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import exp, log, pi
from typing import NamedTuple

CM_PER_INCH = 2.54
NEARER = 0.5
"""What was meant lies at most this share as far from the expected diameter, as a ratio, as what was typed (project
default)."""

# shares of the kinds among real corrections (SCBI-ForestGEO, two published versions of one census, and values
# proven wrong by later censuses), divided among the values that one slip of the kind could have come from
_TENS, _TWENTY, _DECIMAL, _DIGIT, _TRANSPOSED, _DROPPED, _ADDED, _GIRTH, _INCH, _SWAP = (
    0.11, 0.01, 0.07, 0.12 / 27, 0.04, 0.08 / 3, 0.01, 0.05, 0.015, 0.05,
)  # fmt: skip


class Slip(NamedTuple):
    """What was probably meant: diameter in cm, and the kind of slip that explains the value."""

    value_cm: float
    kind: str

    @property
    def text(self) -> str:
        """As it would have been written: one decimal."""
        return f"{self.value_cm:.1f}"


class Expected(NamedTuple):
    """Where a tree's diameter should be: the most likely value, its spread and the bounds of its core, in cm."""

    cm: float
    spread_cm: float
    low_cm: float
    high_cm: float

    def holds(self, dbh_cm: float) -> bool:
        """Does this diameter fall into the core?"""
        return self.low_cm <= dbh_cm <= self.high_cm

    def explains(self, meant_cm: float, typed_cm: float) -> bool:
        """Would `meant_cm` be in the core, and much less odd than what was typed? The core of a sapling is wide."""
        if meant_cm <= 0 or not self.holds(meant_cm):
            return False
        return abs(log(meant_cm / self.cm)) <= NEARER * abs(log(typed_cm / self.cm))


def best_slip(
    dbh_cm: float, expected: Expected, neighbours_cm: Sequence[float] = (), *, typed_only: bool = False
) -> Slip | None:
    """The likeliest slip that explains `dbh_cm`; None where no candidate lies in the core.

    `neighbours_cm` are last diameters of trees with which this one may have been exchanged. `typed_only` leaves
    out the kinds that can reach almost any value (one wrong digit, a neighbour).
    """
    best, weight = None, 0.0
    candidates = _sure(dbh_cm) if typed_only else _all(dbh_cm, neighbours_cm)
    for value, kind, prior in candidates:
        if expected.explains(value, dbh_cm):
            distance = (value - expected.cm) / expected.spread_cm
            likelihood = prior * exp(-0.5 * distance * distance)
            if likelihood > weight:
                best, weight = Slip(value, kind), likelihood
    return best


def ratio_slip(dbh_cm: float, expected: Expected) -> Slip | None:
    """As `best_slip`, for a wrong decimal point or unit only."""
    hits = [
        (prior, value, kind) for value, kind, prior in _ratios(dbh_cm) if expected.explains(value, dbh_cm)
    ]
    if not hits:
        return None
    _, value, kind = max(hits)
    return Slip(value, kind)


def _ratios(dbh: float) -> Iterator[tuple[float, str, float]]:
    yield dbh / 10, "decimal", _DECIMAL
    yield dbh * 10, "decimal", _DECIMAL
    yield dbh / pi, "girth", _GIRTH
    yield dbh / CM_PER_INCH, "inch", _INCH
    yield dbh * CM_PER_INCH, "inch", _INCH


def _sure(dbh: float) -> Iterator[tuple[float, str, float]]:
    yield from _ratios(dbh)
    for step, prior in ((10, _TENS), (20, _TWENTY)):
        yield dbh - step, "tens", prior
        yield dbh + step, "tens", prior
    digits = str(round(dbh * 10))
    for place in range(len(digits) - 1):
        left, right = digits[place], digits[place + 1]
        if left != right:
            yield _cm(digits[:place] + right + left + digits[place + 2 :]), "transposed", _TRANSPOSED
    for place in range(len(digits)):
        if len(digits) > 1:
            yield _cm(digits[:place] + digits[place + 1 :]), "added", _ADDED


def _all(dbh: float, neighbours: Sequence[float]) -> Iterator[tuple[float, str, float]]:
    yield from _sure(dbh)
    digits = str(round(dbh * 10))
    for place in range(len(digits) + 1):
        for digit in "0123456789":
            yield _cm(digits[:place] + digit + digits[place:]), "dropped", _DROPPED
            if place < len(digits) and digits[place] != digit:
                yield _cm(digits[:place] + digit + digits[place + 1 :]), "digit", _DIGIT
    for value in neighbours:
        yield value, "swap", _SWAP


def _cm(tenths: str) -> float:
    return int(tenths) / 10
