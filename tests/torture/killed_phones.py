"""Phones die too: each is a process that is killed at random moments and started again, on a line that breaks."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.journeys.drained import wait_until_drained
from tests.live import ROOT
from tests.outbox_phone.known import Known
from tests.outbox_phone.outbox import Outbox
from tests.torture.losses import Told, reckon
from tests.torture.outcome import Outcome
from tests.torture.proxy import FaultProxy
from tests.torture.stage import Stage

PLOTS_EACH = 6
SHORTEST_S, LONGEST_S = 0.2, 4.0
"""s that a phone lives before it is killed: Python alone needs one to start."""
PATIENCE_S = 120


def run(stage: Stage, phones: int, kills_each: int, seed: int = 1) -> Outcome:
    """So many phones with PLOTS_EACH plots, each killed so many times and then let be."""
    server = stage.start()
    told = Told()
    with FaultProxy(server.settings.port, seed) as line, ThreadPoolExecutor(phones) as pool:
        lives = [_Lives(stage, line.base_url, number) for number in range(phones)]
        list(pool.map(lambda life: life.live(kills_each, random.Random(f"{seed}/{life.number}")), lives))
    wait_until_drained(stage.database)
    for life in lives:
        for instance_id in life.saved:  # saved on a phone is a promise to the crew
            told.instance(instance_id)
        outbox = Outbox(life.folder)
        told.all_of(outbox)
        outbox.close()
    losses = reckon(stage.database, stage.blobs, told, drained=True)
    wrong = [word for life in lives for word in life.wrong]
    return Outcome(f"phones killed, {stage.engine}", f"{phones * kills_each} kills", losses, tuple(wrong))


class _Lives:
    """One phone, however often it is started."""

    def __init__(self, stage: Stage, server: str, number: int) -> None:
        self.number = number
        self.folder: Path = stage.folder / f"killed-{number}"
        self.saved: set[str] = set()
        self.wrong: list[str] = []
        first = number * PLOTS_EACH
        self._command = [
            sys.executable, "-m", "tests.outbox_phone", "--server", server, "--key", stage.cast.token_one,
            "--project", str(stage.cast.project), "--folder", str(self.folder),
            "--plots", f"{first}-{first + PLOTS_EACH - 1}", "--seed", str(number),
        ]  # fmt: skip

    def live(self, kills: int, dice: random.Random) -> None:
        for _ in range(kills):
            phone = subprocess.Popen(self._command, cwd=ROOT, stdout=subprocess.PIPE)
            time.sleep(dice.uniform(SHORTEST_S, LONGEST_S))
            phone.kill()
            self._hear(phone.communicate()[0])
        try:
            done = subprocess.run(
                self._command, cwd=ROOT, stdout=subprocess.PIPE, timeout=PATIENCE_S, check=False
            )
        except subprocess.TimeoutExpired:
            self.wrong.append(f"phone {self.number} never came to an end")
            return
        self._hear(done.stdout)
        if done.returncode:
            self.wrong.append(f"phone {self.number} ended with {done.returncode}")
        known = Known(self.folder)
        if not known.all("plot"):
            self.wrong.append(f"phone {self.number} knows no plot")
        known.close()

    def _hear(self, said: bytes) -> None:
        """A line that the kill cut off says nothing."""
        for line in said.decode().splitlines(keepends=True):
            if line.startswith('{"saved"') and line.endswith("\n"):
                self.saved.add(json.loads(line)["saved"])
