"""What counts of a measurement: what the tape said, as far as nobody has corrected it.

The measurement stays as it came. A correction says what stood there, what should, and who says so; laid over the
measurement it gives the value that rules, lists for phones and tonnes are made from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from server.forest.answers import number
from server.forest.tree import Measurement, tally_code

NUMBERS = ("dbh_cm", "height_m", "pom_m")
CORRECTED = ("tag", "stem_id", "species", "tally_code", *NUMBERS)
"""Fields of a measurement that a person can correct."""
Cell = tuple[str, str]  # tag and stem, as the crew wrote them


class Correction(NamedTuple):
    """One cell that says something else now. `new` as a crew would type it, None: blank. `ordinal` tells trees that
    share a tag apart. `confirmed`: the tree was measured again for this."""

    tag: str
    stem_id: str
    ordinal: int | None
    field: str
    old: str | None
    new: str | None
    confirmed: bool = False


def as_typed(tree: Measurement, field: str) -> str | None:
    """What stands in one of CORRECTED, as a crew would type it; None: blank."""
    if field == "dbh_cm" and tree.dbh_text:
        return tree.dbh_text
    value = getattr(tree, field)
    if value is None or value == "":
        return None
    return f"{value:g}" if isinstance(value, float) else str(value)


def place_of(trees: Sequence[Measurement], cell: Cell, ordinal: int | None = None) -> int | None:
    """Index of the tree with this tag and stem; of several the one with that ordinal, else the first."""
    found = [index for index, tree in enumerate(trees) if tree.key == cell]
    meant = next((index for index in found if trees[index].ordinal == ordinal), None)
    return meant if meant is not None else next(iter(found), None)


def effective(trees: Sequence[Measurement], corrections: Sequence[Correction]) -> list[Measurement]:
    """The trees with every correction laid over them, the later over the earlier."""
    if not corrections:
        return list(trees)
    of_cell: dict[Cell, list[int]] = {}
    for index, tree in enumerate(trees):
        of_cell.setdefault(tree.key, []).append(index)
    result = list(trees)
    for correction in corrections:
        place = _which(trees, of_cell.get((correction.tag, correction.stem_id), []), correction.ordinal)
        if place is not None:
            result[place] = _corrected(result[place], correction)
    return result


def _which(trees: Sequence[Measurement], found: Sequence[int], ordinal: int | None) -> int | None:
    if len(found) < 2:
        return found[0] if found else None
    return next((index for index in found if trees[index].ordinal == ordinal), None)


def _corrected(tree: Measurement, correction: Correction) -> Measurement:
    name, text = correction.field, correction.new or ""
    changes: Mapping[str, object]
    if name in NUMBERS:
        changes = {name: number(text), **({"dbh_text": text} if name == "dbh_cm" else {})}
    elif name == "tally_code":
        changes = {name: tally_code(text)}
    elif name in CORRECTED:
        changes = {name: text}
    else:
        return tree
    if correction.confirmed:
        changes = {**changes, "verified": True}
    return tree._replace(**changes)  # type: ignore[arg-type]  # names are those above
