"""What the plot page shows of a place, and where a supervisor says that a fix is of another datum.

A sketch of plan and fix, the offer to convert it, photos and tallies beside their twins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from flask import flash, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from server.dashboard import review, scope
from server.dashboard.door import blueprint
from server.dashboard.language import gettext as _
from server.dashboard.place_sketch import Mark, sketch
from server.forest.answers import position
from server.forest.position import Point, apart_m
from server.steps import fix_datum
from server.store import photos, places, visits
from server.validation.copied import LEAST_TREES, Cell, alike, cells
from server.validation.datum import NAMES
from server.validation.place import shown as shown_point
from server.web import connection

Row = dict[str, Any]
LINES_AROUND = 2
"""Trees that are shown before and after those that two tallies have in common."""
_ABOUT_PLACE = frozenset({"P01", "P02", "P03", "P12", "P13", "F01"})


@blueprint.post("/projects/<int:project_id>/visits/<int:visit_id>/datum")
def say_datum(project_id: int, visit_id: int) -> ResponseReturnValue:
    """The visit's fix is of another datum."""
    act = scope.deciding(project_id)
    datum = request.form.get("datum", "")
    connection.database().write(lambda pen: fix_datum.say(pen, project_id, visit_id, datum, act))
    flash(_("已确认坐标系：换算后的位置与原值并存，可以撤销。"))
    return review.back(project_id, visit_id, "place")


@blueprint.post("/projects/<int:project_id>/visits/<int:visit_id>/datum/undo")
def undo_datum(project_id: int, visit_id: int) -> ResponseReturnValue:
    """The visit's fix is as it stands, after all."""
    act = scope.deciding(project_id)
    connection.database().write(lambda pen: fix_datum.undo(pen, project_id, visit_id, act))
    flash(_("已撤销，位置按原值计算。"))
    return review.back(project_id, visit_id, "place")


def shown(reader: Connection, plot: Row, visit: Row, flags: Sequence[Row], attachments: Sequence[Row]) -> Row:
    """What `place.html` draws: sketch, datum that was said or is offered, twins of photos and of the tally."""
    standing = [flag for flag in flags if flag["state"] != "void"]
    said = places.datum_of(reader, visit["id"])
    offered = next((flag["facts"] for flag in standing if _offers(flag)), None) if said is None else None
    there = Point(said.lat, said.lon) if said else Point(offered["lat"], offered["lon"]) if offered else None
    marks = _marks(plot, visit, there, attachments)
    about = said is not None or any(flag["rule"] in _ABOUT_PLACE for flag in standing)
    return {
        "sketch": sketch(marks) if about else None,
        "away_m": _away_m(marks, counts="restored" if said else "fix"),
        "said": said,
        "said_name": NAMES[said.datum] if said is not None else "",
        "offered": offered,
        "offered_at": shown_point(Point(offered["lat"], offered["lon"])) if offered else "",
        "twins": _photo_twins(reader, standing, attachments),
        "copies": [_copy(reader, visit, flag) for flag in standing if flag["rule"] == "P07"],
    }


def _offers(flag: Mapping[str, Any]) -> bool:
    is_shifted = flag["rule"] == "P02" and flag["facts"].get("case") == "fix"
    return bool(is_shifted and flag["state"] == "open")


def _marks(plot: Row, visit: Row, there: Point | None, attachments: Sequence[Row]) -> list[Mark]:
    found = []
    if plot["lat"] is not None and plot["lon"] is not None:
        found.append(Mark("design", Point(plot["lat"], plot["lon"])))
    if visit["lat"] is not None and visit["lon"] is not None:
        found.append(Mark("fix", Point(visit["lat"], visit["lon"]), visit["accuracy_m"] or 0.0))
    if there is not None:
        found.append(Mark("restored", there, visit["accuracy_m"] or 0.0))
    for corner in visit["corners"]:
        at = position(corner.get("position"))
        if at is not None:
            found.append(Mark("corner", Point(at.lat, at.lon), 0.0, corner.get("number", "")))
    found += [Mark("photo", Point(row["lat"], row["lon"]), 0.0, row["name"])
              for row in attachments if row["lat"] is not None and row["lon"] is not None]  # fmt: skip
    return found


def _away_m(marks: Sequence[Mark], counts: str) -> float | None:
    """How far the fix that counts lies from the plan, m."""
    at = {mark.kind: mark.point for mark in marks}
    return apart_m(at["design"], at[counts]) if {"design", counts} <= at.keys() else None


def _photo_twins(reader: Connection, flags: Sequence[Row], attachments: Sequence[Row]) -> list[Row]:
    """Photos beside those that they were used as before, as far as flags speak of them."""
    told = {flag["value"]: flag for flag in flags if flag["rule"] == "F03"}
    mine = {row["id"]: row for row in attachments if row["name"] in told}
    twins = photos.twins(reader, list(mine)) if mine else {}
    found = []
    for number, row in mine.items():
        facts = told[row["name"]]["facts"]
        named = (facts["other_photo"], facts["other"], facts["census"])
        others = [t for t in twins.get(number, []) if (t.other_name, t.other_plot, t.other_census) == named]
        found += [{"flag": told[row["name"]], "mine": row, "other": other} for other in others[:1]]
    return found


def _copy(reader: Connection, visit: Row, flag: Row) -> Row:
    """Two tallies side by side, moved so that as many trees as can be lie beside each other."""
    facts = flag["facts"]
    other = facts["plot_visit"]
    raw = visits.raw_measurements(reader, [visit["id"], other])
    mine, theirs = cells(raw.get(visit["id"], [])), cells(raw.get(other, []))
    lines = _side_by_side(mine, theirs)
    shown_lines = _around_alike(lines)
    return {"flag": flag, "other": facts["other"], "census": facts["census"], "visit": other,
            "rows": shown_lines, "left_out": len(lines) - len(shown_lines)}  # fmt: skip


class Line(NamedTuple):
    """Two trees that lie beside each other, or one of them alone; `number`: the place of mine in its tally, from 1."""

    number: int | None
    mine: Cell | None
    theirs: Cell | None

    @property
    def is_alike(self) -> bool:
        """The same species and diameter in both?"""
        return self.mine is not None and self.mine == self.theirs


def _side_by_side(mine: Sequence[Cell], theirs: Sequence[Cell]) -> list[Line]:
    if min(len(mine), len(theirs)) < LEAST_TREES:
        return []
    shift = alike(mine, theirs).offset
    left = [*([None] * max(shift, 0)), *mine]
    right = [*([None] * max(-shift, 0)), *theirs]
    return [
        Line(place + 1 - max(shift, 0) if one else None, one, other)
        for place, (one, other) in enumerate(zip_longest(left, right))
    ]


def _around_alike(lines: Sequence[Line]) -> list[Line]:
    """From some lines before the first pair that is alike to some after the last; all, where none is."""
    places = [place for place, line in enumerate(lines) if line.is_alike]
    if not places:
        return list(lines)
    return list(lines[max(places[0] - LINES_AROUND, 0) : places[-1] + LINES_AROUND + 1])
