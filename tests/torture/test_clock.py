"""A clock that is set wrong, or set right, holds nothing up."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.torture import clock
from tests.torture.outcome import Outcome
from tests.torture.stage import Stage

pytestmark = pytest.mark.slow


def test_what_was_promised_is_done_whatever_the_clock_says(
    stage: Stage, assert_right: Callable[[Outcome], None]
) -> None:
    for outcome in clock.run(stage, clock.JUMPS[:1], plots=3):
        assert_right(outcome)
