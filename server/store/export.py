"""Everything of a project for analysis, row by row (read only)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select, select

from server.store import counted
from server.store.schema import census, correction, crew, flag, measurement, plot, stratum, township, visit

ROWS_AT_ONCE = 1000


def plots(connection: Connection, project_id: int) -> Iterator[dict[str, Any]]:
    """Plots with the names of township and stratum."""
    query = (
        select(
            plot.c.id, plot.c.plot_id, township.c.name.label("township"), stratum.c.name.label("stratum"),
            plot.c.lat, plot.c.lon, plot.c.area_ha, plot.c.shape, plot.c.is_planned,
        )
        .select_from(plot)
        .outerjoin(township, township.c.id == plot.c.township_id)
        .outerjoin(stratum, stratum.c.id == plot.c.stratum_id)
        .where(plot.c.project_id == project_id)
        .order_by(plot.c.id)
    )  # fmt: skip
    return _rows(connection, query)


def visits(connection: Connection, project_id: int) -> Iterator[dict[str, Any]]:
    """Visits with the names of census and crew; degrees WGS 84. One that is merged into another is part of that."""
    query = (
        select(
            visit.c.id, visit.c.plot_id.label("plot"), census.c.name.label("census"), crew.c.name.label("crew"),
            visit.c.kind, visit.c.measured_on, visit.c.surveyor, visit.c.lat, visit.c.lon, visit.c.accuracy_m,
            visit.c.review_state,
        )
        .join(census, census.c.id == visit.c.census_id)
        .outerjoin(crew, crew.c.id == visit.c.crew_id)
        .where(visit.c.project_id == project_id, visit.c.merged_into_id.is_(None))
        .order_by(visit.c.id)
    )  # fmt: skip
    return _rows(connection, query)


def measurements(connection: Connection, project_id: int) -> Iterator[dict[str, Any]]:
    """One row for each stem in each visit, as it counts; `id` is the visit's number and the place in its list."""
    corrected = counted.changes(connection, counted.corrected_visits(connection, project_id))
    columns = [c for c in measurement.c if c.name not in {"visit_id", "other"}]
    query = (
        select(measurement.c.visit_id.label("visit"), *columns)
        .join(visit, visit.c.id == measurement.c.visit_id)
        .where(visit.c.project_id == project_id, visit.c.merged_into_id.is_(None))
        .order_by(measurement.c.visit_id, measurement.c.ordinal)
    )
    for row in _rows(connection, query):
        place = (row["visit"], row["ordinal"])
        yield {"id": "{}-{}".format(*place), **row, **corrected.get(place, {})}


def corrections(connection: Connection, project_id: int) -> Iterator[dict[str, Any]]:
    """Every value that was changed, with what the tape had said, who, why and when; undone ones too."""
    query = (
        select(
            correction.c.id, correction.c.visit_id.label("visit"), correction.c.tag, correction.c.stem_id,
            correction.c.ordinal, correction.c.field, correction.c.old, correction.c.new, correction.c.source,
            correction.c.made_by, correction.c.why, correction.c.made_at, correction.c.undone_at,
            correction.c.undone_by,
        )
        .join(visit, visit.c.id == correction.c.visit_id)
        .where(correction.c.project_id == project_id, visit.c.merged_into_id.is_(None))
        .order_by(correction.c.id)
    )  # fmt: skip
    return _rows(connection, query)


def flags(connection: Connection, project_id: int) -> Iterator[dict[str, Any]]:
    """Flags that stand, whatever was decided on them."""
    query = (
        select(
            flag.c.id, flag.c.visit_id.label("visit"), flag.c.ordinal, flag.c.tag, flag.c.stem_id, flag.c.rule,
            flag.c.rule_version, flag.c.severity, flag.c.score, flag.c.field, flag.c.value, flag.c.expected_low,
            flag.c.expected_high, flag.c.suggestion, flag.c.state,
        )
        .join(visit, visit.c.id == flag.c.visit_id)
        .where(flag.c.project_id == project_id, flag.c.state != "void", visit.c.merged_into_id.is_(None))
        .order_by(flag.c.id)
    )  # fmt: skip
    return _rows(connection, query)


def _rows(connection: Connection, query: Select[Any]) -> Iterator[dict[str, Any]]:
    for row in connection.execute(query.execution_options(yield_per=ROWS_AT_ONCE)).mappings():
        yield dict(row)
