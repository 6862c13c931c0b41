"""What was kept but does not count yet, and what a supervisor can do about it."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.dashboard import scope, words
from server.dashboard.door import blueprint
from server.dashboard.language import gettext as _
from server.problems import InvalidInput, NotFound
from server.steps import settle
from server.store import house_report
from server.web import connection, session

WHY_CHARS = 500
"""Characters of a reason, at most."""


@blueprint.get("/projects/<int:project_id>/quarantine")
def quarantine(project_id: int) -> ResponseReturnValue:
    """Submissions that wait for a person, newest first."""
    project = scope.of_project(project_id)
    rows = house_report.held_back(connection.reading(), project_id)
    return render_template("dashboard/quarantine.html", project=project, rows=rows)


@blueprint.post("/projects/<int:project_id>/quarantine/<int:submission_id>/retry")
def retry(project_id: int, submission_id: int) -> ResponseReturnValue:
    """Decide anew with what is known today."""
    login = _held(project_id, submission_id)
    held = connection.database().write(
        lambda pen: settle.retry(pen, submission_id, login, connection.now_ms())
    )
    flash(
        _("仍然不能计入：%(reason)s。", reason=words.held_back(held))
        if held
        else _("已计入，样地数据正在读取。")
    )
    return redirect(url_for("dashboard.quarantine", project_id=project_id), 303)


@blueprint.post("/projects/<int:project_id>/quarantine/<int:submission_id>/set-aside")
def set_aside(project_id: int, submission_id: int) -> ResponseReturnValue:
    """Keep it and never count it, for a reason. Raises InvalidInput without one."""
    login = _held(project_id, submission_id)
    why = request.form.get("why", "").strip()[:WHY_CHARS]
    if not why:
        raise InvalidInput(_("请写明搁置的原因。"))
    connection.database().write(
        lambda pen: settle.set_aside(pen, submission_id, login, why, connection.now_ms())
    )
    flash(_("已搁置：记录仍然保存，但不再计入。"))
    return redirect(url_for("dashboard.quarantine", project_id=project_id), 303)


def _held(project_id: int, submission_id: int) -> str:
    """The login of who decides, if the submission is there to be decided on."""
    scope.of_project(project_id, *session.DECIDES)
    if not house_report.is_held_back(connection.reading(), project_id, submission_id):
        raise NotFound(f"submission {submission_id}")
    return session.current_person().login
