"""`yangdi serve`: it answers, it keeps its worker alive, it stops in order, and it is small."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from server.settings import Settings
from tests.live import ROOT, LiveServer, environment

StartServer = Callable[..., LiveServer]
pytestmark = [pytest.mark.slow, pytest.mark.parametrize("engine", ["sqlite"])]

IDLE_MB = 220
"""MB of memory that everything together may take when nothing happens: a county's machine has little."""


def family(pid: int) -> dict[int, str]:
    """Command lines of a process and of all that it started."""
    found = {pid: Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found |= family(int(child))
    return found


def memory_mb(pid: int) -> float:
    """Proportional share in MB: pages that several processes share count once."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def worker_of(server: LiveServer) -> int:
    """The process number of its worker, once there is one."""
    give_up_at = time.monotonic() + 10
    while time.monotonic() < give_up_at:
        for pid, command in family(server.process.pid).items():
            if " work --parent" in command:
                return pid
        time.sleep(0.05)
    raise AssertionError(f"no worker: {family(server.process.pid)}")


def is_gone(pid: int, within_s: float = 10) -> bool:
    give_up_at = time.monotonic() + within_s
    while time.monotonic() < give_up_at:
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.05)
    return False


def test_it_says_that_it_is_well(live_server: LiveServer) -> None:
    with urllib.request.urlopen(f"{live_server.base_url}/healthz") as answer:
        assert answer.status == 200


def test_idle_it_takes_little_memory(start_server: StartServer) -> None:
    server = start_server(web_processes=2)
    urllib.request.urlopen(f"{server.base_url}/healthz").close()
    worker_of(server)
    time.sleep(2)  # everybody has imported what she imports
    everybody = {command: round(memory_mb(pid), 1) for pid, command in family(server.process.pid).items()}
    assert sum(everybody.values()) < IDLE_MB, everybody


def test_the_master_imports_neither_the_app_nor_the_store(live_server: LiveServer) -> None:
    maps = Path(f"/proc/{live_server.process.pid}/maps").read_text()
    assert "lxml" not in maps
    assert "sqlalchemy" not in maps


def test_beside_sqlite_nobody_loads_the_driver_of_postgresql(live_server: LiveServer) -> None:
    urllib.request.urlopen(f"{live_server.base_url}/healthz").close()
    worker_of(live_server)
    maps = [Path(f"/proc/{pid}/maps").read_text() for pid in family(live_server.process.pid)]
    assert any("sqlite3" in each for each in maps)
    assert not any("psycopg" in each for each in maps)


def test_a_worker_that_dies_is_started_again(live_server: LiveServer) -> None:
    first = worker_of(live_server)
    os.kill(first, signal.SIGKILL)
    assert is_gone(first)
    assert worker_of(live_server) != first


def test_without_an_embedded_worker_there_is_none(start_server: StartServer) -> None:
    server = start_server(embedded_worker=False)
    time.sleep(1.5)  # the master looks about once a second
    assert not any(" work --parent" in command for command in family(server.process.pid).values())


def test_sigterm_ends_the_whole_family(live_server: LiveServer) -> None:
    worker_of(live_server)
    everybody = list(family(live_server.process.pid))
    assert live_server.stop() == 0
    assert all(is_gone(pid) for pid in everybody)


def test_a_killed_master_takes_its_worker_along(live_server: LiveServer) -> None:
    worker = worker_of(live_server)
    live_server.process.kill()
    live_server.process.wait()
    assert is_gone(worker)


def test_a_first_start_makes_the_store(settings: Settings, tmp_path: Path) -> None:
    fresh = replace(settings, data_dir=tmp_path / "fresh", database_url="")
    server = LiveServer(fresh, tmp_path / "log").await_answer()
    try:
        with urllib.request.urlopen(f"{server.base_url}/healthz") as answer:
            assert answer.status == 200
    finally:
        server.stop()


def test_a_store_of_another_version_is_not_served(settings: Settings, tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(settings.data_dir / "yangdi.db") as store:
        store.execute("UPDATE alembic_version SET version_num = '0000'")
    store.close()
    done = subprocess.run(
        [sys.executable, "-m", "server", "serve"], env=os.environ | environment(settings), cwd=ROOT,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "yangdi migrate" in done.stderr
    assert "Traceback" not in done.stderr
