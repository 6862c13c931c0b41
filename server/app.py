"""Joins doors, steps and store into one app. The only place that knows all of them."""

from __future__ import annotations

import os
import secrets

from flask import Flask, Response
from werkzeug.middleware.proxy_fix import ProxyFix

from server.api import openrosa
from server.dashboard.pages import blueprint as dashboard
from server.settings import Settings
from server.store import forms
from server.store.db import Database
from server.web import answers, connection


def create_app(settings: Settings, database: Database | None = None) -> Flask:
    """The app for these settings; `database` where the caller has it open already."""
    app = Flask("server", static_folder=None)
    app.config.update(SECRET_KEY=_secret_key(settings), MAX_CONTENT_LENGTH=settings.max_request_bytes)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    if settings.trust_proxy:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
    connection.join(app, settings, database or Database(settings.url, settings.web_threads + 2))
    app.extensions["yangdi-readers"] = forms.Readers()
    answers.join(app)
    app.register_blueprint(openrosa.blueprint)
    app.register_blueprint(dashboard)
    app.add_url_rule("/healthz", "healthz", _healthz)
    return app


def from_env() -> Flask:
    """The app for the YANGDI_* variables, as gunicorn asks for it."""
    return create_app(Settings.from_env())


def _healthz() -> Response:
    """200 while the store answers; for whatever watches over the machine."""
    connection.reading().exec_driver_sql("SELECT 1")
    return Response("ok\n", content_type="text/plain")


def _secret_key(settings: Settings) -> str:
    """The key that signs sessions: given, or made once and kept beside the data, for the owner's eyes only."""
    if settings.secret_key:
        return settings.secret_key
    path = settings.data_dir / "secret_key"
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _kept_key(path)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    return path.read_text()


def _kept_key(path: os.PathLike[str]) -> str:
    with open(path) as file:  # noqa: PTH123
        return file.read()
