"""A supervisor says what a phone may see: its crew, its townships, its plots. At its next pull it begins anew."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from server.problems import NotFound
from server.store import events, feed, scope
from server.store.scope import Narrowed


def give(
    connection: Connection,
    project_id: int,
    device_id: int,
    *,
    crew_id: int | None,
    townships: Collection[int] = (),
    plots: Collection[int] = (),
    by: str,
    at: int,
) -> bool:
    """From now on the phone sees this crew's plots and nobody's, within these townships and these plots (numbers;
    none: no limit of that kind). False where it saw just that before.

    `at` in ms since 1970 UTC. Raises NotFound for a phone, crew, township or plot that is not of the project.
    """
    asked = Narrowed(crew_id, frozenset(townships), frozenset(plots))
    before = scope.of_device(connection, project_id, device_id)
    if before is None or not scope.is_of_project(connection, project_id, asked):
        raise NotFound(f"device {device_id}: {asked}")
    if asked == before:
        return False
    said = {"crew_id": crew_id, "townships": sorted(asked.townships), "plots": sorted(asked.plots)}
    events.add(connection, project_id, by, "device.scope", str(device_id), said, at)
    scope.set_scope(connection, device_id, asked, feed.next_number(connection, project_id))
    return True
