"""Joins doors, steps and store into one app. The only place that knows all of them."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from flask import Flask, Response
from werkzeug.middleware.proxy_fix import ProxyFix

from server.api import entities, openrosa, rest
from server.dashboard.pages import blueprint as dashboard
from server.settings import Settings
from server.store import forms, migrations
from server.store.db import Database
from server.web import answers, connection, tries
from server.web.uploaded import UploadRequest


def create_app(settings: Settings, database: Database | None = None) -> Flask:
    """The app for these settings; `database` where the caller has it open already."""
    app = Flask("server", static_folder=None)
    app.request_class = UploadRequest
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    if settings.trust_proxy:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
    connection.join(app)
    answers.join(app)
    app.register_blueprint(openrosa.blueprint)
    rest.join(app)
    app.register_blueprint(dashboard)
    app.add_url_rule("/healthz", "healthz", _healthz)
    furnish(app, settings, database or _open(settings))
    return app


def furnish(app: Flask, settings: Settings, database: Database) -> None:
    """Give an app its installation's store, settings and key, and memories with nothing in them yet.

    All that differs between two apps of one process, but for the proxy in front; their doors are the same.
    """
    app.config.update(SECRET_KEY=_secret_key(settings), MAX_CONTENT_LENGTH=settings.max_request_bytes)
    connection.furnish(app, settings, database)
    app.extensions["yangdi-readers"] = forms.Readers()
    app.extensions["yangdi-list-hashes"] = entities.Hashes()
    tries.count_from_nothing(app)


def from_env() -> Flask:
    """The app for the YANGDI_* variables, as gunicorn asks for it. Raises StoreBehind."""
    settings = Settings.from_env()
    database = _open(settings)
    migrations.require_head(database)
    return create_app(settings, database)


def _open(settings: Settings) -> Database:
    return Database(settings.url, settings.web_threads + 2)


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
    if not path.exists():
        _make_key(path)
    return path.read_text()


def _make_key(path: Path) -> None:
    """Whole or not at all: of processes that start at the same moment the first one's key counts for all."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix="secret_key-") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(file.name, path)
