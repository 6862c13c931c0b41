"""Whole plots and statuses gone wrong: what share is found, and how often a plot that is in order is blamed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from server.cli.tree_table import read_trees
from server.forest.tree import Measurement, TallyCode
from server.forest.visit import Visit
from server.validation.catalogue import flags_of
from server.validation.flag import Flag, Severity
from server.validation.parameters import Parameters
from server.validation.reference import Reference
from tests.validation.harness import DATA

Trees = list[Measurement]
Spoil = Callable[[Trees, int, random.Random], Trees]


def _with(**values: object) -> Spoil:
    return lambda trees, at, _: [t._replace(**values) if i == at else t for i, t in enumerate(trees)]  # type: ignore[arg-type]


def _times(factor: float) -> Spoil:
    def spoil(trees: Trees, at: int, _: random.Random) -> Trees:
        dbh = round((trees[at].dbh_cm or 0.0) * factor, 1)
        return [t._replace(dbh_cm=dbh, dbh_text="") if i == at else t for i, t in enumerate(trees)]

    return spoil


def _duplicate_tag(trees: Trees, at: int, chance: random.Random) -> Trees:
    other = trees[at - 1 if at else 1]
    return [t._replace(tag=other.tag, stem_id=other.stem_id) if i == at else t for i, t in enumerate(trees)]


def _gone(trees: Trees, at: int, _: random.Random) -> Trees:
    return [t for i, t in enumerate(trees) if i != at]


ONE_TREE: dict[str, tuple[Spoil, str]] = {
    "times ten": (_times(10), ""),
    "a tenth": (_times(0.1), ""),
    "diameter missing": (_with(dbh_cm=None, dbh_text=""), ""),
    "diameter zero": (_with(dbh_cm=0.0, dbh_text=""), ""),
    "duplicate tag": (_duplicate_tag, "T09"),
    "tree missing": (_gone, "X07"),
    "false ingrowth code": (_with(tally_code=TallyCode.INGROWTH), "X12"),
}


def print_tables() -> None:
    """One wrong tree in a plot, then plots filled in from the last census."""
    censuses = read_trees(DATA / "scbi.csv").censuses
    reference = Reference.of([*censuses["1"].values(), *censuses["2"].values()])
    plots = [
        _cleared(censuses["3"][plot], censuses["2"][plot])
        for plot in sorted(censuses["3"])
        if plot in censuses["2"]
    ]
    plots = [(now, before) for now, before in plots if len(now.trees) >= 10]
    print(f"\nOne tree of a plot spoilt, {len(plots)} plots: share found, share found as an error")
    for name, (spoil, rule) in ONE_TREE.items():
        _print_one(name, spoil, rule, plots, reference)
    print("\nPlots filled in from the last census: share found; honest plots blamed")
    for share in (0.0, 0.3, 0.5, 0.75, 1.0):
        chance = random.Random(1)
        found = sum(
            any(flag.rule == "X06" for flag in _flags(_copied(now, before, share, chance), before, reference))
            for now, before in plots
        )
        print(f"  {100 * share:3.0f} % of the trees copied: {found / len(plots):.3f}")


def _cleared(now: Visit, before: Visit) -> tuple[Visit, Visit]:
    known = before.by_key()
    trees = [
        t for t in now.trees
        if t.key in known and t.tally_code == 11 and known[t.key].tally_code == 11
        and (t.dbh_cm or 0.0) >= 5 and (known[t.key].dbh_cm or 0.0) >= 5
    ]  # fmt: skip
    keys = {t.key for t in trees}
    last = tuple(t for t in before.trees if t.key in keys)
    return replace(now, trees=tuple(_numbered(trees))), replace(before, trees=last)


def _numbered(trees: Sequence[Measurement]) -> Trees:
    return [tree._replace(ordinal=place) for place, tree in enumerate(trees)]


def _flags(now: Visit, before: Visit, reference: Reference) -> list[Flag]:
    return flags_of(now, before, reference=reference, parameters=Parameters.default())


def _print_one(
    name: str, spoil: Spoil, rule: str, plots: Sequence[tuple[Visit, Visit]], reference: Reference
) -> None:
    chance = random.Random(1)
    found = errors = 0
    for now, before in plots:
        at = chance.randrange(len(now.trees))
        tree = now.trees[at]
        spoilt = replace(now, trees=tuple(_numbered(spoil(list(now.trees), at, chance))))
        flags = [
            flag for flag in _flags(spoilt, before, reference)
            if (flag.rule == rule if rule else (flag.tag, flag.stem_id) == tree.key)
        ]  # fmt: skip
        found += any(flag.severity is not Severity.INFO for flag in flags)
        errors += any(flag.severity is Severity.ERROR for flag in flags)
    print(f"  {name:22s} {found / len(plots):.3f}  {errors / len(plots):.3f}")


def _copied(now: Visit, before: Visit, share: float, chance: random.Random) -> Visit:
    known = before.by_key()
    return replace(now, trees=tuple(
        t._replace(dbh_cm=known[t.key].dbh_cm, dbh_text="") if chance.random() < share else t for t in now.trees
    ))  # fmt: skip
