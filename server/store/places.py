"""Where visits were and what they say of their plots; which other plots they resemble; a person's word on a datum."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Text, and_, bindparam, cast, delete, func, insert, or_, select, update

from server.store import bulk
from server.store.hot import in_list
from server.store.rows import AnyRow
from server.store.schema import (
    attachment,
    census,
    fix_datum,
    flag,
    measurement,
    photo_twin,
    plot,
    stratum,
    submission,
    township,
    visit,
    visit_gram,
)

NEAR_DEG = 0.00036
"""Degrees of latitude and longitude within which fixes of two plots are compared: 40 m, and eastwards still the 20 m
that P03.same_m may be set to at 60° from the equator."""


class PlaceRow(NamedTuple):
    """A visit's place as the store has it; `restored_lat` and `restored_lon` where a person has said that the fix is of
    another datum."""

    visit_id: int
    lat: float | None
    lon: float | None
    altitude_m: float | None
    accuracy_m: float | None
    header: dict[str, str]
    corners: list[dict[str, str]]
    measured_on: str | None
    started_at: int | None
    ended_at: int | None
    received_at: int
    design_lat: float | None
    design_lon: float | None
    area_ha: float | None
    shape: str | None
    township_id: int | None
    stratum_id: int | None
    starts_on: str | None
    ends_on: str | None
    restored_lat: float | None
    restored_lon: float | None


_HOLDS = and_(
    fix_datum.c.visit_id == visit.c.id,
    fix_datum.c.undone_at.is_(None),
    # a word about a fix holds for the fix that was seen
    fix_datum.c.raw_lat == visit.c.lat,
    fix_datum.c.raw_lon == visit.c.lon,
)
_PLACES = in_list(
    select(
        visit.c.id, visit.c.lat, visit.c.lon, visit.c.altitude_m, visit.c.accuracy_m, visit.c.header, visit.c.corners,
        visit.c.measured_on, visit.c.started_at, visit.c.ended_at, submission.c.received_at, plot.c.lat, plot.c.lon,
        plot.c.area_ha, plot.c.shape, plot.c.township_id, plot.c.stratum_id, census.c.starts_on, census.c.ends_on,
        fix_datum.c.lat, fix_datum.c.lon,
    )
    .join(plot, plot.c.id == visit.c.plot_id)
    .join(census, census.c.id == visit.c.census_id)
    .join(submission, submission.c.id == visit.c.source_id)
    .outerjoin(fix_datum, _HOLDS),
    visit.c.id,
)  # fmt: skip


def of_visits(connection: Connection, visit_ids: Iterable[int]) -> dict[int, PlaceRow]:
    """The places of some visits."""
    rows = (PlaceRow._make(row) for row in _PLACES.of(connection, sorted(set(visit_ids))))
    return {row.visit_id: row._replace(header=_read(row.header), corners=_read(row.corners)) for row in rows}


def _read(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


class AreaRow(NamedTuple):
    """A township or stratum with its surveyed boundary as GeoJSON text."""

    id: int
    name: str
    boundary: str


def townships(connection: Connection, ids: Iterable[int]) -> dict[int, AreaRow]:
    """Those of these townships whose boundary somebody surveyed."""
    surveyed = (township.c.is_generated.is_(False),)
    return _areas(connection, township, ids, surveyed)


def strata(connection: Connection, ids: Iterable[int]) -> dict[int, AreaRow]:
    """Those of these strata that have a boundary."""
    return _areas(connection, stratum, ids, ())


def _areas(connection: Connection, table: Any, ids: Iterable[int], also: Sequence[Any]) -> dict[int, AreaRow]:
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    query = select(table.c.id, table.c.name, cast(table.c.boundary, Text)).where(
        table.c.id.in_(wanted), table.c.boundary.is_not(None), *also
    )
    # JSON's own null is a boundary that nobody drew
    return {row[0]: AreaRow._make(row) for row in connection.execute(query) if row[2] not in {None, "null"}}


_mine, _other = visit.alias("mine"), visit.alias("other")
_NEAR = in_list(
    select(_mine.c.id, _other.c.lat, _other.c.lon, plot.c.plot_id, _other.c.id)
    .join(
        _other,
        and_(
            _other.c.project_id == _mine.c.project_id,
            _other.c.lat.between(_mine.c.lat - NEAR_DEG, _mine.c.lat + NEAR_DEG),
            _other.c.lon.between(_mine.c.lon - NEAR_DEG, _mine.c.lon + NEAR_DEG),
            _other.c.plot_id != _mine.c.plot_id,
        ),
    )
    .join(plot, plot.c.id == _other.c.plot_id),
    _mine.c.id,
)


class NearRow(NamedTuple):
    """A visit of another plot whose fix is close by."""

    visit_id: int
    lat: float
    lon: float
    plot: str
    other_id: int


def near(connection: Connection, visit_ids: Iterable[int]) -> list[NearRow]:
    """Fixes of other plots close to those of these visits."""
    return [NearRow._make(row) for row in _NEAR.of(connection, sorted(set(visit_ids)))]


# -- copied tallies -----------------------------------------------------------------------------------------------


class Indexed(NamedTuple):
    """What a visit's tally is found by."""

    project_id: int
    plot_id: int
    visit_id: int
    grams: Iterable[int]


