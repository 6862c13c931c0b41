"""The JSON door for conflicts: two accounts of one thing, and a supervisor's choice between them.

Signed in by session, or with name and password over https. Whoever may read a project's pages may read them;
supervisors and administrators settle.
"""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from server.problems import NotFound
from server.steps import settle_conflict
from server.steps.settle_conflict import Choice
from server.store import conflict_report
from server.store import conflicts as conflicts_store
from server.store.conflicts import CHOICES, OPEN, STATES
from server.web import access, connection

blueprint = Blueprint("conflicts", __name__, url_prefix="/v1", description="Two accounts of one thing")


class ConflictQuery(Schema):
    state = fields.String(load_default=OPEN, validate=validate.OneOf(STATES))
    offset = fields.Integer(load_default=0, validate=validate.Range(0, 10_000_000))


class ClashingCell(Schema):
    tag = fields.String(allow_none=True, metadata={"description": "null: about the plot as a whole"})
    stem_id = fields.String(allow_none=True)
    field = fields.String(
        metadata={"description": "`tree`: the whole tree; else a column, or plot.… and visit.…"}
    )
    base = fields.String(allow_none=True, metadata={"description": "what was there before both"})
    mine = fields.String(
        allow_none=True, metadata={"description": "what stands meanwhile; null: no such tree"}
    )
    theirs = fields.String(allow_none=True)
    chosen = fields.String(validate=validate.OneOf(CHOICES))
    value = fields.String(allow_none=True)


class Conflict(Schema):
    id = fields.Integer()
    kind = fields.String()
    state = fields.String(validate=validate.OneOf(STATES))
    plot_id = fields.String(attribute="plot", allow_none=True)
    census = fields.String(allow_none=True)
    visit_id = fields.Integer(allow_none=True)
    cells = fields.List(fields.Nested(ClashingCell), attribute="fields")
    seen = fields.String(metadata={"description": "mark of these cells, to be given back with a decision"})
    raised_at = fields.Integer(metadata={"description": "ms since 1970 UTC"})
    settled_at = fields.Integer(allow_none=True)
    settled_by = fields.String(allow_none=True)
    why = fields.String(allow_none=True)


class ConflictPage(Schema):
    conflicts = fields.List(fields.Nested(Conflict))
    next_offset = fields.Integer(allow_none=True)


class CellChoice(Schema):
    place = fields.Integer(
        required=True, validate=validate.Range(0), metadata={"description": "of the cell, from 0"}
    )
    chosen = fields.String(required=True, validate=validate.OneOf(CHOICES))
    value = fields.String(load_default="", metadata={"description": "for `other`"})


class ConflictDecision(Schema):
    seen = fields.String(required=True)
    why = fields.String(
        required=True, metadata={"description": "the reason, in words; at most 500 characters"}
    )
    choices = fields.List(fields.Nested(CellChoice), required=True)


class ConflictReopened(Schema):
    seen = fields.String(required=True)
    why = fields.String(load_default="")


class ConflictState(Schema):
    id = fields.Integer()
    state = fields.String()
    seen = fields.String()


@blueprint.get("/projects/<int:project_id>/conflicts")
@blueprint.arguments(ConflictQuery, location="query")
@blueprint.response(200, ConflictPage)
def conflicts(asked: dict[str, Any], project_id: int) -> dict[str, Any]:
    """Conflicts in one state, the latest first, in pages."""
    access.reader(project_id)
    rows = conflict_report.page(connection.reading(), project_id, asked["state"], asked["offset"])
    page = rows[: conflict_report.PAGE_ROWS]
    return {
        "conflicts": [{**row, "seen": conflicts_store.mark_of(row["fields"])} for row in page],
        "next_offset": asked["offset"] + len(page) if len(rows) > len(page) else None,
    }


@blueprint.post("/projects/<int:project_id>/conflicts/<int:conflict_id>/decision")
@blueprint.arguments(ConflictDecision)
@blueprint.response(200, ConflictState)
def decide_conflict(asked: dict[str, Any], project_id: int, conflict_id: int) -> dict[str, Any]:
    """Choose for some cells which value shall stand."""
    act = access.deciding(project_id, asked["why"])
    choices = {one["place"]: Choice(one["chosen"], one["value"]) for one in asked["choices"]}
    connection.database().write(
        lambda pen: settle_conflict.settle(pen, project_id, conflict_id, asked["seen"], choices, act)
    )
    return _now(project_id, conflict_id)


@blueprint.post("/projects/<int:project_id>/conflicts/<int:conflict_id>/reopen")
@blueprint.arguments(ConflictReopened)
@blueprint.response(200, ConflictState)
def reopen_conflict(asked: dict[str, Any], project_id: int, conflict_id: int) -> dict[str, Any]:
    """Take every choice back."""
    act = access.deciding(project_id, asked["why"])
    connection.database().write(
        lambda pen: settle_conflict.reopen(pen, project_id, conflict_id, asked["seen"], act)
    )
    return _now(project_id, conflict_id)


def _now(project_id: int, conflict_id: int) -> dict[str, Any]:
    connection.read_again()
    row = conflicts_store.find(connection.reading(), project_id, conflict_id)
    if row is None:
        raise NotFound(f"conflict {conflict_id}")
    return {"id": row.id, "state": row.state, "seen": conflicts_store.mark_of(row.fields)}
