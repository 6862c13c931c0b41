"""kill -9 of web processes, the worker and the master at random moments, while phones push, post and upload."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from server.demo.phone import NotSent, Phone
from tests.journeys.drained import wait_until_drained
from tests.live import LiveServer
from tests.outbox_phone.line import NoLine, Refused
from tests.outbox_phone.phone import OutboxPhone
from tests.torture.losses import Losses, Told, reckon
from tests.torture.outcome import Outcome
from tests.torture.plots import plot, sha256
from tests.torture.stage import Stage

OPENROSA, OURS = "openrosa", "ours"
BOTH_WAYS = (OPENROSA, OURS, OPENROSA, OURS)
"""What each phone speaks."""
WEB, WORKER, EVERYONE = "a web process", "the worker", "everyone"
SHORTEST_S, LONGEST_S = 0.02, 0.6
"""s between two kills."""
PLOTS_AT_ONCE = 5
"""Plots that a phone of ours saves before it sends."""


class Crews:
    """Phones that send one plot after the other until told to stop; half speak OpenRosa, half our own wire."""

    def __init__(self, stage: Stage, server: LiveServer, ways: Sequence[str] = BOTH_WAYS) -> None:
        self.told = Told()
        self.saved: set[str] = set()
        self._stage, self._base_url = stage, server.base_url
        self._lock = threading.Lock()
        self._next_plot = 0
        self._stop = threading.Event()
        self._errors: list[BaseException] = []
        works = {OPENROSA: self._openrosa, OURS: self._ours}
        self._threads = [
            threading.Thread(target=self._guarded, args=(works[way], number))
            for number, way in enumerate(ways)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let every phone end what it has in hand. Raises what went wrong in one of them."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]

    def await_more(self, plots: int) -> None:
        """Return once so many more plots are acknowledged."""
        wanted = len(self.told.instances) + plots
        give_up_at = time.monotonic() + 60
        while len(self.told.instances) < wanted:
            if self._errors or time.monotonic() > give_up_at:
                raise AssertionError(f"{len(self.told.instances)} of {wanted}: {self._errors}")
            time.sleep(0.01)

    def _guarded(self, work: object, number: int) -> None:
        try:
            work(number)  # type: ignore[operator]
        except BaseException as error:
            self._errors.append(error)

    def _take_plots(self, many: int) -> range:
        with self._lock:
            first = self._next_plot
            self._next_plot += many
        return range(first, first + many)

    def _openrosa(self, _number: int) -> None:
        with Phone(self._stage.key_address, pause=lambda _s: time.sleep(0.05)) as phone:
            while not self._stop.is_set():
                (number,) = self._take_plots(1)
                self._post_until_safe(phone, number)

    def _post_until_safe(self, phone: Phone, number: int) -> None:
        one = plot(number)
        self.saved.add(one.instance_id)
        while True:
            try:
                receipt = phone.send(one.xml, one.photos)
            except NotSent as error:
                if error.status not in {0, 503}:
                    raise
                time.sleep(0.05)
                continue
            assert receipt.status == 201, receipt
            self.told.instance(one.instance_id)
            for name, content in one.photos.items():
                self.told.photo(one.instance_id, name, sha256(content))
            return

    def _ours(self, number: int) -> None:
        """A phone that is itself taken up anew from its disk for each batch."""
        folder = self._stage.folder / f"phone-{number}"
        while not self._stop.is_set():
            with OutboxPhone(self._base_url, self._stage.cast.token_one, self._stage.cast.project, folder,
                             seed=number) as phone:  # fmt: skip
                for saved in self._take_plots(PLOTS_AT_ONCE):
                    one = plot(saved)
                    phone.save("plot_visit", one.instance_id, one.xml, one.photos)
                    self.saved.add(one.instance_id)
                while phone.outbox.pending_count() or phone.outbox.photos_waiting():
                    try:
                        phone.send()
                    except NoLine:
                        pass
                    except Refused as refused:
                        if refused.status not in {503, 507}:
                            raise
                    self.told.all_of(phone.outbox)


def children(pid: int) -> dict[int, bytes]:
    """Processes that a process started, with their command lines; none once it is gone."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in listed}
    except OSError:
        return {}


def kill(stage: Stage, server: LiveServer, whom: str, dice: random.Random) -> LiveServer:
    """SIGKILL; of everyone: started again. The server that runs then."""
    if whom == EVERYONE:
        stage.kill_everyone(server)
        return stage.start()
    found = [
        pid for pid, said in children(server.process.pid).items() if (b"\0work\0" in said) == (whom == WORKER)
    ]
    if found:  # else it is just being started again
        os.kill(dice.choice(found), signal.SIGKILL)
    return server


def run(stage: Stage, kills: int, seed: int = 1, ways: Sequence[str] = BOTH_WAYS) -> Outcome:
    """So many kills, one in ten of everyone at once; then nothing may be missing, doubled or half done."""
    dice = random.Random(seed)
    server = stage.start()
    crews = Crews(stage, server, ways)
    worst = Losses()
    try:
        crews.await_more(5)
        for number in range(kills):
            time.sleep(dice.uniform(SHORTEST_S, LONGEST_S))
            whom = EVERYONE if number % 10 == 9 else dice.choice((WEB, WORKER))
            server = kill(stage, server, whom, dice)
            if whom == EVERYONE:
                worst = worst | reckon(stage.database, stage.blobs, crews.told)
        crews.await_more(5)
    finally:
        crews.stop()
    wait_until_drained(stage.database)
    worst = worst | reckon(stage.database, stage.blobs, crews.told, drained=True)
    assert crews.told.instances == crews.saved
    return Outcome(f"kill -9, {stage.engine}", f"{kills} kills, {len(crews.saved)} plots", worst)
