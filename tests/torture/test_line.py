"""A bad line costs time, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.torture import line
from tests.torture.outcome import Outcome
from tests.torture.stage import Stage

pytestmark = pytest.mark.slow


def test_everything_comes_through_a_bad_line_exactly_once(
    stage: Stage, assert_right: Callable[[Outcome], None]
) -> None:
    assert_right(line.run(stage, plots=12, phones=4))
