"""The outbox file of a phone whose line or screen is broken: brought in here, with the fate of each instance."""

from __future__ import annotations

import os
from typing import IO

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.dashboard import scope
from server.dashboard.door import blueprint
from server.dashboard.language import gettext as _
from server.problems import InvalidInput, NotFound, NotOutbox, OutboxNewer, Problem
from server.steps import import_outbox
from server.steps.import_outbox import Sender
from server.store import devices, events, projects
from server.store.blobs import Blobs
from server.web import connection, session
from sync.outbox import Fault, Outbox, OutboxUnreadable

MOST_EARLIER = 20
"""Earlier imports that the page lists."""
MOST_NAME_CHARS = 200


@blueprint.get("/projects/<int:project_id>/outbox")
def outbox(project_id: int) -> ResponseReturnValue:
    """Where a file is chosen, and what was brought in before."""
    project = scope.of_project(project_id, *session.DECIDES)
    earlier = events.latest(connection.reading(), project_id, import_outbox.ACTION, MOST_EARLIER)
    return render_template("dashboard/outbox.html", project=project, earlier=earlier,
                           most_mb=connection.settings().max_request_bytes // 1_000_000)  # fmt: skip


@blueprint.get("/projects/<int:project_id>/outbox/<int:event_id>")
def imported(project_id: int, event_id: int) -> ResponseReturnValue:
    """What became of each instance of a file that was brought in."""
    project = scope.of_project(project_id, *session.DECIDES)
    event = events.find(connection.reading(), project_id, import_outbox.ACTION, event_id)
    if event is None:
        raise NotFound(f"event {event_id}")
    claimed = event.detail["device"]
    known = [phone for phone in devices.of_project(connection.reading(), project_id) if phone.name == claimed]
    return render_template(
        "dashboard/imported.html", project=project, event=event, told=event.detail, known=known
    )


@blueprint.post("/projects/<int:project_id>/outbox")
def bring_in(project_id: int) -> ResponseReturnValue:
    """Keep what can be read of the file, then show what that was. Raises InvalidInput, NotOutbox, OutboxNewer."""
    scope.of_project(project_id, *session.DECIDES)
    file = request.files.get("file")
    if file is None or not file.filename:
        raise InvalidInput(_("请选择一个待发箱文件。"))
    name = file.filename.replace("\0", "")[-MOST_NAME_CHARS:]
    number = _import(project_id, name, file.stream)
    return redirect(url_for("dashboard.imported", project_id=project_id, event_id=number), 303)


def _import(project_id: int, name: str, stream: IO[bytes]) -> int:
    person, database, settings = session.current_person(), connection.database(), connection.settings()
    ways = projects.ways(connection.reading(), project_id)
    assert ways is not None  # she may see it, so it is there
    connection.read_again()  # the step has views of its own
    sender = Sender(project_id, person.id, ways.strict_intake, settings.max_instance_bytes)
    size_bytes = stream.seek(0, os.SEEK_END)
    try:
        box = Outbox(stream, size_bytes, settings.max_instance_bytes, settings.max_request_bytes)
    except OutboxUnreadable as error:
        raise refusal(error) from error
    brought = list(
        import_outbox.import_outbox(database, Blobs(settings.photo_dir), box, sender, connection.now_ms)
    )
    with database.writing() as pen:
        return import_outbox.note(pen, project_id, person.login, name, box, brought, connection.now_ms())


def refusal(error: OutboxUnreadable) -> Problem:
    """Why nothing of a file can be taken, for a person."""
    return OutboxNewer() if error.fault is Fault.NEWER_VERSION else NotOutbox(error.fault)
