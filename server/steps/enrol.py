"""A phone is enrolled, renamed, given another key, revoked: each with a line that says who did it."""

from __future__ import annotations

from sqlalchemy import Connection

from server.problems import NotFound
from server.store import devices, events


def enrol(
    connection: Connection,
    project_id: int,
    *,
    name: str,
    crew_id: int | None,
    locale: str,
    token_hash: str,
    by: str,
    at: int,
) -> int:
    """A new phone; its number. `token_hash` is the SHA-256 of its key, hexadecimal; the key itself is not kept."""
    number = devices.add(connection, project_id, crew_id, name, token_hash, locale, at)
    events.add(connection, project_id, by, "device.add", name, {"device_id": number, "crew_id": crew_id}, at)
    return number


def rename(
    connection: Connection, project_id: int, device_id: int, *, name: str, locale: str, by: str, at: int
) -> None:
    """Another name and language. Raises NotFound for no such phone and for a revoked one."""
    _must(devices.rename(connection, project_id, device_id, name, locale), device_id)
    events.add(
        connection, project_id, by, "device.rename", str(device_id), {"name": name, "locale": locale}, at
    )


def rotate(
    connection: Connection, project_id: int, device_id: int, *, token_hash: str, by: str, at: int
) -> None:
    """Another key for a phone whose code was lost or seen by others; the old one opens nothing from now on.

    Raises NotFound for no such phone and for a revoked one.
    """
    _must(devices.rotate(connection, project_id, device_id, token_hash), device_id)
    events.add(connection, project_id, by, "device.rotate", str(device_id), {}, at)


def revoke(connection: Connection, project_id: int, device_id: int, *, by: str, at: int) -> None:
    """Its key opens nothing any more; what it still sends is kept in quarantine. Raises NotFound."""
    _must(devices.revoke(connection, project_id, device_id, at), device_id)
    events.add(connection, project_id, by, "device.revoke", str(device_id), {}, at)


def _must(is_changed: bool, device_id: int) -> None:
    if not is_changed:
        raise NotFound(f"device {device_id}")
