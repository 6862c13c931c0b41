"""One crew's visit to a plot as plain values: what was typed, when, where, and which photos were taken.

Values go as the crew typed them, also where a form's own limits would have asked again: phones with older forms,
and tables typed in an office, send such values, and the rules must see them.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from forms import audit_log
from server.demo.county import PLOT_SIDE_M, Plot
from server.demo.crews import TypedRow
from server.demo.ground import M_PER_DEGREE
from server.demo.growth import TruePlot
from server.demo.instance import Rows
from server.demo.phone_log import entered, log_of
from server.photos.picture import Shot, draw

CLOCK = timezone(timedelta(hours=8))
"""The hour in China, all year."""
SETTING_UP = timedelta(minutes=25)
"""From arriving to the first tree, and half of it again after the last."""
TREE_TIME = timedelta(seconds=75)
"""A tree with two people and a tape (source: unverified)."""
COPIED_TREE_TIME = timedelta(seconds=9)
"""A tree whose value nobody measured."""
VIEWS = ("plot", "north", "centre")
"""What the three photos of a plot show, in the order of the form's questions."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo that an instance names. The bytes are drawn when they are asked for: 12 ms and 150 KB each."""

    name: str
    shot: Shot

    def content(self) -> bytes:
        return draw(self.shot)


@dataclass(frozen=True, slots=True)
class Fix:
    """Degrees WGS 84, metres."""

    lat: float
    lon: float
    altitude_m: float
    accuracy_m: float

    def __str__(self) -> str:
        """As ODK writes a geopoint."""
        return f"{self.lat:.7f} {self.lon:.7f} {self.altitude_m:.1f} {self.accuracy_m:.1f}"


@dataclass(frozen=True, slots=True)
class SimulatedVisit:
    """What one crew would send of one plot. `header` is field -> text of the measures "plot.*"; `trees` are
    rows of "tree.*" in the crew's order; moments carry their offset."""

    instance_id: str
    plot_id: str
    census: str
    crew: str
    surveyor: str
    started_at: datetime
    ended_at: datetime
    position: Fix
    corners: tuple[Fix, ...]
    header: dict[str, str]
    trees: list[TypedRow]
    photos: tuple[Photo, ...]
    entered: tuple[datetime, ...] = ()  # when each tree was, as the phone's log says; (): it keeps none
    audit_kind: str = ""  # why the plot is audited; "": this is no audit

    @property
    def instance_name(self) -> str:
        return f"{self.plot_id} / {self.census}" + (" / audit" if self.audit_kind else "")

    def files(self) -> dict[str, bytes]:
        """What travels beside the record: photos, and the phone's log."""
        log = {audit_log.NAME: log_of(self.entered)} if self.entered else {}
        return {photo.name: photo.content() for photo in self.photos} | log

    def rows(self) -> Rows:
        """The answers by measure, for `instance.Renderer`."""
        seen = {row["photo"] for row in self.trees if "photo" in row}
        kind = (
            {"kind": "audit", "audit_kind": self.audit_kind}
            if self.audit_kind
            else {"kind": "visit", "disturbance": "none"}
        )
        visit = {
            **kind,
            "census": self.census,
            "crew": self.crew,
            "surveyor": self.surveyor,
            "measured_on": self.started_at.date().isoformat(),
            "started_at": self.started_at.isoformat(timespec="milliseconds"),
            "ended_at": self.ended_at.isoformat(timespec="milliseconds"),
            "position": str(self.position),
        }
        views = [photo.name for photo in self.photos if photo.name not in seen]
        corners = [{"number": str(n), "position": str(fix)} for n, fix in enumerate(self.corners, start=1)]
        return {
            "visit": [visit | {"photo": views} if views else visit],
            "plot": [{"plot_id": self.plot_id, **self.header}],
            "corner": corners,
            "tree": self.trees,
        }


def make_visit(
    plot: TruePlot,
    census: str,
    started_at: datetime,
    rows: list[TypedRow],
    luck: random.Random,
    *,
    copied: Collection[str] = (),
    views: int = len(VIEWS),
    taped: Iterable[str] = (),
    years_on: int = 0,
    keeps_log: bool = True,
) -> SimulatedVisit:
    """The visit around the rows that were typed. Those with a tag in `copied` took no time; `taped` are the tags whose
    tape was photographed, showing the true diameter; `years_on` is how much older the stand is than in the
    stratum's table."""
    here = plot.plot
    ended_at = started_at + _lasting(len(rows) - len(copied), len(copied), luck)
    position = _near(here.lat, here.lon, here.elevation_m, luck)
    camera = _Camera(here.plot_id, position, started_at, ended_at, luck)
    photos = [camera.view(VIEWS[n % len(VIEWS)]) for n in range(views)]
    for tag in taped:
        photos += camera.tapes(plot, census, tag, rows)
    return SimulatedVisit(
        instance_id=f"uuid:{uuid.UUID(int=luck.getrandbits(128), version=4)}",
        plot_id=here.plot_id,
        census=census,
        crew=here.crew.name,
        surveyor=here.crew.surveyor,
        started_at=started_at,
        ended_at=ended_at,
        position=position,
        corners=tuple(_corners(here, luck)),
        header=_header(here, years_on),
        trees=rows,
        photos=tuple(photos),
        entered=entered(
            rows, copied, started_at + SETTING_UP, ended_at - SETTING_UP / 2, COPIED_TREE_TIME, luck
        )
        if keeps_log
        else (),
    )


