"""Trees that are being measured again: for whom, until when, and what came of it, both values side by side."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from server.dashboard import language, scope
from server.dashboard.door import blueprint
from server.dashboard.labels import labels_of
from server.dashboard.language import gettext as _
from server.forest.second_tape import MEASURED_AGAIN
from server.steps import send_back
from server.store import rework
from server.store.rework import CANCELLED, OPEN, RETURNED, Page
from server.web import connection

STATES = (OPEN, RETURNED, CANCELLED)


@blueprint.get("/projects/<int:project_id>/rework")
def rework_list(project_id: int) -> ResponseReturnValue:
    """Orders of a project in one state: open ones the most urgent first, others the latest first."""
    project = scope.of_project(project_id)
    reader = connection.reading()
    asked = Page(scope.word_in_query("state", STATES, OPEN), scope.number_in_query("offset") or 0)
    found = rework.page(reader, project_id, asked)
    trees = rework.trees_of(reader, [order.id for order in found])
    today = date.fromisoformat(language.day(connection.now_ms()))
    orders = [_shown(order, trees.get(order.id, []), today) for order in found[: asked.most]]
    return render_template(
        "dashboard/rework.html",
        project=project, asked=asked, states=STATES, orders=orders, fields=MEASURED_AGAIN,
        counts=rework.counts(reader, project_id), species=labels_of(project_id).species,
        following=asked.offset + asked.most if len(found) > asked.most else None,
    )  # fmt: skip


def _shown(order: Any, trees: list[Any], today: date) -> dict[str, Any]:
    due = date.fromisoformat(order.due_on) if order.due_on and order.state == OPEN else None
    waiting = sum(tree.state == OPEN for tree in trees)
    return {
        **order._mapping, "trees": trees, "waiting": waiting,
        "overdue_days": max(0, (today - due).days) if due else 0,
    }  # fmt: skip


@blueprint.post("/projects/<int:project_id>/rework/<int:rework_id>/cancel")
def cancel_rework(project_id: int, rework_id: int) -> ResponseReturnValue:
    """Nobody is to go there for it any more."""
    act = scope.deciding(project_id)
    connection.database().write(lambda pen: send_back.cancel(pen, project_id, rework_id, act))
    flash(_("返工已取消，疑点重新待处理。"))
    return redirect(url_for("dashboard.rework_list", project_id=project_id), 303)
