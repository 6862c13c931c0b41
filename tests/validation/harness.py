"""Known errors put into real censuses, and how well the rules find them.

Clean data are real remeasurements without those values that other censuses prove wrong; every other oddity in them
counts against the rules, so precision is a lower bound. Errors are drawn with the shares that published corrections of
census data show.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import pi
from pathlib import Path
from typing import Any, NamedTuple

from server.cli.tree_table import read_trees
from server.forest.tree import Measurement, TallyCode
from server.forest.visit import Visit, years_between
from server.validation.catalogue import flags_of
from server.validation.flag import Flag, Severity
from server.validation.parameters import Parameters
from server.validation.reference import Reference
from server.validation.stake import tonnes_co2
from tests.validation.proven import Tree, pairs_proven_wrong

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"

KINDS = {
    "tens": 0.22, "decimal": 0.14, "digit": 0.12, "swap": 0.10, "pom": 0.10, "transposed": 0.08, "dropped": 0.08,
    "guess": 0.08, "girth": 0.05, "inch": 0.03,
}  # fmt: skip
"""Share of each kind among corrections that curators published."""


class Slip(NamedTuple):
    kind: str
    was_cm: float
    is_cm: float

    @property
    def is_material(self) -> bool:
        return abs(self.is_cm - self.was_cm) > max(1.0, 0.05 * self.was_cm)


class Census(NamedTuple):
    """Visits to check, each with what was known before it; `reference` is fitted on older censuses alone."""

    now: list[Visit]
    before: dict[str, Visit]
    earlier: dict[str, Visit]
    reference: Reference | None = None


class Score(NamedTuple):
    """How a run of the rules did; rates per thousand measured trees. `recall_carbon` is the share of the wrong
    biomass that was found, `recall_carbon_small` the same without slips by a factor; `calibration` the mean distance
    between a flag's score and how often such flags are right (ECE), `bins` what it is made of: for each tenth the
    flags, those that are right and the sum of their scores."""

    recall: Mapping[str, tuple[int, int]]
    precision: float
    error_precision: float
    flags_per_1000: float
    recall_all: float
    recall_material: float
    recall_carbon: float
    recall_carbon_small: float
    average_precision: float
    calibration: float
    bins: tuple[tuple[int, int, float], ...]


def remeasured(path: Path, before: str, now: str, min_cm: float, earlier: str | None = None) -> Census:
    """Two censuses of a table: trees that lived and were measured both times and had `min_cm` the first time, without
    those that a neighbouring census proves wrong. What older censuses say about trees here is known, nothing of the
    census that is judged."""
    censuses = read_trees(path).censuses
    older = list(censuses)[: list(censuses).index(now)]
    first, second = censuses[before], censuses[now]
    lived: set[Tree] = set()
    for plot, visit in second.items():
        known = first[plot].by_key() if plot in first else {}
        lived |= {(plot, *t.key) for t in visit.trees if t.key in known and _grew(known[t.key], t, min_cm)}
    lived -= pairs_proven_wrong(list(censuses.values()), list(censuses).index(now))
    return Census(
        [_only(visit, lived) for plot, visit in sorted(second.items()) if plot in first],
        {plot: _only(visit, lived) for plot, visit in first.items()},
        censuses[earlier] if earlier else {},
        Reference.of(visit for name in older for visit in censuses[name].values()),
    )


def years_of(census: Census) -> dict[str, float]:
    """Years between the two visits of each plot; five where a day is missing."""
    return {
        visit.plot_id: years_between(census.before[visit.plot_id].measured_on, visit.measured_on) or 5.0
        for visit in census.now
    }


def _grew(before: Measurement, now: Measurement, min_cm: float) -> bool:
    alive = before.tally_code is TallyCode.ALIVE and now.tally_code is TallyCode.ALIVE
    return alive and (before.dbh_cm or 0.0) >= min_cm and bool(now.dbh_cm)


def _only(visit: Visit, wanted: set[Tree]) -> Visit:
    return replace(visit, trees=tuple(t for t in visit.trees if (visit.plot_id, *t.key) in wanted))


def injected(census: Census, rate: float, seed: int) -> tuple[Census, dict[Tree, Slip]]:
    """The census with one slip in `rate` of its remeasured diameters, and where they are."""
    chance = random.Random(seed)
    truth: dict[Tree, Slip] = {}
    visits = []
    for visit in census.now:
        known = census.before[visit.plot_id].by_key()
        trees = list(visit.trees)
        usable = [i for i, t in enumerate(trees) if t.dbh_cm and (b := known.get(t.key)) and b.dbh_cm]
        for at, place in enumerate(usable):
            if chance.random() < rate:
                _spoil(trees, place, usable[at + 1 : at + 2], visit.plot_id, chance, truth)
        visits.append(replace(visit, trees=tuple(trees)))
    return census._replace(now=visits), truth


def _spoil(
    trees: list[Measurement],
    place: int,
    after: list[int],
    plot: str,
    chance: random.Random,
    truth: dict[Tree, Slip],
) -> None:
    tree = trees[place]
    was = tree.dbh_cm or 0.0
    kind = chance.choices(list(KINDS), list(KINDS.values()))[0]
    if kind == "swap":
        if after:
            other = trees[after[0]]
            trees[place], trees[after[0]] = _with(tree, other.dbh_cm or 0.0), _with(other, was)
            for one, old in ((trees[place], was), (trees[after[0]], other.dbh_cm or 0.0)):
                _note(truth, (plot, *one.key), Slip(kind, old, one.dbh_cm or 0.0))
        return
    trees[place] = _with(tree, max(round(SPOIL[kind](was, chance), 1), 0.1))
    _note(truth, (plot, *tree.key), Slip(kind, was, trees[place].dbh_cm or 0.0))


def _note(truth: dict[Tree, Slip], tree: Tree, slip: Slip) -> None:
    if abs(slip.is_cm - slip.was_cm) >= 0.15:
        truth[tree] = slip


def _with(tree: Measurement, dbh_cm: float) -> Measurement:
    return tree._replace(dbh_cm=dbh_cm, dbh_text="", verified=False)


def _tens(was: float, chance: random.Random) -> float:
    return was - 10 if was > 12 and chance.random() < 0.5 else was + 10


def _digit(was: float, chance: random.Random) -> float:
    digits = list(str(round(was * 10)))
    place = chance.randrange(len(digits))
    digits[place] = chance.choice([d for d in "0123456789" if d != digits[place]])
    return int("".join(digits)) / 10


def _transposed(was: float, chance: random.Random) -> float:
    digits = list(str(round(was * 10)))
    place = chance.randrange(len(digits) - 1) if len(digits) > 1 else 0
    digits[place : place + 2] = digits[place : place + 2][::-1]
    return int("".join(digits)) / 10


def _dropped(was: float, chance: random.Random) -> float:
    digits = str(round(was * 10))
    place = chance.randrange(len(digits))
    return int(digits[:place] + digits[place + 1 :] or "1") / 10


SPOIL: dict[str, Callable[[float, random.Random], float]] = {
    "tens": _tens,
    "decimal": lambda was, chance: was * 10 if chance.random() < 0.5 else was / 10,
    "digit": _digit,
    "pom": lambda was, chance: was * (1 + chance.choice((-1, 1)) * chance.uniform(0.04, 0.12)),
    "transposed": _transposed,
    "dropped": _dropped,
    "guess": lambda was, chance: round(was * (1 + chance.gauss(0, 0.1))),
    "girth": lambda was, _: was * pi,
    "inch": lambda was, _: was / 2.54,
}


def flags_by_plot(census: Census, parameters: Parameters) -> dict[str, list[Flag]]:
    """What the rules say about every visit, with what older censuses say about trees here."""
    return {
        visit.plot_id: flags_of(
            visit,
            census.before[visit.plot_id],
            earlier=[census.earlier[visit.plot_id]] if visit.plot_id in census.earlier else [],
            reference=census.reference,
            parameters=parameters,
        )
        for visit in census.now
    }


def suspects(flags: Mapping[str, Sequence[Flag]]) -> dict[Tree, Flag]:
    """Trees with an error or a warn, each with its most suspicious flag."""
    found: dict[Tree, Flag] = {}
    for plot, some in flags.items():
        for flag in some:
            if flag.tag and flag.severity is not Severity.INFO:
                found.setdefault((plot, flag.tag, flag.stem_id), flag)
    return found


DOUBTS_DIAMETER = frozenset({"T01", "T02", "T03", "T05", "T06", "X01", "X02", "X03", "X04", "X05", "X13"})


def score(census: Census, truth: Mapping[Tree, Slip], flags: Mapping[str, Sequence[Flag]]) -> Score:
    """Compare what was said with what is known to be wrong. The ranking takes every flag on a diameter."""
    found = suspects(flags)
    ranked = doubted(flags)
    errors = [tree for tree, flag in found.items() if flag.severity is Severity.ERROR]
    measured = sum(t.dbh_cm is not None for visit in census.now for t in visit.trees)
    bins = _bins((flag.score, tree in truth) for tree, flag in ranked.items())
    return Score(
        **recalls(truth, found),
        precision=_share(found, truth),
        error_precision=_share(errors, truth),
        flags_per_1000=1000 * len(found) / measured,
        average_precision=average_precision([tree in truth for tree in ranked], len(truth)),
        calibration=calibration(bins),
        bins=bins,
    )


def doubted(flags: Mapping[str, Sequence[Flag]]) -> dict[Tree, Flag]:
    """Trees whose diameter is flagged at all, most suspicious first."""
    every = [
        (plot, flag)
        for plot, some in flags.items()
        for flag in some
        if flag.rule in DOUBTS_DIAMETER and flag.field == "dbh_cm"
    ]
    found: dict[Tree, Flag] = {}
    for plot, flag in sorted(every, key=lambda one: -one[1].score):
        if flag.tag:
            found.setdefault((plot, flag.tag, flag.stem_id), flag)
    return found


def recalls(truth: Mapping[Tree, Slip], found: Mapping[Tree, object]) -> dict[str, Any]:
    """How much of what is wrong was found: of each kind, of all, of what is material, of the carbon."""
    kinds: Counter[str] = Counter(slip.kind for slip in truth.values())
    hit: Counter[str] = Counter(slip.kind for tree, slip in truth.items() if tree in found)
    material = [tree for tree, slip in truth.items() if slip.is_material]
    small = {tree: slip for tree, slip in truth.items() if slip.kind not in {"decimal", "girth", "inch"}}
    return {
        "recall": {kind: (hit[kind], kinds[kind]) for kind in KINDS},
        "recall_all": _share(truth, found),
        "recall_material": _share(material, found),
        "recall_carbon": _carbon_share(truth, found),
        "recall_carbon_small": _carbon_share(small, found),
    }


def _carbon_share(truth: Mapping[Tree, Slip], found: Mapping[Tree, object]) -> float:
    limits = Parameters.default().limits
    wrong = {
        tree: abs(tonnes_co2(limits, slip.is_cm) - tonnes_co2(limits, slip.was_cm))
        for tree, slip in truth.items()
    }
    return sum(tonnes for tree, tonnes in wrong.items() if tree in found) / (sum(wrong.values()) or 1.0)


Bins = tuple[tuple[int, int, float], ...]


def _bins(scored: Iterable[tuple[float, bool]]) -> Bins:
    counts = [[0, 0, 0.0] for _ in range(10)]
    for chance, right in scored:
        one = counts[min(int(10 * chance), 9)]
        one[0], one[1], one[2] = one[0] + 1, one[1] + right, one[2] + chance
    return tuple((int(flags), int(right), chance) for flags, right, chance in counts)


def calibration(bins: Bins) -> float:
    """Mean distance between score and share of right flags, weighed by flags (ECE)."""
    return sum(abs(right - chance) for _, right, chance in bins) / (sum(flags for flags, *_ in bins) or 1)


def _share(some: Iterable[Tree], of: Mapping[Tree, object]) -> float:
    trees = list(some)
    return sum(tree in of for tree in trees) / len(trees) if trees else 1.0


def average_precision(hits: Sequence[bool], positives: int) -> float:
    """Mean of the precision at each hit of a ranking; positives that are not in it count as zero."""
    found, total = 0, 0.0
    for rank, hit in enumerate(hits, 1):
        if hit:
            found += 1
            total += found / rank
    return total / positives if positives else 0.0
