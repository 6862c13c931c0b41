"""Every module says what it is for, and SQL, HTTP and pictures each have one home."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.house.source import PACKAGES, ROOT, modules, named

OURS = [*modules(), *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "deploy").glob("*.py"))]


@pytest.mark.parametrize("path", OURS, ids=map(named, OURS))
def test_a_module_says_what_it_is_for(path: Path) -> None:
    said = ast.get_docstring(ast.parse(path.read_text()))
    assert said
    assert said.split("\n\n")[0].rstrip().endswith((".", ":", "?")), said


@cache
def imported(tree: ast.Module) -> set[str]:
    """Top-level packages that a module imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


HOMES = {
    "flask": ("server/api", "server/dashboard", "server/web", "server/app.py"),
    "alembic": ("server/store/migrations",),
    "sqlite3": ("server/store",),
    "psycopg": ("server/store",),
    "PIL": ("server/photos",),
    "exifread": ("server/photos",),
    "pi_heif": ("server/photos",),
    "shapely": ("server/forest", "server/demo"),
    "pyxform": ("forms",),
    "zstandard": ("server/web/encoding.py", "server/store/packed.py"),
    "gunicorn": ("server/cli/serve.py",),
    "polars": (
        "server/validation/sieve.py",
        "server/validation/sieve_slips.py",
        "server/validation/sieve_trees.py",
        "server/store/census_stream.py",
        "server/steps/whole_census.py",
    ),
    "adbc_driver_sqlite": ("server/store/census_stream.py",),
    "adbc_driver_postgresql": ("server/store/census_stream.py",),
}
"""Where a library may be imported: so that leaving it, or a fault in it, concerns one folder."""


@pytest.mark.parametrize(("library", "homes"), HOMES.items(), ids=HOMES)
def test_a_library_has_one_home(library: str, homes: tuple[str, ...]) -> None:
    strangers = [
        named(path)
        for path, tree in modules().items()
        if library in imported(tree) and not named(path).startswith(homes)
    ]
    assert not strangers


def test_nothing_but_the_packages_is_shipped() -> None:
    assert all((ROOT / package / "__init__.py").exists() for package in PACKAGES)
