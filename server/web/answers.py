"""A problem in three voices: problem+json for programs, OpenRosa for phones, a page for people.

Which voice is chosen by the door that was knocked at. Only here does an exception become an answer, so that no
door can leak a traceback or speak another shape than the one its clients read.
"""

from __future__ import annotations

import logging
from typing import cast

from flask import Flask, Response, g, json, make_response, render_template, request
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestEntityTooLarge

from server import problems
from server.problems import Problem
from server.store import room
from server.store.db import away, failures, unfit
from server.web import addresses, connection
from sync import openrosa

log = logging.getLogger("yangdi.web")

_OF_STATUS: dict[int, type[Problem]] = {
    400: problems.BadRequest,
    401: problems.NotSignedIn,
    403: problems.NotAllowed,
    404: problems.NotFound,
    405: problems.MethodNotAllowed,
    422: problems.InvalidInput,
    429: problems.TooOften,
}


def join(app: Flask) -> None:
    """Make every exception of the app an answer, and every address one that the store can be asked about."""
    addresses.join(app)
    app.register_error_handler(Problem, answer)
    app.register_error_handler(HTTPException, lambda error: answer(problem_of(error)))
    app.register_error_handler(Exception, lambda error: answer(problem_of(error)))


def problem_of(error: Exception) -> Problem:
    """The problem behind any exception; what we did not foresee is logged and becomes an honest 500."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestEntityTooLarge):
        return problems.TooLarge(limit_mb=connection.settings().max_request_bytes // 1_000_000)
    if isinstance(error, ClientDisconnected):
        return problems.CutOff()
    if isinstance(error, HTTPException):
        kind = _OF_STATUS.get(error.code or 500)
        return kind(error.description or "") if kind else Problem(str(error))
    if isinstance(error, OSError) and room.is_wanting(error):
        return problems.DiskFull(str(error))
    if isinstance(error, failures()):
        return _of_store(error)
    log.exception("unforeseen", exc_info=error)
    return Problem(type(error).__name__)


def _of_store(error: Exception) -> Problem:
    text = str(
        getattr(error, "orig", error)
    )  # without the statement and its values: those are not for the log
    if room.is_wanting(error):
        return problems.DiskFull(text)
    log.error("store: %s", text)
    if isinstance(error, unfit()):  # a NUL, a number beyond the column: it came from the client
        return problems.BadRequest(text)
    if isinstance(error, away()):  # locked, or away for a moment
        return problems.StoreBusy(text)
    return Problem(type(error).__name__)


def locale() -> str:
    """The language to answer in: the caller's, else the one that the browser prefers, else the house's."""
    chosen = g.get("locale")
    if chosen:
        return cast("str", chosen)
    return request.accept_languages.best_match(["zh", "en"]) or connection.settings().default_locale


def answer(problem: Problem) -> Response:
    """A problem in the voice of the door."""
    if request.blueprint == "openrosa":
        return _openrosa(problem)
    if request.path.startswith("/v1/") or (request.blueprint is None and _wants_json()):
        return _json(problem)
    return _page(problem)


def _wants_json() -> bool:
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def _openrosa(problem: Problem) -> Response:
    text = openrosa.message(problem.sentence(locale()), "submit_error")
    response = Response(text, problem.status, content_type=openrosa.CONTENT_TYPE)
    response.headers["X-OpenRosa-Version"] = openrosa.VERSION
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="Yangdi", charset="UTF-8"'
    return response


def _json(problem: Problem) -> Response:
    body = {
        "type": f"urn:yangdi:problem:{problem.code}",
        "title": problem.code,
        "status": problem.status,
        "detail": problem.sentence(locale()),
    }
    return Response(json.dumps(body), problem.status, content_type="application/problem+json")


def _page(problem: Problem) -> Response:
    page = render_template("dashboard/problem.html", problem=problem, sentence=problem.sentence(locale()))
    return make_response(page, problem.status)
