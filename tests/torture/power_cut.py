"""The power fails: copies of the store's files at random moments of a load, opened as the machine would after it.

The server's processes stand still while db and log are copied, so that a copy is one moment of the disk. Two things
that only a real cut does are then done to it: a half-written frame behind the log's end, and pages torn in the
database while they still stand in the log (a checkpoint was at work). SQLite promises that neither matters.
PostgreSQL is not tried this way: its files cannot be copied one by one, and its crash recovery is its own.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import struct
import time
from pathlib import Path

from server.store.db import Database
from tests.live import LiveServer
from tests.torture.crash import BOTH_WAYS, Crews, children
from tests.torture.losses import Losses, Told, reckon
from tests.torture.outcome import Outcome
from tests.torture.stage import Stage

WAL_HEAD_BYTES, FRAME_HEAD_BYTES = 32, 24
"""As https://www.sqlite.org/fileformat2.html#walformat says."""


def run(stage: Stage, cuts: int, seed: int = 1, ways: tuple[str, ...] = BOTH_WAYS) -> Outcome:
    """So many cuts during a load; each copy must hold whatever was acknowledged before it."""
    dice = random.Random(seed)
    server = stage.start()
    crews = Crews(stage, server, ways)
    worst, wrong, torn_pages = Losses(), [], 0
    try:
        crews.await_more(5)
        for number in range(cuts):
            time.sleep(dice.uniform(0.05, 0.5))
            copy, told = _copy_of_a_moment(stage, server, crews, stage.folder / f"cut-{number}")
            torn_pages += _tear(copy, dice)
            database = Database(f"sqlite:///{copy}", pool_size=1)
            wrong += _faults(database)
            worst = worst | reckon(database, stage.blobs, told)
            database.close()
            shutil.rmtree(copy.parent)
    finally:
        crews.stop()
    if not torn_pages:
        wrong.append("no page could be torn: nothing was shown")
    return Outcome("power cut, sqlite", f"{cuts} cuts, {torn_pages} torn pages", worst, tuple(wrong))


def _copy_of_a_moment(stage: Stage, server: LiveServer, crews: Crews, folder: Path) -> tuple[Path, Told]:
    """The copy, and what had been acknowledged before it."""
    folder.mkdir()
    source = stage.settings.data_dir / "yangdi.db"
    everyone = [server.process.pid, *children(server.process.pid)]
    for pid in everyone:
        _signal(pid, signal.SIGSTOP)
    try:
        _await_standstill(everyone)
        told = crews.told.so_far()
        for name in (source.name, f"{source.name}-wal"):  # the index of the log is memory: no disk has it
            shutil.copyfile(source.with_name(name), folder / name)
    finally:
        for pid in everyone:
            _signal(pid, signal.SIGCONT)
    return folder / source.name, told


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _await_standstill(pids: list[int]) -> None:
    """A stopped process may still be in the middle of one write; it stands when the kernel says so."""
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            while (task / "stat").read_text().rpartition(")")[2].split()[0] not in {"T", "t", "Z"}:
                time.sleep(0.001)


def _tear(copy: Path, dice: random.Random) -> int:
    """Do to the copy what a cut may do to the disk; the number of pages that are torn now."""
    log = copy.with_name(f"{copy.name}-wal")
    content = log.read_bytes()
    page_bytes = struct.unpack(">I", content[8:12])[0] if len(content) >= WAL_HEAD_BYTES else 4096
    pages = _pages_in_log(content, page_bytes)
    with log.open("ab") as file:
        file.write(dice.randbytes(dice.randrange(1, FRAME_HEAD_BYTES + page_bytes)))
    torn = dice.sample(sorted(pages), len(pages) // 2)
    size = copy.stat().st_size
    with copy.open("r+b") as file:
        for page in torn:
            place = (page - 1) * page_bytes + page_bytes // 2
            if page > 1 and place < size:
                file.seek(place)
                file.write(dice.randbytes(page_bytes // 2))
    return len(torn)


def _pages_in_log(content: bytes, page_bytes: int) -> set[int]:
    """Pages that stand in the log, committed and of its present round: SQLite reads them there."""
    salts = content[16:24]
    found: set[int] = set()
    open_pages: set[int] = set()
    for start in range(
        WAL_HEAD_BYTES, len(content) - FRAME_HEAD_BYTES - page_bytes + 1, FRAME_HEAD_BYTES + page_bytes
    ):
        page, is_commit = struct.unpack(">II", content[start : start + 8])
        if content[start + 8 : start + 16] != salts:
            break
        open_pages.add(page)
        if is_commit:
            found |= open_pages
    return found


def _faults(database: Database) -> list[str]:
    try:
        with database.reading() as connection:
            said = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check")]
            said += [f"foreign key: {row}" for row in connection.exec_driver_sql("PRAGMA foreign_key_check")]
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [line for line in said if line != "ok"]
