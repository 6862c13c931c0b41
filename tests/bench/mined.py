"""Real errors and real oddities, nothing injected: values that other censuses prove wrong, and values that a crew
questioned, measured again and kept."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import replace

from server.cli.tree_table import read_trees
from server.forest.tree import Measurement
from server.forest.visit import Visit, years_between
from server.validation.catalogue import flags_of
from server.validation.flag import Flag, Severity
from server.validation.parameters import Parameters
from server.validation.reference import Reference
from tests.bench.baselines import DETECTORS
from tests.validation.harness import DATA, DOUBTS_DIAMETER
from tests.validation.proven import proven_wrong

SMALL = Parameters.default().with_changes({"T02.min_cm": 1.0})  # this forest is tallied from 1 cm
Censuses = dict[str, dict[str, Visit]]
TRIPLES = (("1", "2", "3"), ("2", "3", "4"))


def print_tables() -> None:
    """Recall of proven errors beside the load, ours and published; kept values still above info."""
    censuses = read_trees(DATA / "scbi.csv").censuses
    _print_proven(censuses)
    _print_kept(censuses)


def _print_proven(censuses: Censuses) -> None:
    wrong = {
        (middle, *tree)
        for first, middle, last in TRIPLES
        for tree in proven_wrong(censuses[first], censuses[middle], censuses[last])
    }
    found, load, trees = set(), 0, 0
    published = dict.fromkeys(DETECTORS, 0)
    caught: dict[str, set[tuple[str, ...]]] = {name: set() for name in DETECTORS}
    for before, now in (("1", "2"), ("2", "3"), ("3", "4")):
        for plot, tree, flags, pair in _judged(censuses, before, now):
            trees += 1
            mine = {(now, plot, *tree.key), (before, plot, *tree.key)} & wrong
            if any(flag.severity is not Severity.INFO for flag in flags):
                load += 1
                found |= mine
            for name, detector in DETECTORS.items():
                if detector(*pair):
                    published[name] += 1
                    caught[name] |= mine
    print(
        f"\nSCBI as published: {len(wrong)} diameters that both neighbouring censuses prove wrong, {trees} pairs"
    )
    print(f"  {'ours':28s} recall {len(found) / len(wrong):.2f}  flags/1000 {1000 * load / trees:.1f}")
    for name in DETECTORS:
        print(
            f"  {name:28s} recall {len(caught[name]) / len(wrong):.2f}  flags/1000 {1000 * published[name] / trees:.1f}"
        )


def _judged(
    censuses: Censuses, before: str, now: str
) -> Iterator[tuple[str, Measurement, list[Flag], tuple[float, float, float]]]:
    """Every remeasured tree of 5 cm; its flags, with bands of other intervals. The crew's word that it measured again,
    which lowers a flag, is left out: it was given because another rule had asked."""
    reference = Reference.of(v for name in _others(now) for v in censuses[name].values())
    older = {"1": None, "2": "1", "3": "2"}[before]
    for plot, visit in censuses[now].items():
        last = censuses[before].get(plot)
        years = years_between(last.measured_on, visit.measured_on) if last else None
        if last is None or not years:
            continue
        earlier = [censuses[older][plot]] if older and plot in censuses[older] else []
        visit = replace(visit, trees=tuple(tree._replace(verified=False) for tree in visit.trees))
        flags = flags_of(visit, last, earlier=earlier, reference=reference, parameters=SMALL)
        by_tree = _by_tree(flags)
        known = last.by_key()
        for tree in visit.trees:
            old = known.get(tree.key)
            if (
                old
                and tree.tally_code == 11
                and old.tally_code == 11
                and tree.dbh_cm
                and (old.dbh_cm or 0.0) >= 5
            ):
                yield plot, tree, by_tree.get(tree.key, []), (old.dbh_cm or 0.0, tree.dbh_cm, years)


def _others(now: str) -> tuple[str, str]:
    """Two successive censuses that do not contain the judged one; for the second, the two after it."""
    return {"2": ("3", "4"), "3": ("1", "2"), "4": ("2", "3")}[now]  # type: ignore[return-value]


def _by_tree(flags: list[Flag]) -> Mapping[tuple[str, str], list[Flag]]:
    found: dict[tuple[str, str], list[Flag]] = {}
    for flag in flags:
        if flag.rule in DOUBTS_DIAMETER:
            found.setdefault((flag.tag, flag.stem_id), []).append(flag)
    return found


def _print_kept(censuses: Censuses) -> None:
    """Values that a field app questioned and the crew kept: each with and without the crew's word for it."""
    before, now, older = censuses["3"], censuses["4"], censuses["2"]
    reference = Reference.of([*older.values(), *before.values()])
    places = {tree.key: plot for plot, visit in now.items() for tree in visit.trees}
    counts: dict[bool, list[Severity | None]] = {True: [], False: []}
    for row in csv.DictReader(
        (DATA / "labels_scbi2023_field_prompts_kept.csv").read_text("utf-8").splitlines()
    ):
        key = (row["tag"], row["stem_id"].removesuffix(".0"))
        plot = places.get(key)
        if plot is None or plot not in before:
            continue
        for verified in (True, False):
            trees = tuple(t._replace(verified=verified and t.key == key) for t in now[plot].trees)
            earlier = [older[plot]] if plot in older else []
            flags = flags_of(replace(now[plot], trees=trees), before[plot], earlier=earlier, reference=reference,
                             parameters=SMALL)  # fmt: skip
            counts[verified].append(_worst(_by_tree(flags).get(key, [])))
    print(f"\n{len(counts[True])} values that a crew was asked about, measured again and kept:")
    for verified, worst in counts.items():
        above = sum(one in {Severity.WARN, Severity.ERROR} for one in worst)
        errors = sum(one is Severity.ERROR for one in worst)
        word = "verified" if verified else "without that word"
        print(f"  {word}: {above / len(worst):.2f} above info, {errors / len(worst):.2f} errors")


def _worst(flags: list[Flag]) -> Severity | None:
    order = (Severity.ERROR, Severity.WARN, Severity.INFO)
    return next((one for one in order if any(flag.severity is one for flag in flags)), None)
