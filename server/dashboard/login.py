"""Signing in and out, the language, and where a person lands."""

from __future__ import annotations

from typing import cast

from flask import Flask, Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from server.dashboard import assets, language
from server.dashboard.door import blueprint
from server.problems import BadRequest, TooOften, WrongPassword
from server.store import people
from server.web import connection, session

TRIES_OF_A_LOGIN = RateLimitItemPerMinute(10, 15)
"""Wrong passwords for one login from one address: guessing is hopeless, a forgetful person is not locked out long."""
TRIES_OF_AN_ADDRESS = RateLimitItemPerMinute(50, 15)
"""Wrong passwords from one address: a whole office may share one."""
LOCALE_COOKIE_S = 31_536_000
_TRIES = "yangdi-tries"


def count_from_nothing(app: Flask) -> None:
    """Each app counts for itself, in memory: N processes allow N times as many tries, a restart forgives."""
    app.extensions[_TRIES] = MovingWindowRateLimiter(MemoryStorage())


def _tries() -> MovingWindowRateLimiter:
    return cast("MovingWindowRateLimiter", current_app.extensions[_TRIES])


def _limits(login: str) -> list[tuple[RateLimitItemPerMinute, tuple[str, ...]]]:
    address = request.remote_addr or ""
    return [(TRIES_OF_AN_ADDRESS, (address,)), (TRIES_OF_A_LOGIN, (address, login[:80].casefold()))]


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
    limits = _limits(login)
    if not all(_tries().test(limit, *who) for limit, who in limits):
        raise TooOften()
    someone = session.check_password(login, request.form.get("password", ""))
    if someone is None:
        for limit, who in limits:
            _tries().hit(limit, *who)  # only wrong passwords count
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
