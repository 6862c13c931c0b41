"""The blueprint of the pages: what holds for every one of them.

Registering it sets up all that the pages need of an app: sessions, languages, the guard against forged forms and
the limit on tries.
"""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, current_app, g, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, CSRFProtect

from server.dashboard import assets, language, words
from server.problems import NotSignedIn, PageExpired, Problem
from server.web import session

blueprint = Blueprint("dashboard", __name__, template_folder="templates")
csrf = CSRFProtect()

CSRF_HOURS = session.HOURS
"""A form may lie open as long as a session."""

CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""Scripts, styles and pictures come from this server's own files only, never from a page's text."""


@blueprint.record_once
def _set_up(state: BlueprintSetupState) -> None:
    app = cast("Flask", state.app)
    app.config["WTF_CSRF_CHECK_DEFAULT"] = (
        False  # phones post without a cookie; the pages check for themselves
    )
    app.config["WTF_CSRF_TIME_LIMIT"] = CSRF_HOURS * 3600
    csrf.init_app(app)
    session.set_up(app)
    language.set_up(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


@blueprint.before_request
def speak_her_language() -> None:
    """What goes wrong later is told in the language of the page."""
    g.locale = language.locale()


@blueprint.before_request
def refuse_forged_forms() -> None:
    """A POST must carry the token of the page it came from. Raises PageExpired."""
    try:
        if request.method == "POST" and current_app.config["WTF_CSRF_ENABLED"]:
            csrf.protect()
    except CSRFError as error:
        raise PageExpired(str(error.description)) from error


@blueprint.after_app_request
def keep_it_here(response: Response) -> Response:
    """Headers that hold for every page: nothing foreign runs in it, nothing of it is kept on a shared machine."""
    if request.blueprint != blueprint.name and response.mimetype != "text/html":
        return response
    response.headers["Content-Security-Policy"] = CONTENT_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


@blueprint.app_context_processor
def what_every_page_says() -> dict[str, Any]:
    """Who reads, in which language, and the words for what the store keeps in codes."""
    return {
        "asset": assets.url_of,
        "locale": language.locale(),
        "words": words,
        "here": request.full_path.rstrip("?") if request.method == "GET" else "/",
        "person": session.person_or_none(),
        "decides": session.DECIDES,
        "here_is": _here_is,
    }


def _here_is(page: str) -> bool:
    """Is this the page, or one that hangs on it? Marks the menu."""
    hangs_on = {"plot_page": "plot_list", "form_draft": "form_list", "add_device": "device_list",
                "crew_page": "crew_list", "audit_page": "audit_list", "drawn_list": "audit_list",
                "device_page": "device_list", "revoke_page": "device_list", "new_code": "device_list",
                "rotate_device": "device_list", "outbox": "device_list",
                "imported": "device_list", "rule_page": "rule_list", "band_page": "rule_list",
                "flag_page": "flag_queue"}  # fmt: skip
    name = (request.endpoint or "").rpartition(".")[2]
    return hangs_on.get(name, name) == page


@blueprint.errorhandler(Problem)
def show_problem(problem: Problem) -> ResponseReturnValue:
    """A refusal as a page; who has to sign in first is taken there, and back afterwards."""
    if isinstance(problem, NotSignedIn):
        back = request.full_path.rstrip("?") if request.method == "GET" else "/"
        return redirect(f"{url_for('dashboard.sign_in')}?{urlencode({'next': back})}")
    sentence = problem.sentence(language.locale())
    return render_template("dashboard/problem.html", problem=problem, sentence=sentence), problem.status
