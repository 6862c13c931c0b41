"""Who did what to the house, and when. Only ever added to."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert

from server.store.schema import event


def add(
    connection: Connection,
    project_id: int | None,
    actor: str,
    action: str,
    subject: str,
    detail: dict[str, Any],
    at: int,
) -> None:
    """Note an act. `actor` is a person's login, a device's name or "server"."""
    connection.execute(
        insert(event).values(
            project_id=project_id, actor=actor, action=action, subject=subject, detail=detail, at=at
        )
    )
