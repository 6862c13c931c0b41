"""Projects: what each is called and how it wants its data treated."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from sqlalchemy import Connection, Text, bindparam, cast, insert, select, update

from server.store import feed
from server.store.hot import Hot
from server.store.schema import crew, project


class Ways(NamedTuple):
    """How a project wants its data treated. `rule_settings` are rule parameters that it changes."""

    name: str
    strict_intake: bool
    tally_limit_cm: float
    rule_settings: dict[str, Any]


_WAYS = Hot(
    select(
        project.c.name, project.c.strict_intake, project.c.tally_limit_cm, cast(project.c.settings, Text)
    ).where(project.c.id == bindparam("id"))
)


def ways(connection: Connection, project_id: int) -> Ways | None:
    """A project's ways; None where there is no such project."""
    row = _WAYS.first(connection, {"id": project_id})
    return Ways(row[0], bool(row[1]), row[2], json.loads(row[3])) if row else None


def ways_to_change(connection: Connection, project_id: int) -> Ways | None:
    """The same, locked until the transaction ends: changes of one project follow each other."""
    columns = (project.c.name, project.c.strict_intake, project.c.tally_limit_cm, project.c.settings)
    row = connection.execute(select(*columns).where(project.c.id == project_id).with_for_update()).first()
    return Ways(row[0], bool(row[1]), row[2], dict(row[3])) if row else None


def add(connection: Connection, name: str, at: int, tally_limit_cm: float = 5.0) -> int:
    """A new project; returns its number."""
    values = {"name": name, "created_at": at, "tally_limit_cm": tally_limit_cm, "settings": {}}
    return int(connection.execute(insert(project).values(**values).returning(project.c.id)).scalar_one())


def find_by_name(connection: Connection, name: str) -> int | None:
    """The number of a project."""
    return connection.execute(select(project.c.id).where(project.c.name == name)).scalar()


def names(connection: Connection) -> dict[int, str]:
    """All projects by number."""
    return {
        row[0]: row[1]
        for row in connection.execute(select(project.c.id, project.c.name).order_by(project.c.id))
    }


def change(connection: Connection, project_id: int, **values: Any) -> None:
    """Change a project's ways; phones hear of other rules. Last in a transaction, as whatever moves the feed on."""
    connection.execute(update(project).where(project.c.id == project_id).values(**values))
    if values.keys() & {"tally_limit_cm", "settings"}:
        feed.changed(connection, project_id, feed.RULES, [project_id])
        feed.lists_changed(connection, project_id)


def ensure_crew(connection: Connection, project_id: int, name: str) -> int:
    """The number of a crew, made where it is new."""
    query = select(crew.c.id).where(crew.c.project_id == project_id, crew.c.name == name)
    found = connection.execute(query).scalar()
    if found is None:
        result = connection.execute(
            insert(crew).values(project_id=project_id, name=name).returning(crew.c.id)
        )
        found = result.scalar_one()
    return int(found)
