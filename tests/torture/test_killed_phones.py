"""A phone that dies in the middle of anything goes on from its disk, and what it had saved arrives."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.torture import killed_phones
from tests.torture.outcome import Outcome
from tests.torture.stage import Stage

pytestmark = pytest.mark.slow


@pytest.fixture
def engine() -> str:
    return "sqlite"


def test_a_phone_that_is_killed_goes_on_from_its_disk(
    stage: Stage, assert_right: Callable[[Outcome], None]
) -> None:
    assert_right(killed_phones.run(stage, phones=2, kills_each=2))
