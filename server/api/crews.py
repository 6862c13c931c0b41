"""The JSON door for crews and audits: how each crew of a census worked, what is odd about it, what audits found, and
what a person decides about that.

Signed in by session, or with name and password over https. Whoever may read a project's pages may read it; supervisors
and administrators decide, as on the pages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate
from sqlalchemy import Connection

from server.api.shapes import CensusQuery, FlagCounts
from server.problems import NotFound
from server.steps import crew_decide
from server.store import crew_report, draws, projects, reports, visits
from server.store.flag_report import SEVERITIES
from server.store.reviews import Act
from server.validation import audit
from server.validation.audit import Beside
from server.validation.project import parameters_of
from server.web import access, connection
from server.web.addresses import MOST

Row = dict[str, Any]
blueprint = Blueprint("crews", __name__, url_prefix="/v1", description="How crews worked, and audits of them")

_DEEDS: dict[str, Callable[[Connection, int, int, Act], object]] = {
    "accept": crew_decide.accept,
    "send_back": crew_decide.send_back,
    "reopen": crew_decide.reopen,
}
_MS = {"description": "ms since 1970 UTC"}
_WHY = {"description": "the reason, in words; at most 500 characters"}
_RANDOM = {"description": "drawn at random; false: because of flags; null: nobody said"}


class CrewOfCensus(Schema):
    id = fields.Integer()
    name = fields.String()
    figures = fields.Dict(
        allow_none=True, metadata={"description": "effect sizes with intervals; null: it was not there"}
    )
    looked_at = fields.Integer(allow_none=True, metadata=_MS)
    flags = fields.Nested(FlagCounts, metadata={"description": "open ones, how many"})


class CrewPage(Schema):
    census = fields.String(allow_none=True)
    crews = fields.List(fields.Nested(CrewOfCensus))


class CrewFlagQuery(CensusQuery):
    crew_id = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(0, MOST))


class CrewFlag(Schema):
    id = fields.Integer()
    crew_id = fields.Integer()
    crew = fields.String()
    rule = fields.String()
    rule_version = fields.Integer()
    severity = fields.String(validate=validate.OneOf(SEVERITIES))
    score = fields.Float()
    value = fields.String(allow_none=True)
    facts = fields.Dict(keys=fields.String())
    state = fields.String()
    raised_at = fields.Integer(metadata=_MS)
    decision = fields.String(allow_none=True, metadata={"description": "the last one; null: nobody has"})
    why = fields.String(allow_none=True)
    decided_by = fields.String(allow_none=True)
    decided_at = fields.Integer(allow_none=True, metadata=_MS)


class CrewFlagPage(Schema):
    census = fields.String(allow_none=True)
    flags = fields.List(fields.Nested(CrewFlag))


class CrewFlagDecision(Schema):
    decision = fields.String(
        required=True,
        validate=validate.OneOf(tuple(_DEEDS)),
        metadata={"description": "`send_back`: visits in doubt lose their approval; `reopen`: take it back"},
    )
    why = fields.String(required=True, metadata=_WHY)


class Audit(Schema):
    id = fields.Integer()
    plot_id = fields.String(attribute="plot")
    census = fields.String()
    measured_on = fields.String(allow_none=True, metadata={"format": "date"})
    auditor = fields.String(allow_none=True, metadata={"description": "the crew that audited"})
    crew_id = fields.Integer(allow_none=True, metadata={"description": "of the audited crew"})
    crew = fields.String(allow_none=True, metadata={"description": "the audited crew"})
    visit_id = fields.Integer(
        allow_none=True, metadata={"description": "the audited visit; null: none to compare with has come"}
    )
    is_random = fields.Boolean(allow_none=True, metadata=_RANDOM)
    verdict = fields.String(
        allow_none=True, metadata={"description": "passed, failed, weak (too few trees); null: no score"}
    )
    figures = fields.Dict(allow_none=True)


class AuditPage(Schema):
    census = fields.String(allow_none=True)
    audits = fields.List(fields.Nested(Audit))


class DrawnPlot(Schema):
    plot_id = fields.String()
    crew = fields.String(metadata={"description": "that is audited"})
    township = fields.String(allow_none=True)
    stratum = fields.String(allow_none=True)
    lat = fields.Float(allow_none=True, metadata={"description": "planned, degrees WGS 84"})
    lon = fields.Float(allow_none=True)
    audit_id = fields.Integer(allow_none=True, metadata={"description": "null: not audited yet"})
    audited_on = fields.String(allow_none=True, metadata={"format": "date"})
    verdict = fields.String(allow_none=True)


class CrewDrawn(Schema):
    crew = fields.String()
    plots = fields.List(fields.String(), metadata={"description": "that could be drawn"})
    drawn = fields.List(
        fields.String(),
        metadata={"description": 'the first of `plots` in the order of SHA-256("seed/plot_id")'},
    )


class Draw(Schema):
    seed = fields.String()
    drawn_by = fields.String()
    drawn_at = fields.Integer(metadata=_MS)
    crews = fields.List(fields.Nested(CrewDrawn))


class DrawPage(Schema):
    census = fields.String(allow_none=True)
    draws = fields.List(fields.Nested(Draw), metadata={"description": "the first one first"})
    plots = fields.List(fields.Nested(DrawnPlot))


class AuditedTree(Schema):
    """One tree as the crew (`their_`) and as the audit (`our_`) found it; null: not in that list."""

    tag = fields.String()
    stem_id = fields.String()
    their_species = fields.String(allow_none=True)
    our_species = fields.String(allow_none=True)
    their_tally_code = fields.Integer(allow_none=True)
    our_tally_code = fields.Integer(allow_none=True)
    their_dbh_cm = fields.Float(allow_none=True)
    our_dbh_cm = fields.Float(allow_none=True)
    off_cm = fields.Float(allow_none=True, metadata={"description": "theirs less ours"})
    tolerance_cm = fields.Float(metadata={"description": "of two honest tapes at this diameter"})
    faults = fields.List(
        fields.String(), metadata={"description": "dbh, missed, extra, species, status: beyond what may be"}
    )


class AuditWithTrees(Audit):
    failures = fields.List(fields.String(), metadata={"description": "why it failed; empty: it did not"})
    trees = fields.List(fields.Nested(AuditedTree))


@blueprint.get("/projects/<int:project_id>/crews")
@blueprint.arguments(CensusQuery, location="query")
@blueprint.response(200, CrewPage)
def crews(asked: Row, project_id: int) -> Row:
    """Every crew of a census (where none is named: the newest whose crews were looked at), with its effect sizes."""
    chosen = _census(project_id, asked["census"])
    rows = crew_report.of_census(connection.reading(), project_id, chosen["id"]) if chosen else []
    return {"census": chosen["name"] if chosen else None, "crews": rows}


@blueprint.get("/projects/<int:project_id>/crew-flags")
@blueprint.arguments(CrewFlagQuery, location="query")
@blueprint.response(200, CrewFlagPage)
def crew_flags(asked: Row, project_id: int) -> Row:
    """Flags on crews of a census, open ones first, each with the last decision on it."""
    chosen = _census(project_id, asked["census"])
    found = (
        crew_report.flags(connection.reading(), project_id, chosen["id"], asked["crew_id"]) if chosen else []
    )
    return {"census": chosen["name"] if chosen else None, "flags": found}


@blueprint.post("/projects/<int:project_id>/crew-flags/<int:crew_flag_id>/decision")
@blueprint.arguments(CrewFlagDecision)
@blueprint.response(200, CrewFlag)
def decide_crew_flag(asked: Row, project_id: int, crew_flag_id: int) -> Row:
    """Accept a flag on a crew, open its visits in doubt again, or take either back."""
    act = access.deciding(project_id, asked["why"])
    deed = _DEEDS[asked["decision"]]
    connection.database().write(lambda pen: deed(pen, project_id, crew_flag_id, act))
    connection.read_again()
    place = crew_report.flag_place(connection.reading(), crew_flag_id)
    rows = crew_report.flags(connection.reading(), project_id, place.census_id, place.crew_id)
    return next(row for row in rows if row["id"] == crew_flag_id)


@blueprint.get("/projects/<int:project_id>/audits")
@blueprint.arguments(CensusQuery, location="query")
@blueprint.response(200, AuditPage)
def audits(asked: Row, project_id: int) -> Row:
    """Audit visits of a census, the latest first, with their scores."""
    chosen = _census(project_id, asked["census"])
    found = crew_report.audits(connection.reading(), project_id, chosen["id"]) if chosen else []
    return {"census": chosen["name"] if chosen else None, "audits": found}


@blueprint.get("/projects/<int:project_id>/audits/drawn")
@blueprint.arguments(CensusQuery, location="query")
@blueprint.response(200, DrawPage)
def drawn(asked: Row, project_id: int) -> Row:
    """Plots that were drawn for audits of a census, and all that is needed to repeat each draw."""
    chosen = _census(project_id, asked["census"])
    if chosen is None:
        return {"census": None, "draws": [], "plots": []}
    reader = connection.reading()
    found = draws.of_census(reader, project_id, chosen["id"])[::-1]
    places = draws.places(reader, project_id, chosen["id"], draws.plots_of(found))
    return {
        "census": chosen["name"],
        "draws": [{**one.detail, "drawn_by": one.actor, "drawn_at": one.at} for one in found],
        "plots": [
            {**places[plot], "crew": crew["crew"]}
            for one in found
            for crew in one.detail["crews"]
            for plot in crew["drawn"]
        ],
    }


@blueprint.get("/projects/<int:project_id>/audits/<int:audit_id>")
@blueprint.response(200, AuditWithTrees)
def read_audit(project_id: int, audit_id: int) -> Row:
    """One audit visit, tree by tree beside the visit that it checks."""
    access.reader(project_id)
    reader = connection.reading()
    found = crew_report.audit(reader, project_id, audit_id)
    if found is None:
        raise NotFound(f"audit {audit_id}")
    if found["visit_id"] is None:
        return {**found, "failures": [], "trees": []}
    ways = projects.ways(reader, project_id)
    assert ways is not None  # it has just been read from
    limits = parameters_of(ways.tally_limit_cm, ways.rule_settings).limits
    theirs = visits.raw_measurements(reader, [found["visit_id"]]).get(found["visit_id"], [])
    ours = visits.measurements(reader, [audit_id]).get(audit_id, [])
    rows = audit.side_by_side(theirs, ours, limits)
    return {**found, "failures": audit.failures(found["figures"], limits), "trees": list(map(_tree, rows))}


def _tree(beside: Beside) -> Row:
    either = beside.theirs or beside.ours
    assert either is not None  # side_by_side pairs trees of at least one list
    found: Row = {"tag": either.tag, "stem_id": either.stem_id}
    for whose, tree in (("their", beside.theirs), ("our", beside.ours)):
        for name in ("species", "tally_code", "dbh_cm"):
            found[f"{whose}_{name}"] = getattr(tree, name, None)
    return {
        **found, "off_cm": beside.off_cm, "tolerance_cm": beside.tolerance_cm, "faults": list(beside.faults),
    }  # fmt: skip


def _census(project_id: int, name: str) -> Row | None:
    """The census of that name, else the one that the pages show first; None: the project has none. Raises as
    `access.reader`, and NotFound for a name that none has."""
    access.reader(project_id)
    censuses = reports.censuses(connection.reading(), project_id)
    if not name:
        return crew_report.shown_first(connection.reading(), project_id, censuses)
    found = next((row for row in censuses if row["name"] == name), None)
    if found is None:
        raise NotFound(f"census {name}")
    return found
