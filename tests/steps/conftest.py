"""The door with a form behind it and a phone in front of it."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from server.settings import Settings
from server.store.db import Database
from tests.cast import Cast
from tests.phone import Back, Phone, form, key_address, put_up


@pytest.fixture
def version(database: Database, cast: Cast) -> int:
    """Our plot visit, published."""
    return put_up(database, cast.project, form("plot_visit"))


@pytest.fixture
def phone(client: FlaskClient, cast: Cast, version: int) -> Phone:
    """一队's phone, with a plot visit to fill in."""
    return Phone(client, key_address(cast))


@pytest.fixture
def back(database: Database, settings: Settings) -> Back:
    return Back(database, settings)
