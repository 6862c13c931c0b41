"""Sends many instances from many phones at once, and keeps count of what the server says.

Each phone has a thread and a connection of its own. What is sent, and why, is the business of `run` and of
`yangdi simulate`.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Protocol

from server.demo.phone import RECEIVED, NotSent, Phone

Progress = Callable[[int, int], None]
"""Called with how many were sent and how many there are, from the thread that sent one."""


class Instance(Protocol):
    """Gives the bytes of an instance and of its files when it is its turn."""

    def xml(self) -> bytes: ...
    def files(self) -> Mapping[str, bytes]: ...


@dataclass(slots=True)
class Sending:
    """What came of sending many. `codes` count the last status of each instance, 0 where no answer came;
    `seconds` are those of each instance with all its requests; `messages` count what the server said."""

    codes: Counter[int] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    bytes_sent: int = 0
    wall_s: float = 0.0

    @property
    def sent(self) -> int:
        """Instances that the server took."""
        return sum(self.codes[code] for code in RECEIVED)

    @property
    def failed(self) -> int:
        """Instances that it did not take."""
        return sum(self.codes.values()) - self.sent

    def percentile_ms(self, share: float) -> float:
        """Milliseconds within which this share of the instances was done (nearest rank); 0 where none was."""
        ranked = sorted(self.seconds)
        return 1000 * ranked[max(0, math.ceil(share * len(ranked)) - 1)] if ranked else 0.0

    def summary(self) -> str:
        """Rate, percentiles and codes in three lines."""
        rate = self.sent / self.wall_s if self.wall_s else 0.0
        times = "  ".join(f"p{round(100 * q)} {self.percentile_ms(q):.1f} ms" for q in (0.5, 0.95, 0.99))
        codes = ", ".join(f"{code or 'no answer'}: {count}" for code, count in sorted(self.codes.items()))
        size = f"{self.bytes_sent / 1e6:.1f} MB"
        return f"{self.sent} instances in {self.wall_s:.2f} s: {rate:.1f}/s, {size}\n{times}\n{codes}"


def send_all(
    work: Mapping[str, Iterable[Instance]], *, connections_each: int = 1, progress: Progress | None = None
) -> Sending:
    """Send instances, by the address of the door (key included) that each is to go through.

    Each address has `connections_each` phones. An instance that is refused is counted and does not hold up
    the others; one that cannot be made stops everything with its own error.
    """
    queues = {address: _queue_of(instances) for address, instances in work.items()}
    tally = _Tally(sum(queue.qsize() for queue in queues.values()), progress)
    phones = [pair for pair in queues.items() for _ in range(connections_each)]
    started = time.perf_counter()
    with ThreadPoolExecutor(max_workers=max(1, len(phones))) as pool:
        for done in [pool.submit(_send_from, address, queue, tally) for address, queue in phones]:
            done.result()
    tally.sending.wall_s = time.perf_counter() - started
    return tally.sending


def _queue_of(instances: Iterable[Instance]) -> SimpleQueue[Instance]:
    queue: SimpleQueue[Instance] = SimpleQueue()
    for instance in instances:
        queue.put(instance)
    return queue


class _Tally:
    """Counts what several threads send."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.sending = Sending()
        self._total = total
        self._progress = progress
        self._lock = threading.Lock()

    def add(self, code: int, message: str, seconds: float, size_bytes: int) -> None:
        with self._lock:
            self.sending.codes[code] += 1
            self.sending.messages[message] += 1
            self.sending.seconds.append(seconds)
            self.sending.bytes_sent += size_bytes
            if self._progress is not None:
                self._progress(len(self.sending.seconds), self._total)


def _send_from(address: str, queue: SimpleQueue[Instance], tally: _Tally) -> None:
    with Phone(address) as phone:
        while True:
            try:
                instance = queue.get_nowait()
            except Empty:
                return
            _send_one(phone, instance.xml(), instance.files(), tally)


def _send_one(phone: Phone, xml: bytes, files: Mapping[str, bytes], tally: _Tally) -> None:
    size_bytes = len(xml) + sum(map(len, files.values()))
    started = time.perf_counter()
    try:
        receipt = phone.send(xml, files)
        tally.add(receipt.status, receipt.message, receipt.seconds, size_bytes)
    except NotSent as refused:
        tally.add(refused.status, refused.message, time.perf_counter() - started, size_bytes)
