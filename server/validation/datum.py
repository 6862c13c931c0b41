"""Positions in the shifted datums of Chinese maps: GCJ-02 (Gaode, Tencent) and BD-09 (Baidu), to and from WGS 84.

Neither datum is published; what is known is the same few lines everywhere (fitted polynomials over the Krasovsky
ellipsoid), good to a metre or two. The packages that carry them were left alone years ago, so the lines stand here and
tests hold them against points that others have published.
"""

from __future__ import annotations

from math import atan2, cos, hypot, pi, radians, sin, sqrt
from typing import NamedTuple

from server.forest.position import Offset, Point, offset

GCJ02, BD09 = "gcj02", "bd09"
NAMES = {GCJ02: "GCJ-02", BD09: "BD-09"}

_A_M, _E2 = 6_378_245.0, 0.00669342162296594323
"""Krasovsky's ellipsoid, which the shift is made with: half axis in m, squared eccentricity."""
_BD_TURN = pi * 3000 / 180
_BD_EAST, _BD_NORTH = 0.0065, 0.006


def in_china(point: Point) -> bool:
    """Within the frame in which maps are shifted at all."""
    return 72.004 <= point.lon <= 137.8347 and 0.8293 <= point.lat <= 55.8271


def shifted(point: Point, datum: str) -> Point:
    """Where a map of this datum shows a point of WGS 84."""
    if not in_china(point):
        return point
    gcj = _to_gcj(point)
    return gcj if datum == GCJ02 else _to_bd(gcj)


def restored(point: Point, datum: str) -> Point:
    """The point of WGS 84 that a map of this datum shows at `point`; to a centimetre."""
    if not in_china(point):
        return point
    found = point
    for _ in range(8):  # each step leaves about a thousandth of the error
        there = shifted(found, datum)
        found = Point(found.lat - (there.lat - point.lat), found.lon - (there.lon - point.lon))
    return found


def _to_gcj(point: Point) -> Point:
    x, y = point.lon - 105.0, point.lat - 35.0
    waves = (20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)) * 2 / 3
    north = (-100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + waves
             + (20 * sin(y * pi) + 40 * sin(y / 3 * pi)) * 2 / 3
             + (160 * sin(y / 12 * pi) + 320 * sin(y * pi / 30)) * 2 / 3)  # fmt: skip
    east = (300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + waves
            + (20 * sin(x * pi) + 40 * sin(x / 3 * pi)) * 2 / 3
            + (150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3)  # fmt: skip
    lat = radians(point.lat)
    w = sqrt(1 - _E2 * sin(lat) ** 2)
    d_lat = north * 180 / (_A_M * (1 - _E2) / w**3 * pi)
    d_lon = east * 180 / (_A_M / w * cos(lat) * pi)
    return Point(point.lat + d_lat, point.lon + d_lon)


def _to_bd(gcj: Point) -> Point:
    x, y = gcj.lon, gcj.lat
    reach = hypot(x, y) + 0.00002 * sin(y * _BD_TURN)
    turn = atan2(y, x) + 0.000003 * cos(x * _BD_TURN)
    return Point(reach * sin(turn) + _BD_NORTH, reach * cos(turn) + _BD_EAST)


class Signature(NamedTuple):
    """A datum that explains why a fix lies away from where it should. `is_fix`: the fix is in that datum; else the
    planned position is. `left_m`: what the datum leaves unexplained. `point`: the position concerned, in WGS 84."""

    datum: str
    is_fix: bool
    left_m: float
    point: Point


def signature(design: Point, fix: Point, most_left_m: float) -> Signature | None:
    """The datum that explains the way from `design` to `fix` best, to `most_left_m` metres; None where none does."""
    found = [one for datum in (GCJ02, BD09) for one in _explanations(design, fix, datum)]
    best = min(found, key=lambda one: one.left_m)
    return best if best.left_m < most_left_m and in_china(fix) and in_china(design) else None


def _explanations(design: Point, fix: Point, datum: str) -> list[Signature]:
    way: Offset = offset(shifted(design, datum), fix)
    back: Offset = offset(shifted(fix, datum), design)
    return [
        Signature(datum, True, way.length_m, restored(fix, datum)),
        Signature(datum, False, back.length_m, restored(design, datum)),
    ]