def _lasting(measured: int, copied: int, luck: random.Random) -> timedelta:
    trees = TREE_TIME * measured * luck.uniform(0.8, 1.3) + COPIED_TREE_TIME * copied
    return SETTING_UP * 1.5 + trees + timedelta(milliseconds=luck.randrange(1000))


def morning(day: date, luck: random.Random, hour: int = 8) -> datetime:
    """A moment in the first half hour of `hour`, at the crew's clock."""
    start = datetime(day.year, day.month, day.day, hour, tzinfo=CLOCK)
    return start + timedelta(milliseconds=luck.randrange(30 * 60 * 1000))


class _Camera:
    """Takes the photos of one visit, in order, within its hours and near its position."""

    def __init__(
        self, plot_id: str, at: Fix, started_at: datetime, ended_at: datetime, luck: random.Random
    ) -> None:
        self._plot_id = plot_id
        self._at = at
        self._moment = started_at + SETTING_UP / 2
        self._pause = (ended_at - self._moment) / 12
        self._luck = luck

    def view(self, what: str) -> Photo:
        return self._press((self._plot_id, what))

    def tapes(self, plot: TruePlot, census: str, tag: str, rows: list[TypedRow]) -> list[Photo]:
        """The tape around one tree; the row then names the photo. None where the tree was left out."""
        row = next((row for row in rows if row["tag"] == tag), None)
        tree = next(tree for tree in plot.trees if tree.tag == tag)
        if row is None:
            return []
        reading_cm = round(tree.states[census].dbh_cm, 1)
        photo = self._press((self._plot_id, f"No. {tag}"), reading_cm)
        row["photo"] = photo.name
        return [photo]

    def _press(self, words: tuple[str, ...], tape_cm: float | None = None) -> Photo:
        self._moment += self._pause * self._luck.uniform(0.3, 0.9)
        taken_at = self._moment.replace(microsecond=0)
        words = (*words, f"{taken_at:%Y-%m-%d %H:%M}")
        lat, lon = (v + self._luck.gauss(0, 4) / M_PER_DEGREE for v in (self._at.lat, self._at.lon))
        seed = self._luck.getrandbits(31)
        shot = Shot(seed, words, taken_at, round(lat, 6), round(lon, 6), self._at.accuracy_m, tape_cm)
        return Photo(f"{int(self._moment.timestamp() * 1000)}.jpg", shot)  # as Collect names them


def _near(lat: float, lon: float, altitude_m: float, luck: random.Random) -> Fix:
    accuracy_m = luck.uniform(3, 9)
    off = [luck.gauss(0, accuracy_m / 2) / M_PER_DEGREE for _ in range(2)]
    return Fix(lat + off[0], lon + off[1], altitude_m + luck.gauss(0, 6), round(accuracy_m, 1))


def _corners(plot: Plot, luck: random.Random) -> Iterable[Fix]:
    half = PLOT_SIDE_M / 2 / M_PER_DEGREE
    for north, east in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        # a degree of longitude is 0.807 of one of latitude at 36.2°
        yield _near(plot.lat + north * half, plot.lon + east * half / 0.807, plot.elevation_m, luck)


def _header(plot: Plot, years_on: int) -> dict[str, str]:
    age = plot.stratum.mean_age_a + years_on
    return {
        "land_type": "111",
        "origin": plot.stratum.origin,
        "dominant_species": plot.stratum.species,
        "age_group": "1" if age < 25 else "2",
        "mean_age": str(age),
        "canopy_cover": f"{0.45 + plot.soil_depth_cm / 250:.2f}",
        "landform": "3",
        "elevation_m": str(plot.elevation_m),
        "slope_deg": str(plot.slope_deg),
        "aspect": plot.aspect,
        "slope_position": plot.slope_position,
        "soil_type": plot.soil_type,
        "soil_depth_cm": str(plot.soil_depth_cm),
    }
