"""Positions on the Earth, and how far they lie apart. Degrees WGS 84, metres; east and north count positive."""

from __future__ import annotations

from math import cos, hypot, radians
from typing import NamedTuple

M_PER_DEG = 111_195.0
"""Metres of a degree of latitude on a sphere of 6,371 km; a few kilometres are flat for us."""


class Point(NamedTuple):
    """Degrees of latitude and longitude, in whatever datum the context says."""

    lat: float
    lon: float


class Offset(NamedTuple):
    """Metres east and north."""

    east_m: float
    north_m: float

    @property
    def length_m(self) -> float:
        """How far that is, m."""
        return hypot(self.east_m, self.north_m)


def offset(start: Point, end: Point) -> Offset:
    """The way from one point to another."""
    east = (end.lon - start.lon) * cos(radians((start.lat + end.lat) / 2)) * M_PER_DEG
    return Offset(east, (end.lat - start.lat) * M_PER_DEG)


def apart_m(one: Point, other: Point) -> float:
    """How far two points lie apart, m."""
    return offset(one, other).length_m
