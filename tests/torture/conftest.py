"""The short form of each torture runs as a test, on both engines."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from tests.torture.outcome import Outcome, table
from tests.torture.stage import NoSmallDisk, Stage, raised


@pytest.fixture
def raise_stage(request: pytest.FixtureRequest, engine: str) -> Iterator[Callable[..., Stage]]:
    """Raise a stage on this test's engine; `disk_mb` gives it a small disk."""
    cluster = None if engine == "sqlite" else request.getfixturevalue("cluster")
    with contextlib.ExitStack() as stack:

        def now(disk_mb: int | None = None) -> Stage:
            try:
                return stack.enter_context(raised(engine, cluster, disk_mb))
            except NoSmallDisk as error:
                pytest.skip(f"NOT TESTED: a full disk needs the right to mount one: {error}")

        yield now


@pytest.fixture
def stage(raise_stage: Callable[..., Stage]) -> Stage:
    """A stage on this test's engine."""
    return raise_stage()


@pytest.fixture
def assert_right() -> Callable[[Outcome], None]:
    """Fails with the outcome's line and what exactly was lost."""

    def check(outcome: Outcome) -> None:
        assert outcome.is_right, f"\n{table([outcome])}\n{outcome.losses}\n{outcome.wrong}"

    return check
