"""The ground of the made-up county: an outline, townships inside it, places for plots.

All of it is generated around a point in the south-east of Shanxi. It shows no real boundary, and whatever
draws it must say so (`is_generated`).
"""

from __future__ import annotations

import math
import random
from typing import Any, NamedTuple

import shapely
from shapely.geometry import MultiPoint, Point, Polygon, mapping

CENTRE_LAT, CENTRE_LON = 36.20, 113.44  # degrees WGS 84
RADIUS_M = 22_000
"""Mean radius of the outline: a county of about 1,500 km²."""
M_PER_DEGREE = 111_320
"""Metres in one degree of latitude; good to 0.3 %, which is enough where everything is invented."""

Place = tuple[float, float]  # metres east and north of the centre


class Ground(NamedTuple):
    """The county's outline and its parts, in metres around the centre."""

    outline: Polygon
    parts: tuple[Polygon, ...]

    def part_of(self, place: Place) -> int | None:
        """Number of the part that a place lies in; None outside."""
        point = Point(place)
        return next((number for number, part in enumerate(self.parts) if part.contains(point)), None)


def make_ground(luck: random.Random, parts: int) -> Ground:
    """A wavy outline, split into `parts` of similar size."""
    outline = _outline(luck)
    seeds = [_inside(luck, outline) for _ in range(parts)]
    for _ in range(6):  # each seed moves to the middle of its part (Lloyd): parts become similar in size
        cells = _cells(seeds, outline)
        seeds = [(cell.centroid.x, cell.centroid.y) for cell in cells]
    return Ground(outline, tuple(sorted(_cells(seeds, outline), key=lambda c: -c.centroid.y)))


def scatter(luck: random.Random, ground: Ground, count: int, apart_m: float) -> list[Place]:
    """`count` places inside the outline, at least `apart_m` from one another while there is room, and 300 m
    from any border."""
    inner = ground.outline.buffer(-300)
    places: list[Place] = []
    tries = 0
    while len(places) < count:
        tries += 1
        if tries % 200 == 0:
            apart_m *= 0.8  # it is getting crowded
        place = _inside(luck, inner)
        if all(math.dist(place, other) >= apart_m for other in places) and ground.part_of(place) is not None:
            places.append(place)
    return places


def to_degrees(place: Place) -> tuple[float, float]:
    """Latitude and longitude of a place, degrees WGS 84, to about 0.1 m."""
    east, north = place
    lat = CENTRE_LAT + north / M_PER_DEGREE
    lon = CENTRE_LON + east / (M_PER_DEGREE * math.cos(math.radians(CENTRE_LAT)))
    return round(lat, 6), round(lon, 6)


def geojson(polygon: Polygon) -> dict[str, Any]:
    """The polygon as GeoJSON: longitude and latitude in degrees WGS 84."""
    ring = [to_degrees(place)[::-1] for place in polygon.exterior.coords]
    return dict(mapping(Polygon(ring)))


def _outline(luck: random.Random) -> Polygon:
    waves = [(luck.uniform(0.02, 0.10) / k, luck.uniform(0, math.tau), k) for k in range(2, 9)]
    ring = []
    for step in range(120):
        angle = math.tau * step / 120
        radius = RADIUS_M * (1 + sum(size * math.sin(k * angle + phase) for size, phase, k in waves))
        ring.append((round(radius * math.cos(angle), 1), round(radius * math.sin(angle), 1)))
    return Polygon(ring)


def _cells(seeds: list[Place], outline: Polygon) -> list[Polygon]:
    voronoi = shapely.voronoi_polygons(MultiPoint(seeds), extend_to=outline)
    cells = [cell.intersection(outline) for cell in voronoi.geoms]
    return [max(c.geoms, key=lambda p: p.area) if c.geom_type == "MultiPolygon" else c for c in cells]


def _inside(luck: random.Random, polygon: Polygon) -> Place:
    west, south, east, north = polygon.bounds
    while True:
        place = (round(luck.uniform(west, east), 1), round(luck.uniform(south, north), 1))
        if polygon.contains(Point(place)):
            return place
