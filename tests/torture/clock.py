"""Somebody sets the server's clock, eight hours to and fro: what is promised is done all the same, and soon."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from server.store import jobs
from tests.live import LiveServer
from tests.torture.disk import send_each
from tests.torture.losses import Told, reckon
from tests.torture.outcome import Outcome
from tests.torture.plots import plot
from tests.torture.stage import LEASE_S, Stage

HOURS_S = 8 * 3600
"""s between 平顺's clock and UTC: what a machine jumps by whose clock was set to the wrong one of the two."""
PATIENCE_S = 20.0
"""s of true time in which everything must be done, whatever the clock says."""
JUMPS = ((HOURS_S, 0), (0, HOURS_S), (0, -HOURS_S))
OTHER_TIME = Path(__file__).parent / "other_time"


class SetClock:
    """A server whose wall clock is `difference_s` beside the true one and can be set while it runs."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._file = stage.folder / "clock"
        self.set(0)

    def set(self, difference_s: int) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(str(difference_s))
        new.rename(self._file)

    def start(self, **knobs: object) -> LiveServer:
        return self._stage.start({"PYTHONPATH": str(OTHER_TIME), "TORTURE_CLOCK": str(self._file)}, **knobs)


def run(stage: Stage, jumps: Sequence[tuple[int, int]] = JUMPS, plots: int = 10) -> list[Outcome]:
    """Every way in which a clock can jump under what is promised."""
    return [
        _jump(stage, number * 1000, plots, before_s, after_s)
        for number, (before_s, after_s) in enumerate(jumps)
    ]


def _jump(stage: Stage, first: int, plots: int, before_s: int, after_s: int) -> Outcome:
    """Promises and claimed jobs from before a jump; then the jump, more plots, and a worker for all of them."""
    clock = SetClock(stage)
    clock.set(before_s)
    told, statuses = Told(), Counter[int]()
    server = clock.start(embedded_worker=False)
    send_each(stage, [plot(first + k) for k in range(plots)], told, statuses)
    server.stop()
    _claim_and_die(stage, before_s)
    clock.set(after_s)
    server = clock.start()
    send_each(stage, [plot(first + plots + k) for k in range(plots)], told, statuses)
    wrong = [f"{n} times {status}" for status, n in statuses.items() if status != 201]
    done = _is_done_in_time(stage)
    wrong += [] if done else [f"not done {PATIENCE_S:.0f} s after the clock was set"]
    losses = reckon(stage.database, stage.blobs, told, drained=done)
    server.stop()
    what = f"clock from {before_s // 3600:+d} h to {after_s // 3600:+d} h, {stage.engine}"
    return Outcome(what, f"{2 * plots} plots", losses, tuple(wrong))


def _claim_and_die(stage: Stage, difference_s: int) -> None:
    """A worker takes jobs, by the clock of that moment, and is never heard of again."""
    now_ms = time.time_ns() // 1_000_000 + difference_s * 1000
    with stage.database.writing() as connection:
        claimed = jobs.claim(connection, jobs.UNFOLD, now_ms, now_ms + LEASE_S * 1000, 3)
    assert claimed


def _is_done_in_time(stage: Stage) -> bool:
    give_up_at = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up_at:
        with stage.database.reading() as connection:
            waiting = jobs.waiting(connection)
        waiting.pop(jobs.CREW_LOOK, None)  # promised for later, whatever the clock
        if not sum(waiting.values()):
            return True
        time.sleep(0.1)
    return False
