"""What `make build` makes is whole: it runs without the working copy it was made from."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house.source import PACKAGES, ROOT, named, tracked

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built in an environment of its own as pip does it."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT], check=True, capture_output=True
    )
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="session")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def yangdi(unpacked: Path, *arguments: str, **environment: str) -> str:
    """Run a command of the unpacked wheel, with no working copy in reach."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "server", *arguments], cwd=unpacked.parent, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(unpacked)} | environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_tracked_file_of_the_packages_is_in_the_wheel(unpacked: Path) -> None:
    ours = {named(path) for path in tracked() if named(path).split("/")[0] in PACKAGES}
    assert ours - {str(path.relative_to(unpacked)) for path in unpacked.rglob("*")} == set()


def test_the_wheel_carries_no_tests_and_no_database(unpacked: Path) -> None:
    strangers = [
        path for path in unpacked.rglob("*") if path.suffix in {".db", ".lock"} or path.name == "tests"
    ]
    assert strangers == []


def test_a_wheel_makes_its_own_store(unpacked: Path, tmp_path: Path) -> None:
    assert "-> 0" in yangdi(unpacked, "migrate", YANGDI_DATA_DIR=str(tmp_path))


def test_a_wheel_brings_gunicorns_configuration(unpacked: Path) -> None:
    where = subprocess.run(
        [sys.executable, "-P", "-c", "from server.cli.serve import gunicorn_conf; print(gunicorn_conf())"],
        env=os.environ | {"PYTHONPATH": str(unpacked)}, cwd=unpacked.parent, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    assert Path(where) == unpacked / "server" / "gunicorn.conf.py"
    assert Path(where).read_bytes() == (ROOT / "deploy" / "gunicorn.conf.py").read_bytes()
