"""The sync door, first question: who am I? Asked by a phone that has just scanned its join link."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields

from server.problems import DeviceUnknown
from server.store import devices, projects
from server.web import access, connection, encoding

blueprint = Blueprint("device", __name__, url_prefix="/v1", description="A phone asks who it is")
encoding.join(blueprint)


class Device(Schema):
    name = fields.String(required=True)
    crew = fields.String(allow_none=True)
    locale = fields.String(required=True, metadata={"description": "zh or en"})
    townships = fields.List(fields.String(), metadata={"description": "names; empty: no limit of this kind"})
    plots = fields.List(fields.String(), metadata={"description": "plot_ids; empty: no limit of this kind"})


class NamedProject(Schema):
    id = fields.Integer(required=True)
    name = fields.String(required=True)


class WhoAmI(Schema):
    """Who a phone is. `server_at`: the server's clock, ms since 1970 UTC."""

    device = fields.Nested(Device, required=True)
    project = fields.Nested(NamedProject, required=True)
    server_at = fields.Integer(required=True)


@blueprint.get("/projects/<int:project_id>/sync/device")
@blueprint.response(200, WhoAmI)
def who_am_i(project_id: int) -> dict[str, Any]:
    """Which phone has this key, whose it is and what it may see; with its first use the phone has joined."""
    who = access.phone(project_id)
    if who.revoked or who.device_id is None:
        raise DeviceUnknown()
    reading = connection.reading()
    found = devices.find(reading, project_id, who.device_id)
    ways = projects.ways(reading, project_id)
    assert found is not None  # its key was found a moment ago, and phones are never deleted
    assert ways is not None
    narrowing = devices.narrowings(reading, [found.id])[found.id]
    return {
        "device": {"name": found.name, "crew": found.crew, "locale": found.locale, **narrowing._asdict()},
        "project": {"id": project_id, "name": ways.name},
        "server_at": connection.now_ms(),
    }
