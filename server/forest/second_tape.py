"""What a second tape means for a tree that somebody doubted. Pure: values in, a verdict out.

Two tapes within the tolerance say the same: the first value stands, because putting one reading in the place of
another of equal worth adds noise and no knowledge. A tape beyond the tolerance corrects. What a person decided after
the tree was sent back is not overridden: both values stay, and she is told.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from server.forest.answers import number
from server.forest.effective import NUMBERS, as_typed
from server.forest.tree import Measurement, tally_code

MEASURED_AGAIN = ("species", "tally_code", "dbh_cm", "height_m", "pom_m")
"""Fields that a crew is asked for again."""
OPEN, CORRECTED, CONFIRMED, GONE, CANCELLED = "open", "corrected", "confirmed", "gone", "cancelled"
"""What became of a tree that was sent back."""
Values = Mapping[str, str]  # field -> as typed; a field without a value is absent


def values_of(tree: Measurement) -> dict[str, str]:
    """What stands in the cells that are measured again, as a crew would type it."""
    return {name: text for name in MEASURED_AGAIN if (text := as_typed(tree, name)) is not None}


class Verdict(NamedTuple):
    """`changed`: fields that say something else now; `same`: fields that the tape confirmed; `clashing`: fields in
    which the tape contradicts a person."""

    state: str
    changed: dict[str, str]
    same: frozenset[str] = frozenset()
    clashing: frozenset[str] = frozenset()

    def flag_state(self, field: str | None) -> str:
        """What becomes of a flag at this cell. What was not measured again waits for a person as before."""
        if self.state == OPEN or field in self.clashing:
            return "sent_back"
        if field in self.changed:
            return "corrected"
        return "accepted" if field in self.same else "open"


NOT_YET = Verdict(OPEN, {})
NOT_FOUND = Verdict(GONE, {})


def judge(stands: Values, again: Values, tolerance_cm: float, held: Collection[str] = ()) -> Verdict:
    """A tree measured again. `stands`: the values that count now; `held`: fields that a person decided on after it
    was sent back; `tolerance_cm`: how far two honest tapes differ at this diameter."""
    measured = [name for name in MEASURED_AGAIN if again.get(name)]
    if not measured:
        return NOT_YET
    same = {name for name in measured if agrees(name, stands.get(name), again[name], tolerance_cm)}
    clashing = {name for name in measured if name in held} - same
    changed = {name: again[name] for name in measured if name not in same | clashing}
    state = CORRECTED if changed else CANCELLED if clashing else CONFIRMED
    return Verdict(state, changed, frozenset(same), frozenset(clashing))


def judge_edit(before: Values, now: Values | None) -> Verdict:
    """A tree of an instance that its crew has edited instead; None: it is no longer in the list."""
    if now is None:
        return NOT_FOUND
    changed = {
        name: now.get(name, "")
        for name in MEASURED_AGAIN
        if not agrees(name, before.get(name), now.get(name))
    }
    return Verdict(CORRECTED, changed) if changed else NOT_YET


def agrees(name: str, one: str | None, other: str | None, tolerance_cm: float = 0.0) -> bool:
    """Do two answers to one question say the same?"""
    if name in NUMBERS and one and other:
        first, second = number(one), number(other)
        if first is None or second is None:
            return one == other
        return abs(first - second) <= (tolerance_cm if name == "dbh_cm" else 0.0) + 1e-9
    if name == "tally_code" and one and other:
        return tally_code(one) == tally_code(other)
    return (one or "") == (other or "")
