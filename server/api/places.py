"""The JSON door for places: a person's word that a visit's fix is of another datum, and taking it back.

Signed in by session, or with name and password over https. Whoever may read a project's pages may read it; supervisors
and administrators decide.
"""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from server.problems import NotFound
from server.steps import fix_datum
from server.store import places, reviews
from server.validation.datum import NAMES
from server.web import access, connection

blueprint = Blueprint("places", __name__, url_prefix="/v1", description="Where visits were")

_WHY = {"description": "the reason, in words; at most 500 characters"}


class DatumDecision(Schema):
    datum = fields.String(required=True, validate=validate.OneOf(tuple(NAMES)))
    why = fields.String(required=True, metadata=_WHY)


class DatumUndone(Schema):
    why = fields.String(load_default="", metadata=_WHY)


class Datum(Schema):
    """What counts as a visit's fix: as it came where `datum` is null, else converted into WGS 84 (`lat`, `lon`)."""

    visit_id = fields.Integer()
    raw_lat = fields.Float(allow_none=True, metadata={"description": "as the phone sent it; null: no fix"})
    raw_lon = fields.Float(allow_none=True)
    datum = fields.String(allow_none=True, validate=validate.OneOf(tuple(NAMES)))
    lat = fields.Float(allow_none=True, metadata={"description": "what counts, degrees WGS 84"})
    lon = fields.Float(allow_none=True)
    said_by = fields.String(allow_none=True)
    said_at = fields.Integer(allow_none=True, metadata={"description": "ms since 1970 UTC"})
    why = fields.String(allow_none=True)


@blueprint.get("/projects/<int:project_id>/visits/<int:visit_id>/datum")
@blueprint.response(200, Datum)
def read_datum(project_id: int, visit_id: int) -> dict[str, Any]:
    """A visit's fix as it came and as it counts."""
    access.reader(project_id)
    return _datum(project_id, visit_id)


@blueprint.post("/projects/<int:project_id>/visits/<int:visit_id>/datum")
@blueprint.arguments(DatumDecision)
@blueprint.response(200, Datum)
def say_datum(asked: dict[str, Any], project_id: int, visit_id: int) -> dict[str, Any]:
    """The visit's fix is of this datum; the fix stays as it came, and its conversion counts."""
    act = access.deciding(project_id, asked["why"])
    connection.database().write(lambda pen: fix_datum.say(pen, project_id, visit_id, asked["datum"], act))
    connection.read_again()
    return _datum(project_id, visit_id)


@blueprint.post("/projects/<int:project_id>/visits/<int:visit_id>/datum/undo")
@blueprint.arguments(DatumUndone)
@blueprint.response(200, Datum)
def undo_datum(asked: dict[str, Any], project_id: int, visit_id: int) -> dict[str, Any]:
    """The visit's fix is as it stands, after all."""
    act = access.deciding(project_id, asked["why"])
    connection.database().write(lambda pen: fix_datum.undo(pen, project_id, visit_id, act))
    connection.read_again()
    return _datum(project_id, visit_id)


def _datum(project_id: int, visit_id: int) -> dict[str, Any]:
    reader = connection.reading()
    if reviews.plot_of(reader, project_id, visit_id) is None:
        raise NotFound(f"visit {visit_id}")
    fix = places.fix_of(reader, visit_id)
    said = places.datum_of(reader, visit_id)
    if said is not None:
        return dict(said._mapping)
    raw_lat, raw_lon = fix or (None, None)
    none = dict.fromkeys(("datum", "said_by", "said_at", "why"))
    return {
        "visit_id": visit_id,
        "raw_lat": raw_lat,
        "raw_lon": raw_lon,
        "lat": raw_lat,
        "lon": raw_lon,
        **none,
    }
