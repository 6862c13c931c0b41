"""A supervisor decides on the plot page: accepts, corrects, takes back, sends trees back, approves or rejects."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from server.dashboard import flags as flags_page
from server.dashboard import scope
from server.dashboard.door import blueprint
from server.dashboard.language import gettext as _
from server.problems import BadRequest, NotFound
from server.steps import review, send_back
from server.steps.review import Change
from server.steps.send_back import Doubt, Order
from server.store import corrections, flags, reviews
from server.store.reviews import Act
from server.web import connection

Deed = Callable[[Connection, int, int, Act], object]
"""A step about a thing of the project, by its number."""


@blueprint.post("/projects/<int:project_id>/flags/<int:flag_id>/accept")
def accept_flag(project_id: int, flag_id: int) -> ResponseReturnValue:
    """The value is right as it stands."""
    return _on_flag(project_id, flag_id, review.accept, _("已认可：这个值是对的。"))


@blueprint.post("/projects/<int:project_id>/flags/<int:flag_id>/reopen")
def reopen_flag(project_id: int, flag_id: int) -> ResponseReturnValue:
    """The decision on a flag is taken back."""
    return _on_flag(project_id, flag_id, review.reopen, _("已撤回决定，疑点重新待处理。"))


def _on_flag(project_id: int, flag_id: int, deed: Deed, said: str) -> ResponseReturnValue:
    act = scope.deciding(project_id)
    connection.database().write(lambda pen: deed(pen, project_id, flag_id, act))
    connection.read_again()
    flag = flags.find(connection.reading(), project_id, flag_id)
    assert flag is not None  # it has just been decided on
    flash(said)
    return back(project_id, flag.visit_id, "" if flag.ordinal is None else f"t{flag.ordinal}")


@blueprint.post("/projects/<int:project_id>/visits/<int:visit_id>/correct")
def correct_cell(project_id: int, visit_id: int) -> ResponseReturnValue:
    """Another value stands in a cell from now on."""
    act = scope.deciding(project_id)
    ordinal = _number(request.form.get("ordinal", ""))
    change = Change(ordinal, request.form.get("field", ""), request.form.get("value", ""))
    connection.database().write(lambda pen: review.correct(pen, project_id, visit_id, change, act))
    flash(_("已更正；原值仍然保存，可以撤销。"))
    return back(project_id, visit_id, f"t{ordinal}")


@blueprint.post("/projects/<int:project_id>/visits/<int:visit_id>/exchange")
def exchange_diameters(project_id: int, visit_id: int) -> ResponseReturnValue:
    """Two trees have each other's diameter from now on."""
    act = scope.deciding(project_id)
    one, other = (_number(request.form.get(name, "")) for name in ("ordinal", "other"))
    connection.database().write(lambda pen: review.exchange(pen, project_id, visit_id, one, other, act))
    flash(_("已互换两株的胸径；原值仍然保存，可以逐株撤销。"))
    return back(project_id, visit_id, f"t{one}")


@blueprint.post("/projects/<int:project_id>/visits/<int:visit_id>/girths")
def divide_girths(project_id: int, visit_id: int) -> ResponseReturnValue:
    """What stands as the diameter of these trees was their girth."""
    act = scope.deciding(project_id)
    trees = [_number(text) for text in request.form.getlist("ordinal")]
    if not trees:
        raise BadRequest("ordinal=")
    connection.database().write(lambda pen: review.divide_girths(pen, project_id, visit_id, trees, act))
    flash(_("已把 %(trees)s 株的围径换算成胸径；原值仍然保存，可以逐株撤销。", trees=len(trees)))
    return back(project_id, visit_id)


@blueprint.post("/projects/<int:project_id>/corrections/<int:correction_id>/undo")
def undo_correction(project_id: int, correction_id: int) -> ResponseReturnValue:
    """A correction holds no longer."""
    act = scope.deciding(project_id)
    connection.database().write(lambda pen: review.undo(pen, project_id, correction_id, act))
    connection.read_again()
    made = corrections.find(connection.reading(), project_id, correction_id)
    assert made is not None  # it has just been undone
    flash(_("已撤销更正，恢复原值。"))
    return back(project_id, made.visit_id, "" if made.ordinal is None else f"t{made.ordinal}")


@blueprint.post("/projects/<int:project_id>/visits/<int:visit_id>/approve")
def approve_visit(project_id: int, visit_id: int) -> ResponseReturnValue:
    """The visit counts."""
    act = scope.deciding(project_id)
    connection.database().write(lambda pen: review.approve(pen, project_id, visit_id, act))
    flash(_("这次调查已通过。"))
    return back(project_id, visit_id)


@blueprint.post("/projects/<int:project_id>/visits/<int:visit_id>/reject")
def reject_visit(project_id: int, visit_id: int) -> ResponseReturnValue:
    """The visit does not count, for a reason."""
    act = scope.deciding(project_id)
    connection.database().write(lambda pen: review.reject(pen, project_id, visit_id, act))
    flash(_("这次调查已退回。"))
    return back(project_id, visit_id)


@blueprint.post("/projects/<int:project_id>/visits/<int:visit_id>/send-back")
def send_back_trees(project_id: int, visit_id: int) -> ResponseReturnValue:
    """Trees of the visit are to be measured again."""
    act = scope.deciding(project_id)
    doubts = [_doubt(text) for text in request.form.getlist("tree")]
    crew = request.form.get("crew", "")
    order = Order(_number(crew) if crew else None, request.form.get("due_on", "").strip() or None)
    connection.database().write(
        lambda pen: send_back.send_back(pen, project_id, visit_id, doubts, order, act)
    )
    flash(_("已送回返工：%(trees)s 株。调查队更新调查表后就能看到。", trees=len(doubts)))
    return back(project_id, visit_id)


def _doubt(text: str) -> Doubt:
    """A tree as the page writes it: tag and stem. Raises BadRequest."""
    try:
        tag, stem_id = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise BadRequest(f"tree={text[:40]}") from error
    return Doubt(str(tag), str(stem_id))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise BadRequest(text[:40])
    return int(text)


def back(project_id: int, visit_id: int, anchor: str = "") -> ResponseReturnValue:
    """To the flag's own page where she has decided there, else to `anchor` on the page of the visit's plot."""
    if flag := request.form.get("flag"):
        kept = dict(parse_qsl(request.form.get("queue", "")[:200]))
        asked: dict[str, Any] = {name: kept[name] for name in flags_page.NARROWS if name in kept}
        at = url_for("dashboard.flag_page", project_id=project_id, flag_id=_number(flag), **asked)
        return redirect(at, 303)
    plot_id = reviews.plot_of(connection.reading(), project_id, visit_id)
    if plot_id is None:
        raise NotFound(f"visit {visit_id}")
    address = url_for("dashboard.plot_page", project_id=project_id, plot_id=plot_id, visit=visit_id,
                      _anchor=anchor or None)  # fmt: skip
    return redirect(address, 303)
