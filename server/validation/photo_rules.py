"""What photos say about a visit: where and when they were taken, whether they were used before, what is left of the
camera's notes, whether there are enough (F01-F06).

Anybody can write a camera's notes, and many phones write them wrongly; so each rule looks for the innocent explanation
first: another datum, another time zone, a satellite's clock that disagrees with the camera's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import NamedTuple, TypeGuard

from server.forest.position import Point, apart_m
from server.validation.datum import NAMES, signature
from server.validation.flag import Flag, Severity
from server.validation.parameters.limits import Limits
from server.validation.place import Place
from server.validation.rule import raised

CHINA = timezone(timedelta(hours=8))
MS_PER_MIN = 60_000
EARLIEST_MS, LATEST_MS = 946_684_800_000, 4_102_444_800_000
"""From 2000 to 2100; a clock that was never set tells moments outside."""
ZONE_MIN = 480
"""min between UTC and the hour in China: what a camera is off that was never told where it is."""
TELLING_M = 3
"""A datum explains a photo's position only where it leaves less than this part of the way."""
EDITORS = re.compile(
    r"photoshop|lightroom|gimp|snapseed|picsart|pixlr|meitu|美图|wechat|weixin|微信|\bqq\b|xingtu|醒图|faceu|b612"
    r"|paint\.net|acdsee|picasa|canva|instagram|polarr|affinity|水印相机",
    re.IGNORECASE,
)
"""Software that stores a picture anew: editors, messengers, apps that paint a stamp into it."""


class Twin(NamedTuple):
    """An earlier photo that shows the same. `is_here`: of the same visit. `bits_apart` -1: the very same bytes."""

    name: str
    plot: str
    census: str
    bits_apart: int
    is_here: bool
    is_same_plot: bool


class Photo(NamedTuple):
    """A photo that a visit names and that has been looked at. `taken_at` as the camera wrote it (ISO 8601), `gps_at` of
    the fix in it, ms since 1970 UTC; degrees WGS 84 as far as the camera knows."""

    name: str
    taken_at: str | None = None
    gps_at: int | None = None
    point: Point | None = None
    accuracy_m: float | None = None
    make: str | None = None
    model: str | None = None
    software: str | None = None
    twins: Sequence[Twin] = ()


class Album(NamedTuple):
    """A visit's photos. `named`: how many it names, whether they have come or not."""

    photos: Sequence[Photo]
    named: int


class Proven(NamedTuple):
    """A tree with an error that a person accepted, and no photo of the tape. `rules`: which errors."""

    ordinal: int
    tag: str
    stem_id: str
    rules: str


def photo_flags(album: Album, place: Place, limits: Limits) -> Iterator[Flag]:
    """F01 to F04 for each photo, F06 for all."""
    zoned = _is_on_utc(album, place, limits)
    for photo in album.photos:
        yield from _where(photo, place, limits)
        yield from _when(photo, place, zoned, limits)
        yield from _again(photo)
    yield from _notes(album, limits)
    if 0 < album.named < limits.f06_least:
        yield raised(
            "F06", None, "", "", "photo", "", case="few", photos=album.named, least=round(limits.f06_least)
        )
    elif 0 < album.named < limits.f06_wanted:
        yield raised("F06", None, "", "", "photo", "", severity=Severity.INFO, score=0.1, case="short",
                     photos=album.named, wanted=round(limits.f06_wanted))  # fmt: skip


def proof_flags(trees: Sequence[Proven]) -> Iterator[Flag]:
    """F05: an error was accepted as real, and no photo of the tape came with it."""
    for tree in trees:
        yield raised("F05", tree.ordinal, tree.tag, tree.stem_id, "photo", "", rules=tree.rules)


def _where(photo: Photo, place: Place, limits: Limits) -> Iterator[Flag]:
    known = [point for point in (place.fix.point if place.fix else None, place.design) if point is not None]
    if photo.point is None or not known:
        return
    nearest = min(known, key=lambda point: apart_m(point, photo.point))  # type: ignore[arg-type]
    away = apart_m(nearest, photo.point)
    doubt = (photo.accuracy_m or 0.0) + (place.fix.doubt_m if place.fix else 0.0)
    if away <= limits.f01_warn_m + doubt:
        return
    shift = signature(nearest, photo.point, limits.p02_left_m + doubt)
    if shift is not None and shift.left_m < away / TELLING_M:
        yield raised("F01", None, "", "", "photo", photo.name, severity=Severity.INFO, score=0.05, case="datum",
                     away_m=round(away), datum_name=NAMES[shift.datum])  # fmt: skip
        return
    gross = away > limits.f01_error_m + doubt
    yield raised("F01", None, "", "", "photo", photo.name, severity=Severity.ERROR if gross else None,
                 score=0.8 if gross else None, away_m=round(away))  # fmt: skip


