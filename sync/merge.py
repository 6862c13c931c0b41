"""Two accounts of the same trees become one, field by field, as far as nobody has to choose.

Pure values: a tree is its fields as text, a blank field is "" or absent. What two accounts say differently stands as
the first says it and comes out as a clash, for a person. Nothing is judged here and no value is made up.

Two ways, because a blank means two things. `three_way` is for two edits of one instance: each says everything there
is, so what one lacks it took away. `union` is for crews who were at the same plot: what one does not say, she did not
look at. Both give the same whatever the order of the accounts, except which side of a clash stands meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Key(NamedTuple):
    """A tree by what stands on its tag, inside one plot. `twin` tells those apart that share tag and stem; tag None:
    no tree, the answers about the plot as a whole."""

    tag: str | None
    stem_id: str | None = None
    twin: str = ""


HEADER = Key(None)
"""Under which the answers about the plot and the visit as a whole are compared."""
TREE = "tree"
"""The field of a clash about a tree that one account took away and the other changed."""
Fields = Mapping[str, str]
Telling = Mapping[Key, Fields]


class Clash(NamedTuple):
    """Two accounts that differ: what was there before, what stands now, what the other says. "" is blank; None: there
    was no such tree. For the field `TREE` a side is the tree's changed fields as JSON."""

    tag: str | None
    stem_id: str | None
    twin: str
    field: str
    base: str | None
    mine: str | None
    theirs: str | None

    @property
    def key(self) -> Key:
        """The tree that it is about."""
        return Key(self.tag, self.stem_id, self.twin)


class Merged(NamedTuple):
    """The one account, without blanks, and what a person must decide."""

    trees: dict[Key, dict[str, str]]
    clashes: list[Clash]


def three_way(base: Telling, mine: Telling, theirs: Telling) -> Merged:
    """Both edits of `base` at once. Where they clash, mine stands."""
    merged = Merged({}, [])
    for key in _in_order((mine, theirs, base)):
        was, one, other = base.get(key), mine.get(key), theirs.get(key)
        if was is not None and (one is None or other is None):
            _one_took_it_away(merged, key, was, one, other)
        else:
            sides = [side for side in (one, other) if side is not None]
            _fields(merged, key, was or {}, sides, blank_counts=len(sides) == 2 and was is not None)
    return merged


def union(base: Telling, tellings: Sequence[Telling]) -> Merged:
    """What several crews found between them. Where they clash, the first that says something new stands."""
    merged = Merged({}, [])
    for key in _in_order(tellings):
        said = [telling[key] for telling in tellings if key in telling]
        _fields(merged, key, base.get(key, {}), said, blank_counts=False)
    return merged


def _in_order(tellings: Iterable[Telling]) -> dict[Key, None]:
    return {key: None for telling in tellings for key in telling}


def _one_took_it_away(
    merged: Merged, key: Key, was: Fields, one: Fields | None, other: Fields | None
) -> None:
    left = one if one is not None else other
    changed = {} if left is None else _changed(was, left)
    if not changed:
        return
    if one is not None:
        merged.trees[key] = _without_blanks(one)
    text = json.dumps(changed, ensure_ascii=False, sort_keys=True)
    before = json.dumps({name: was.get(name, "") for name in changed}, ensure_ascii=False, sort_keys=True)
    merged.clashes.append(
        Clash(*key, TREE, before, text if one is not None else None, text if other is not None else None)
    )


def _changed(was: Fields, now: Fields) -> dict[str, str]:
    return {name: now.get(name, "") for name in {**was, **now} if now.get(name, "") != was.get(name, "")}


def _without_blanks(fields: Fields) -> dict[str, str]:
    return {name: text for name, text in fields.items() if text}


def _fields(merged: Merged, key: Key, was: Fields, said: Sequence[Fields], *, blank_counts: bool) -> None:
    tree = merged.trees.setdefault(key, {})
    for name in {name: None for fields in said for name in fields} | dict.fromkeys(
        was if blank_counts else ()
    ):
        before = was.get(name, "")
        texts = [fields.get(name, "") for fields in said]
        different = [text for text in dict.fromkeys(texts) if text != before and (text or blank_counts)]
        stands = different[0] if different else before if before in texts else ""
        if stands:
            tree[name] = stands
        merged.clashes.extend(Clash(*key, name, before, stands, text) for text in different[1:])
