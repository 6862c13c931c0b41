"""How crews worked: what a look at a census reads, the figures and flags that it leaves, and what persons decided."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Integer,
    bindparam,
    cast,
    delete,
    exists,
    func,
    insert,
    select,
    text,
    update,
)

from server.forest.tree import TallyCode
from server.store import bulk, hot, jobs, visits
from server.store.attachments import AUDIT_LOG
from server.store.rows import AnyRow
from server.store.schema import (
    attachment,
    census,
    crew_decision,
    crew_flag,
    crew_work,
    measurement,
    plot,
    project,
    rework,
    submission,
    visit,
    visit_pace,
)

LATER_MS = 20_000
"""ms after a check at which its crews are looked at, at the soonest: plots of one evening share a look."""
A_VISIT_MS = 30
"""ms more for each visit of a census, but for the first hundreds: ten times what a look takes (measured: 3 ms for
88 trees), so that a province's crews are not looked at without end."""
ALIVE = [int(code) for code in TallyCode if code.is_alive]


def promise(connection: Connection, visit_ids: Sequence[int], at: int) -> None:
    """These visits say something else now: look again at their censuses' crews, and at audits of their plots."""
    for census_id, plot_ids in _places(connection, visit_ids).items():
        look_again(connection, census_id, at)
        for (audit_id,) in _AUDITS.of(connection, sorted(plot_ids), census_id=census_id):
            jobs.put_once(connection, jobs.AUDIT_SCORE, audit_id, at)


_AUDITS = hot.in_list(
    select(visit.c.id).where(visit.c.census_id == bindparam("census_id"), visit.c.kind == "audit"),
    visit.c.plot_id,
)


def look_again(connection: Connection, census_id: int, at: int) -> None:
    """Promise a look at the crews of a census, the later the larger it is."""
    if not jobs.is_promised(connection, jobs.CREW_LOOK, census_id):
        visits_of_it = select(func.count()).select_from(visit).where(visit.c.census_id == census_id)
        later_ms = max(LATER_MS, A_VISIT_MS * (connection.scalar(visits_of_it) or 0))
        jobs.put(connection, jobs.CREW_LOOK, [census_id], at + min(later_ms, jobs.LONGEST_AHEAD_MS))


def log_has_come(connection: Connection, attachment_ids: Sequence[int], at: int) -> None:
    """Files that are no pictures have come, perhaps later than their plots. Where one is the log of a phone, look again
    at the crews."""
    query = (
        select(visit.c.census_id).distinct().join(attachment, attachment.c.submission_id == visit.c.source_id)
    )
    if attachment_ids:
        found = connection.scalars(
            query.where(
                attachment.c.id.in_(attachment_ids),
                attachment.c.name == AUDIT_LOG,
                visit.c.crew_id.is_not(None),
            )
        )
        for census_id in found.all():
            look_again(connection, census_id, at)


_PLACES = hot.in_list(
    select(visit.c.census_id, visit.c.plot_id).where(visit.c.crew_id.is_not(None), visit.c.kind != "rework"),
    visit.c.id,
)


