"""Phones that may send, by the hash of their key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, func, insert, select, update

from server.store import bulk
from server.store.attachments import AUDIT_LOG
from server.store.hot import Hot, in_list
from server.store.rows import AnyRow
from server.store.schema import (
    attachment,
    census,
    crew,
    device,
    device_plot,
    device_township,
    plot,
    submission,
    township,
    visit,
)


class Device(NamedTuple):
    """A phone as a door needs it. Moments in ms since 1970 UTC."""

    id: int
    project_id: int
    crew_id: int | None
    locale: str
    revoked_at: int | None
    last_seen_at: int | None
    name: str
    pending_count: int | None
    joined_at: int | None


class Said(NamedTuple):
    """What a phone says of itself at a request; None: it did not say."""

    app: str | None
    app_version: str | None
    pending_count: int | None


_BY_TOKEN = Hot(
    select(
        device.c.id, device.c.project_id, device.c.crew_id, device.c.locale, device.c.revoked_at,
        device.c.last_seen_at, device.c.name, device.c.pending_count, device.c.joined_at,
    ).where(device.c.token_hash == bindparam("token_hash"))
)  # fmt: skip


def add(
    connection: Connection,
    project_id: int,
    crew_id: int | None,
    name: str,
    token_hash: str,
    locale: str,
    at: int,
) -> int:
    """Enrol a phone; `token_hash` is the SHA-256 of its key, hexadecimal. Returns its number."""
    values = {"project_id": project_id, "crew_id": crew_id, "name": name, "token_hash": token_hash,
              "locale": locale, "created_at": at}  # fmt: skip
    return int(connection.execute(insert(device).values(**values).returning(device.c.id)).scalar_one())


def by_token(connection: Connection, token_hash: str) -> Device | None:
    """The phone with this key, revoked ones too."""
    row = _BY_TOKEN.first(connection, {"token_hash": token_hash})
    return Device._make(row) if row else None


def seen(connection: Connection, device_id: int, said: Said, at: int) -> None:
    """It was here; with its first visit it has joined. What it does not say stays as it last said it."""
    values: dict[str, Any] = {
        "last_seen_at": at, "app": said.app, "joined_at": func.coalesce(device.c.joined_at, at),
    }  # fmt: skip
    if said.app_version is not None:
        values["app_version"] = said.app_version
    if said.pending_count is not None:
        values |= {"pending_count": said.pending_count, "pending_at": at}
    connection.execute(update(device).where(device.c.id == device_id).values(values))


def rename(connection: Connection, project_id: int, device_id: int, name: str, locale: str) -> bool:
    """Another name and language. False: no such phone."""
    return _change(connection, project_id, device_id, name=name, locale=locale)


def rotate(connection: Connection, project_id: int, device_id: int, token_hash: str) -> bool:
    """Another key; the old one opens nothing, and the phone has yet to join with the new one. False: no such phone,
    or a revoked one."""
    return _change(connection, project_id, device_id, token_hash=token_hash, joined_at=None)


def revoke(connection: Connection, project_id: int, device_id: int, at: int) -> bool:
    """From this moment its key opens nothing. False: no such phone, or revoked before."""
    return _change(connection, project_id, device_id, revoked_at=at)


def _change(connection: Connection, project_id: int, device_id: int, **values: object) -> bool:
    """Change a phone that is not revoked."""
    here = (device.c.id == device_id, device.c.project_id == project_id, device.c.revoked_at.is_(None))
    return connection.execute(update(device).where(*here).values(**values)).rowcount == 1


_SHOWN = (
    select(
        device.c.id, device.c.name, device.c.locale, device.c.crew_id, device.c.created_at, device.c.revoked_at,
        device.c.last_seen_at, device.c.app, device.c.app_version, device.c.pending_count, device.c.pending_at,
        device.c.joined_at, crew.c.name.label("crew"),
    )
    .select_from(device.outerjoin(crew, crew.c.id == device.c.crew_id))
)  # fmt: skip


def find(connection: Connection, project_id: int, device_id: int) -> AnyRow | None:
    """One phone of a project with the name of its crew; never its key's hash."""
    query = _SHOWN.where(device.c.id == device_id, device.c.project_id == project_id)
    return connection.execute(query).first()


