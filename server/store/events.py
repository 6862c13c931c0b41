"""Who did what to the house, and when. Only ever added to."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert, select

from server.store.rows import AnyRow
from server.store.schema import event


def add(
    connection: Connection,
    project_id: int | None,
    actor: str,
    action: str,
    subject: str,
    detail: dict[str, Any],
    at: int,
) -> int:
    """Note an act and return its number. `actor` is a person's login, a device's name or "server"."""
    values = {
        "project_id": project_id,
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": detail,
        "at": at,
    }
    return int(connection.execute(insert(event).values(values).returning(event.c.id)).scalar_one())


def find(connection: Connection, project_id: int, action: str, event_id: int) -> AnyRow | None:
    """One act of a kind in a project."""
    here = (event.c.id == event_id, event.c.project_id == project_id, event.c.action == action)
    return connection.execute(select(event).where(*here)).first()


def latest(connection: Connection, project_id: int, action: str, most: int) -> list[AnyRow]:
    """The last acts of a kind in a project, newest first."""
    query = select(event).where(event.c.project_id == project_id, event.c.action == action)
    return list(connection.execute(query.order_by(event.c.id.desc()).limit(most)))
