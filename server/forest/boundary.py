"""Boundaries of townships and strata: GeoJSON polygons in degrees WGS 84, read once each.

shapely, which brings numpy, is imported where the first boundary is: 28 MB that a web process never needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import cos, radians
from typing import Any

from server.forest.position import M_PER_DEG, Point


class Boundary:
    """A polygon, or several, that a point lies in or so many metres outside of."""

    def __init__(self, shape: Any) -> None:
        import shapely

        self._shape = shape
        shapely.prepare(shape)
        self._stretch = cos(radians(shape.centroid.y))

    def outside_m(self, point: Point) -> float:
        """0 inside; outside the distance to the boundary in metres."""
        import shapely

        if self._shape.covers(shapely.Point(point.lon, point.lat)):
            return 0.0
        near = shapely.transform(self._shape, lambda at: at * [self._stretch, 1.0])
        return float(near.distance(shapely.Point(point.lon * self._stretch, point.lat))) * M_PER_DEG


@lru_cache(maxsize=512)
def boundary(geojson: str) -> Boundary | None:
    """The boundary that this text describes; None where it describes no area."""
    import shapely

    try:
        shape = shapely.from_geojson(geojson)
    except shapely.GEOSException:
        return None
    if shape is None or shape.is_empty or shape.geom_type not in {"Polygon", "MultiPolygon"}:
        return None
    return Boundary(shape)


def crosses_itself(corners: Sequence[Point]) -> bool:
    """Do the sides of this polygon cross each other?"""
    import shapely

    return len(corners) > 3 and not shapely.Polygon([(p.lon, p.lat) for p in corners]).is_valid
