"""What a crew answered about the plot itself: terrain, boundary, dates, land and age (P04, P05, P08, P09, P10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from math import atan, degrees

from server.forest.answers import number
from server.forest.boundary import crosses_itself
from server.forest.position import Point, apart_m
from server.forest.visit import years_between
from server.validation.flag import Flag, Severity
from server.validation.parameters.limits import Limits
from server.validation.place import Corner, Place, shown
from server.validation.rule import raised

MS_PER_MIN = 60_000
SECTORS = 8
"""Aspects are coded 1 (north) to 8 (north-west), clockwise; 9: none."""
FOREST = frozenset({"111", "113", "120"})
"""Land types with trees on them: tree forest, bamboo, open woodland."""


def terrain_flags(place: Place, limits: Limits) -> Iterator[Flag]:
    """P04: elevation, slope or aspect are others than last time."""
    if place.last is None:
        return
    now, last = place.header, place.last.header
    high, was_high = number(now.get("plot.elevation_m")), number(last.get("plot.elevation_m"))
    if high is not None and was_high is not None and abs(high - was_high) > limits.p04_elevation_m:
        yield _factor("elevation_m", now, f"{was_high:g}", limits.p04_elevation_m)
    slope, was_steep = _slope_deg(place), _slope_deg(place.last)
    if slope is not None and was_steep is not None and abs(slope - was_steep) >= limits.p04_slope_deg:
        yield _factor("slope_deg", now, f"{was_steep:.0f}", limits.p04_slope_deg)
    turned = _sectors(now.get("plot.aspect", ""), last.get("plot.aspect", ""))
    is_steep = min(slope or 0.0, was_steep or 0.0) > limits.p04_flat_deg
    if is_steep and turned is not None and turned > limits.p04_aspect_sectors:
        yield _factor("aspect", now, last["plot.aspect"], limits.p04_aspect_sectors)


def _factor(name: str, now: Mapping[str, str], last: str, most: float) -> Flag:
    return raised(
        "P04", None, "", "", name, now.get(f"plot.{name}", ""), case=name, last=last, most=f"{most:g}"
    )


def _slope_deg(place: Place) -> float | None:
    in_degrees = number(place.header.get("plot.slope_deg"))
    percent = number(place.header.get("plot.slope_pct"))
    if in_degrees is None and percent is not None:
        return degrees(atan(percent / 100))
    return in_degrees


def _sectors(one: str, other: str) -> int | None:
    """Eighths of a circle between two aspects; None where one of them is none."""
    known = {str(code) for code in range(1, SECTORS + 1)}
    if one not in known or other not in known:
        return None
    turn = abs(int(one) - int(other))
    return min(turn, SECTORS - turn)


def boundary_flags(place: Place, limits: Limits) -> Iterator[Flag]:
    """P05: a perimeter that is not the plot's, a boundary that does not close, corners where they cannot be."""
    share = limits.p05_new_share if place.last is None else limits.p05_share
    perimeter = number(place.header.get("plot.perimeter_m"))
    if perimeter is not None and place.side_m:
        due = 4 * place.side_m
        if abs(perimeter - due) > share * due:
            yield raised("P05", None, "", "", "perimeter_m", f"{perimeter:g}", due - share * due, due + share * due,
                         case="perimeter", due_m=round(due, 2))  # fmt: skip
    closure = number(place.header.get("plot.closure_m"))
    around = 4 * place.side_m if place.side_m else perimeter
    if closure is not None and around and closure > limits.p05_closure_share * around:
        yield raised("P05", None, "", "", "closure_m", f"{closure:g}", None, limits.p05_closure_share * around,
                     case="closure")  # fmt: skip
    yield from _corner_flags(place, limits)


def _corner_flags(place: Place, limits: Limits) -> Iterator[Flag]:
    """Corners as the phone saw them: from a fix to 10 m one learns of gross errors only."""
    if place.fix is not None and place.side_m:
        for corner in place.corners:
            yield from _far_corner(corner, place.fix.point, place.fix.doubt_m, place.side_m, limits)
    same = _same_corners(place.corners, limits.p05_same_m)
    if same is not None:
        one, other = same
        yield raised("P05", None, "", "", "corner", f"{one}, {other}", severity=Severity.WARN, score=0.6, case="same",
                     same_m=limits.p05_same_m)  # fmt: skip
    doubt = max((corner.fix.doubt_m for corner in place.corners), default=0.0)
    if place.side_m and doubt < place.side_m / 4 and crosses_itself([c.fix.point for c in place.corners]):
        yield raised("P05", None, "", "", "corner", "", severity=Severity.WARN, score=0.4, case="crossed")


