"""A list of species codes as people have it, for rule T11 and for the growth groups."""

from __future__ import annotations

from pathlib import Path

from server.cli.table_text import Sheet, TableUnreadable
from server.forest.species import SpeciesInfo
from server.validation.parameters import read_table


def read_species(path: Path) -> dict[str, SpeciesInfo]:
    """A species list: a column `species` (or sp, code, 树种), and `genus` or `latin`, `group` where known."""
    sheet = Sheet(path)
    code = next((name for name in ("species", "code") if name in sheet.columns), None)
    if code is None:
        raise TableUnreadable(f"{path}, row 1: no column species; there are {sheet.names}")
    groups = {row["genus"]: row["group"] for row in read_table("genera.csv")}
    found: dict[str, SpeciesInfo] = {}
    for row in sheet:
        genus = row.text("genus") or row.text("属") or row.text("latin").partition(" ")[0]
        if row.text(code):
            found[row.text(code)] = SpeciesInfo(
                row.text(code), genus, row.text("group") or groups.get(genus, "")
            )
    return found
