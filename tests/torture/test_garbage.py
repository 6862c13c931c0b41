"""Nothing that comes over a socket is a fault of ours, holds us up or makes us grow."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.torture import garbage
from tests.torture.outcome import Outcome
from tests.torture.stage import Stage

pytestmark = pytest.mark.slow


def test_garbage_is_answered_and_leaves_the_server_well(
    stage: Stage, assert_right: Callable[[Outcome], None]
) -> None:
    assert_right(garbage.run(stage, times=30))


def test_a_spoiled_outbox_file_is_taken_as_far_as_it_can_be_read(
    stage: Stage, assert_right: Callable[[Outcome], None]
) -> None:
    assert_right(garbage.run_outbox_files(stage, times=80))