def _far_corner(
    corner: Corner, centre: Point, doubt_m: float, side_m: float, limits: Limits
) -> Iterator[Flag]:
    away, due = apart_m(centre, corner.fix.point), side_m / 2**0.5
    if abs(away - due) > limits.p05_corner_m + doubt_m + corner.fix.doubt_m:
        yield raised(
            "P05", None, "", "", "corner", shown(corner.fix.point), severity=Severity.WARN, score=0.6, case="corner",
            number=corner.number or "?", away_m=round(away), due_m=round(due),
        )  # fmt: skip


def _same_corners(corners: Sequence[Corner], same_m: float) -> tuple[str, str] | None:
    for one, other in combinations(corners, 2):
        if apart_m(one.fix.point, other.fix.point) < same_m:
            return one.number or "?", other.number or "?"
    return None


def whole_flags(place: Place) -> Iterator[Flag]:
    """P08: a plot of forest without a tree, a plot form without a position."""
    factors = [name for name in place.header if name.startswith("plot.") and name != "plot.plot_id"]
    had_trees = place.last is not None and place.last.trees > 0
    if place.trees == 0 and not had_trees and place.header.get("plot.land_type") in FOREST:
        yield raised("P08", None, "", "", "tag", "", case="trees")
    if factors and place.fix is None:
        yield raised("P08", None, "", "", "position", "", severity=Severity.WARN, score=0.5, case="position")


def date_flags(place: Place, limits: Limits) -> Iterator[Flag]:
    """P09: a day outside the campaign or in the future, a clock that is wrong."""
    on, (starts_on, ends_on) = place.measured_on, place.campaign
    if on and ((starts_on and on < starts_on) or (ends_on and on > ends_on)):
        yield raised("P09", None, "", "", "measured_on", on, case="campaign", severity=Severity.WARN, score=0.5,
                     starts_on=starts_on or "…", ends_on=ends_on or "…")  # fmt: skip
    if place.received_at is not None:
        yield from _future(place, place.received_at, limits)
    if place.started_at is not None and place.ended_at is not None and place.started_at > place.ended_at:
        yield raised(
            "P09", None, "", "", "measured_on", on or "", case="order", severity=Severity.WARN, score=0.6
        )


def _future(place: Place, received_at: int, limits: Limits) -> Iterator[Flag]:
    tomorrow = (datetime.fromtimestamp(received_at / 1000, UTC) + timedelta(days=1)).date().isoformat()
    latest = max(place.started_at or 0, place.ended_at or 0)
    ahead_min = (latest - received_at) / MS_PER_MIN
    if place.measured_on and place.measured_on > tomorrow:
        yield raised("P09", None, "", "", "measured_on", place.measured_on, case="future")
    elif ahead_min > limits.p09_skew_min:
        yield raised("P09", None, "", "", "measured_on", place.measured_on or "", case="clock",
                     ahead_min=round(ahead_min))  # fmt: skip


def land_flags(place: Place, limits: Limits) -> Iterator[Flag]:
    """P10: land and age that do not follow from last time's, a canopy that is no forest's."""
    now = place.header
    cover = number(now.get("plot.canopy_cover"))
    if now.get("plot.land_type") == "111" and cover is not None and cover < limits.p10_least_cover:
        yield raised("P10", None, "", "", "canopy_cover", f"{cover:g}", limits.p10_least_cover, case="cover")
    if place.last is None:
        return
    last = place.last.header
    yield from _age_flags(place, place.last, limits)
    land, was = now.get("plot.land_type", ""), last.get("plot.land_type", "")
    if was in FOREST and land and land not in FOREST and place.trees:
        yield raised("P10", None, "", "", "land_type", land, case="land", last=was)
    origin, was = now.get("plot.origin", ""), last.get("plot.origin", "")
    if origin and was and origin != was:
        yield raised("P10", None, "", "", "origin", origin, case="origin", last=was)


def _age_flags(place: Place, last: Place, limits: Limits) -> Iterator[Flag]:
    age, was = number(place.header.get("plot.mean_age")), number(last.header.get("plot.mean_age"))
    years = years_between(_day(last.measured_on), _day(place.measured_on))
    if age is None or was is None or years is None:
        return
    if age < was or abs(age - was - years) > limits.p10_age_slack_a:
        yield raised(
            "P10", None, "", "", "mean_age", f"{age:g}", case="age", last=f"{was:g}", years=round(years, 1)
        )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
