"""The rules of places and photos on plain tables: where plots are planned and were found, and what photos say.

A table of plots has plot_id, lat, lon (planned, degrees WGS 84), fix_lat, fix_lon (as the phone said), and where there
are: accuracy_m, date, started_at, ended_at. A table of photos has plot_id, photo, and where there are: taken_at, lat,
lon, accuracy_m, make, model, software, sha256.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from server.cli.table_days import moment_of
from server.cli.table_text import Row, Sheet, TableUnreadable
from server.forest.position import M_PER_DEG, Point, apart_m
from server.forest.visit import Visit
from server.validation.flag import Flag
from server.validation.parameters import Parameters
from server.validation.parameters.limits import Limits
from server.validation.photo_rules import Album, Photo, Twin, photo_flags
from server.validation.place import Fix, Near, Place, place_flags

RANGES = {"lat": 90.0, "lon": 180.0}


class PhotoTable(NamedTuple):
    """Photos by plot; `has_notes`: the table tells of cameras."""

    albums: Mapping[str, Album]
    has_notes: bool


def read_places(path: Path) -> dict[str, Place]:
    """Plots by name. Raises TableUnreadable."""
    sheet = _sheet(path, ("plot_id", "fix_lat", "fix_lon"))
    places: dict[str, Place] = {}
    for row in sheet:
        plot_id = _plot(row)
        if plot_id in places:
            raise row.refuse("plot_id", plot_id, "a plot of its own: it stands there twice")
        day, fix = row.day("date"), _point(row, "fix_lat", "fix_lon")
        places[plot_id] = Place(
            design=_point(row, "lat", "lon"),
            fix=Fix(fix, row.number("accuracy_m"), row.number("altitude_m")) if fix is not None else None,
            measured_on=str(day) if day is not None else None,
            started_at=row.moment_ms("started_at"),
            ended_at=row.moment_ms("ended_at"),
        )
    return places


def read_photos(path: Path) -> PhotoTable:
    """Photos by plot, in the order of the table. Raises TableUnreadable."""
    sheet = _sheet(path, ("plot_id", "photo"))
    photos: dict[str, list[Photo]] = defaultdict(list)
    seen: dict[str, tuple[str, str]] = {}
    for row in sheet:
        plot_id, name, digest = _plot(row), row.text("photo"), row.text("sha256")
        twin = seen.setdefault(digest, (plot_id, name)) if digest else (plot_id, name)
        here = twin[0] == plot_id
        taken = row.text("taken_at") if row.moment_ms("taken_at") is not None else ""
        photos[plot_id].append(
            Photo(
                name, moment_of(taken).isoformat() if taken else None, None, _point(row, "lat", "lon"),
                row.number("accuracy_m"), row.text("make") or None, row.text("model") or None,
                row.text("software") or None,
                [Twin(twin[1], twin[0], "", -1, here, here)] if twin != (plot_id, name) else (),
            )
        )  # fmt: skip
    albums = {plot_id: Album(some, len(some)) for plot_id, some in photos.items()}
    return PhotoTable(albums, bool({"make", "model"} & sheet.columns.keys()))


def flags_of_places(
    places: Mapping[str, Place], photos: PhotoTable | None, now: Sequence[Visit], parameters: Parameters
) -> Iterator[tuple[str, Flag]]:
    """What is odd about each plot's place and photos, by the plot."""
    limits, visits = parameters.limits, {visit.plot_id: visit for visit in now}
    near = _near(places, limits)
    albums = photos.albums if photos is not None else {}
    for plot_id in {**places, **albums}:
        place = places.get(plot_id, Place())
        visit = visits.get(plot_id)
        if place.measured_on is None and visit is not None and visit.measured_on is not None:
            place = replace(place, measured_on=str(visit.measured_on))
        place = replace(place, near=near.get(plot_id, ()))
        found = list(place_flags(place, limits))
        if plot_id in albums:
            found += photo_flags(albums[plot_id], place, limits)
        for flag in found:
            if flag.rule not in parameters.off and (flag.rule != "F04" or (photos and photos.has_notes)):
                yield plot_id, flag


def _sheet(path: Path, needed: Sequence[str]) -> Sheet:
    sheet = Sheet(path)
    missing = [name for name in needed if name not in sheet.columns]
    if missing:
        raise TableUnreadable(f"{path}, row 1: no column {', '.join(missing)}; there are {sheet.names}")
    return sheet


def _plot(row: Row) -> str:
    plot_id = row.text("plot_id")
    if not plot_id:
        raise row.refuse("plot_id", "", "a plot")
    return plot_id.removesuffix(".0") if plot_id.removesuffix(".0").isdecimal() else plot_id


def _point(row: Row, lat: str, lon: str) -> Point | None:
    found = []
    for name in (lat, lon):
        degrees = row.number(name)
        most = RANGES[name.removeprefix("fix_")]
        if degrees is not None and abs(degrees) > most:
            raise row.refuse(name, row.text(name), f"degrees between {-most:g} and {most:g}")
        found.append(degrees)
    return None if found[0] is None or found[1] is None else Point(found[0], found[1])


def _near(places: Mapping[str, Place], limits: Limits) -> dict[str, list[Near]]:
    """Plots that stand before in the table and whose fix is close by: of two the later is asked about."""
    order = {plot_id: number for number, plot_id in enumerate(places)}
    by_lat = sorted((place.fix.point, plot_id) for plot_id, place in places.items() if place.fix is not None)
    found: dict[str, list[Near]] = defaultdict(list)
    for at, (point, plot_id) in enumerate(by_lat):
        for other_point, other in by_lat[at + 1 :]:
            if (other_point.lat - point.lat) * M_PER_DEG > limits.p03_same_m:
                break
            apart = apart_m(point, other_point)
            if apart < limits.p03_same_m:
                first, later = sorted((plot_id, other), key=order.__getitem__)
                found[later].append(Near(first, apart))
    return found
