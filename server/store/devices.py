"""Phones that may send, by the hash of their key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from server.store.hot import Hot
from server.store.rows import AnyRow
from server.store.schema import crew, device


class Device(NamedTuple):
    """A phone as a door needs it. Moments in ms since 1970 UTC."""

    id: int
    project_id: int
    crew_id: int | None
    locale: str
    revoked_at: int | None
    last_seen_at: int | None
    name: str


_BY_TOKEN = Hot(
    select(
        device.c.id, device.c.project_id, device.c.crew_id, device.c.locale, device.c.revoked_at,
        device.c.last_seen_at, device.c.name,
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


def seen(connection: Connection, device_id: int, app: str | None, at: int) -> None:
    """It was here."""
    connection.execute(update(device).where(device.c.id == device_id).values(last_seen_at=at, app=app))


def revoke(connection: Connection, project_id: int, device_id: int, at: int) -> bool:
    """From this moment its key opens nothing. False: no such phone, or revoked before."""
    result = connection.execute(
        update(device)
        .where(device.c.id == device_id, device.c.project_id == project_id, device.c.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    return result.rowcount == 1


def of_project(connection: Connection, project_id: int) -> list[AnyRow]:
    """A project's phones with the name of their crew, newest first; never their keys' hashes."""
    query = (
        select(
            device.c.id, device.c.name, device.c.locale, device.c.created_at, device.c.revoked_at,
            device.c.last_seen_at, device.c.app, crew.c.name.label("crew"),
        )
        .select_from(device.outerjoin(crew, crew.c.id == device.c.crew_id))
        .where(device.c.project_id == project_id)
        .order_by(device.c.id.desc())
    )  # fmt: skip
    return list(connection.execute(query))


def crews(connection: Connection, ids: Iterable[int]) -> dict[int, int | None]:
    """The crew of each phone."""
    wanted = list(ids)
    if not wanted:
        return {}
    return {
        row[0]: row[1]
        for row in connection.execute(select(device.c.id, device.c.crew_id).where(device.c.id.in_(wanted)))
    }
