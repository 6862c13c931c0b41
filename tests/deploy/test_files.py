"""The files of deploy/ are ones that their own programs accept, and they agree with each other."""

from __future__ import annotations

import configparser
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from server.settings import Settings
from tests.live import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")])
each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)


def needs(program: str) -> str:
    """Path of a program, beside Python or on the machine; the test is skipped, and says so, without it."""
    found = shutil.which(program, path=str(Path(sys.executable).parent)) or shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not on this machine")
    return found


def said_by(*command: object) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    return f"{done.returncode}: {done.stdout}{done.stderr}"


@each_unit
def test_systemd_takes_a_unit_as_it_is(unit: Path, tmp_path: Path) -> None:
    verify = needs("systemd-analyze")
    for other in UNITS:  # a timer looks for its service beside it
        text = other.read_text().replace("/opt/yangdi/.venv/bin/yangdi", sys.executable)
        (tmp_path / other.name).write_text(text)
    said = said_by(verify, "verify", "--man=no", tmp_path / unit.name)
    assert said.startswith("0:")
    assert unit.name not in said, said


@pytest.mark.parametrize("name", ["yangdi.service", "yangdi-worker.service"])
def test_a_unit_is_shut_in(name: str) -> None:
    said = said_by(needs("systemd-analyze"), "security", "--offline=true", DEPLOY / name)
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert exposure is not None, said
    assert float(exposure[1]) <= 2.0  # systemd itself calls anything under 2.0 "OK" at least


def test_systemd_waits_longer_than_gunicorn_and_the_worker_need() -> None:
    unit = configparser.ConfigParser(strict=False)
    unit.read(DEPLOY / "yangdi.service")
    graceful = re.search(
        r"^graceful_timeout = (\d+)", (DEPLOY / "gunicorn.conf.py").read_text(), re.MULTILINE
    )
    assert graceful is not None
    from server.cli.serve import STOP_S

    assert unit.getint("Service", "TimeoutStopSec") > int(graceful[1]) + STOP_S


def test_nginx_closes_idle_connections_before_gunicorn_does() -> None:
    nginx = re.search(r"keepalive_timeout (\d+)s", (DEPLOY / "nginx.conf").read_text())
    gunicorn = re.search(r"^keepalive = (\d+)", (DEPLOY / "gunicorn.conf.py").read_text(), re.MULTILINE)
    assert nginx is not None
    assert gunicorn is not None
    assert int(nginx[1]) < int(gunicorn[1])


def test_nginx_sends_to_where_the_app_listens() -> None:
    settings = Settings()
    assert f"server {settings.host}:{settings.port};" in (DEPLOY / "nginx.conf").read_text()


def test_hadolint_has_nothing_to_say_about_the_dockerfile() -> None:
    assert said_by(needs("hadolint"), DEPLOY / "Dockerfile") == "0: "


def test_compose_yaml_follows_the_compose_schema() -> None:
    check = needs("check-jsonschema")
    said = said_by(check, "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")
    assert said.startswith("0:"), said


def test_ci_can_be_run() -> None:
    run = ROOT / ".ci" / "run"
    assert run.stat().st_mode & stat.S_IXUSR
    assert said_by("bash", "-n", run) == "0: "
