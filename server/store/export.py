"""Everything of a project for analysis, row by row (read only)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select, case, select

from server.store import counted, events
from server.store import draws as drawn
from server.store.schema import (
    audit_score,
    census,
    correction,
    crew,
    crew_decision,
    crew_flag,
    fix_datum,
    flag,
    measurement,
    plot,
    review,
    stratum,
    township,
    visit,
)

ROWS_AT_ONCE = 1000
AUDIT_FIGURES = (
    "trees", "outside", "most", "power", "missed", "extra", "lacking_large", "lacking_small", "both", "species",
    "status", "bias", "agb_theirs", "agb_ours", "agb_off",
)  # fmt: skip


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
    """Flags that stand, whatever was decided on them; `priority` in t CO2e, `facts` as JSON."""
    query = (
        select(
            flag.c.id, flag.c.visit_id.label("visit"), flag.c.ordinal, flag.c.tag, flag.c.stem_id, flag.c.rule,
            flag.c.rule_version, flag.c.severity, flag.c.score, flag.c.field, flag.c.value, flag.c.expected_low,
            flag.c.expected_high, flag.c.suggestion, flag.c.state, flag.c.priority, flag.c.facts, flag.c.raised_at,
        )
        .join(visit, visit.c.id == flag.c.visit_id)
        .where(flag.c.project_id == project_id, flag.c.state != "void", visit.c.merged_into_id.is_(None))
        .order_by(flag.c.id)
    )  # fmt: skip
    return _rows(connection, query)


def stories(connection: Connection, project_id: int) -> Iterator[dict[str, Any]]:
    """What may have happened to doubted values: the likeliest first, with its probability and, where the story knows
    it, the value that was meant."""
    for one in flags(connection, project_id):
        for place, text in enumerate(one["facts"].get("hypotheses") or [], start=1):
            story, *meant, probability = text.split()
            yield {"id": f"{one['id']}-{place}", "flag": one["id"], "place": place, "story": story,
                   "meant": meant[0] if meant else None, "probability": float(probability)}  # fmt: skip


def decisions(connection: Connection, project_id: int) -> Iterator[dict[str, Any]]:
    """What persons decided about visits and flags. `flag` is empty where the visit as a whole was decided on, and where
    the flag no longer stands; `rule` and `tag` tell which it was."""
    query = (
        select(
            review.c.id, review.c.visit_id.label("visit"), case((flag.c.state != "void", flag.c.id)).label("flag"),
            flag.c.rule, flag.c.tag, review.c.decision, review.c.why, review.c.decided_by, review.c.decided_at,
        )
        .join(visit, visit.c.id == review.c.visit_id)
        .outerjoin(flag, flag.c.id == review.c.flag_id)
        .where(review.c.project_id == project_id, visit.c.merged_into_id.is_(None))
        .order_by(review.c.id)
    )  # fmt: skip
    return _rows(connection, query)


def datums(connection: Connection, project_id: int) -> Iterator[dict[str, Any]]:
    """Fixes that a person said are of another datum: as they came, and in WGS 84; words taken back too."""
    query = (
        select(
            fix_datum.c.id, fix_datum.c.visit_id.label("visit"), fix_datum.c.datum, fix_datum.c.raw_lat,
            fix_datum.c.raw_lon, fix_datum.c.lat, fix_datum.c.lon, fix_datum.c.said_by, fix_datum.c.why,
            fix_datum.c.said_at, fix_datum.c.undone_at, fix_datum.c.undone_by,
        )
        .join(visit, visit.c.id == fix_datum.c.visit_id)
        .where(fix_datum.c.project_id == project_id, visit.c.merged_into_id.is_(None))
        .order_by(fix_datum.c.id)
    )  # fmt: skip
    return _rows(connection, query)


def crew_flags(connection: Connection, project_id: int) -> Iterator[dict[str, Any]]:
    """Flags on crews that stand, with the names of crew and census; `facts` as JSON."""
    query = (
        select(
            crew_flag.c.id, crew.c.name.label("crew"), census.c.name.label("census"), crew_flag.c.rule,
            crew_flag.c.rule_version, crew_flag.c.severity, crew_flag.c.score, crew_flag.c.value, crew_flag.c.facts,
            crew_flag.c.state, crew_flag.c.raised_at,
        )
        .join(crew, crew.c.id == crew_flag.c.crew_id)
        .join(census, census.c.id == crew_flag.c.census_id)
        .where(crew_flag.c.project_id == project_id, crew_flag.c.state != "void")
        .order_by(crew_flag.c.id)
    )  # fmt: skip
    return _rows(connection, query)


def crew_decisions(connection: Connection, project_id: int) -> Iterator[dict[str, Any]]:
    """What persons decided about flags on crews; `visits`, as JSON: whose approval was taken back or given again."""
    query = (
        select(
            crew_decision.c.id, case((crew_flag.c.state != "void", crew_flag.c.id)).label("crew_flag"),
            crew_flag.c.rule, crew.c.name.label("crew"), crew_decision.c.decision, crew_decision.c.visits,
            crew_decision.c.why, crew_decision.c.decided_by, crew_decision.c.decided_at,
        )
        .join(crew_flag, crew_flag.c.id == crew_decision.c.crew_flag_id)
        .join(crew, crew.c.id == crew_flag.c.crew_id)
        .where(crew_decision.c.project_id == project_id)
        .order_by(crew_decision.c.id)
    )  # fmt: skip
    return _rows(connection, query)


def audits(connection: Connection, project_id: int) -> Iterator[dict[str, Any]]:
    """Audits with their scores: `id` is the audit's own visit, `visit` the one that it checks, `crew` who is audited.
    `bias` in units of what is allowed, `agb_off` as a share, `power` a probability."""
    audited = visit.alias("audited")
    query = (
        select(
            audit_score.c.audit_id.label("id"), audit_score.c.visit_id.label("visit"), crew.c.name.label("crew"),
            audit_score.c.is_random, audit_score.c.verdict, audit_score.c.scored_at, audit_score.c.figures,
        )
        .join(visit, visit.c.id == audit_score.c.audit_id)
        .join(audited, audited.c.id == audit_score.c.visit_id)
        .outerjoin(crew, crew.c.id == audit_score.c.crew_id)
        .where(audit_score.c.project_id == project_id, visit.c.merged_into_id.is_(None),
               audited.c.merged_into_id.is_(None))
        .order_by(audit_score.c.audit_id)
    )  # fmt: skip
    for row in _rows(connection, query):
        figures = row.pop("figures")
        yield {**row, **{name: figures.get(name) for name in AUDIT_FIGURES}}


def draws(connection: Connection, project_id: int) -> Iterator[dict[str, Any]]:
    """Plots that were drawn for audits, with crew, census and seed; `of` how many plots of the crew."""
    names = dict(
        connection.execute(select(census.c.id, census.c.name).where(census.c.project_id == project_id)).all()
    )
    plots_by_name = dict(
        connection.execute(select(plot.c.plot_id, plot.c.id).where(plot.c.project_id == project_id)).all()
    )
    for one in reversed(events.latest(connection, project_id, drawn.ACTION, drawn.MOST)):
        for mine in one.detail["crews"]:
            for plot_id in mine["drawn"]:
                yield {"id": f"{one.id}-{plot_id}", "plot": plots_by_name.get(plot_id),
                       "census": names[one.detail["census_id"]], "crew": mine["crew"], "seed": one.detail["seed"],
                       "of": len(mine["plots"]), "drawn_by": one.actor, "drawn_at": one.at}  # fmt: skip


def _rows(connection: Connection, query: Select[Any]) -> Iterator[dict[str, Any]]:
    for row in connection.execute(query.execution_options(yield_per=ROWS_AT_ONCE)).mappings():
        yield dict(row)
