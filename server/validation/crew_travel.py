"""C03: a crew cannot be at two plots at once, nor fly from one to the next.

Asked phone by phone, because a crew may part. The log says when the first and the last tree of a plot were entered;
without a log only the start of the form counts, because a form that is opened again in the evening ends then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from server.forest.position import Point, apart_m
from server.validation.flag import Flag
from server.validation.parameters.limits import Limits
from server.validation.rule import raised

MS_PER_H = 3_600_000


class Stay(NamedTuple):
    """A visit as a stop on a phone's way. Moments in ms since 1970 UTC, degrees WGS 84; `phone`: which one."""

    visit_id: int
    plot: str
    phone: int
    lat: float | None
    lon: float | None
    came_at: int | None
    left_at: int | None


def metres(one: Stay, other: Stay) -> float | None:
    """How far two stops lie apart; None where a position is not known."""
    if one.lat is None or one.lon is None or other.lat is None or other.lon is None:
        return None
    return apart_m(Point(one.lat, one.lon), Point(other.lat, other.lon))


def figures(stays: Sequence[Stay], limits: Limits) -> dict[str, Any]:
    """How many ways between plots could be timed, the fastest of them, and those that cannot be."""
    ways, fastest, odd = 0, 0.0, []
    for one, other in _ways(stays):
        apart = metres(one, other)
        if apart is None or apart < limits.c03_apart_m:
            continue
        ways += 1
        hours = (_came(other) - _left(one)) / MS_PER_H
        speed = apart / 1000 / hours if hours > 0 else None
        fastest = max(fastest, speed or 0.0)
        case = _odd(apart, hours, speed, limits)
        if case:
            odd.append({"case": case, "plot": one.plot, "other": other.plot, "visits": [one.visit_id, other.visit_id],
                        "apart_km": apart / 1000, "minutes": 60 * hours, "speed_km_h": speed})  # fmt: skip
    return {"ways": ways, "fastest_km_h": fastest or None, "odd": odd}


def _odd(apart_m: float, hours: float, speed: float | None, limits: Limits) -> str:
    if hours < -limits.c03_overlap_min / 60:
        return "overlap"
    if apart_m < limits.c03_far_m:  # fixes scatter, and a car goes round the corner
        return ""
    return "speed" if speed is None or speed > limits.c03_speed_km_h else ""


def _ways(stays: Sequence[Stay]) -> Iterator[tuple[Stay, Stay]]:
    of_phone: dict[int, list[Stay]] = {}
    for stay in stays:
        if stay.came_at is not None:
            of_phone.setdefault(stay.phone, []).append(stay)
    for stops in of_phone.values():
        yield from pairwise(sorted(stops, key=lambda stay: (_came(stay), stay.visit_id)))


def _came(stay: Stay) -> int:
    return stay.came_at or 0


def _left(stay: Stay) -> int:
    return stay.left_at if stay.left_at is not None else _came(stay)


def flags(figures: dict[str, Any], limits: Limits) -> Iterator[Flag]:
    """C03: each way that nobody can have gone."""
    for way in figures["travel"]["odd"]:
        overlap = way["case"] == "overlap"
        facts = {name: way[name] for name in ("plot", "other", "apart_km", "speed_km_h")}
        yield raised("C03", None, "", "", "", "", case=way["case"], minutes=abs(way["minutes"]), **facts,
                     limit_km_h=limits.c03_speed_km_h, step=f"{way['plot']} {way['other']}",
                     score=0.9 if overlap else 0.8)  # fmt: skip
