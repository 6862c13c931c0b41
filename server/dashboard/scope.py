"""Which project a page is about, and whether its reader may see it."""

from __future__ import annotations

from typing import Any

from flask import request

from server.problems import BadRequest, NotFound
from server.store import conflicts, house_report, reports
from server.store.reviews import Act
from server.web import connection, session


def of_project(project_id: int, *roles: str) -> dict[str, Any]:
    """The project's row for a reader in one of the roles, with `held_back` and `conflicts`: how many submissions and
    how many conflicts wait for a person.

    No role given: whoever may read its pages. Raises NotSignedIn, NotFound (not hers, or not there), NotAllowed.
    """
    session.require(*(roles or session.SEES_PAGES), project_id=project_id)
    found = reports.project_named(connection.reading(), project_id)
    if found is None:
        raise NotFound(f"project {project_id}")
    reader = connection.reading()
    return {
        **found,
        "held_back": house_report.held_back_count(reader, project_id),
        "conflicts": conflicts.open_count(reader, project_id),
    }


def deciding(project_id: int) -> Act:
    """Who decides on a project, if she may, with the reason that her form gives. Raises as `of_project`."""
    of_project(project_id, *session.DECIDES)
    return Act(session.current_person().login, request.form.get("why", ""), connection.now_ms())


def number_in_query(name: str) -> int | None:
    """A whole number from the address, None where it is absent. Raises BadRequest for anything else."""
    text = request.args.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise BadRequest(f"{name}={text[:40]}")
    return int(text)


def word_in_query(name: str, known: tuple[str, ...], default: str = "") -> str:
    """One of the known words from the address. Raises BadRequest for another."""
    text = request.args.get(name, default) or default
    if text and text not in known:
        raise BadRequest(f"{name}={text[:40]}")
    return text
