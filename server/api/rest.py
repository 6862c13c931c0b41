"""The JSON door: what a person may read of a project, for scripts and other systems. Described at /v1/openapi.json.

Whoever may read a project's pages may read this, signed in by session or with name and password over https. It only
reads; phones have the OpenRosa door.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Response
from flask_smorest import Api, Blueprint
from werkzeug.exceptions import HTTPException

from server.api import conflicts, crews, device, places, pull, push, reviews, shapes, uploads
from server.api.shapes import Cursor
from server.problems import BadRequest, NotFound
from server.store import corrections, counted, flag_report, plot_report, reports
from server.store.flag_report import FlagQuestion
from server.store.reports import PlotQuestion
from server.web import access, answers, connection

blueprint = Blueprint("rest", __name__, url_prefix="/v1", description="Plots, trees and flags of a project")


class _Api(Api):
    """flask-smorest documents one error shape and writes another unless both are changed: ours is problem+json."""

    ERROR_SCHEMA = shapes.Problem

    def handle_http_exception(self, error: HTTPException) -> Response:
        return answers.answer(answers.problem_of(error))


def join(app: Flask) -> None:
    """Register the door and its description."""
    app.config.update(
        API_TITLE="Yangdi",
        API_VERSION="1",
        OPENAPI_VERSION="3.0.3",
        OPENAPI_URL_PREFIX="/v1",
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = _Api(app)
    for door in (
        blueprint,
        reviews.blueprint,
        conflicts.blueprint,
        crews.blueprint,
        places.blueprint,
        device.blueprint,
        pull.blueprint,
        push.blueprint,
        uploads.blueprint,
    ):
        api.register_blueprint(door)


@blueprint.get("/projects")
@blueprint.response(200, shapes.Project(many=True))
def projects() -> list[dict[str, Any]]:
    """Projects whose data the caller may read."""
    return access.readable_projects()


@blueprint.get("/projects/<int:project_id>/plots")
@blueprint.arguments(shapes.PlotQuery, location="query")
@blueprint.response(200, shapes.PlotPage)
def plots(asked: dict[str, Any], project_id: int) -> dict[str, Any]:
    """Plots with the visit of a census (the newest where none is named), its flags and photos."""
    access.reader(project_id)
    reading = connection.reading()
    known = {census["name"]: census["id"] for census in reports.censuses(reading, project_id)}
    name = asked["census"] or next(iter(known), None)
    if asked["census"] and name not in known:
        raise NotFound(f"census {name}")
    total, rows = reports.plots(
        reading,
        project_id,
        PlotQuestion(
            known.get(name or ""), search=asked["search"], offset=asked["offset"], rows=asked["rows"]
        ),
    )
    following = asked["offset"] + len(rows)
    return {
        "census": name,
        "total": total,
        "plots": rows,
        "next_offset": following if following < total else None,
    }


@blueprint.get("/projects/<int:project_id>/plots/<path:plot_id>/measurements")
@blueprint.arguments(shapes.CensusQuery, location="query")
@blueprint.response(200, shapes.VisitWithTrees)
def measurements(asked: dict[str, Any], project_id: int, plot_id: str) -> dict[str, Any]:
    """The trees of one visit: of the census that is named, else of the newest."""
    access.reader(project_id)
    reading = connection.reading()
    plot = plot_report.find(reading, project_id, plot_id)
    visits = plot_report.visits(reading, plot["id"]) if plot else []
    standing = (v for v in visits if v["merged_into_id"] is None)
    visit = next((v for v in standing if asked["census"] in {"", v["census"]}), None)
    if visit is None:
        raise NotFound(f"plot {plot_id}")
    return {
        "plot_id": plot_id,
        **visit,
        "trees": _as_counted(plot_report.trees(reading, visit["id"])),
        "corrections": corrections.of_visit(reading, visit["id"]),
        "flags": plot_report.flags(reading, visit["id"]),
    }


def _as_counted(trees: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Corrections laid over what was typed; that stands beside them, among the corrections."""
    changes = counted.changes(connection.reading(), {tree["visit_id"] for tree in trees})
    return [tree | changes[tree["visit_id"], tree["ordinal"]] for tree in trees]


@blueprint.get("/projects/<int:project_id>/flags")
@blueprint.arguments(shapes.FlagQuery, location="query")
@blueprint.response(200, shapes.FlagPage)
def flags(asked: dict[str, Any], project_id: int) -> dict[str, Any]:
    """Flags, most suspicious first or those with the most carbon at stake, in pages."""
    access.reader(project_id)
    question = FlagQuestion(
        state=asked["state"],
        severity=asked["severity"],
        rule=asked["rule"],
        after=_place(asked["cursor"]),
        rows=asked["rows"],
        by=asked["by"],
    )
    rows, following = flag_report.queue(connection.reading(), project_id, question)
    return {"flags": rows, "cursor": Cursor.write(following) if following else None}


def _place(text: str) -> tuple[float, int] | None:
    if not text:
        return None
    try:
        return Cursor.read(text)
    except ValueError as error:
        raise BadRequest(f"cursor={text[:40]}") from error
