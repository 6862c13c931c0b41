"""What happens once in a county: a map app that writes another datum, a photo of another plot sent again. Each is noted
by nobody but the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from server.demo.county import Crew
from server.demo.visits import Fix, Photo, SimulatedVisit
from server.forest.position import Point
from server.validation.datum import GCJ02, shifted

PLACE = 1
"""Which of a crew's visits it happens to, in their order from 0."""


def befallen(
    visits: Sequence[SimulatedVisit], census: str, careful: Crew, copying: Crew
) -> list[SimulatedVisit]:
    """The visits with one of `careful` in this census whose fix and corners a map app gave, in GCJ-02, and one of
    `copying` whose first photo is that of the plot before. In a county of few plots neither happens."""
    instead: dict[str, SimulatedVisit] = {}
    for visit in _of(visits, census, careful)[PLACE:][:1]:
        instead[visit.instance_id] = _as_the_map_says(visit)
    for before, visit in list(pairwise(_of(visits, census, copying)))[:1]:
        instead[visit.instance_id] = _with_first_photo_of(visit, before)
    return [instead.get(visit.instance_id, visit) for visit in visits]


def _of(visits: Sequence[SimulatedVisit], census: str, crew: Crew) -> list[SimulatedVisit]:
    found = [visit for visit in visits if (visit.census, visit.crew) == (census, crew.name)]
    return sorted(found, key=lambda visit: visit.started_at)


def _as_the_map_says(visit: SimulatedVisit) -> SimulatedVisit:
    return replace(
        visit, position=_shifted(visit.position), corners=tuple(_shifted(fix) for fix in visit.corners)
    )


def _shifted(fix: Fix) -> Fix:
    there = shifted(Point(fix.lat, fix.lon), GCJ02)
    return replace(fix, lat=there.lat, lon=there.lon)


def _with_first_photo_of(visit: SimulatedVisit, other: SimulatedVisit) -> SimulatedVisit:
    first, *rest = visit.photos
    return replace(visit, photos=(Photo(first.name, other.photos[0].shot), *rest))
