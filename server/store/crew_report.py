"""Crews and audits as a person reads them (read only). A fixed number of queries whatever the number of crews."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, func, select

from server.store.rows import AnyRow
from server.store.schema import (
    audit_score,
    census,
    crew,
    crew_decision,
    crew_flag,
    crew_work,
    device,
    plot,
    visit,
)

Row = dict[str, Any]


def censuses_with_work(connection: Connection, project_id: int) -> set[int]:
    """Censuses whose crews were looked at."""
    query = select(crew_work.c.census_id).where(crew_work.c.project_id == project_id).distinct()
    return set(connection.scalars(query))


def shown_first(connection: Connection, project_id: int, censuses: Sequence[Row]) -> Row | None:
    """Of a project's censuses, the newest first: the newest whose crews were looked at, else the newest."""
    known = censuses_with_work(connection, project_id)
    return next((row for row in censuses if row["id"] in known), censuses[0] if censuses else None)


def of_census(connection: Connection, project_id: int, census_id: int) -> list[Row]:
    """Every crew of the project, the oldest first, with its figures of the census (None: it was not there) and how many
    of its flags are open, by severity."""
    joined = crew.outerjoin(
        crew_work, and_(crew_work.c.crew_id == crew.c.id, crew_work.c.census_id == census_id)
    )
    query = select(crew.c.id, crew.c.name, crew_work.c.figures, crew_work.c.looked_at).select_from(joined)
    rows = connection.execute(query.where(crew.c.project_id == project_id).order_by(crew.c.id))
    counts = _open_counts(connection, project_id, census_id)
    return [{**row._mapping, "flags": counts.get(row.id, {})} for row in rows]


def _open_counts(connection: Connection, project_id: int, census_id: int) -> dict[int, dict[str, int]]:
    query = (
        select(crew_flag.c.crew_id, crew_flag.c.severity, func.count())
        .where(
            crew_flag.c.project_id == project_id,
            crew_flag.c.census_id == census_id,
            crew_flag.c.state == "open",
        )
        .group_by(crew_flag.c.crew_id, crew_flag.c.severity)
    )
    found: dict[int, dict[str, int]] = {}
    for crew_id, severity, count in connection.execute(query):
        found.setdefault(crew_id, {})[severity] = count
    return found


def find(connection: Connection, project_id: int, crew_id: int) -> Row | None:
    """A crew of the project with the names of its phones."""
    query = select(crew).where(crew.c.id == crew_id, crew.c.project_id == project_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    phones = select(device.c.name).where(device.c.crew_id == crew_id, device.c.revoked_at.is_(None))
    return {**row, "phones": list(connection.scalars(phones.order_by(device.c.name)))}


def months(connection: Connection, project_id: int) -> dict[int, dict[str, Row]]:
    """What each crew's habits were from month to month over all censuses, by crew: trees, round, pairs, same."""
    query = select(crew_work.c.crew_id, crew_work.c.figures["months"]).where(
        crew_work.c.project_id == project_id
    )
    found: dict[int, dict[str, Row]] = {}
    for crew_id, some in connection.execute(query.order_by(crew_work.c.census_id)):
        for month, counts in (some or {}).items():
            if month:
                sums = found.setdefault(crew_id, {}).setdefault(month, dict.fromkeys(counts, 0))
                for name, count in counts.items():
                    sums[name] += count
    return {crew_id: dict(sorted(some.items())) for crew_id, some in found.items()}


def flags(connection: Connection, project_id: int, census_id: int, crew_id: int | None = None) -> list[Row]:
    """Flags on crews of a census that were not made void, open ones first; each with its crew's name and the last
    decision on it (`decision`, `why`, `decided_by`, `decided_at`)."""
    other = crew_decision.alias("other")
    newest = select(func.max(other.c.id)).where(other.c.crew_flag_id == crew_flag.c.id)
    last = newest.correlate(crew_flag).scalar_subquery()
    query = (
        select(crew_flag, crew.c.name.label("crew"), crew_decision.c.decision, crew_decision.c.why,
               crew_decision.c.decided_by, crew_decision.c.decided_at)
        .join(crew, crew.c.id == crew_flag.c.crew_id)
        .outerjoin(crew_decision, crew_decision.c.id == last)
        .where(crew_flag.c.project_id == project_id, crew_flag.c.census_id == census_id, crew_flag.c.state != "void")
        .order_by(crew_flag.c.state != "open", crew_flag.c.severity, crew_flag.c.score.desc(), crew_flag.c.id)
    )  # fmt: skip
    if crew_id is not None:
        query = query.where(crew_flag.c.crew_id == crew_id)
    return [dict(row) for row in connection.execute(query).mappings()]


_OURS, _AUDITED, _AUDITOR = visit.alias("ours"), crew.alias("audited"), crew.alias("auditor")
_AUDITS = (
    select(
        _OURS.c.id, _OURS.c.measured_on, _OURS.c.census_id, _OURS.c.surveyor, _OURS.c.header,
        plot.c.plot_id.label("plot"), plot.c.area_ha, census.c.name.label("census"),
        _AUDITOR.c.name.label("auditor"), _AUDITED.c.name.label("crew"), audit_score.c.crew_id,
        audit_score.c.visit_id, audit_score.c.is_random, audit_score.c.verdict, audit_score.c.figures,
        visit.c.measured_on.label("visited_on"), visit.c.surveyor.label("visited_by"),
    )
    .select_from(
        _OURS.join(plot, plot.c.id == _OURS.c.plot_id)
        .join(census, census.c.id == _OURS.c.census_id)
        .outerjoin(audit_score, audit_score.c.audit_id == _OURS.c.id)
        .outerjoin(visit, visit.c.id == audit_score.c.visit_id)
        .outerjoin(_AUDITOR, _AUDITOR.c.id == _OURS.c.crew_id)
        .outerjoin(_AUDITED, _AUDITED.c.id == audit_score.c.crew_id)
    )
    .where(_OURS.c.kind == "audit")
    .order_by(_OURS.c.measured_on.desc(), _OURS.c.id.desc())
)  # fmt: skip


def audits(connection: Connection, project_id: int, census_id: int, crew_id: int | None = None) -> list[Row]:
    """Audit visits of a census, the latest first, with their scores where they have one."""
    query = _AUDITS.where(_OURS.c.project_id == project_id, _OURS.c.census_id == census_id)
    if crew_id is not None:
        query = query.where(audit_score.c.crew_id == crew_id)
    return [dict(row) for row in connection.execute(query).mappings()]


def audit(connection: Connection, project_id: int, audit_id: int) -> Row | None:
    """One audit visit of the project."""
    query = _AUDITS.where(_OURS.c.project_id == project_id, _OURS.c.id == audit_id)
    row = connection.execute(query).mappings().first()
    return dict(row) if row else None


def flag_place(connection: Connection, crew_flag_id: int) -> AnyRow:
    """Whose flag this is: crew_id, census_id."""
    return connection.execute(
        select(crew_flag.c.crew_id, crew_flag.c.census_id).where(crew_flag.c.id == crew_flag_id)
    ).one()
