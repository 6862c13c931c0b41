"""Signing in and out, the language, and where a person lands."""

from __future__ import annotations

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.dashboard import assets, language
from server.dashboard.door import blueprint
from server.problems import BadRequest, WrongPassword
from server.store import people
from server.web import connection, session, tries

LOCALE_COOKIE_S = 31_536_000


@blueprint.get("/login")
def sign_in() -> ResponseReturnValue:
    """The form that asks for login and password."""
    if session.person_or_none():
        return redirect(_safe(request.args.get("next")))
    return render_template(
        "dashboard/login.html", next=_safe(request.args.get("next")), sentence="", login=""
    )


@blueprint.post("/login")
def try_to_sign_in() -> ResponseReturnValue:
    """Begin a session, or say that login and password do not fit: the same words for an unknown login."""
    login, next_page = request.form.get("login", "").strip(), _safe(request.form.get("next"))
    tries.may_try(login)
    someone = session.check_password(login, request.form.get("password", ""))
    if someone is None:
        tries.was_wrong(login)
        sentence = WrongPassword().sentence(language.locale())
        page = render_template("dashboard/login.html", next=next_page, sentence=sentence, login=login)
        return page, WrongPassword.status
    session.sign_in(someone)
    return redirect(next_page, 303)


@blueprint.post("/logout")
def sign_out() -> ResponseReturnValue:
    """End this session."""
    session.sign_out()
    return redirect(url_for("dashboard.sign_in"), 303)


@blueprint.post("/language")
def choose_language() -> ResponseReturnValue:
    """Change the language, for this person everywhere and for this browser before signing in."""
    to = request.form.get("to", "")
    if to not in language.LOCALES:
        raise BadRequest(f"language {to[:20]}")
    someone = session.person_or_none()
    if someone:
        connection.database().write(lambda pen: people.set_locale(pen, someone.id, to))
    response = redirect(_safe(request.form.get("next")), 303)
    response.set_cookie(language.COOKIE, to, max_age=LOCALE_COOKIE_S, httponly=True, samesite="Lax",
                        secure=request.is_secure)  # fmt: skip
    return response


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """Her projects, or the plots of the only one."""
    projects = session.projects_of(session.current_person())
    if len(projects) == 1:
        return redirect(url_for("dashboard.plot_list", project_id=projects[0]["id"]))
    return render_template("dashboard/projects.html", projects=projects)


@blueprint.get("/assets/<name>")
def asset(name: str) -> Response:
    """A style or script of ours."""
    return assets.send(name)


def _safe(address: str | None) -> str:
    """An address on this server to go on to; "/" for anything that could lead elsewhere."""
    is_path = bool(address) and address is not None and address[0] == "/" and address[1:2] not in {"/", "\\"}
    return address if address and is_path and address.isprintable() and "\\" not in address else "/"
