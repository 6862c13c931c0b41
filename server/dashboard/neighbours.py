"""Trees beside a tree, in order of tags and round the plot's centre: where an exchanged value would have come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from server.dashboard.tally_sheet import TreeRow

EITHER_SIDE = 2
"""Neighbours by tag that are shown on each side."""


class Neighbour(NamedTuple):
    """A tree beside the one in doubt, or that one itself (`is_me`). `mine_cm` is what that one would have grown with
    this one's value, `theirs_cm` the other way round; None where a diameter is missing. `is_named`: the rule itself
    thinks of this tree."""

    row: TreeRow
    is_me: bool
    is_next_by_azimuth_only: bool
    mine_cm: float | None
    theirs_cm: float | None
    is_named: bool


def of(rows: Sequence[TreeRow], me: TreeRow | None, facts: Mapping[str, Any]) -> list[Neighbour]:
    """The trees next to `me` by tag, by azimuth, the one that the rule names, and `me`, in order of tags; none where
    nothing stands beside it."""
    if me is None:
        return []
    by_tag = sorted(rows, key=_by_tag)
    near = _around(by_tag, me, EITHER_SIDE)
    placed = sorted((row for row in rows if _azimuth(row) is not None), key=lambda row: _azimuth(row) or 0.0)
    named = [row for row in rows if row is not me and row.tree["tag"] == facts.get("other", "")]
    wanted = _once([*near, *_around(placed, me, 1, is_round=True), *named])
    if not wanted:
        return []
    known = {id(row) for row in (*near, *named, me)}
    return [
        Neighbour(row, row is me, id(row) not in known, None if row is me else _between(row, me),
                  None if row is me else _between(me, row), any(row is one for one in named))
        for row in sorted([*wanted, me], key=_by_tag)
    ]  # fmt: skip


def _by_tag(row: TreeRow) -> tuple[int, str, str]:
    tag = str(row.tree["tag"])
    return (int(tag) if tag.isascii() and tag.isdecimal() else 10**9, tag, str(row.tree["stem_id"]))


def _azimuth(row: TreeRow) -> float | None:
    found: float | None = row.tree.get("azimuth_deg")
    return found


def _around(rows: Sequence[TreeRow], me: TreeRow, most: int, *, is_round: bool = False) -> list[TreeRow]:
    """Up to `most` rows on each side of mine; where the order is round, the last stands beside the first."""
    here = next((place for place, row in enumerate(rows) if row is me), None)
    if here is None:
        return []
    places = [here + step for step in range(-most, most + 1) if step]
    if is_round:
        places = [place % len(rows) for place in places]
    return [rows[place] for place in places if 0 <= place < len(rows) and place != here]


def _once(rows: Iterable[TreeRow]) -> list[TreeRow]:
    return list({id(row): row for row in rows}.values())


def _between(now: TreeRow, last: TreeRow) -> float | None:
    """Diameter of one tree now less that of another last time, cm."""
    new = now.now["dbh_cm"] if now.now else None
    old = last.before["dbh_cm"] if last.before else None
    return None if new is None or old is None else round(new - old, 2)