def put_grams(connection: Connection, tallies: Sequence[Indexed], replaced: Sequence[int]) -> None:
    """Index tallies, in place of what those of `replaced` visits were found by."""
    for some in bulk.chunks(replaced):
        connection.execute(delete(visit_gram).where(visit_gram.c.visit_id.in_(some)))
    rows = [
        (one.project_id, gram, one.visit_id, one.plot_id) for one in tallies for gram in sorted(one.grams)
    ]
    bulk.insert_rows(connection, visit_gram, ("project_id", "gram", "visit_id", "plot_id"), rows)


_my_gram, _gram = visit_gram.alias("mine"), visit_gram.alias("other")
_SHARING = in_list(
    select(_my_gram.c.visit_id, _gram.c.visit_id, func.count().label("shared"))
    .join(
        _gram,
        and_(
            _gram.c.project_id == _my_gram.c.project_id,
            _gram.c.gram == _my_gram.c.gram,
            _gram.c.plot_id != _my_gram.c.plot_id,
        ),
    )
    .group_by(_my_gram.c.visit_id, _gram.c.visit_id)
    .having(func.count() >= bindparam("least")),
    _my_gram.c.visit_id,
)


def sharing(connection: Connection, visit_ids: Iterable[int], least: int) -> list[tuple[int, int, int]]:
    """Visits of other plots that share `least` grams or more with these: (visit, other, how many)."""
    rows = _SHARING.of(connection, sorted(set(visit_ids)), least=least)
    return [(row[0], row[1], row[2]) for row in rows]


