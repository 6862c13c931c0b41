"""Plots that were copied: two tallies that agree as no two forests do (P07).

Two plots share species and diameter here and there by chance, more so where all trees are alike. What a paste leaves
behind is a run: tree after tree the same, or a few runs with an edit between them. So tallies are laid beside each
other at every offset, at the best one and along the best chain of runs the agreement is weighed against what the two
plots' own values would give in any other order. An order by size says nothing: there all lists are alike.

Which plots to lay beside each other is found by `grams`: numbers made of neighbouring trees, kept for each visit, so
that a new one is compared with all others by an index.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from heapq import nlargest
from itertools import pairwise
from math import log10
from operator import itemgetter
from typing import NamedTuple
from zlib import crc32

from server.forest.tree import Measurement
from server.validation.flag import Flag, Severity
from server.validation.parameters.limits import Limits
from server.validation.rule import raised
from server.validation.shares import log10_tail

Cell = tuple[str, int]  # species, diameter in mm
GRAMS_SHARED = 2
"""Grams that two tallies share at the least where one may be a copy: ten trees with three edits keep three."""
MOST_PAIRS, MOST_TRIPLES = 24, 6
"""Grams kept of pairs in the crew's order and of triples in order of size: the smallest, which copies have as well."""
LEAST_TREES = 5
MOST_RESEMBLING = 5
"""Tallies that one is laid beside, those that share most: a plantation shares a little with hundreds."""
MOST_OFFSETS = 16
"""Offsets at which an agreement is weighed: those with most trees the same. A copy stands out among thousands."""
MOST_RUNS = 64
"""Runs that a chain is made of: the longest."""
IN_ORDER = 0.85
"""Share of neighbours in a list, the one not smaller than the other, from which it is a list by size (project default);
half of them are by chance, some more where many are equal."""
TWINS_AT_LEAST = 4
"""Trees that have a twin in their own plot at the least: a few trees may show none by chance (project default)."""
ANY_GAP = 50.0
"""A gap of g lines is weighed 1 / (g + 1) in each tally, which over all gaps of sixty lines sums up to 4.7 twice; twice
that, because a chain may go on or not."""
RUN_COSTS = 1.5
"""Trees that one more run in a chain must bring (project default); a pair that is the same by chance brings two."""
_TOKEN, _MASK = (1 << 32) - 1, (1 << 62) - 1
_SPREAD = 0x9E37_79B1
"""Odd multipliers that spread numbers close to each other (Knuth's golden ratio; one of MurmurHash)."""


