"""The key that signs sessions is one key, however many processes start at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from server.app import _secret_key, create_app
from server.settings import Settings
from server.store.db import Database


@pytest.fixture
def engine() -> str:
    """One is enough: the key is a file."""
    return "sqlite"


def test_processes_that_start_together_share_one_key(settings: Settings) -> None:
    keyless = replace(settings, secret_key="")
    with ThreadPoolExecutor(8) as starting:
        keys = list(starting.map(_secret_key, [keyless] * 8))
    assert len(set(keys)) == 1
    assert len(str(keys[0])) == 64


def test_the_key_stays_and_only_its_owner_can_read_it(settings: Settings, database: Database) -> None:
    keyless = replace(settings, secret_key="")
    assert create_app(keyless, database).secret_key == create_app(keyless, database).secret_key
    assert (settings.data_dir / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in settings.data_dir.glob("secret_key*")] == ["secret_key"]
