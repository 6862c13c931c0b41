"""Phones: who has one, when it was last heard of, what it may see, a code for a new one, and an end for a lost one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.dashboard import language, qr, scope
from server.dashboard.door import blueprint
from server.dashboard.language import gettext as _
from server.problems import InvalidInput, NotFound
from server.steps import enrol
from server.steps import scope as scope_step
from server.store import devices, reports
from server.store.rows import AnyRow
from server.web import access, connection, session

NAME_CHARS = 80
OVERDUE_MS = 7 * 86_400_000
"""ms without a word after which a phone is overdue while plots wait: crews stay in the hills for days, no longer."""
MOST_PLOTS = 2000
"""Plots that one phone can be narrowed to by name; beyond that a township says it better."""


@blueprint.get("/projects/<int:project_id>/devices")
def device_list(project_id: int) -> ResponseReturnValue:
    """Phones of a project."""
    project = scope.of_project(project_id)
    reader = connection.reading()
    phones = devices.of_project(reader, project_id)
    return render_template(
        "dashboard/devices.html", project=project, devices=phones, names=reports.names(reader, project_id),
        narrowings=devices.narrowings(reader, [phone.id for phone in phones]),
        photos=devices.photos(reader, project_id), overdue=_overdue(project_id, phones),
    )  # fmt: skip


def _overdue(project_id: int, phones: Sequence[AnyRow]) -> dict[int, int]:
    """How many plots wait for each phone that has not been heard of for long."""
    now = connection.now_ms()
    waiting = devices.waiting_plots(connection.reading(), project_id, language.day(now))
    silent = [
        phone for phone in phones if is_silent(phone.revoked_at, phone.last_seen_at or phone.created_at, now)
    ]
    found = {phone.id: plots_of(waiting, phone.crew_id) for phone in silent}
    return {device_id: count for device_id, count in found.items() if count}


def is_silent(revoked_at: int | None, heard_at: int, now: int) -> bool:
    """Should a phone that was last heard of at that moment have been heard of again?"""
    return revoked_at is None and now - heard_at > OVERDUE_MS


def plots_of(waiting: Mapping[int | None, int], crew_id: int | None) -> int:
    """Plots that wait for a crew: its own and nobody's; every one for a phone of no crew."""
    if crew_id is None:
        return sum(waiting.values())
    return waiting.get(crew_id, 0) + waiting.get(None, 0)


@blueprint.get("/projects/<int:project_id>/devices/<int:device_id>")
def device_page(project_id: int, device_id: int) -> ResponseReturnValue:
    """One phone: what it said, what it still owes, what it may see."""
    project = scope.of_project(project_id)
    phone, reader = _found(project_id, device_id), connection.reading()
    return render_template(
        "dashboard/device.html", project=project, device=phone, names=reports.names(reader, project_id),
        narrowing=devices.narrowings(reader, [device_id])[device_id],
        photos=devices.photos(reader, project_id).get(device_id, devices.Photos(0, 0)),
        awaited=_by_instance(devices.awaited_photos(reader, project_id, device_id)),
        overdue=_overdue(project_id, [phone]).get(device_id, 0),
    )  # fmt: skip


def _by_instance(rows: Sequence[AnyRow]) -> list[dict[str, Any]]:
    """Files that have not come, gathered under the instance that names them."""
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        name = row.instance_name or row.instance_id
        instance = found.setdefault(row.submission_id, {"name": name, "at": row.received_at, "files": []})
        instance["files"].append(row.name)
    return list(found.values())


def _found(project_id: int, device_id: int) -> AnyRow:
    phone = devices.find(connection.reading(), project_id, device_id)
    if phone is None:
        raise NotFound(f"device {device_id}")
    return phone


@blueprint.post("/projects/<int:project_id>/devices")
def add_device(project_id: int) -> ResponseReturnValue:
    """Enrol a phone and show its codes, this once: the store keeps a hash of the key only. Raises InvalidInput."""
    scope.of_project(project_id, *session.DECIDES)
    name, locale, crew_id = _name(), _locale(), _crew(project_id)
    key, by, at = access.new_key(), session.current_person().login, connection.now_ms()
    with connection.database().writing() as pen:
        number = enrol.enrol(pen, project_id, name=name, crew_id=crew_id, locale=locale,
                             token_hash=access.token_hash(key), by=by, at=at)  # fmt: skip
    return _sheet(project_id, number, key)


@blueprint.post("/projects/<int:project_id>/devices/<int:device_id>/rename")
def rename_device(project_id: int, device_id: int) -> ResponseReturnValue:
    """Another name, another language. Raises InvalidInput, NotFound."""
    scope.of_project(project_id, *session.DECIDES)
    _found(project_id, device_id)
    name, locale = _name(), _locale()
    by, at = session.current_person().login, connection.now_ms()
    with connection.database().writing() as pen:
        enrol.rename(pen, project_id, device_id, name=name, locale=locale, by=by, at=at)
    flash(_("已保存。"))
    return _back(project_id, device_id)


