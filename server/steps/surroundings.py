"""What the rules of places and photos are handed about visits: read for a whole batch at once, as plain values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import sqrt
from typing import NamedTuple

from sqlalchemy import Connection

from server.forest.answers import position
from server.forest.boundary import boundary
from server.forest.position import Point, apart_m
from server.forest.tree import Measurement
from server.store import photos, places, visits
from server.store.photos import Taken, TwinRow
from server.store.places import PlaceRow
from server.store.visits import VisitRow
from server.validation.copied import GRAMS_SHARED, MOST_RESEMBLING, Resembling, cells, worth_a_look
from server.validation.photo_rules import Album, Photo, Proven, Twin
from server.validation.place import Area, Corner, Fix, Near, Place
from server.validation.places import Surroundings

M2_PER_HA = 10_000

Trees = Mapping[int, Sequence[Measurement]]


def of(
    connection: Connection, wanted: Sequence[VisitRow], last: Mapping[int, int], trees: Trees
) -> dict[int, Surroundings]:
    """The surroundings of visits, by their number; `last` names for each the visit of the census before."""
    ids = [row.id for row in wanted]
    rows = places.of_visits(connection, [*ids, *last.values()])
    areas = _areas(connection, rows)
    near = _near(connection, rows, ids)
    files = photos.of_visits(connection, ids)
    albums = _albums(connection, wanted, files)
    resembling = _resembling(connection, ids, trees)
    proven = _proven(connection, ids, files)
    found = {}
    for number in ids:
        before = last.get(number)
        then = _place(rows[before], (), (), len(trees.get(before, ())), None) if before is not None else None
        place = _place(rows[number], areas[number], near[number], len(trees.get(number, ())), then)
        found[number] = Surroundings(place, albums.get(number), resembling[number], proven[number])
    return found


def _place(
    row: PlaceRow, areas: Sequence[Area], near: Sequence[Near], trees: int, last: Place | None
) -> Place:
    return Place(
        design=_point(row.design_lat, row.design_lon), fix=_fix(row), side_m=_side_m(row), corners=_corners(row),
        header=row.header, measured_on=row.measured_on, started_at=row.started_at, ended_at=row.ended_at,
        received_at=row.received_at, campaign=(row.starts_on, row.ends_on), areas=areas, near=near, trees=trees,
        last=last,
    )  # fmt: skip


def _point(lat: float | None, lon: float | None) -> Point | None:
    return None if lat is None or lon is None else Point(lat, lon)


def _fix(row: PlaceRow) -> Fix | None:
    """As it came, or restored where a person has said that it is of another datum."""
    point = _point(row.restored_lat, row.restored_lon) or _point(row.lat, row.lon)
    return Fix(point, row.accuracy_m, row.altitude_m) if point is not None else None


def _side_m(row: PlaceRow) -> float | None:
    return sqrt(row.area_ha * M2_PER_HA) if row.shape == "square" and row.area_ha else None


def _corners(row: PlaceRow) -> list[Corner]:
    """Corners with a position, moved as the fix itself was: one phone writes one datum."""
    moved = (0.0, 0.0)
    if row.restored_lat is not None and row.restored_lon is not None and row.lat is not None:
        moved = (row.restored_lat - row.lat, row.restored_lon - (row.lon or 0.0))
    found = [(corner.get("number", ""), position(corner.get("position"))) for corner in row.corners]
    return [
        Corner(number, Fix(Point(at.lat + moved[0], at.lon + moved[1]), at.accuracy_m, at.altitude_m))
        for number, at in found
        if at is not None
    ]


def _areas(connection: Connection, rows: Mapping[int, PlaceRow]) -> dict[int, list[Area]]:
    townships = places.townships(connection, (r.township_id for r in rows.values() if r.township_id))
    strata = places.strata(connection, (r.stratum_id for r in rows.values() if r.stratum_id))
    found: dict[int, list[Area]] = {}
    for row in rows.values():
        named = (
            ("township", townships.get(row.township_id or 0)),
            ("stratum", strata.get(row.stratum_id or 0)),
        )
        shapes = [(kind, area.name, boundary(area.boundary)) for kind, area in named if area is not None]
        found[row.visit_id] = [Area(kind, name, shape) for kind, name, shape in shapes if shape is not None]
    return found


def _near(connection: Connection, rows: Mapping[int, PlaceRow], ids: Sequence[int]) -> dict[int, list[Near]]:
    """Other plots whose fix was taken before and lies close by: of each the nearest."""
    found: dict[int, dict[str, float]] = defaultdict(dict)
    for row in places.near(connection, ids):
        here = _point(rows[row.visit_id].lat, rows[row.visit_id].lon)
        if row.other_id < row.visit_id and here is not None:
            apart = apart_m(here, Point(row.lat, row.lon))
            known = found[row.visit_id]
            known[row.plot] = min(apart, known.get(row.plot, apart))
    return {number: [Near(*one) for one in sorted(found[number].items())] for number in ids}


def _albums(
    connection: Connection, wanted: Sequence[VisitRow], files: Mapping[int, Sequence[Taken]]
) -> dict[int, Album]:
    if not files:
        return {}
    twins = photos.twins(connection, [taken.attachment_id for some in files.values() for taken in some])
    found = {}
    for row in wanted:
        some = files.get(row.id, ())
        pictures = [_photo(row, taken, twins.get(taken.attachment_id, ())) for taken in some
                    if taken.inspected_at is not None and taken.fault is None]  # fmt: skip
        if some:
            found[row.id] = Album(pictures, sum(bool(taken.is_expected) for taken in some))
    return found


def _photo(row: VisitRow, taken: Taken, twins: Sequence[TwinRow]) -> Photo:
    return Photo(
        taken.name, taken.taken_at, taken.gps_at, _point(taken.lat, taken.lon), taken.accuracy_m, taken.make,
        taken.model, taken.software, [_twin(row, one) for one in twins if _is_earlier(row, one)],
    )  # fmt: skip


def _is_earlier(row: VisitRow, twin: TwinRow) -> bool:
    """Of two visits the later is asked about a photo; two crews at one plot in one census may share theirs."""
    if twin.other_visit_id == row.id:
        return twin.other_id < twin.attachment_id
    together = (twin.other_plot_id, twin.other_census_id) == (row.plot_id, row.census_id)
    return twin.other_visit_id < row.id and not together


def _twin(row: VisitRow, twin: TwinRow) -> Twin:
    return Twin(twin.other_name, twin.other_plot, twin.other_census, twin.bits_apart,
                is_here=twin.other_visit_id == row.id, is_same_plot=twin.other_plot_id == row.plot_id)  # fmt: skip


def _resembling(connection: Connection, ids: Sequence[int], trees: Trees) -> dict[int, list[Resembling]]:
    """Tallies of other plots that came before; an index names those that are worth a look."""
    shared: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for mine, other, grams in places.sharing(connection, ids, GRAMS_SHARED):
        if other < mine and worth_a_look(grams, len(trees.get(mine, ()))):
            shared[mine].append((-grams, other))
    nearest = {mine: [other for _, other in sorted(some)[:MOST_RESEMBLING]] for mine, some in shared.items()}
    others = {other for some in nearest.values() for other in some}
    named = places.named(connection, others) if others else {}
    tallies = visits.raw_measurements(connection, others) if others else {}
    return {
        number: [
            Resembling(*named[other], cells(tallies.get(other, ())), other)
            for other in nearest.get(number, ())
        ]
        for number in ids
    }


class _Tree(NamedTuple):
    ordinal: int
    tag: str
    stem_id: str


def _proven(
    connection: Connection, ids: Sequence[int], files: Mapping[int, Sequence[Taken]]
) -> dict[int, list[Proven]]:
    """Trees with an accepted error of which no photo came. Asked of visits with photos only: other forms have none."""
    doubts: dict[int, dict[_Tree, list[str]]] = defaultdict(dict)
    for row in places.accepted_errors(connection, sorted(files)):
        came = {taken.name for taken in files.get(row.visit_id, ()) if taken.sha256 is not None}
        if row.photo not in came:
            tree = _Tree(row.ordinal, row.tag, row.stem_id)
            doubts[row.visit_id].setdefault(tree, []).append(row.rule)
    return {
        number: [Proven(*tree, ", ".join(sorted(set(rules)))) for tree, rules in doubts[number].items()]
        for number in ids
    }
