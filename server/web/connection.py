"""What a request works with: this installation's store and settings, and one reading connection for its length.

`server.app` joins them to the app. Writing is not done on this connection but by a step, in a transaction of its own.
"""

from __future__ import annotations

import time
from typing import cast

from flask import Flask, current_app, g
from sqlalchemy import Connection

from server.settings import Settings
from server.store.db import Database

_DATABASE, _SETTINGS = "yangdi-database", "yangdi-settings"


def join(app: Flask) -> None:
    """Let every request of the app give back, at its end, the connection it read from."""
    app.teardown_appcontext(_give_back)


def furnish(app: Flask, settings: Settings, database: Database) -> None:
    """Make the store and the settings known to every request of the app."""
    app.extensions[_DATABASE] = database
    app.extensions[_SETTINGS] = settings


def database() -> Database:
    """The store of the app that answers this request."""
    return cast("Database", current_app.extensions[_DATABASE])


def settings() -> Settings:
    """The settings of the app that answers this request."""
    return cast("Settings", current_app.extensions[_SETTINGS])


def reading() -> Connection:
    """The one connection that this request reads from, opened when first asked for."""
    if "reading" not in g:
        g.reading = database().engine.connect()
    return cast("Connection", g.reading)


def read_again() -> None:
    """Let go of the view this request has had so far, so that it sees what a step has just written."""
    _give_back()


def now_ms() -> int:
    """This moment, milliseconds since 1970 UTC. Doors read the clock; steps and rooms are told."""
    return time.time_ns() // 1_000_000


def _give_back(_error: BaseException | None = None) -> None:
    connection = g.pop("reading", None)
    if connection is not None:
        connection.close()
