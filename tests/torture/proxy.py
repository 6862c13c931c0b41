"""A line as bad as a mountain's, on loopback: it cuts, delays, repeats and loses, by the dice of a seed.

What happens to a connection depends on the seed and on its number alone, so that a run can be repeated. One connection
carries one request: the proxy says `Connection: close` to the server, whose answer then says so to the phone.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Self

HEAD_MOST_BYTES = 65_536
SHORT_S, LONG_S = 0.02, 0.25
"""s by which a request is late; long enough for others to overtake it."""

WHOLE, LATE, REPEATED, REPEATED_LATER, CUT_REQUEST, CUT_ANSWER, NO_ANSWER, NO_LINE = (
    "whole", "late", "repeated at once", "repeated later", "request cut", "answer cut", "answer lost", "no line",
)  # fmt: skip
FAULTS = (LATE, REPEATED, REPEATED_LATER, CUT_REQUEST, CUT_ANSWER, NO_ANSWER, NO_LINE)


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one connection. `share` (0 to 1) is how much of the request or answer passes a cut."""

    kind: str
    share: float = 1.0
    wait_s: float = 0.0


def fault_of(seed: int, number: int, share_of_faults: float = 0.5) -> Fault:
    """The fate of connection `number`: always the same for the same seed."""
    dice = random.Random(f"{seed}/{number}")
    kind = dice.choice(FAULTS) if dice.random() < share_of_faults else WHOLE
    return Fault(kind, dice.random(), dice.uniform(SHORT_S, LONG_S))


class FaultProxy:
    """Listens on a port of its own and passes to `port` of this machine what its faults let through."""

    def __init__(self, port: int, seed: int, share_of_faults: float = 0.5) -> None:
        self.target = port
        self.seed = seed
        self.share_of_faults = share_of_faults
        self.port = 0
        self.happened: Counter[str] = Counter()
        self._number = 0
        self._loop = asyncio.new_event_loop()
        self._open = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fault-proxy", daemon=True)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._open.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._loop.close()

    async def _listen(self) -> None:
        self._over = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = int(server.sockets[0].getsockname()[1])
        self._open.set()
        await self._over.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._number += 1
        fault = fault_of(self.seed, self._number, self.share_of_faults)
        self.happened[fault.kind] += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._carry(fault, reader, writer)
        writer.close()

    async def _carry(self, fault: Fault, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if fault.kind == NO_LINE:
            return
        request = await _request(reader)
        if fault.kind == LATE:
            await asyncio.sleep(fault.wait_s)
        if fault.kind == CUT_REQUEST:
            await self._pass_on(request[: int(len(request) * fault.share)])
            return
        if fault.kind == REPEATED:
            answer, _same = await asyncio.gather(self._pass_on(request), self._pass_on(request))
        else:
            answer = await self._pass_on(request)
        if fault.kind == REPEATED_LATER:
            self._begin(self._again(request, fault.wait_s * 4))
        if fault.kind != NO_ANSWER:
            await _write(
                writer, answer[: int(len(answer) * fault.share)] if fault.kind == CUT_ANSWER else answer
            )

    def _begin(self, coroutine: object) -> None:
        task = self._loop.create_task(coroutine)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _again(self, request: bytes, wait_s: float) -> None:
        """A copy that the network held back: it comes when the phone has long gone on."""
        await asyncio.sleep(wait_s)
        with contextlib.suppress(OSError):
            await self._pass_on(request)

    async def _pass_on(self, request: bytes) -> bytes:
        """The server's whole answer; of a request that is cut, whatever it says to the part."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.target)
        try:
            await _write(writer, request)
            writer.write_eof()
            return await reader.read(-1)
        finally:
            writer.close()


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?im)^content-length: *(\d+)", head)
    body = await reader.readexactly(int(length[1])) if length else b""
    lines = [line for line in head[:-4].split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body


async def _write(writer: asyncio.StreamWriter, content: bytes) -> None:
    writer.write(content)
    await writer.drain()
