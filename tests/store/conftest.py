"""A look behind the door, where a test goes through it."""

from __future__ import annotations

import pytest

from server.settings import Settings
from server.store.db import Database
from tests.phone import Back


@pytest.fixture
def back(database: Database, settings: Settings) -> Back:
    return Back(database, settings)