def of_project(connection: Connection, project_id: int) -> list[AnyRow]:
    """A project's phones as `find` gives them, newest first."""
    return list(
        connection.execute(_SHOWN.where(device.c.project_id == project_id).order_by(device.c.id.desc()))
    )


class Narrowing(NamedTuple):
    """What a phone's plots are narrowed to: names of townships, plot_ids. Empty: no limit of that kind."""

    townships: list[str]
    plots: list[str]


def narrowings(connection: Connection, device_ids: Sequence[int]) -> dict[int, Narrowing]:
    """What each of these phones is narrowed to, by name."""
    found = {device_id: Narrowing([], []) for device_id in device_ids}
    townships = select(device_township.c.device_id, township.c.name).join(township).order_by(township.c.id)
    for device_id, name in connection.execute(townships.where(device_township.c.device_id.in_(device_ids))):
        found[device_id].townships.append(name)
    plots = select(device_plot.c.device_id, plot.c.plot_id).join(plot).order_by(plot.c.plot_id)
    for device_id, plot_id in connection.execute(plots.where(device_plot.c.device_id.in_(device_ids))):
        found[device_id].plots.append(plot_id)
    return found


class Photos(NamedTuple):
    """How many photos have come, of how many that instances name."""

    here: int
    expected: int


_CURRENT_PHOTO = (
    attachment.c.is_expected, attachment.c.name != AUDIT_LOG, submission.c.superseded_by_id.is_(None),
)  # fmt: skip


def photos(connection: Connection, project_id: int) -> dict[int, Photos]:
    """Photos of what each phone has sent and nothing has superseded; phones without any are left out."""
    query = (
        select(submission.c.device_id, func.count(attachment.c.sha256), func.count())
        .join(attachment, attachment.c.submission_id == submission.c.id)
        .where(submission.c.project_id == project_id, submission.c.device_id.is_not(None), *_CURRENT_PHOTO)
        .group_by(submission.c.device_id)
    )
    return {row[0]: Photos(row[1], row[2]) for row in connection.execute(query)}


MOST_AWAITED = 500
"""Files without bytes that one page names."""


def awaited_photos(connection: Connection, project_id: int, device_id: int) -> list[AnyRow]:
    """Photos of what a phone has sent that have not come: submission_id, instance_name, instance_id, received_at and
    the file's name, the newest instance first."""
    query = (
        select(submission.c.id.label("submission_id"), submission.c.instance_name, submission.c.instance_id,
               submission.c.received_at, attachment.c.name)
        .join(submission, submission.c.id == attachment.c.submission_id)
        .where(attachment.c.sha256.is_(None), submission.c.project_id == project_id,
               submission.c.device_id == device_id, *_CURRENT_PHOTO)
        .order_by(submission.c.id.desc(), attachment.c.name)
        .limit(MOST_AWAITED)
    )  # fmt: skip
    return list(connection.execute(query))


def waiting_plots(connection: Connection, project_id: int, today: str) -> dict[int | None, int]:
    """How many planned plots nobody has visited yet in a census that runs today, by the crew that is to measure
    them (None: nobody's). `today` as YYYY-MM-DD."""
    seen = select(visit.c.id).where(
        visit.c.plot_id == plot.c.id, visit.c.census_id == census.c.id, visit.c.kind == "visit"
    )
    runs = and_(func.coalesce(census.c.starts_on, "") <= today, func.coalesce(census.c.ends_on, "9") >= today)
    query = (
        select(plot.c.crew_id, func.count())
        .join(census, census.c.project_id == plot.c.project_id)
        .where(plot.c.project_id == project_id, plot.c.is_planned, runs, ~seen.exists())
        .group_by(plot.c.crew_id)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def plot_numbers(connection: Connection, project_id: int, plot_ids: Iterable[str]) -> dict[str, int]:
    """The numbers of plots by what is painted on their posts; unknown ones are left out."""
    query = select(plot.c.plot_id, plot.c.id).where(plot.c.project_id == project_id)
    wanted = list(plot_ids)
    return {
        row[0]: row[1]
        for some in bulk.chunks(wanted)
        for row in connection.execute(query.where(plot.c.plot_id.in_(some)))
    }


_CREWS = in_list(select(device.c.id, device.c.crew_id), device.c.id)


def crews(connection: Connection, ids: Iterable[int]) -> dict[int, int | None]:
    """The crew of each phone."""
    return {row[0]: row[1] for row in _CREWS.of(connection, sorted(ids))}