def _places(connection: Connection, visit_ids: Sequence[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for census_id, plot_id in _PLACES.of(connection, visit_ids):
        found.setdefault(census_id, set()).add(plot_id)
    return found


# what a look reads


class CensusRow(NamedTuple):
    """A census and the ways of its project."""

    id: int
    project_id: int
    tally_limit_cm: float
    rule_settings: dict[str, Any]


def censuses(connection: Connection, ids: Iterable[int]) -> list[CensusRow]:
    """Censuses by their number."""
    query = (
        select(census.c.id, census.c.project_id, project.c.tally_limit_cm, project.c.settings)
        .join(project, project.c.id == census.c.project_id)
        .where(census.c.id.in_(sorted(set(ids))))
        .order_by(census.c.id)
    )
    return [CensusRow._make(row) for row in connection.execute(query)]


def visits_of(connection: Connection, census_id: int) -> Sequence[AnyRow]:
    """Every crew's visits of a census (no audits, no rework), with where and when, the pace that is known, and whether
    one was edited although nobody had asked."""
    asked = exists().where(rework.c.visit_id == visit.c.id)
    query = (
        select(visit.c.id, visit.c.crew_id, visit.c.plot_id, plot.c.plot_id.label("plot"), plot.c.stratum_id,
               visit.c.measured_on, visit.c.started_at, visit.c.merged_into_id, submission.c.device_id,
               func.coalesce(visit.c.lat, plot.c.lat).label("lat"), func.coalesce(visit.c.lon, plot.c.lon).label("lon"),
               (visit.c.source_id != visit.c.submission_id).label("is_edited"), asked.label("was_asked"),
               visit_pace.c.first_at, visit_pace.c.last_at, visit_pace.c.gaps_s, visit_pace.c.reasons)
        .join(plot, plot.c.id == visit.c.plot_id)
        .join(submission, submission.c.id == visit.c.source_id)
        .outerjoin(visit_pace, visit_pace.c.visit_id == visit.c.id)
        .where(visit.c.census_id == census_id, visit.c.kind == "visit", visit.c.crew_id.is_not(None))
        .order_by(visit.c.id)
    )  # fmt: skip
    return connection.execute(query).all()


def digits(connection: Connection, census_id: int) -> Sequence[AnyRow]:
    """How many living trees' diameters end in which digit (millimetre), by crew and month: crew_id, month, digit,
    trees. As the crews typed them."""
    tenths = cast(func.round(measurement.c.dbh_cm * 10), Integer)
    month = func.substr(visit.c.measured_on, 1, 7).label("month")
    digit = (tenths % 10).label("digit")
    query = (
        select(visit.c.crew_id, month, digit, func.count().label("trees"))
        .select_from(visit.join(measurement, measurement.c.visit_id == visit.c.id))
        .where(
            visit.c.census_id == census_id, visit.c.kind == "visit", visit.c.crew_id.is_not(None),
            measurement.c.dbh_cm > 0, measurement.c.dbh_cm < 1000, measurement.c.tally_code.in_(ALIVE),
            measurement.c.from_visit_id.is_(None),
        )
        .group_by(visit.c.crew_id, month, digit)
    )  # fmt: skip
    return connection.execute(query).all()


class Tree(NamedTuple):
    """A living tree as its crew typed it."""

    visit_id: int
    tag: str
    stem_id: str
    species: str
    dbh_cm: float
    pom_m: float | None


_TREES = hot.in_list(
    select(
        measurement.c.visit_id, measurement.c.tag, measurement.c.stem_id, measurement.c.species, measurement.c.dbh_cm,
        measurement.c.pom_m,
    ).where(
        measurement.c.dbh_cm > 0, measurement.c.dbh_cm < 1000, measurement.c.from_visit_id.is_(None),
        text(f"measurement.tally_code IN ({', '.join(map(str, ALIVE))})"),  # no bound list in a compiled query
    ).order_by(measurement.c.visit_id, measurement.c.ordinal),
    measurement.c.visit_id,
)  # fmt: skip


def trees(connection: Connection, visit_ids: Sequence[int]) -> list[Tree]:
    """Living trees with a diameter that these visits' own crews measured."""
    return [Tree(*row) for row in _TREES.of(connection, visit_ids)]


def last_visits(connection: Connection, rows: Sequence[AnyRow]) -> dict[int, tuple[int, float]]:
    """The visit to compare each of these (of `visits_of`) with, and the years between; those without one left out."""
    of_plot = visits.of_plots(connection, {row.plot_id for row in rows})
    found = {}
    for row in rows:
        here = of_plot.get(row.plot_id, [])
        name = next((one.census for one in here if one.id == row.id), "")
        last = visits.previous([one for one in here if one.id != row.id], row.measured_on, name)
        if last is not None and row.measured_on and last.on:
            days = visits.as_day(row.measured_on) - visits.as_day(last.on)  # type: ignore[operator]
            if days.days > 0:
                found[row.id] = (last.id, days.days / 365.25)
    return found


def logs_to_read(connection: Connection, census_id: int) -> Sequence[AnyRow]:
    """Logs of a census that have come and were not read yet: visit_id, sha256, form_version_id."""
    query = (
        select(visit.c.id.label("visit_id"), attachment.c.sha256, submission.c.form_version_id)
        .join(submission, submission.c.id == visit.c.source_id)
        .join(attachment, attachment.c.submission_id == submission.c.id)
        .outerjoin(visit_pace, visit_pace.c.visit_id == visit.c.id)
        .where(
            visit.c.census_id == census_id, visit.c.kind == "visit", visit.c.crew_id.is_not(None),
            attachment.c.name == AUDIT_LOG, attachment.c.sha256.is_not(None), submission.c.form_version_id.is_not(None),
            func.coalesce(visit_pace.c.log_sha256, "") != attachment.c.sha256,
        )
        .order_by(visit.c.id)
    )  # fmt: skip
    return connection.execute(query).all()


# what a look leaves


def put_paces(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """What logs said, in place of what earlier ones did."""
    for some in bulk.chunks([row["visit_id"] for row in rows]):
        connection.execute(delete(visit_pace).where(visit_pace.c.visit_id.in_(some)))
    if rows:
        connection.execute(insert(visit_pace), list(rows))


def put_works(connection: Connection, census_id: int, rows: Sequence[dict[str, Any]]) -> None:
    """Figures of a census's crews, in place of those before; crews that have no visit any more have none."""
    connection.execute(delete(crew_work).where(crew_work.c.census_id == census_id))
    if rows:
        connection.execute(insert(crew_work), list(rows))


def standing(connection: Connection, census_id: int) -> dict[int, list[AnyRow]]:
    """Flags of a census's crews that were not made void, by crew."""
    found: dict[int, list[AnyRow]] = {}
    query = select(crew_flag).where(crew_flag.c.census_id == census_id, crew_flag.c.state != "void")
    for row in connection.execute(query.order_by(crew_flag.c.id)):
        found.setdefault(row.crew_id, []).append(row)
    return found


def add_flags(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """New flags about crews."""
    if rows:
        connection.execute(insert(crew_flag), list(rows))


def say_anew(connection: Connection, flag_id: int, **values: Any) -> None:
    """The flag stays and has other numbers now: score, value, facts."""
    connection.execute(update(crew_flag).where(crew_flag.c.id == flag_id).values(**values))


def set_state(connection: Connection, ids: Sequence[int], state: str) -> None:
    """A person decided on these, or they no longer hold (`void`)."""
    if ids:
        connection.execute(update(crew_flag).where(crew_flag.c.id.in_(ids)).values(state=state))


def find_flag(connection: Connection, project_id: int, flag_id: int) -> AnyRow | None:
    """A flag about a crew of the project, locked until the transaction ends."""
    query = select(crew_flag).where(crew_flag.c.id == flag_id, crew_flag.c.project_id == project_id)
    return connection.execute(query.with_for_update()).first()


def add_decision(connection: Connection, values: Mapping[str, Any]) -> None:
    """Keep a decision."""
    connection.execute(insert(crew_decision).values(**values))


def last_decision(connection: Connection, flag_id: int) -> AnyRow | None:
    """The last word on a flag about a crew."""
    query = select(crew_decision).where(crew_decision.c.crew_flag_id == flag_id)
    return connection.execute(query.order_by(crew_decision.c.id.desc()).limit(1)).first()


def as_json(figures: Any) -> Any:
    """Figures as the store keeps them: tuples become lists, so that what is read again is equal."""
    return json.loads(json.dumps(figures, ensure_ascii=False))