def worth_a_look(shared: int, trees: int) -> bool:
    """Do two tallies, the one of so many trees, share enough grams to be laid beside each other?"""
    return shared >= max(GRAMS_SHARED, min(trees, MOST_PAIRS + MOST_TRIPLES) // 7)


def cells(trees: Sequence[Measurement]) -> list[Cell]:
    """Species and diameter of the measured trees, in the crew's order."""
    return [(tree.species, round(tree.dbh_cm * 10)) for tree in trees if tree.dbh_cm and tree.dbh_cm > 0]


def grams(tally: Sequence[Cell]) -> set[int]:
    """What a tally is found by: trees that follow each other as typed, and trees next to each other in size."""
    if len(tally) < LEAST_TREES:
        return set()
    typed = [_code(species) + 0x85EB_CA6B * mm & _TOKEN for species, mm in tally]
    by_size = sorted(zip((mm for _, mm in tally), typed, strict=True))
    sized = [token for _, token in by_size]
    pairs = sorted({(one * _SPREAD ^ other) & _MASK for one, other in pairwise(typed)})
    triples = sorted(
        {
            ((one * _SPREAD ^ other) * _SPREAD ^ third) & _MASK
            for one, other, third in zip(sized, sized[1:], sized[2:], strict=False)
        }
    )
    return {*pairs[:MOST_PAIRS], *triples[:MOST_TRIPLES]}


@lru_cache(maxsize=4096)
def _code(species: str) -> int:
    return crc32(species.encode())


class Alike(NamedTuple):
    """How far two tallies agree: the longest run of the same trees, how many agree (at the best offset, along the best
    chain of runs, or in whatever order) and how likely that is by chance (log10), the share of the smaller tally that
    the other has too, in any order; and that offset: how many places further on a tree of the first stands in the
    second."""

    run: int
    same: int
    log10_p: float
    overlap: float
    offset: int = 0


def alike(one: Sequence[Cell], other: Sequence[Cell]) -> Alike:
    """Lay two tallies beside each other."""
    if len(one) > len(other):
        turned = alike(other, one)
        return turned._replace(offset=-turned.offset)
    mine, theirs = Counter(one), Counter(other)
    shared = sum((mine & theirs).values())
    everywhere = sum(n * theirs[cell] for cell, n in mine.items())
    places: dict[Cell, list[int]] = {}
    for at, cell in enumerate(other):
        places.setdefault(cell, []).append(at)
    offsets: dict[int, int] = {}
    runs: list[_Run] = []
    before: dict[int, int] = {}  # where a run of the same trees ends in the other tally, and its length
    for at, cell in enumerate(one):
        ends: dict[int, int] = {}
        for there in places.get(cell, ()):
            offsets[there - at] = offsets.get(there - at, 0) + 1
            ends[there] = before.pop(there - 1, 0) + 1
        runs += [_Run(length, at, there + 1) for there, length in before.items()]
        before = ends
    runs += [_Run(length, len(one), there + 1) for there, length in before.items()]
    if not offsets:
        return Alike(0, 0, 0.0, 0.0)
    trees = (len(one), len(other))
    chance, same, offset = min(
        (_log10_p(same, offset, everywhere, trees), -same, offset)
        for offset, same in nlargest(MOST_OFFSETS, offsets.items(), key=itemgetter(1))
    )
    longest = max(run.length for run in runs)
    chained, in_chain = _log10_chain(runs, everywhere, trees)
    in_common = _log10_in_common(shared, mine, theirs)
    if is_by_size(one) and is_by_size(other):  # all such lists are alike: only what stands in both tells
        return Alike(longest, shared, in_common, shared / len(one), offset)
    chance = min(chance + log10(sum(trees)), chained, 0.0)
    same = max(-same, in_chain)
    if in_common < chance:
        chance, same = in_common, shared
    return Alike(longest, same, chance, shared / len(one), offset)


def is_by_size(tally: Sequence[Cell]) -> bool:
    """Is the list in order of size, or nearly?"""
    larger = sum(one[1] <= other[1] for one, other in pairwise(tally))
    smaller = sum(one[1] >= other[1] for one, other in pairwise(tally))
    return max(larger, smaller) > IN_ORDER * (len(tally) - 1)


def _log10_in_common(shared: int, one: Counter[Cell], other: Counter[Cell]) -> float:
    """How likely so many of the smaller tally's trees stand in the other in whatever order, judged by how often two
    trees of one plot are the same: what was copied does not change that."""
    mine, theirs = one.total(), other.total()
    twins = sum(n * (n - 1) for n in (*one.values(), *other.values()))
    chance = (twins + TWINS_AT_LEAST) / (mine * (mine - 1) + theirs * (theirs - 1) + TWINS_AT_LEAST)
    return log10_tail(shared, mine, 1 - (1 - chance) ** theirs)


class _Run(NamedTuple):
    """So many trees the same one after the other, up to these places in the two tallies."""

    length: int
    end: int
    other_end: int


def _log10_chain(runs: Sequence[_Run], everywhere: int, trees: tuple[int, int]) -> tuple[float, int]:
    """How likely chance lays such runs behind each other as the best chain has, and its trees: each the same by chance,
    the first run anywhere, the others where the gaps before them allow."""
    longest = nlargest(MOST_RUNS, (run for run in runs if run.length > 1), key=itemgetter(0))
    chain = _best_chain(sorted(longest, key=itemgetter(1, 2)))
    same = sum(run.length for run in chain)
    if not same:
        return 0.0, 0
    chance = (everywhere - same + 1) / (trees[0] * trees[1] - same + 1)
    found = same * log10(chance) + log10(trees[0] * trees[1])
    for last, run in pairwise(chain):
        gaps = (run.end - run.length - last.end + 1) * (run.other_end - run.length - last.other_end + 1)
        found += log10(ANY_GAP * gaps)
    return found, same


def _best_chain(runs: Sequence[_Run]) -> list[_Run]:
    """Of runs in the order of their ends, those behind each other in both tallies that hold most trees."""
    best: list[tuple[float, int]] = []  # its trees less the cost of its runs, and the run before
    for at, run in enumerate(runs):
        start, other_start = run.end - run.length, run.other_end - run.length
        before = max(
            ((best[i][0], i) for i in range(at) if runs[i].end <= start and runs[i].other_end <= other_start),
            default=(0.0, -1),
        )
        best.append((run.length - RUN_COSTS + max(before[0], 0.0), before[1] if before[0] > 0 else -1))
    chain = []
    at = max(range(len(best)), key=lambda i: best[i][0], default=-1)
    while at >= 0:
        chain.append(runs[at])
        at = best[at][1]
    return chain[::-1]


def _log10_p(same: int, offset: int, everywhere: int, trees: tuple[int, int]) -> float:
    """How likely so many agree at one offset, judged by the trees that do not lie beside each other there."""
    together = _together(offset, *trees)
    chance = (everywhere - same + 1) / (trees[0] * trees[1] - together + 1)
    return log10_tail(same, together, chance)


def _together(offset: int, one: int, other: int) -> int:
    """Trees that lie beside each other when the first tally is moved on by `offset`."""
    return min(one, other - offset) - max(0, -offset)


class Resembling(NamedTuple):
    """Another plot's visit that shares grams with the one that is judged; its number where a store has it."""

    plot: str
    census: str
    tally: Sequence[Cell]
    visit_id: int = 0


def copied_flags(tally: Sequence[Cell], others: Sequence[Resembling], limits: Limits) -> Iterator[Flag]:
    """P07: the tally of another plot, or a good part of it, stands in this one."""
    for other in others:
        found = alike(tally, other.tally)
        if is_copy(tally, other.tally, found, limits):
            sure = found.log10_p < limits.p07_log10_p
            yield raised(
                "P07", None, "", "", "tag", other.plot, severity=None if sure else Severity.WARN,
                score=0.97 if sure else 0.8, case="run" if found.run >= limits.p07_run else "shuffled",
                other=other.plot, census=other.census, run=found.run, same=found.same, trees=len(tally),
                share_pct=round(100 * found.overlap), chance=f"1e{max(round(found.log10_p), -99)}",
                plot_visit=other.visit_id,
            )  # fmt: skip


def is_copy(one: Sequence[Cell], other: Sequence[Cell], found: Alike, limits: Limits) -> bool:
    """Do two tallies agree more than honest plots ever did?"""
    is_plain = _is_plain(one, limits) or _is_plain(other, limits)
    if found.log10_p < limits.p07_log10_p:
        return found.same >= (limits.p07_plain_run if is_plain else limits.p07_run)
    if is_plain:  # trees of one kind, or read to half centimetres, agree by nature
        return False
    fewest = min(len(one), len(other))
    if fewest >= limits.p07_min_trees and found.overlap > limits.p07_overlap:
        return True
    in_order = found.run >= limits.p07_run or found.same >= max(
        limits.p07_few_same, limits.p07_few_share * fewest
    )
    return in_order and not (is_by_size(one) and is_by_size(other))


def _is_plain(tally: Sequence[Cell], limits: Limits) -> bool:
    species = Counter(cell[0] for cell in tally)
    coarse = sum(mm % 5 == 0 for _, mm in tally)
    return max(species.values()) >= limits.p07_plain_share * len(
        tally
    ) or coarse > limits.p07_coarse_share * len(tally)