def _when(photo: Photo, place: Place, is_on_utc: bool, limits: Limits) -> Iterator[Flag]:
    """The camera's clock counts, or the satellites', whichever agrees with the visit: phones set neither on purpose."""
    session, moments = _session(place), _moments(photo)
    if session is None or not moments:
        return
    off_min = min(_off_min(at, session) for at in moments)
    if off_min <= limits.f02_slack_min:
        return
    taken_at = (photo.taken_at or _local(moments[0]).isoformat())[:16].replace("T", " ")
    days = {_local(at).date() for at in session}
    if is_on_utc:
        yield raised("F02", None, "", "", "photo", photo.name, severity=Severity.INFO, score=0.05, case="zone",
                     taken_at=taken_at)  # fmt: skip
    elif any(_local(at).date() in days for at in moments):
        yield raised(
            "F02", None, "", "", "photo", photo.name, taken_at=taken_at, off_min=round(min(off_min, 1440))
        )
    else:
        yield raised("F02", None, "", "", "photo", photo.name, severity=Severity.ERROR, score=0.8, case="day",
                     taken_at=taken_at, on=_local(session[0]).date().isoformat())  # fmt: skip


def _is_on_utc(album: Album, place: Place, limits: Limits) -> bool:
    """Is the camera's clock eight hours behind? Then none of its photos fits the visit, and all do eight hours on."""
    session = _session(place)
    moments = [at for at in (_camera_ms(photo.taken_at) for photo in album.photos) if _is_told(at)]
    if session is None or not moments or any(photo.gps_at is not None for photo in album.photos):
        return False
    return all(
        _off_min(at, session) > limits.f02_slack_min and _off_min(at + ZONE_MIN * MS_PER_MIN, session) == 0
        for at in moments
    )


def _moments(photo: Photo) -> list[int]:
    return [at for at in (_camera_ms(photo.taken_at), photo.gps_at) if _is_told(at)]


def _session(place: Place) -> tuple[int, int] | None:
    """First and last moment of the visit, ms; the whole day where only that is known."""
    moments = [at for at in (place.started_at, place.ended_at) if _is_told(at)]
    if len(moments) == 2:
        return min(moments), max(moments)
    if not place.measured_on:
        return None
    morning = datetime.fromisoformat(place.measured_on).replace(tzinfo=CHINA)
    return int(morning.timestamp() * 1000), int((morning + timedelta(days=1)).timestamp() * 1000) - 1


def _camera_ms(taken_at: str | None) -> int | None:
    if not taken_at:
        return None
    at = datetime.fromisoformat(taken_at)
    return int((at if at.tzinfo else at.replace(tzinfo=CHINA)).timestamp() * 1000)


def _is_told(at: int | None) -> TypeGuard[int]:
    """A moment of a clock that was ever set."""
    return at is not None and EARLIEST_MS <= at <= LATEST_MS


def _off_min(at: int, session: tuple[int, int]) -> float:
    return max(session[0] - at, at - session[1], 0) / MS_PER_MIN


def _local(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, CHINA)


def _again(photo: Photo) -> Iterator[Flag]:
    """One flag a photo, for the twin that is most alike; its own plot's fixed points may look alike for years."""
    if not photo.twins:
        return
    twin = min(photo.twins, key=lambda one: (one.is_same_plot, one.bits_apart, one.plot, one.name))
    same = twin.bits_apart < 0
    if not same and twin.is_here:
        return  # two pictures of one view
    mild = twin.is_here or (twin.is_same_plot and not same)
    yield raised(
        "F03", None, "", "", "photo", photo.name, severity=Severity.WARN if mild else None, score=0.5 if mild else None,
        case="here" if twin.is_here else "same" if same else "alike", other=twin.plot, census=twin.census,
        other_photo=twin.name, bits=max(twin.bits_apart, 0),
    )  # fmt: skip


def _notes(album: Album, limits: Limits) -> Iterator[Flag]:
    for photo in album.photos:
        if photo.software and EDITORS.search(photo.software):
            yield raised("F04", None, "", "", "photo", photo.name, severity=Severity.WARN, score=0.5, case="edited",
                         software=photo.software)  # fmt: skip
    stripped = [p.name for p in album.photos if not (p.make or p.model or p.point)]
    count = len(album.photos)
    if count >= limits.f04_min_photos and len(stripped) > limits.f04_share * count:
        yield raised("F04", None, "", "", "photo", "", severity=Severity.WARN, score=0.3, case="many",
                     stripped=len(stripped), photos=count)  # fmt: skip
        return
    for name in stripped:
        yield raised("F04", None, "", "", "photo", name, case="stripped")
