"""A tally that was pasted into another plot is found by an index and told from plots that are alike by nature."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.forest.visit import Visit
from server.validation.copied import Cell, Resembling, alike, copied_flags, grams, worth_a_look
from server.validation.flag import Severity
from server.validation.parameters import Parameters
from server.validation.places import copies_of_table
from tests.validation.makers import tree

LIMITS = Parameters.default().limits
KINDS = ("油松", "侧柏", "栎", "刺槐", "白桦")


def plot(seed: int, count: int = 25, kinds: int = 4, spread: float = 0.45) -> list[Cell]:
    """A made-up stand: diameters log-normal around 14 cm."""
    luck = random.Random(seed)
    return [
        (luck.choice(KINDS[:kinds]), max(50, round(140 * luck.lognormvariate(0, spread))))
        for _ in range(count)
    ]


def edited(tally: list[Cell], edits: int, seed: int) -> list[Cell]:
    luck = random.Random(seed)
    found = list(tally)
    for at in luck.sample(range(len(found)), edits):
        found[at] = (found[at][0], found[at][1] + luck.choice([-1, 1]) * luck.randint(2, 30))
    return found


def is_flagged(one: list[Cell], other: list[Cell]) -> bool:
    return bool(list(copied_flags(one, [Resembling("B", "2026", other)], LIMITS)))


@given(st.integers(0, 10**6), st.integers(0, 3), st.sampled_from([1, 4]))
def test_a_pasted_tally_with_a_few_edits_is_found(seed: int, edits: int, kinds: int) -> None:
    here = plot(seed, kinds=kinds)
    pasted = edited(here, edits, seed + 1)
    assert worth_a_look(len(grams(here) & grams(pasted)), len(pasted))
    assert is_flagged(pasted, here)


def test_a_line_left_out_or_put_in_hides_nothing() -> None:
    here = plot(1)
    assert is_flagged(here[:9] + here[10:], here)
    assert is_flagged([*here[:12], ("榆", 222), *here[12:]], here)


def test_a_shuffled_plot_is_found_too() -> None:
    here = plot(2)
    luck = random.Random(3)
    shuffled = luck.sample(here, len(here))
    assert worth_a_look(len(grams(here) & grams(shuffled)), len(shuffled))
    [flag] = copied_flags(shuffled, [Resembling("B", "2026", here)], LIMITS)
    assert flag.severity is Severity.ERROR
    assert flag.facts["share_pct"] == 100


@pytest.mark.parametrize(
    ("kinds", "spread", "step"), [(4, 0.45, 1), (1, 0.12, 1), (1, 0.12, 5), (1, 0.09, 10), (3, 0.09, 10)]
)
def test_honest_plots_stay_silent_also_where_all_trees_are_alike(
    kinds: int, spread: float, step: int
) -> None:
    tallies = [
        [(kind, mm // step * step) for kind, mm in plot(seed, kinds=kinds, spread=spread)]
        for seed in range(80)
    ]
    wrong = [(i, j) for i in range(80) for j in range(i) if is_flagged(tallies[i], tallies[j])]
    assert wrong == []


@pytest.mark.parametrize("step", [1, 5, 10])
def test_in_a_plantation_a_tally_with_lines_left_out_and_put_in_is_found(step: int) -> None:
    stand = [(kind, mm // step * step) for kind, mm in plot(6, count=60, kinds=1, spread=0.12)]
    pasted = [*stand[:14], *stand[15:30], (KINDS[0], 300), *stand[30:45], (KINDS[0], 90), *stand[46:]]
    assert is_flagged(pasted, stand)


def test_lists_by_size_are_alike_by_nature() -> None:
    here, there = (sorted((k, mm // 10 * 10) for k, mm in plot(seed, 60, 1, 0.09)) for seed in (7, 8))
    assert alike(here, there).run >= 8
    assert not is_flagged(here, there)


@given(st.lists(st.tuples(st.sampled_from(KINDS[:2]), st.integers(50, 60)), max_size=30),
       st.lists(st.tuples(st.sampled_from(KINDS[:2]), st.integers(50, 60)), max_size=30))  # fmt: skip
def test_agreement_is_mutual(one: list[Cell], other: list[Cell]) -> None:
    there, back = alike(one, other), alike(other, one)
    assert (there.run, there.same, there.overlap) == (back.run, back.same, back.overlap)
    assert there.log10_p == pytest.approx(back.log10_p)
    assert 0 <= max(there.run, there.same) <= min(len(one), len(other))
    assert there.log10_p <= 0


def test_the_best_offset_lays_the_same_trees_beside_each_other() -> None:
    here = plot(5)
    found = alike(here[4:], here)
    assert (found.offset, found.same, found.run) == (4, 21, 21)


def test_the_order_of_tags_tells_where_the_rows_of_a_table_are_shuffled() -> None:
    def shuffled(plot_id: str, tally: list[Cell]) -> Visit:
        trees = [tree(str(n + 1), mm / 10, species) for n, (species, mm) in enumerate(tally)]
        random.Random(plot_id).shuffle(trees)
        return Visit(plot_id, "2", None, tuple(row._replace(ordinal=n) for n, row in enumerate(trees)))

    stand = plot(1, count=40, kinds=1, spread=0.15)
    found = copies_of_table(
        [shuffled("A", stand), shuffled("B", edited(stand, 3, 2))], (), Parameters.default()
    )
    assert [flag.value for flag in found["B"]] == ["A"]


def test_few_trees_make_no_tally() -> None:
    assert grams(plot(1, count=4)) == set()


def test_in_a_table_a_copy_is_found_beside_its_own_census_and_the_last() -> None:
    def measured(plot_id: str, census: str, tally: list[Cell]) -> Visit:
        trees = [tree(str(n), mm / 10, species)._replace(ordinal=n) for n, (species, mm) in enumerate(tally)]
        return Visit(plot_id, census, None, tuple(trees))

    now = [
        measured("A", "2", plot(1)),
        measured("B", "2", edited(plot(1), 2, 9)),
        measured("C", "2", plot(3)),
    ]
    last = [measured("A", "1", plot(1)), measured("D", "1", plot(3))]
    found = copies_of_table(now, last, Parameters.default())
    said = {name: sorted(str(f.facts["other"]) for f in flags) for name, flags in found.items()}
    assert said == {"B": ["A", "A"], "C": ["D"]}
    assert copies_of_table(now, last, Parameters.default().with_changes({"P07.on": 0})) == {}
