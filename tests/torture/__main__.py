"""`make torture`: everything at length, with seeds that stay the same, and one table at the end."""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator

from tests.torture import clock, crash, disk, garbage, killed_phones, line, power_cut
from tests.torture.outcome import Outcome, table
from tests.torture.stage import ENGINES, NoSmallDisk, Stage, raised

Work = Callable[[Stage], Outcome | list[Outcome]]


def works(scale: float, seed: int, engine: str) -> Iterator[tuple[str, Work, int | None]]:
    """Every torture of an engine: its name, what it does, and the size of its disk in MB where that is small."""

    def many(number: int) -> int:
        return max(1, round(number * scale))

    yield "kill -9", lambda stage: crash.run(stage, many(200), seed), None
    yield "phones killed", lambda stage: killed_phones.run(stage, 4, many(10), seed), None
    yield "bad line", lambda stage: line.run(stage, many(1000), 20, seed), None
    if engine == "sqlite":
        yield "power cut", lambda stage: power_cut.run(stage, many(60), seed), None
    yield "disk full", disk.full, disk.DISK_MB
    yield "disk full for hours", disk.full_for_hours, disk.DISK_MB
    yield "photos read-only", disk.read_only, None
    yield "store locked", lambda stage: disk.locked(stage, many(5)), None
    yield "clock set", clock.run, None
    yield "garbage", lambda stage: garbage.run(stage, many(1000), seed), None
    yield "outbox files", lambda stage: garbage.run_outbox_files(stage, many(1000), seed), None


def main() -> int:
    """Exit status 0: every torture was done and nothing was lost, doubled or wrong."""
    asked = _arguments()
    outcomes: list[Outcome] = []
    for engine in asked.engine or ENGINES:
        for name, work, disk_mb in works(asked.scale, asked.seed, engine):
            if not asked.only or any(word in name for word in asked.only):
                outcomes += _done(f"{name}, {engine}", engine, work, disk_mb)
    print(f"\nseed {asked.seed}, scale {asked.scale:g}\n{table(outcomes)}")
    for outcome in outcomes:
        for word in outcome.wrong:
            print(f"\n{outcome.what}: {word}")
        if outcome.losses:
            print(f"\n{outcome.what}: {outcome.losses}")
    return 0 if all(outcome.is_right for outcome in outcomes) else 1


def _done(name: str, engine: str, work: Work, disk_mb: int | None) -> list[Outcome]:
    started = time.monotonic()
    print(f"{name} ... ", end="", flush=True)
    try:
        if work is disk.read_only and os.getuid() != 0:
            raise NoSmallDisk("only root may make a disk read-only")
        with raised(engine, disk_mb=disk_mb) as stage:
            found = work(stage)
        outcomes = found if isinstance(found, list) else [found]
    except NoSmallDisk as error:
        outcomes = [Outcome(name, "-", skipped=str(error))]
    except Exception:  # one that breaks off is a line of the table too
        outcomes = [Outcome(name, "-", wrong=(traceback.format_exc(),))]
    print(
        f"{'pass' if all(one.is_right for one in outcomes) else 'FAIL'}, {time.monotonic() - started:.0f} s",
        flush=True,
    )
    return outcomes


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("only", nargs="*", help="words in the names of the tortures to do; none: all")
    parser.add_argument("--engine", action="append", choices=ENGINES, help="none: both")
    parser.add_argument("--scale", type=float, default=1.0, help="0.1: a tenth of it")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