def named(connection: Connection, visit_ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Plot and census of visits, by their names."""
    found: dict[int, tuple[str, str]] = {}
    query = (
        select(visit.c.id, plot.c.plot_id, census.c.name)
        .join(plot, plot.c.id == visit.c.plot_id)
        .join(census, census.c.id == visit.c.census_id)
    )
    for some in bulk.chunks(sorted(set(visit_ids))):
        found |= {row[0]: (row[1], row[2]) for row in connection.execute(query.where(visit.c.id.in_(some)))}
    return found


def judged_by(connection: Connection, visit_ids: Sequence[int], least: int) -> set[int]:
    """Later visits whose flags rest on these: those with the same tally, the same fix or the same photo."""
    if not visit_ids:
        return set()
    alike = {other for mine, other, _ in sharing(connection, visit_ids, least) if other > mine}
    close = {row.other_id for row in near(connection, visit_ids) if row.other_id > row.visit_id}
    return alike | close | _with_the_same_photo(connection, visit_ids)


def _with_the_same_photo(connection: Connection, visit_ids: Sequence[int]) -> set[int]:
    mine, other = attachment.alias(), attachment.alias()
    theirs, later = submission.alias(), visit.alias()
    query = (
        select(later.c.id)
        .select_from(visit)
        .join(mine, mine.c.submission_id == visit.c.source_id)
        .join(photo_twin, photo_twin.c.attachment_id == mine.c.id)
        .join(other, other.c.id == photo_twin.c.other_id)
        .join(theirs, theirs.c.id == other.c.submission_id)
        .join(later, later.c.submission_id == func.coalesce(theirs.c.root_id, theirs.c.id))
        .where(visit.c.id.in_(visit_ids), later.c.id > visit.c.id)
    )
    return set(connection.scalars(query))


# -- accepted errors ----------------------------------------------------------------------------------------------

_MEASURED = ("dbh_cm", "height_m", "species")
_ACCEPTED = in_list(
    select(flag.c.visit_id, flag.c.ordinal, flag.c.tag, flag.c.stem_id, flag.c.rule, measurement.c.other)
    .join(
        measurement,
        and_(measurement.c.visit_id == flag.c.visit_id, measurement.c.ordinal == flag.c.ordinal),
    )
    .where(
        flag.c.state == "accepted",
        flag.c.severity == "error",
        or_(*(flag.c.field == name for name in _MEASURED)),
    )
    .order_by(flag.c.ordinal, flag.c.rule),
    flag.c.visit_id,
)


class AcceptedRow(NamedTuple):
    """A tree with an error that a person accepted; `photo`: the name of its photo, "" where it names none."""

    visit_id: int
    ordinal: int
    tag: str
    stem_id: str
    rule: str
    photo: str


def accepted_errors(connection: Connection, visit_ids: Iterable[int]) -> list[AcceptedRow]:
    """Errors on trees of these visits that a person accepted as real."""
    return [
        AcceptedRow(
            row[0], row[1], row[2] or "", row[3] or "1", row[4], (_read(row[5]) or {}).get("photo", "")
        )
        for row in _ACCEPTED.of(connection, sorted(set(visit_ids)))
    ]


# -- datum --------------------------------------------------------------------------------------------------------


class Said(NamedTuple):
    """A person's word that a visit's fix is of another datum: what stood there, and the same place in WGS 84."""

    project_id: int
    visit_id: int
    datum: str
    raw_lat: float
    raw_lon: float
    lat: float
    lon: float
    said_by: str
    why: str
    said_at: int


def fix_of(connection: Connection, visit_id: int) -> tuple[float, float] | None:
    """A visit's fix as it came, degrees; None where it has none."""
    row = connection.execute(select(visit.c.lat, visit.c.lon).where(visit.c.id == visit_id)).first()
    return (row.lat, row.lon) if row is not None and row.lat is not None and row.lon is not None else None


def say_datum(connection: Connection, said: Said) -> None:
    """Keep a person's word, in place of an earlier one."""
    undo_datum(connection, said.visit_id, said.said_by, said.said_at)
    connection.execute(insert(fix_datum).values(**said._asdict()))


def undo_datum(connection: Connection, visit_id: int, by: str, at: int) -> bool:
    """The word holds no longer; False where there is none."""
    result = connection.execute(
        update(fix_datum)
        .where(fix_datum.c.visit_id == visit_id, fix_datum.c.undone_at.is_(None))
        .values(undone_at=at, undone_by=by)
    )
    return bool(result.rowcount)


def datum_of(connection: Connection, visit_id: int) -> AnyRow | None:
    """The word on a visit's fix that holds."""
    query = select(fix_datum).join(visit, visit.c.id == fix_datum.c.visit_id)
    return connection.execute(query.where(fix_datum.c.visit_id == visit_id, _HOLDS)).first()


def flags_of_datum(connection: Connection, visit_id: int, state: str) -> list[AnyRow]:
    """Flags of a visit in this state that say its fix is of another datum."""
    query = select(flag).where(flag.c.visit_id == visit_id, flag.c.rule == "P02", flag.c.state == state)
    return list(connection.execute(query.order_by(flag.c.id)).all())
