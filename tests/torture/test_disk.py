"""A disk that is full, read-only or held by somebody else costs time and nothing more."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.torture import disk
from tests.torture.outcome import Outcome
from tests.torture.stage import Stage

pytestmark = pytest.mark.slow
Right = Callable[[Outcome], None]
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="NOT TESTED: only root may make a disk read-only")


def test_a_full_disk_is_said_and_loses_nothing(
    raise_stage: Callable[..., Stage], assert_right: Right
) -> None:
    assert_right(disk.full(raise_stage(disk_mb=disk.DISK_MB)))


def test_a_disk_that_is_full_for_hours_makes_no_dead_letters(
    raise_stage: Callable[..., Stage], assert_right: Right
) -> None:
    assert_right(disk.full_for_hours(raise_stage(disk_mb=disk.DISK_MB)))


@needs_root
def test_a_disk_that_turns_read_only_is_said_and_loses_nothing(stage: Stage, assert_right: Right) -> None:
    assert_right(disk.read_only(stage))


def test_a_store_that_somebody_holds_is_waited_for(stage: Stage, assert_right: Right) -> None:
    assert_right(disk.locked(stage, times=1))
