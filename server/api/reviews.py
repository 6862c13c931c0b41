"""The JSON door for decisions: what a supervisor does on the plot page, for scripts and other systems.

Signed in by session, or with name and password over https; supervisors and administrators of the project only. Each
answer says what the thing is now.
"""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from server.api.shapes import CorrectionMade
from server.forest.effective import CORRECTED
from server.problems import NotFound
from server.steps import review, send_back
from server.steps.review import Change
from server.steps.send_back import Doubt, Order
from server.store import corrections, flags, rework
from server.store import reviews as reviews_store
from server.store.reviews import Act
from server.store.rework import CANCELLED, OPEN, RETURNED, Page
from server.web import access, connection

blueprint = Blueprint("reviews", __name__, url_prefix="/v1", description="Decisions, corrections, rework")

_FLAG_DEEDS = {"accept": review.accept, "reopen": review.reopen}
_VISIT_DEEDS = {"approve": review.approve, "reject": review.reject}
_WHY = {"description": "the reason, in words; at most 500 characters"}


class FlagDecision(Schema):
    decision = fields.String(required=True, validate=validate.OneOf((*_FLAG_DEEDS, "correct")))
    why = fields.String(required=True, metadata=_WHY)
    value = fields.String(
        load_default="", metadata={"description": "for `correct`: what should stand in the flag's cell"}
    )


class VisitDecision(Schema):
    decision = fields.String(required=True, validate=validate.OneOf(tuple(_VISIT_DEEDS)))
    why = fields.String(load_default="", metadata=_WHY)


class Correction(Schema):
    ordinal = fields.Integer(
        required=True, metadata={"description": "place of the tree in the crew's list, from 0"}
    )
    field = fields.String(required=True, validate=validate.OneOf(CORRECTED))
    value = fields.String(required=True, metadata={"description": 'as a crew would type it; "": blank'})
    why = fields.String(required=True, metadata=_WHY)


class Doubted(Schema):
    tag = fields.String(required=True)
    stem_id = fields.String(load_default="1")
    reason = fields.String(
        load_default="", metadata={"description": "of this tree; empty: that of the order"}
    )


class SendBack(Schema):
    trees = fields.List(fields.Nested(Doubted), required=True)
    why = fields.String(required=True, metadata=_WHY)
    crew_id = fields.Integer(
        load_default=None, allow_none=True, metadata={"description": "null: who measured"}
    )
    due_on = fields.String(load_default=None, allow_none=True, metadata={"format": "date"})


class Said(Schema):
    why = fields.String(load_default="", metadata=_WHY)


class FlagState(Schema):
    id = fields.Integer()
    state = fields.String()


class Review(Schema):
    plot_id = fields.String()
    census = fields.String()
    review_state = fields.String()
    decisions = fields.List(fields.Dict())


class ReworkTree(Schema):
    tag = fields.String()
    stem_id = fields.String()
    species = fields.String()
    reason = fields.String()
    before = fields.Dict()
    after = fields.Dict(allow_none=True)
    state = fields.String()


class Rework(Schema):
    rework_id = fields.Integer()
    plot_id = fields.String()
    census = fields.String()
    reason = fields.String()
    due_on = fields.String(allow_none=True)
    state = fields.String()
    trees = fields.List(fields.Nested(ReworkTree))


class ReworkQuery(Schema):
    state = fields.String(load_default=OPEN, validate=validate.OneOf((OPEN, RETURNED, CANCELLED)))
    offset = fields.Integer(load_default=0, validate=validate.Range(0, 10_000_000))
    rows = fields.Integer(load_default=50, validate=validate.Range(1, 500))


@blueprint.post("/projects/<int:project_id>/flags/<int:flag_id>/decision")
@blueprint.arguments(FlagDecision)
@blueprint.response(200, FlagState)
def decide_flag(asked: dict[str, Any], project_id: int, flag_id: int) -> dict[str, Any]:
    """Accept a flag, correct the value it points at, or take the decision back."""
    act = access.deciding(project_id, asked["why"])
    if asked["decision"] == "correct":
        _correct_at(project_id, flag_id, asked["value"], act)
    else:
        deed = _FLAG_DEEDS[asked["decision"]]
        connection.database().write(lambda pen: deed(pen, project_id, flag_id, act))
    connection.read_again()
    flag = flags.find(connection.reading(), project_id, flag_id)
    assert flag is not None  # it has just been decided on
    return {"id": flag.id, "state": flag.state}


def _correct_at(project_id: int, flag_id: int, value: str, act: Act) -> None:
    flag = flags.find(connection.reading(), project_id, flag_id)
    if flag is None or flag.ordinal is None or not flag.field:
        raise NotFound(f"flag {flag_id} points at no cell")
    change = Change(flag.ordinal, flag.field, value)
    connection.database().write(lambda pen: review.correct(pen, project_id, flag.visit_id, change, act))


@blueprint.get("/projects/<int:project_id>/visits/<int:visit_id>/review")
@blueprint.response(200, Review)
def read_review(project_id: int, visit_id: int) -> dict[str, Any]:
    """What has been decided about a visit."""
    access.reader(project_id)
    return _review(project_id, visit_id)


