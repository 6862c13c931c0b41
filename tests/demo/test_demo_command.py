"""`yangdi demo` on an empty machine: what a visitor sees first is all there, and there again the second time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from server.store import bands, crew_report, draws, reports
from server.store.db import Database
from server.store.schema import flag, submission, visit
from tests.live import free_port

pytestmark = pytest.mark.slow  # two censuses and their audits through a real server
LONGEST_S = 200.0


def demo(folder: Path) -> str:
    """What the command says when it has made the county and stopped again."""
    env = {**os.environ, "YANGDI_DATA_DIR": str(folder), "YANGDI_PORT": str(free_port())}
    command = [sys.executable, "-m", "server", "demo", "--plots", "12", "--no-serve"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_visitor_finds_a_county_with_audited_plots(tmp_path: Path) -> None:
    first = demo(tmp_path)
    assert "All of it is checked" in first
    second = demo(tmp_path)
    assert "Crews send" not in second
    told = json.loads((tmp_path / "demo.json").read_text(encoding="utf-8"))
    assert all(login["password"] in second for login in told["logins"])
    database = Database(f"sqlite:///{tmp_path / 'yangdi.db'}")
    with database.reading() as reader:
        number = told["project_id"]
        newest = reports.censuses(reader, number)[0]["id"]
        drawn = draws.plots_of(draws.of_census(reader, number, newest))
        audits = crew_report.audits(reader, number, newest)
        sent = reader.scalar(select(func.count()).select_from(submission))
        states = set(reader.scalars(select(flag.c.state).distinct()))
        approved = reader.scalar(select(func.count()).where(visit.c.review_state == "approved"))
        fitted = bands.current(reader, number)
    database.close()
    assert len(drawn) == 4  # one of each crew's three
    assert {row["plot"] for row in audits} == set(drawn)
    assert all(row["verdict"] for row in audits)
    assert {"open", "accepted"} <= states
    assert (
        approved >= 6
    )  # two crews' first census and one crew's second are nine visits, some with open errors
    assert fitted is not None
    assert sent == 12 + 12 + 1 + 4
