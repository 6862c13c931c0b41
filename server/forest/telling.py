"""What one instance says of a plot: its trees by tag, and the answers about the plot as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from forms.instance import Answers
from server.forest import answers as typed
from server.forest.answers import TreeRow
from server.forest.said import FIELDS, keys_of, said
from sync.merge import HEADER, Key

_NOT_COMPARED = frozenset({"visit.started_at", "visit.ended_at"})
"""Answers that a phone writes by itself each time an instance is opened."""
_NOT_COMPARED_OF_A_TREE = frozenset({"tag", "stem_id", "photo", *FIELDS})
"""Its name, what is compared in one spelling, and photos: those are kept with the instance that brought them."""


class Told(NamedTuple):
    """An instance as an account: `cells` are compared, `rows` are its trees as they are stored."""

    cells: dict[Key, dict[str, str]]
    rows: dict[Key, TreeRow]


def told(answers: Answers) -> Told:
    """The account of an instance. A tree's numbers are in one spelling, its other answers as typed."""
    rows = typed.trees(answers)
    keys = keys_of([row.measurement for row in rows])
    cells = {key: _cells(row, given) for key, row, given in zip(keys, rows, answers.trees, strict=True)}
    cells[HEADER] = _header(answers)
    return Told(cells, dict(zip(keys, rows, strict=True)))


def _cells(row: TreeRow, given: Mapping[str, str]) -> dict[str, str]:
    others = {
        name: text
        for name, text in given.items()
        if name not in _NOT_COMPARED_OF_A_TREE and not name.startswith("entity.")
    }
    return {**said(row.measurement), **others}


def _header(answers: Answers) -> dict[str, str]:
    found = {
        f"{group}.{name}": text for group in ("plot", "visit") for name, text in answers.one(group).items()
    }
    return {name: text for name, text in found.items() if name not in _NOT_COMPARED}