def _review(project_id: int, visit_id: int) -> dict[str, Any]:
    is_there = reviews_store.plot_of(connection.reading(), project_id, visit_id) is not None
    said = reviews_store.as_wire(connection.reading(), [visit_id], audits=True) if is_there else []
    if not said:
        raise NotFound(f"visit {visit_id}")
    return said[0]


@blueprint.post("/projects/<int:project_id>/visits/<int:visit_id>/decision")
@blueprint.arguments(VisitDecision)
@blueprint.response(200, Review)
def decide_visit(asked: dict[str, Any], project_id: int, visit_id: int) -> dict[str, Any]:
    """Approve or reject a visit."""
    act, deed = access.deciding(project_id, asked["why"]), _VISIT_DEEDS[asked["decision"]]
    connection.database().write(lambda pen: deed(pen, project_id, visit_id, act))
    connection.read_again()
    return _review(project_id, visit_id)


@blueprint.get("/projects/<int:project_id>/visits/<int:visit_id>/corrections")
@blueprint.response(200, CorrectionMade(many=True))
def read_corrections(project_id: int, visit_id: int) -> list[dict[str, Any]]:
    """Every correction of a visit, undone ones too, the latest first."""
    access.reader(project_id)
    if reviews_store.plot_of(connection.reading(), project_id, visit_id) is None:
        raise NotFound(f"visit {visit_id}")
    return [dict(row._mapping) for row in corrections.of_visit(connection.reading(), visit_id)]


@blueprint.post("/projects/<int:project_id>/visits/<int:visit_id>/corrections")
@blueprint.arguments(Correction)
@blueprint.response(201, CorrectionMade)
def correct(asked: dict[str, Any], project_id: int, visit_id: int) -> dict[str, Any]:
    """Lay another value over a cell; what the crew typed stays."""
    act = access.deciding(project_id, asked["why"])
    change = Change(asked["ordinal"], asked["field"], asked["value"])
    number = connection.database().write(lambda pen: review.correct(pen, project_id, visit_id, change, act))
    return _correction(project_id, number)


@blueprint.post("/projects/<int:project_id>/corrections/<int:correction_id>/undo")
@blueprint.arguments(Said)
@blueprint.response(200, CorrectionMade)
def undo(asked: dict[str, Any], project_id: int, correction_id: int) -> dict[str, Any]:
    """Take a correction back; flags that it had settled are open again."""
    act = access.deciding(project_id, asked["why"])
    connection.database().write(lambda pen: review.undo(pen, project_id, correction_id, act))
    return _correction(project_id, correction_id)


def _correction(project_id: int, correction_id: int) -> dict[str, Any]:
    connection.read_again()
    made = corrections.find(connection.reading(), project_id, correction_id)
    assert made is not None  # it has just been written
    return dict(made._mapping)


@blueprint.post("/projects/<int:project_id>/visits/<int:visit_id>/send-back")
@blueprint.arguments(SendBack)
@blueprint.response(201, Rework)
def send_trees_back(asked: dict[str, Any], project_id: int, visit_id: int) -> dict[str, Any]:
    """Ask a crew to measure trees of a visit again."""
    act = access.deciding(project_id, asked["why"])
    doubts = [Doubt(**tree) for tree in asked["trees"]]
    order = Order(asked["crew_id"], asked["due_on"])
    number = connection.database().write(
        lambda pen: send_back.send_back(pen, project_id, visit_id, doubts, order, act)
    )
    connection.read_again()
    return _orders([number])[0]


@blueprint.get("/projects/<int:project_id>/rework")
@blueprint.arguments(ReworkQuery, location="query")
@blueprint.response(200, Rework(many=True))
def read_rework(asked: dict[str, Any], project_id: int) -> list[dict[str, Any]]:
    """Orders for rework in one state, with what stood there before and what the second tape said."""
    access.reader(project_id)
    page = Page(asked["state"], asked["offset"], asked["rows"])
    return _orders([row.id for row in rework.page(connection.reading(), project_id, page)][: page.most])


@blueprint.post("/projects/<int:project_id>/rework/<int:rework_id>/cancel")
@blueprint.arguments(Said)
@blueprint.response(200, Rework)
def cancel_rework(asked: dict[str, Any], project_id: int, rework_id: int) -> dict[str, Any]:
    """Nobody is to go there for it any more."""
    act = access.deciding(project_id, asked["why"])
    connection.database().write(lambda pen: send_back.cancel(pen, project_id, rework_id, act))
    connection.read_again()
    return _orders([rework_id])[0]


def _orders(numbers: list[int]) -> list[dict[str, Any]]:
    """Orders as phones get them, with what the second tape said, in the order asked for."""
    after = {
        (tree.rework_id, tree.tag, tree.stem_id): tree.after
        for trees in rework.trees_of(connection.reading(), numbers).values()
        for tree in trees
    }
    found = {one["rework_id"]: one for one in rework.as_wire(connection.reading(), numbers)}
    for number, one in found.items():
        for tree in one["trees"]:
            tree["after"] = after[number, tree["tag"], tree["stem_id"]]
    return [found[number] for number in numbers]
