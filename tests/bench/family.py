"""What a server and all its processes use: CPU time, memory. Linux only, read from /proc."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PERIOD_S = 0.25
"""s between two looks at the memory."""


class Cpu(NamedTuple):
    """Seconds of CPU since the start, of the processes that answer requests and of the worker."""

    web_s: float
    worker_s: float

    def since(self, before: Cpu) -> Cpu:
        return Cpu(self.web_s - before.web_s, self.worker_s - before.worker_s)


class Memory(NamedTuple):
    """MB of the whole family: RSS counts a shared page once for each process, PSS once."""

    rss_mb: float
    pss_mb: float


def machine_s() -> float:
    """Seconds of CPU that the whole machine has spent on anything (proc(5), first line of /proc/stat)."""
    user, nice, system, _idle, _iowait, *others = map(
        int, Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]
    )
    return (user + nice + system + sum(others)) / TICKS_PER_S


class Family:
    """A process and its descendants; `others` are processes that serve it without being its children (a database)."""

    def __init__(self, pid: int, others: tuple[int, ...] = ()) -> None:
        self._pid = pid
        self._others = others

    def cpu(self) -> Cpu:
        """CPU so far; a database counts with the requests."""
        web = worker = 0.0
        for pid in self._everyone():
            with contextlib.suppress(OSError):
                if _is_worker(pid):
                    worker += _cpu_s(pid)
                else:
                    web += _cpu_s(pid)
        return Cpu(web, worker)

    def all_s(self) -> float:
        """CPU of everyone, ourselves who measure included."""
        return sum(self.cpu()) + time.process_time()

    def memory(self) -> Memory:
        """Memory at this moment."""
        everyone = list(self._everyone())
        return Memory(sum(map(_rss_mb, everyone)), sum(map(_pss_mb, everyone)))

    @contextlib.contextmanager
    def watched(self) -> Iterator[list[Memory]]:
        """The peak of the memory while the block runs, as the only entry of a list, filled at its end."""
        peak, stop = [self.memory()], threading.Event()
        watcher = threading.Thread(target=self._watch, args=(peak, stop), daemon=True)
        watcher.start()
        try:
            yield peak
        finally:
            stop.set()
            watcher.join()

    def _watch(self, peak: list[Memory], stop: threading.Event) -> None:
        while not stop.wait(PERIOD_S):
            now = self.memory()
            peak[0] = Memory(max(peak[0].rss_mb, now.rss_mb), max(peak[0].pss_mb, now.pss_mb))

    def _everyone(self) -> Iterator[int]:
        for pid in (self._pid, *self._others):
            yield from _with_children(pid)


def _with_children(pid: int) -> Iterator[int]:
    yield pid
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield from _with_children(int(child))


def _is_worker(pid: int) -> bool:
    return b"\0work\0" in Path(f"/proc/{pid}/cmdline").read_bytes()


def _cpu_s(pid: int) -> float:
    """User and system time of a process and of those of its children that are gone (proc(5), fields 14 to 17)."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, after_name[11:15])) / TICKS_PER_S


def _rss_mb(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES / 1e6
    except OSError:
        return 0.0


def _pss_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024 / 1e6
