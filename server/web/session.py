"""Who sits in front of the browser: the signed session cookie, and what she may see.

Devices carry tokens instead (`server.web.access`). The cookie holds a person's id and her session epoch, nothing
else; raising the epoch in the store ends every session of hers.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask, g, request, session
from flask.sessions import SecureCookieSessionInterface

from server.problems import NotAllowed, NotFound, NotSignedIn
from server.store import passwords, people
from server.store.people import Person
from server.web import connection

HOURS = 12
"""Length of a session without a click: one working day."""
SEES_PAGES = ("supervisor", "verifier", "admin")
"""Roles that may read a project's pages. Crews and farms have phones and tables of their own."""
DECIDES = ("supervisor", "admin")
"""Roles that may change anything from the pages."""


class _Cookies(SecureCookieSessionInterface):
    """The cookie is `Secure` wherever the browser came by https, and works on a laptop without it."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002  # Flask hands it over
        return request.is_secure or connection.settings().public_url.startswith("https://")


def set_up(app: Flask) -> None:
    """Make the app's session cookie ours."""
    app.config.update(
        SESSION_COOKIE_NAME="yangdi",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=HOURS),
    )
    app.session_interface = _Cookies()


def check_password(login: str, password: str) -> Person | None:
    """The person, if login and password are hers. Nobody's login takes as long as a wrong password."""
    someone, password_hash = people.find_by_login(connection.reading(), login)
    return someone if passwords.matches(password_hash, password) else None


def sign_in(someone: Person) -> None:
    """Begin a session; whatever the cookie held before is gone."""
    session.clear()
    session.permanent = True
    session["person"], session["epoch"] = someone.id, someone.session_epoch
    g.person = someone


def sign_out() -> None:
    """End this session, here."""
    session.clear()
    g.person = None


def person_or_none() -> Person | None:
    """Who has signed in, or None; asked of the store once for each request."""
    if "person" not in g:
        g.person = _of_cookie()
    found: Person | None = g.person
    return found


def _of_cookie() -> Person | None:
    person_id = session.get("person")
    someone = people.find(connection.reading(), person_id) if isinstance(person_id, int) else None
    return someone if someone and someone.session_epoch == session.get("epoch") else None


def current_person() -> Person:
    """Who has signed in. Raises NotSignedIn."""
    someone = person_or_none()
    if someone is None:
        raise NotSignedIn()
    return someone


def require(*roles: str, project_id: int | None = None) -> Person:
    """The person, if she has one of the roles in the project (None: in any project of hers).

    Raises NotSignedIn; NotFound for a project that is not hers, so that nobody learns which projects there are;
    NotAllowed where she belongs to it in another role.
    """
    someone = current_person()
    if project_id is None:
        if someone.is_admin or any(role in roles for role in someone.roles.values()):
            return someone
        raise NotAllowed(f"{someone.login} is none of {roles}")
    role = someone.role_in(project_id)
    if role is None:
        raise NotFound(f"project {project_id} is not of {someone.login}")
    if role not in roles:
        raise NotAllowed(f"{someone.login} is {role}, none of {roles}")
    return someone


def projects_of(someone: Person) -> list[dict[str, Any]]:
    """Id and name of the projects whose pages she may read, by name."""
    found = people.projects(connection.reading(), someone)
    return [project for project in found if someone.role_in(project["id"]) in SEES_PAGES]
