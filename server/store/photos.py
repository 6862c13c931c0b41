"""What attachments turned out to show."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, insert

from server.store.schema import photo


def put(connection: Connection, values: dict[str, Any]) -> None:
    """Note what one photo shows, in place of what was noted before."""
    connection.execute(delete(photo).where(photo.c.attachment_id == values["attachment_id"]))
    connection.execute(insert(photo).values(**values))
