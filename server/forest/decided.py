"""What persons decided about the cells of a tally sheet: no machine changes those."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from server.forest.said import as_said


class Held(Protocol):
    """A correction that holds."""

    @property
    def tag(self) -> str | None: ...
    @property
    def stem_id(self) -> str | None: ...
    @property
    def field(self) -> str: ...
    @property
    def old(self) -> str | None: ...
    @property
    def new(self) -> str | None: ...


class Decision(NamedTuple):
    """A cell that a person corrected: what she said, and against what."""

    value: str
    against: frozenset[str]

    def covers(self, value: str) -> bool:
        """Has she said this herself, or decided against it?"""
        return value == self.value or value in self.against


Decisions = dict[tuple[str | None, str | None, str], Decision]
"""By tag and stem as the crew wrote them, and field."""


def decisions(held: Iterable[Held]) -> Decisions:
    """Decisions from corrections by persons, in the order in which they were made."""
    found: Decisions = {}
    for row in held:
        cell = (row.tag, row.stem_id, row.field)
        before = found[cell].against if cell in found else frozenset()
        found[cell] = Decision(as_said(row.field, row.new), before | {as_said(row.field, row.old)})
    return found
