"""A project as one SQLite file for analysis: opens in Datasette, QGIS, R and pandas as it is.

Tables are joined by foreign keys, columns bear the names of the forms' measures, units stand in the names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import sqlite_utils

TABLES: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "plots": ("id", ()),
    "visits": ("id", (("plot", "plots"),)),
    "measurements": ("id", (("visit", "visits"),)),
    "corrections": ("id", (("visit", "visits"),)),
    "flags": ("id", (("visit", "visits"),)),
    "stories": ("id", (("flag", "flags"),)),
    "decisions": ("id", (("visit", "visits"), ("flag", "flags"))),
    "datums": ("id", (("visit", "visits"),)),
    "crew_flags": ("id", ()),
    "crew_decisions": ("id", (("crew_flag", "crew_flags"),)),
    "audits": ("id", (("visit", "visits"),)),
    "draws": ("id", (("plot", "plots"),)),
}
"""Table -> its key and the tables that its columns point at."""


def write(path: Path, rows: Mapping[str, Iterable[dict[str, Any]]]) -> dict[str, int]:
    """Write the tables of TABLES to a new file and return how many rows each has. Rows are streamed.

    Raises FileExistsError where there is a file: nothing is overwritten.
    """
    if path.exists():
        raise FileExistsError(path)
    database = sqlite_utils.Database(path)
    try:
        for name, (key, pointers) in TABLES.items():
            known = [(column, other, "id") for column, other in pointers if database[other].exists()]
            database.table(name).insert_all(rows[name], pk=key, foreign_keys=known, batch_size=1000)
        database.index_foreign_keys()
        return {name: database.table(name).count if database[name].exists() else 0 for name in TABLES}
    finally:
        database.close()
