"""Where a visit says it was: its fix against the plan, shifted datums, quality, another plot's fix, boundaries.

P01, P02, P03, P12 and P13.

What a rule looks at is a `Place`: plain values that a step hands in. A fix that a person has declared to be of another
datum comes restored, and is judged as restored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from server.forest.boundary import Boundary
from server.forest.position import Point, apart_m
from server.validation.datum import NAMES, Signature, signature
from server.validation.flag import Flag, Severity
from server.validation.parameters.limits import Limits
from server.validation.rule import raised

YES = frozenset({"1", "yes", "true", "是"})


class Fix(NamedTuple):
    """A position as satellites gave it; accuracy and altitude in m, None where the phone gave none."""

    point: Point
    accuracy_m: float | None = None
    altitude_m: float | None = None

    @property
    def doubt_m(self) -> float:
        """What the phone itself says the fix may be off, m."""
        return self.accuracy_m or 0.0


class Corner(NamedTuple):
    """A corner of the plot with its fix."""

    number: str
    fix: Fix


class Area(NamedTuple):
    """A township or stratum that the plan puts the plot into. `kind`: township or stratum."""

    kind: str
    name: str
    boundary: Boundary


class Near(NamedTuple):
    """Another plot whose fix was taken before, close by, m."""

    plot: str
    apart_m: float


@dataclass(frozen=True, slots=True)
class Place:
    """A visit's answers about the plot itself. Degrees WGS 84, moments ms since 1970 UTC, days ISO text.

    `design` is the planned position. `header` holds answers by measure ("plot.slope_deg"). `near` are other plots
    whose fix may be the very same. `last` is the visit of the census before.
    """

    design: Point | None = None
    fix: Fix | None = None
    side_m: float | None = None  # of a square plot
    corners: Sequence[Corner] = ()
    header: Mapping[str, str] = field(default_factory=dict)
    measured_on: str | None = None
    started_at: int | None = None
    ended_at: int | None = None
    received_at: int | None = None
    campaign: tuple[str | None, str | None] = (None, None)  # first and last day
    areas: Sequence[Area] = ()
    near: Sequence[Near] = ()
    trees: int = 0
    last: Place | None = None


def place_flags(place: Place, limits: Limits) -> Iterator[Flag]:
    """P01 and P02: away from the plan; P03: a poor fix, or another plot's; P12: not from satellites; P13: elsewhere."""
    fix = place.fix
    if fix is None:
        return
    away = apart_m(place.design, fix.point) if place.design else None
    if place.design is not None and away is not None and away > limits.p01_warn_m:
        yield from _away(place.design, fix, away, limits)
    elif place.design is None and place.last is not None and place.last.fix is not None:
        yield from _moved(fix, place.last.fix, limits)
    yield from _quality(place, fix, limits)
    yield from _made_up(place, fix, away, limits)
    yield from _elsewhere(place, fix, limits)


def _away(design: Point, fix: Fix, away: float, limits: Limits) -> Iterator[Flag]:
    shift = signature(design, fix.point, limits.p02_left_m + min(fix.doubt_m, limits.p02_left_m))
    if shift is not None and shift.left_m < away / 3:
        yield _shifted(fix, shift, away)
    elif away > limits.p01_warn_m + fix.doubt_m:
        gross = away > limits.p01_error_m + fix.doubt_m
        yield raised(
            "P01", None, "", "", "position", shown(fix.point), severity=None if gross else Severity.WARN,
            score=0.9 if gross else 0.6, away_m=round(away), accuracy_m=round(fix.doubt_m),
        )  # fmt: skip


def _shifted(fix: Fix, shift: Signature, away: float) -> Flag:
    return raised(
        "P02", None, "", "", "position", shown(fix.point), case="fix" if shift.is_fix else "design",
        suggestion=shown(shift.point) if shift.is_fix else "", datum=shift.datum, datum_name=NAMES[shift.datum],
        away_m=round(away), left_m=round(shift.left_m), lat=round(shift.point.lat, 7), lon=round(shift.point.lon, 7),
    )  # fmt: skip


def _moved(fix: Fix, last: Fix, limits: Limits) -> Iterator[Flag]:
    away = apart_m(last.point, fix.point)
    if away > limits.p01_warn_m + fix.doubt_m + last.doubt_m:
        yield raised("P01", None, "", "", "position", shown(fix.point), severity=Severity.WARN, score=0.5, case="last",
                     away_m=round(away), accuracy_m=round(fix.doubt_m))  # fmt: skip


def _quality(place: Place, fix: Fix, limits: Limits) -> Iterator[Flag]:
    if fix.doubt_m > limits.p03_accuracy_m:
        yield raised("P03", None, "", "", "position", shown(fix.point), severity=Severity.INFO, score=0.1,
                     case="accuracy", accuracy_m=round(fix.doubt_m, 1), most_m=limits.p03_accuracy_m)  # fmt: skip
    for one in place.near:
        if one.apart_m < limits.p03_same_m:
            yield raised("P03", None, "", "", "position", shown(fix.point), case="twin", other=one.plot,
                         same_m=limits.p03_same_m)  # fmt: skip


def _made_up(place: Place, fix: Fix, away: float | None, limits: Limits) -> Iterator[Flag]:
    """ODK Collect writes an accuracy of 0 for a fix from a mock provider and for a point set on the map by hand."""
    if place.header.get("visit.mock_location", "").lower() in YES:
        yield raised("P12", None, "", "", "position", shown(fix.point), score=0.9, case="said")
    elif fix.accuracy_m == 0:
        yield raised("P12", None, "", "", "position", shown(fix.point), case="zero")
    elif away is not None and away < limits.p12_exact_m and fix.doubt_m > 1:
        yield raised(
            "P12", None, "", "", "position", shown(fix.point), case="design", accuracy_m=round(fix.doubt_m, 1)
        )


def _elsewhere(place: Place, fix: Fix, limits: Limits) -> Iterator[Flag]:
    for area in place.areas:
        outside = area.boundary.outside_m(fix.point)
        if outside > limits.p13_outside_m + fix.doubt_m:
            yield raised("P13", None, "", "", "position", shown(fix.point), case=area.kind, name=area.name,
                         outside_m=round(outside))  # fmt: skip


def shown(point: Point) -> str:
    """A position as a person reads it, degrees to a metre."""
    return f"{point.lat:.5f}, {point.lon:.5f}"
