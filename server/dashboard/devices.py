"""Phones: who has one, when it was last heard of, a new one's code, and an end for a lost one."""

from __future__ import annotations

import secrets

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.dashboard import language, qr, scope
from server.dashboard.door import blueprint
from server.dashboard.language import gettext as _
from server.problems import InvalidInput, NotFound
from server.store import devices, events, reports
from server.web import connection, session
from server.web.access import token_hash

NAME_CHARS = 80
TOKEN_BYTES = 32
"""Random bytes of a phone's key: nobody guesses 256 bits."""


@blueprint.get("/projects/<int:project_id>/devices")
def device_list(project_id: int) -> ResponseReturnValue:
    """Phones of a project."""
    project = scope.of_project(project_id)
    return _page(project_id, project=project)


@blueprint.post("/projects/<int:project_id>/devices")
def add_device(project_id: int) -> ResponseReturnValue:
    """Enrol a phone and show its code, this once: the store keeps a hash of the key only. Raises InvalidInput."""
    project = scope.of_project(project_id, *session.DECIDES)
    name, crew_id, locale = _asked(project_id)
    token, at, login = secrets.token_urlsafe(TOKEN_BYTES), connection.now_ms(), session.current_person().login
    with connection.database().writing() as pen:
        devices.add(pen, project_id, crew_id, name, token_hash(token), locale, at)
        events.add(pen, project_id, login, "device.add", name, {"crew_id": crew_id}, at)
    connection.read_again()
    address = qr.device_url(project_id, token)
    return _page(project_id, project=project, added=name, address=address,
                 code=qr.settings_svg(address, project["name"], locale))  # fmt: skip


@blueprint.post("/projects/<int:project_id>/devices/<int:device_id>/revoke")
def revoke_device(project_id: int, device_id: int) -> ResponseReturnValue:
    """The phone's key opens nothing any more; what it sent stays."""
    scope.of_project(project_id, *session.DECIDES)
    at, login = connection.now_ms(), session.current_person().login
    with connection.database().writing() as pen:
        if not devices.revoke(pen, project_id, device_id, at):
            raise NotFound(f"device {device_id}")
        events.add(pen, project_id, login, "device.revoke", str(device_id), {}, at)
    flash(_("手机已停用；它以前发送的数据仍然保留。"))
    return redirect(url_for("dashboard.device_list", project_id=project_id), 303)


def _asked(project_id: int) -> tuple[str, int | None, str]:
    name = request.form.get("name", "").strip()[:NAME_CHARS]
    if not name:
        raise InvalidInput(_("请给手机起一个名字。"))
    crew = request.form.get("crew", "")
    crew_id = int(crew) if crew.isascii() and crew.isdecimal() else None
    if crew and crew_id not in reports.names(connection.reading(), project_id)["crew"]:
        raise InvalidInput(_("没有这个调查队。"))
    locale = request.form.get("locale", "zh")
    return name, crew_id, locale if locale in language.LOCALES else "zh"


def _page(project_id: int, **shown: object) -> str:
    reader = connection.reading()
    return render_template("dashboard/devices.html", devices=devices.of_project(reader, project_id),
                           names=reports.names(reader, project_id), **shown)  # fmt: skip