@blueprint.post("/projects/<int:project_id>/devices/<int:device_id>/scope")
def scope_device(project_id: int, device_id: int) -> ResponseReturnValue:
    """Which plots it sees from now on. Raises InvalidInput, NotFound."""
    scope.of_project(project_id, *session.DECIDES)
    _found(project_id, device_id)
    crew_id, townships, plots = _crew(project_id), _townships(project_id), _plots(project_id)
    by, at = session.current_person().login, connection.now_ms()
    with connection.database().writing() as pen:
        is_changed = scope_step.give(pen, project_id, device_id, crew_id=crew_id, townships=townships, plots=plots,
                                     by=by, at=at)  # fmt: skip
    flash(_("已保存。手机下次联网时会按新的范围重新取数据。") if is_changed else _("范围没有变化。"))
    return _back(project_id, device_id)


@blueprint.get("/projects/<int:project_id>/devices/<int:device_id>/new-code")
def new_code(project_id: int, device_id: int) -> ResponseReturnValue:
    """What another code means, before it is made."""
    return _asked_before(project_id, device_id, "dashboard/device_new_code.html")


@blueprint.post("/projects/<int:project_id>/devices/<int:device_id>/new-code")
def rotate_device(project_id: int, device_id: int) -> ResponseReturnValue:
    """Another key; the old one opens nothing. Raises NotFound."""
    scope.of_project(project_id, *session.DECIDES)
    key, by, at = access.new_key(), session.current_person().login, connection.now_ms()
    with connection.database().writing() as pen:
        enrol.rotate(pen, project_id, device_id, token_hash=access.token_hash(key), by=by, at=at)
    return _sheet(project_id, device_id, key)


@blueprint.get("/projects/<int:project_id>/devices/<int:device_id>/revoke")
def revoke_page(project_id: int, device_id: int) -> ResponseReturnValue:
    """What happens to a revoked phone and to what it still holds, before it is done."""
    return _asked_before(project_id, device_id, "dashboard/device_revoke.html")


@blueprint.post("/projects/<int:project_id>/devices/<int:device_id>/revoke")
def revoke_device(project_id: int, device_id: int) -> ResponseReturnValue:
    """The phone's key opens nothing any more; what it sent stays. Raises NotFound."""
    scope.of_project(project_id, *session.DECIDES)
    by, at = session.current_person().login, connection.now_ms()
    with connection.database().writing() as pen:
        enrol.revoke(pen, project_id, device_id, by=by, at=at)
    flash(_("手机已停用；它以前发送的数据仍然保留。"))
    return redirect(url_for("dashboard.device_list", project_id=project_id), 303)


def _asked_before(project_id: int, device_id: int, template: str) -> ResponseReturnValue:
    project = scope.of_project(project_id, *session.DECIDES)
    phone = _found(project_id, device_id)
    if phone.revoked_at is not None:
        raise NotFound(f"device {device_id} is revoked")
    return render_template(template, project=project, device=phone)


def _sheet(project_id: int, device_id: int, key: str) -> str:
    """The page to be scanned or printed, in the phone's language; shown once, since only the hash of a key is kept."""
    connection.read_again()
    project, phone = scope.of_project(project_id), _found(project_id, device_id)
    address = qr.device_url(project_id, key)
    return render_template(
        "dashboard/enrolment.html", project=project, device=phone, address=address, at=connection.now_ms(),
        link=qr.join_url(project_id, key), join_code=qr.join_svg(project_id, key),
        collect_code=qr.settings_svg(address, project["name"], phone.locale),
        of_phone=language.catalog(phone.locale).gettext,
    )  # fmt: skip


def _back(project_id: int, device_id: int) -> ResponseReturnValue:
    return redirect(url_for("dashboard.device_page", project_id=project_id, device_id=device_id), 303)


def _name() -> str:
    name = request.form.get("name", "").replace("\0", "").strip()[:NAME_CHARS]
    if not name:
        raise InvalidInput(_("请给手机起一个名字。"))
    return name


def _locale() -> str:
    locale = request.form.get("locale", "zh")
    return locale if locale in language.LOCALES else "zh"


def _crew(project_id: int) -> int | None:
    text = request.form.get("crew", "")
    crew_id = _number(text)
    if text and crew_id not in reports.names(connection.reading(), project_id)["crew"]:
        raise InvalidInput(_("没有这个调查队。"))
    return crew_id


def _townships(project_id: int) -> list[int]:
    known = reports.names(connection.reading(), project_id)["township"]
    asked = [_number(text) for text in request.form.getlist("township")]
    if not set(asked) <= set(known):
        raise InvalidInput(_("没有这个乡镇。"))
    return [number for number in asked if number is not None]


def _plots(project_id: int) -> list[int]:
    lines = request.form.get("plots", "").replace("\0", "").splitlines()
    asked = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if len(asked) > MOST_PLOTS:
        raise InvalidInput(_("一次最多指定 %(most)s 块样地；请改用乡镇。", most=MOST_PLOTS))
    known = devices.plot_numbers(connection.reading(), project_id, asked)
    if unknown := [plot_id for plot_id in asked if plot_id not in known]:
        raise InvalidInput(_("没有这些样地：%(plots)s", plots="、".join(unknown[:10])))
    return list(known.values())


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 12 else None
