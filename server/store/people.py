"""People: who may sign in, and what they are in which project.

Passwords are hashed by the caller (`server.store.passwords`): hashing is slow and must not hold the pen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from server.store.schema import membership, person, project

ROLES = ("crew", "supervisor", "farm", "verifier", "admin")
"""What a person can be in a project."""


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who can sign in. `roles` by project id; `is_admin`: of the whole house, every project is hers."""

    id: int
    login: str
    name: str
    locale: str
    is_admin: bool
    session_epoch: int
    roles: Mapping[int, str] = field(default_factory=dict)

    def role_in(self, project_id: int) -> str | None:
        """Her role in a project, None where she has none."""
        return "admin" if self.is_admin else self.roles.get(project_id)


def add(connection: Connection, *, login: str, name: str, password_hash: str, locale: str = "zh",
        is_admin: bool = False, at: int) -> int:  # fmt: skip
    """Add a person and return her id. Raises ValueError where the login is taken."""
    if connection.execute(select(person.c.id).where(person.c.login == login)).first():
        raise ValueError(f"login {login!r} is taken")
    values = {"login": login, "name": name, "password_hash": password_hash, "locale": locale,
              "is_admin": is_admin, "created_at": at}  # fmt: skip
    return int(connection.execute(insert(person).values(values).returning(person.c.id)).scalar_one())


def join(connection: Connection, person_id: int, project_id: int, role: str) -> None:
    """Give a person a role in a project, in place of the one she had. Raises ValueError for an unknown role."""
    if role not in ROLES:
        raise ValueError(f"role {role!r} is none of {', '.join(ROLES)}")
    here = (membership.c.person_id == person_id) & (membership.c.project_id == project_id)
    connection.execute(delete(membership).where(here))
    connection.execute(insert(membership).values(person_id=person_id, project_id=project_id, role=role))


def find(connection: Connection, person_id: int) -> Person | None:
    """A person who may still sign in, with her roles."""
    return _person(connection, connection.execute(_open().where(person.c.id == person_id)).first())


def find_by_login(connection: Connection, login: str) -> tuple[Person | None, str | None]:
    """The person behind a login and her password's hash; (None, None) for nobody and for who is closed."""
    row = connection.execute(_open().where(person.c.login == login)).first()
    return _person(connection, row), row.password_hash if row else None


def number_of(connection: Connection, login: str) -> int | None:
    """The number of whoever has this login, closed ones too."""
    return connection.execute(select(person.c.id).where(person.c.login == login)).scalar()


def everyone(connection: Connection) -> list[dict[str, Any]]:
    """All people, with "roles": project name -> role; closed ones too."""
    roles: dict[int, dict[str, str]] = {}
    query = select(membership.c.person_id, project.c.name, membership.c.role).join(project)
    for person_id, name, role in connection.execute(query):
        roles.setdefault(person_id, {})[name] = role
    rows = connection.execute(select(person).order_by(person.c.login)).mappings()
    return [{**row, "roles": roles.get(row["id"], {})} for row in rows]


def set_password(connection: Connection, person_id: int, password_hash: str) -> None:
    """Change a password; every session of hers ends."""
    connection.execute(
        update(person)
        .where(person.c.id == person_id)
        .values(password_hash=password_hash, session_epoch=person.c.session_epoch + 1)
    )


def set_locale(connection: Connection, person_id: int, locale: str) -> None:
    """Remember the language she reads in, "zh" or "en"."""
    connection.execute(update(person).where(person.c.id == person_id).values(locale=locale))


def end_sessions(connection: Connection, person_id: int) -> None:
    """Every session of hers ends, on every machine."""
    changed = person.c.session_epoch + 1
    connection.execute(update(person).where(person.c.id == person_id).values(session_epoch=changed))


def close(connection: Connection, person_id: int, at: int) -> None:
    """She may not sign in any more; what she did stays hers."""
    end_sessions(connection, person_id)
    connection.execute(update(person).where(person.c.id == person_id).values(closed_at=at))


def projects(connection: Connection, someone: Person) -> list[dict[str, Any]]:
    """The projects she may see, by name: id and name."""
    query = select(project.c.id, project.c.name).order_by(project.c.name, project.c.id)
    if not someone.is_admin:
        query = query.where(project.c.id.in_(someone.roles))
    return [dict(row) for row in connection.execute(query).mappings()]


def _open() -> Any:
    return select(person).where(person.c.closed_at.is_(None))


def _person(connection: Connection, row: Row[Any] | None) -> Person | None:
    if row is None:
        return None
    query = select(membership.c.project_id, membership.c.role).where(membership.c.person_id == row.id)
    roles = {row.project_id: row.role for row in connection.execute(query)}
    return Person(row.id, row.login, row.name, row.locale, row.is_admin, row.session_epoch, roles)
