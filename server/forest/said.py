"""Trees as what was said about them, so that two accounts can be compared cell by cell.

A value is text in one spelling: two crews who type 12.3 and 12.30 say the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from server.forest.answers import number
from server.forest.effective import CORRECTED, NUMBERS
from server.forest.tree import Measurement, tally_code
from sync.merge import Key

FIELDS = tuple(name for name in CORRECTED if name not in {"tag", "stem_id"})
"""What is compared of a tree; its tag and stem say which tree it is."""


def said(tree: Measurement) -> dict[str, str]:
    """What a tree's account says, blanks left out."""
    found = {name: _text(tree, name) for name in FIELDS}
    return {name: text for name, text in found.items() if text}


def _text(tree: Measurement, name: str) -> str:
    value = getattr(tree, name)
    if value is None:
        return tree.dbh_text if name == "dbh_cm" else ""
    return _number(value) if name in NUMBERS else str(value)


def _number(value: float) -> str:
    return f"{value:.10g}"


def as_said(field: str, text: str | None) -> str:
    """A value as a crew typed it, in the one spelling; "" for a blank."""
    if field in NUMBERS:
        value = number(text)
        return (text or "") if value is None else _number(value)
    if field == "tally_code":
        code = tally_code(text)
        return "" if code is None else str(int(code))
    return text or ""


def keys_of(trees: Sequence[Measurement], typed: Sequence[Measurement] | None = None) -> list[Key]:
    """A key for each tree. Of trees that share a tag the second is told apart by its place among them; a tree without
    a tag by what its crew typed of it (`typed`: the same trees as they came, where `trees` are corrected)."""
    seen: dict[Key, int] = {}
    keys = []
    for tree, came in zip(trees, typed or trees, strict=True):
        key = Key(tree.tag, tree.stem_id, "" if tree.tag else repr(tuple(said(came).items())))
        seen[key] = seen.get(key, 0) + 1
        keys.append(key if seen[key] == 1 else key._replace(twin=f"{key.twin}{seen[key]}"))
    return keys


def version_of(other: Mapping[str, Any] | None) -> tuple[str, int] | None:
    """Branch and base version of a tree's update, from its further answers; None where its phone said neither."""
    branch, base = (str((other or {}).get(f"entity.{name}", "")) for name in ("branch_id", "base_version"))
    return (branch, int(base)) if branch and base.isascii() and base.isdecimal() else None


def let_the_later_speak(
    tellings: Sequence[dict[str, str]], versions: Sequence[tuple[str, int] | None]
) -> None:
    """Accounts of one tree: updates of one branch knew each other, so what a later one says, an earlier one no longer
    does. Takes it out of the earlier one."""
    for telling, mine in zip(tellings, versions, strict=True):
        for later, other in zip(tellings, versions, strict=True):
            if mine and other and other[0] == mine[0] and other[1] > mine[1]:
                for name in [name for name in telling if later.get(name)]:
                    del telling[name]
