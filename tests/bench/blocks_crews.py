"""How well the rules for crews tell a bad crew from honest ones: python -m tests.bench.blocks_crews [seeds].

Real remeasurements are dealt out to crews of equal size, by chance or one neighbourhood after another, and one crew is
spoilt: it rounds, its tape is wrong, it copies, it enters too fast. Whoever is flagged among the others is a false
alarm. Gaps between trees follow the one census with time stamps that is known (1 % 13 s, 5 % 34 s, median 125 s).
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import exp, log
from pathlib import Path
from typing import NamedTuple

from server.validation.crew import Work, looked_at
from server.validation.crew_growth import Pair
from server.validation.crew_reading import DIGITS
from server.validation.crew_travel import Stay
from server.validation.parameters import Parameters
from tests.validation.harness import DATA, remeasured

CREWS = 6
PLOTS = (12, 25, 50)
"""Plots of a crew; a plot of the development data has some twenty trees."""
Spoil = Callable[[list[Pair], random.Random], list[Pair]]
Tally = Counter[tuple[str, int, str]]


def rounded(step_cm: float) -> Spoil:
    """Read to the nearest half or whole centimetre."""
    return lambda pairs, _: [p._replace(dbh_cm=round(round(p.dbh_cm / step_cm) * step_cm, 1)) for p in pairs]


def biased(share: float) -> Spoil:
    """A tape that reads so much more."""
    return lambda pairs, _: [p._replace(dbh_cm=round(p.dbh_cm * (1 + share), 1)) for p in pairs]


def copied(pairs: list[Pair], chance: random.Random) -> list[Pair]:
    """Last time's values for 30 to 100 % of the trees."""
    share = chance.uniform(0.3, 1.0)
    return [p._replace(dbh_cm=p.before_cm) if chance.random() < share else p for p in pairs]


def invented(pairs: list[Pair], chance: random.Random) -> list[Pair]:
    """Last time's values and a little, always nearly the same."""
    more = chance.uniform(0.3, 1.0)
    return [p._replace(dbh_cm=round(p.before_cm + more + chance.choice((-0.1, 0.0, 0.1)), 1)) for p in pairs]


BLOCKS: Mapping[str, tuple[Spoil, frozenset[str]]] = {
    "0/5 mm": (rounded(0.5), frozenset({"C01"})),
    "whole cm": (rounded(1.0), frozenset({"C01"})),
    "bias +3 %": (biased(0.03), frozenset({"C05"})),
    "bias -3 %": (biased(-0.03), frozenset({"C05"})),
    "bias +5 %": (biased(0.05), frozenset({"C05"})),
    "bias -5 %": (biased(-0.05), frozenset({"C05"})),
    "copy-forward": (copied, frozenset({"C04"})),
    "invented growth": (invented, frozenset({"C04"})),
    "gaps < 8 s": (lambda pairs, _: pairs, frozenset({"C02"})),
}
"""What a crew does, and which rules are to say so."""


class Row(NamedTuple):
    """A line of the table. `false` counts honest crews with any warn or error, `rules` by which rule."""

    block: str
    plots: int
    dealt: str
    found: int
    seeds: int
    false: int
    honest: int
    rules: Counter[str]


def plots_of(path: Path, before: str, now: str) -> list[list[Pair]]:
    """Remeasured trees of a table, plot by plot."""
    census = remeasured(path, before, now, 5.0)
    found = []
    for number, visit in enumerate(census.now):
        known = census.before[visit.plot_id].by_key()
        pairs = [
            Pair(number, "", None, tree.species, known[tree.key].dbh_cm or 0.0, tree.dbh_cm, 5.0)
            for tree in visit.trees
            if tree.dbh_cm and tree.key in known and known[tree.key].dbh_cm
        ]
        if len(pairs) >= 5:
            found.append(pairs)
    return found


def rows(plots: Sequence[list[Pair]], seeds: int) -> Iterator[Row]:
    """Every block, size of crew and way of dealing."""
    for name, (spoil, rules) in BLOCKS.items():
        for size in PLOTS:
            for dealt in ("by chance", "neighbours"):
                if size * CREWS <= len(plots):
                    yield _row(name, spoil, rules, plots, size, dealt, seeds)


def _row(
    name: str,
    spoil: Spoil,
    rules: frozenset[str],
    plots: Sequence[list[Pair]],
    size: int,
    dealt: str,
    seeds: int,
) -> Row:
    hit, false, by_rule = 0, 0, Counter[str]()
    for seed in range(seeds):
        chance = random.Random(f"{name} {size} {dealt} {seed}")
        crews = _dealt(plots, size, dealt, chance)
        crews[0] = spoil(crews[0], chance)
        works = {n: _work(pairs, chance, name == "gaps < 8 s" and n == 0) for n, pairs in enumerate(crews)}
        looks = looked_at(works, Parameters.default())
        said = {n: {flag.rule for flag in look.flags if flag.severity != "info"} for n, look in looks.items()}
        hit += bool(said[0] & rules)
        false += sum(bool(said[n]) for n in range(1, CREWS))
        by_rule.update(rule for n in range(1, CREWS) for rule in said[n])
    return Row(name, size, dealt, hit, seeds, false, seeds * (CREWS - 1), by_rule)


def _dealt(plots: Sequence[list[Pair]], size: int, dealt: str, chance: random.Random) -> list[list[Pair]]:
    places = list(range(len(plots)))
    if dealt == "by chance":
        chance.shuffle(places)
    else:
        begin = chance.randrange(len(places))
        places = places[begin:] + places[:begin]
    hands = [places[n * size : (n + 1) * size] for n in range(CREWS)]
    chance.shuffle(hands)
    return [[pair for place in hand for pair in plots[place]] for hand in hands]


def _work(pairs: list[Pair], chance: random.Random, hurries: bool) -> Work:
    digits = [0] * DIGITS
    for pair in pairs:
        digits[round(pair.dbh_cm * 10) % 10] += 1
    share = chance.uniform(0.3, 1.0) if hurries else 0.0
    gaps = [
        chance.uniform(2, 8) if chance.random() < share else exp(chance.gauss(log(125), 0.85)) for _ in pairs
    ]
    visits = sorted({pair.visit_id for pair in pairs})
    return Work({"": digits}, gaps, [Stay(n, str(n), 1, None, None, None, None) for n in visits], pairs)


def main(seeds: int = 10, path: Path = DATA / "scbi.csv", before: str = "2", now: str = "3") -> list[Row]:
    """Print the table and return its rows."""
    plots = plots_of(path, before, now)
    found = list(rows(plots, seeds))
    print(
        f"crews on {path.name} {before} to {now}: {len(plots)} plots, {CREWS} crews, one spoilt, {seeds} seeds"
    )
    print(f"  {'block':16s} {'plots':>5s} {'dealt':10s} {'recall':>6s} {'false alarms':>13s}")
    for row in found:
        rules = " ".join(f"{rule} {count}" for rule, count in sorted(row.rules.items()))
        print(f"  {row.block:16s} {row.plots:5d} {row.dealt:10s} {row.found / row.seeds:6.2f}"
              f" {row.false:5d} of {row.honest} {rules}")  # fmt: skip
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
