"""The disk is full, read-only, or somebody else holds the store: nothing is lost, nobody is told a lie."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import psycopg
from sqlalchemy import select

from server.demo.phone import NotSent, Phone
from server.store import jobs, schema
from server.store.db import away
from server.worker import Worker
from tests.journeys.drained import due, wait_until_drained
from tests.torture.losses import Told, reckon
from tests.torture.outcome import Outcome
from tests.torture.plots import Plot, plot, sha256
from tests.torture.stage import Stage

DISK_MB = 16
BALLAST_BYTES = 9_000_000
"""Of the disk: once it is gone there is room for the log of a SQLite store at its longest (4 MB) twice over."""
PHOTO_BYTES = 300_000
SMALLER_BYTES = 10_000
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
    # what is left is filled with smaller ones: the disk ends in the middle of each piece of a photo once
    batch += [plot(plots + n, size) for n, size in enumerate(range(PHOTO_BYTES, 0, -SMALLER_BYTES))]
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


def full_for_hours(stage: Stage, looks: int = 12) -> Outcome:
    """The disk fills up behind a kept plot and stays so, while a worker tries `looks` times and more; then there is
    room again."""
    server, told, statuses = stage.start(embedded_worker=False), Told(), Counter[int]()
    send_each(stage, [plot(1, PHOTO_BYTES)], told, statuses)
    server.stop()
    with stage.database.engine.connect() as connection:
        if (
            stage.engine == "sqlite"
        ):  # its log begins anew: a job can be claimed, a thumbnail cannot be written
            connection.exec_driver_sql("PRAGMA wal_checkpoint(RESTART)")
    ballast = stage.settings.data_dir / "ballast"
    _fill(ballast)
    now_ms = time.time_ns() // 1_000_000
    worker = Worker(stage.database, stage.settings, lambda: now_ms)
    refused = 0
    for _ in range(looks):
        now_ms += jobs.LONGEST_AHEAD_MS
        try:
            worker.drain()
        except away():  # so full that not even that could be noted
            refused += 1
    ballast.unlink()
    with stage.database.reading() as connection:
        left = connection.execute(select(schema.job.c.kind, schema.job.c.attempts)).all()
    now_ms += jobs.LONGEST_AHEAD_MS
    worker.drain()
    wrong = [f"{n} times {status}" for status, n in statuses.items() if status != 201]
    wrong += [f"{kind} was held against it {tries} times" for kind, tries in left if tries > 1]
    wrong += [] if left else ["the disk never was full"]
    wrong += [f"not done: {kind}" for kind in due(stage.database)]
    losses = reckon(stage.database, stage.blobs, told, drained=True)
    return Outcome(
        f"disk full for hours, {stage.engine}", f"{looks} looks, {refused} refused", losses, tuple(wrong)
    )


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        for size in (100_000, 4096, 1):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)):
                    pass


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
