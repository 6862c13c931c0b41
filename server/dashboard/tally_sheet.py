"""The trees of one visit beside the visit before: the rows of the plot page, as values.

Pure: it is handed rows of the store and gives rows for the template. What is suspicious has been said by the rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.forest.tree import TallyCode

CELLS = ("tag", "species", "dbh_cm", "tally_code", "height_m", "place")
"""Cells of a row that a flag can be shown at."""
_CELL_OF = {"stem_id": "tag", "x_m": "place", "y_m": "place", "azimuth_deg": "place", "distance_m": "place",
            "pom_m": "dbh_cm"}  # fmt: skip

_ALIVE = frozenset(int(code) for code in TallyCode if code.is_alive)


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One line of the table. `now` None: the tree was there last time and is not in this visit's list."""

    now: Mapping[str, Any] | None
    before: Mapping[str, Any] | None
    flags: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    @property
    def tree(self) -> Mapping[str, Any]:
        """Whichever of the two there is."""
        found = self.now if self.now is not None else self.before
        assert found is not None
        return found

    @property
    def growth_cm(self) -> float | None:
        """New minus previous diameter in cm; None where either is missing."""
        if self.now is None or self.before is None:
            return None
        new, old = self.now["dbh_cm"], self.before["dbh_cm"]
        return None if new is None or old is None else round(new - old, 2)

    @property
    def lives(self) -> bool:
        """Was it found standing and living in this visit?"""
        return self.now is not None and self.now["tally_code"] in _ALIVE

    @property
    def worst(self) -> str:
        """The gravest severity of the row's open flags; "" where there is none."""
        found = {
            flag["severity"] for flags in self.flags.values() for flag in flags if flag["state"] == "open"
        }
        return next((severity for severity in ("error", "warn", "info") if severity in found), "")

    @property
    def label(self) -> str:
        """The tag, with the stem where a tree has several."""
        stem = self.tree["stem_id"]
        return f"{self.tree['tag']}" if stem in {"", "1"} else f"{self.tree['tag']}-{stem}"


@dataclass(frozen=True, slots=True)
class TallySheet:
    """A visit's trees: those measured, in the crew's order, then those of last time that are not in the list."""

    rows: tuple[TreeRow, ...]
    of_visit: tuple[Mapping[str, Any], ...]  # flags of the visit as a whole

    @property
    def measured(self) -> int:
        return sum(row.now is not None for row in self.rows)


def tally_sheet(now: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]],
                flags: Sequence[Mapping[str, Any]]) -> TallySheet:  # fmt: skip
    """Pair the trees of two visits by tag and stem and hang each flag on its cell.

    Of a duplicate tag the first measurement is paired; a flag without a measurement goes to the tree it names, or
    else to the visit.
    """
    left = {_key(tree): tree for tree in reversed(before)}
    by_ordinal, by_key, of_visit = _hang(flags)
    rows = [TreeRow(tree, left.pop(_key(tree), None), by_ordinal.get(tree["ordinal"], {})) for tree in now]
    measured = {_key(tree) for tree in now}
    rows += [TreeRow(None, tree, by_key.pop(_key(tree), {})) for tree in before if _key(tree) in left]
    for key in by_key.keys() - {_key(tree) for tree in before if _key(tree) not in measured}:
        of_visit += [flag for flags_of_cell in by_key[key].values() for flag in flags_of_cell]
    return TallySheet(tuple(rows), tuple(of_visit))


Hung = dict[str, list[Mapping[str, Any]]]


def _hang(flags: Sequence[Mapping[str, Any]]
          ) -> tuple[dict[int, Hung], dict[tuple[str, str], Hung], list[Mapping[str, Any]]]:  # fmt: skip
    by_ordinal: dict[int, Hung] = {}
    by_key: dict[tuple[str, str], Hung] = {}
    of_visit = []
    for flag in flags:
        cell = _CELL_OF.get(flag["field"] or "", flag["field"] or "tag")
        cell = cell if cell in CELLS else "tag"
        if flag["ordinal"] is not None:
            by_ordinal.setdefault(flag["ordinal"], {}).setdefault(cell, []).append(flag)
        elif flag["tag"]:
            by_key.setdefault((flag["tag"], flag["stem_id"] or "1"), {}).setdefault(cell, []).append(flag)
        else:
            of_visit.append(flag)
    return by_ordinal, by_key, of_visit


def _key(tree: Mapping[str, Any]) -> tuple[str, str]:
    return tree["tag"], tree["stem_id"]
