"""The disk is full, read-only, or somebody else holds the store: nothing is lost, nobody is told a lie."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter

import psycopg

from server.demo.phone import NotSent, Phone
from tests.journeys.drained import wait_until_drained
from tests.torture.losses import Told, reckon
from tests.torture.outcome import Outcome
from tests.torture.plots import Plot, plot, sha256
from tests.torture.stage import Stage

DISK_MB = 12
BALLAST_BYTES = 5_000_000
PHOTO_BYTES = 300_000
LATER_OK = frozenset({0, 503, 507})
"""Answers that promise nothing and say: later."""
LOCK_S = 2.0


def full(stage: Stage, plots: int = 40) -> Outcome:
    """Send until the disk (of DISK_MB) is full and beyond, make room, send the rest."""
    ballast = stage.settings.data_dir / "ballast"
    ballast.write_bytes(bytes(BALLAST_BYTES))
    stage.start()
    told, statuses = Told(), Counter[int]()
    batch = [plot(number, PHOTO_BYTES) for number in range(plots)]
    send_each(stage, batch, told, statuses)
    worst = reckon(stage.database, stage.blobs, told)
    wrong = _lies(statuses) + ([] if statuses[507] else ["the disk never was full"])
    ballast.unlink()
    again = Counter[int]()
    send_each(stage, [one for one in batch if one.instance_id not in told.instances][:6], told, again)
    wrong += [f"{status} with room again" for status in again if status != 201]
    wait_until_drained(stage.database)
    worst = worst | reckon(stage.database, stage.blobs, told, drained=True)
    return Outcome(
        f"disk full, {stage.engine}",
        f"{statuses[507]} refusals, {len(told.instances)} plots",
        worst,
        tuple(wrong),
    )


def read_only(stage: Stage) -> Outcome:
    """The photo folder's disk turns read-only, as Linux does after a fault, and is mended."""
    folder = stage.settings.photo_dir
    folder.mkdir(exist_ok=True)
    _mount("-t", "tmpfs", "tmpfs", str(folder))
    try:
        stage.start()
        told, statuses, again = Told(), Counter[int](), Counter[int]()
        send_each(stage, [plot(1, PHOTO_BYTES)], told, again)
        _mount("-o", "remount,ro", str(folder))
        held = [plot(number, PHOTO_BYTES) for number in range(2, 8)]
        send_each(stage, held, told, statuses)
        _mount("-o", "remount,rw", str(folder))
        send_each(stage, held, told, again)
        wait_until_drained(stage.database)
        wrong = [f"{n} times {status} while read-only" for status, n in statuses.items() if status != 507]
        wrong += [f"{status} on a sound disk" for status in again if status != 201]
        losses = reckon(stage.database, stage.blobs, told, drained=True)
        stage.end()
        return Outcome(
            f"photos read-only, {stage.engine}", f"{sum(statuses.values())} refusals", losses, tuple(wrong)
        )
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def locked(stage: Stage, times: int = 3) -> Outcome:
    """Another process holds the store for LOCK_S, several times, while phones send."""
    stage.start()
    told, statuses = Told(), Counter[int]()
    for number in range(times):
        holder = threading.Thread(target=_hold, args=(stage,))
        holder.start()
        time.sleep(0.5)
        send_each(stage, [plot(number * 10 + k) for k in range(10)], told, statuses)
        holder.join()
    wait_until_drained(stage.database)
    losses = reckon(stage.database, stage.blobs, told, drained=True)
    wrong = _lies(statuses) + ([] if statuses[201] else ["nothing was taken"])
    return Outcome(f"store locked, {stage.engine}", f"{times} times {LOCK_S:.0f} s", losses, tuple(wrong))


def _hold(stage: Stage) -> None:
    """From another process on SQLite, from another session on PostgreSQL."""
    if stage.engine == "sqlite":
        code = (
            "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
            f"c.execute('PRAGMA busy_timeout = 10000'); c.execute('BEGIN EXCLUSIVE'); time.sleep({LOCK_S})"
        )
        subprocess.run([sys.executable, "-c", code, str(stage.settings.data_dir / "yangdi.db")], check=True)
        return
    with psycopg.connect(stage.settings.database_url) as connection:
        connection.execute("LOCK TABLE submission IN ACCESS EXCLUSIVE MODE")
        time.sleep(LOCK_S)


def send_each(stage: Stage, batch: list[Plot], told: Told, statuses: Counter[int]) -> None:
    """Each plot once, without patience; what a phone hears is counted and what it is promised is noted."""
    with Phone(stage.key_address, pause=lambda _s: None) as phone:
        for one in batch:
            try:
                status = phone.send(one.xml, one.photos).status
            except NotSent as refused:
                statuses[refused.status] += 1
                continue
            statuses[status] += 1
            told.instance(one.instance_id)
            for name, content in one.photos.items():
                told.photo(one.instance_id, name, sha256(content))


def _lies(statuses: Counter[int]) -> list[str]:
    return [f"{n} times {status}" for status, n in statuses.items() if status not in {*LATER_OK, 201}]


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, capture_output=True)
