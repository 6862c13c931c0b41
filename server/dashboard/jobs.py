"""Promises that could not be kept: dead letters, why, and another try."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from server.dashboard.door import blueprint
from server.dashboard.language import gettext as _
from server.problems import NotFound
from server.store import events, house_report, rechecks
from server.store import jobs as promises
from server.web import connection, session


@blueprint.get("/jobs")
def jobs() -> ResponseReturnValue:
    """How much waits to be done, and what has been given up: of her projects, or of the whole house."""
    reader = connection.reading()
    letters = house_report.dead_letters(reader, _projects())
    return render_template("dashboard/jobs.html", letters=letters, waiting=promises.waiting(reader),
                           oldest_due=house_report.oldest_due(reader),
                           rechecks=rechecks.latest(reader, _projects()))  # fmt: skip


@blueprint.post("/jobs/<int:job_id>/revive")
def revive(job_id: int) -> ResponseReturnValue:
    """Try a dead letter again, from the first attempt."""
    letter = house_report.dead_letter(connection.reading(), _projects(), job_id)
    if letter is None:
        raise NotFound(f"job {job_id}")
    at, login = connection.now_ms(), session.current_person().login
    with connection.database().writing() as pen:
        if promises.revive(pen, job_id, at):
            subject = f"{letter['kind']} {letter['subject_id']}"
            events.add(
                pen, letter["project_id"], login, "job.revive", subject, {"error": letter["error"]}, at
            )
    flash(_("已放回队列，马上再试。"))
    return redirect(url_for("dashboard.jobs"), 303)


def _projects() -> list[int] | None:
    """Projects whose jobs she may see; None: all."""
    someone = session.require(*session.DECIDES)
    return None if someone.is_admin else [p for p, role in someone.roles.items() if role in session.DECIDES]
