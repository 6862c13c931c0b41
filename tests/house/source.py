"""What the tests of the house read: tracked files and syntax trees of our own modules."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("server", "sync", "forms")


@cache
def tracked() -> list[Path]:
    """Every file under version control that is there; of a source archive, every file."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        return [path for path in ROOT.rglob("*") if path.is_file() and ".venv" not in path.parts]
    names = listed.stdout.decode().rstrip("\0").split("\0")
    return [ROOT / name for name in names if (ROOT / name).is_file()]


@cache
def modules() -> dict[Path, ast.Module]:
    """Every Python file of the packages, parsed; migrations included."""
    return {
        path: ast.parse(path.read_text(), filename=str(path))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def named(path: Path) -> str:
    """A path as people say it."""
    return str(path.relative_to(ROOT))
