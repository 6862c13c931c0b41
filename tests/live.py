"""A real server for journeys: gunicorn with the configuration that `yangdi serve` uses, on a free port.

For tests that need sockets, processes or signals; everything else goes through Flask's client.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from server.settings import Settings

ROOT = Path(__file__).parent.parent
START_S = 60
"""s in which a server must answer; about 2 on two idle cores."""
STOP_S = 20
"""s in which it must be gone after SIGTERM, work in hand included."""


class LiveServer:
    """One running `yangdi serve`. Ends with its whole family of processes at `stop`."""

    def __init__(self, settings: Settings, log: Path, env: Mapping[str, str] | None = None) -> None:
        self.settings = settings
        self.log = log
        self.base_url = f"http://{settings.host}:{settings.port}"
        with log.open("wb") as sink:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "server", "serve"],
                env=os.environ | environment(settings) | (env or {}), cwd=ROOT, stdout=sink, stderr=sink,
                start_new_session=True,
            )  # fmt: skip

    def await_answer(self) -> LiveServer:
        """Return once it says that it is well; raise with its log when it does not."""
        give_up_at = time.monotonic() + START_S
        while time.monotonic() < give_up_at and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.base_url}/healthz", timeout=5).close()
                return self
            except urllib.error.HTTPError as answer:
                answer.close()  # it listens, but its store is not ready yet
                time.sleep(0.05)
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"the server did not come up:\n{self.log.read_text(errors='replace')}")

    def stop(self) -> int:
        """SIGTERM, then wait; SIGKILL to the whole group when that is not enough. Returns the exit status."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            return self.process.wait()


def free_port() -> int:
    """A TCP port that nobody listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def environment(settings: Settings) -> dict[str, str]:
    """The YANGDI_* variables that give a process these settings."""
    return {f"YANGDI_{knob.name.upper()}": str(getattr(settings, knob.name)) for knob in fields(settings)}
