"""kill -9 of any part of the server at any moment: what was acknowledged stays, what was promised is done."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.torture import crash
from tests.torture.outcome import Outcome
from tests.torture.stage import Stage

pytestmark = pytest.mark.slow


def test_what_was_acknowledged_survives_a_kill_of_any_process_at_any_moment(
    stage: Stage, assert_right: Callable[[Outcome], None]
) -> None:
    assert_right(crash.run(stage, kills=6))
