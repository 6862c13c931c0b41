"""What was acknowledged before the power failed is there when it is back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.torture import power_cut
from tests.torture.crash import OPENROSA
from tests.torture.outcome import Outcome
from tests.torture.stage import Stage

pytestmark = pytest.mark.slow


@pytest.fixture
def engine() -> str:
    return "sqlite"


def test_a_power_cut_takes_nothing_that_was_acknowledged(
    stage: Stage, assert_right: Callable[[Outcome], None]
) -> None:
    assert_right(power_cut.run(stage, cuts=6, ways=(OPENROSA,) * 3))
