"""What a crew types at a plot, each with its habit. Slips of a single moment are made in `slips`.

A habit is what a crew does all day: how it reads the tape, what it rounds, what it copies. Texts come out as
a person types them into the form.
"""

from __future__ import annotations

import random
from collections import defaultdict
from typing import NamedTuple

from server.demo.county import Habit
from server.demo.growth import State, TruePlot, TrueTree

TypedRow = dict[str, str]
"""One tree: field of the measures "tree.*" -> text."""

HEIGHTS_EACH_SPECIES = 5
"""Heights that a crew measures in a plot, of each species."""
TAPE_LIMIT_CM = {Habit.CAREFUL: 0.1, Habit.ROUNDS: 0.3, Habit.COPIES: 0.2}
"""The tape of a crew is never further off than this, cm; its standard deviation is half of it."""
ROUNDED_SHARE = 0.85
"""Share of its diameters that a rounding crew gives in whole centimetres."""
COPIED_PLOTS_SHARE = 0.3
"""Share of its plots in which a copying crew takes values from the last census, in every census but the
first."""
PASTED_PLOTS_SHARE = 0.15
"""Share of its plots in which a copying crew writes down part of the plot of the same stratum that it measured
before."""


class Copied(NamedTuple):
    """A diameter that was not measured: `kind` is copied_census or copied_plot."""

    kind: str
    tag: str
    measured: str
    typed: str


def typed_rows(
    plot: TruePlot, census: str, habit: Habit, luck: random.Random, tape_off_cm: float = 0.0
) -> list[TypedRow]:
    """What this crew types when it measures every tree and makes no slip; its tape reads `tape_off_cm` too much."""
    with_height = _measured_for_height(plot, census)
    return [
        _row(tree, tree.states[census], tree.tag in with_height, _Tape(habit, luck, tape_off_cm))
        for tree in plot.found_in(census)
    ]


def copy_from_census(rows: list[TypedRow], last: list[TypedRow], luck: random.Random) -> list[Copied]:
    """Put last census's diameters in place of a run of 30 to 100 % of the living trees; give what was
    copied."""
    before = {row["tag"]: row["dbh_cm"] for row in last if "dbh_cm" in row}
    living = [row for row in rows if "dbh_cm" in row and row["tag"] in before]
    count = round(luck.uniform(0.3, 1.0) * len(living))
    start = luck.randrange(len(living) - count + 1) if living else 0
    return [_copy(row, before[row["tag"]], "copied_census") for row in living[start : start + count]]


def copy_from_plot(rows: list[TypedRow], other: list[TypedRow], luck: random.Random) -> list[Copied]:
    """Write a run of 8 to 20 diameters of another plot over this one's."""
    living = [row for row in rows if "dbh_cm" in row]
    source = [row["dbh_cm"] for row in other if "dbh_cm" in row]
    count = min(luck.randrange(8, 21), len(living), len(source))
    here, there = luck.randrange(len(living) - count + 1), luck.randrange(len(source) - count + 1)
    pairs = zip(living[here : here + count], source[there : there + count], strict=True)
    return [_copy(row, text, "copied_plot") for row, text in pairs]


def _copy(row: TypedRow, text: str, kind: str) -> Copied:
    copied = Copied(kind, row["tag"], row["dbh_cm"], text)
    row["dbh_cm"] = text
    return copied


def _measured_for_height(plot: TruePlot, census: str) -> set[str]:
    """Tags of the height trees: the same ones in each census, as long as they live."""
    kinds: dict[str, list[TrueTree]] = defaultdict(list)
    for tree in plot.found_in(census):
        if tree.states[census].tally_code.is_alive:
            kinds[tree.species.code].append(tree)
    chosen: set[str] = set()
    for trees in kinds.values():
        order = sorted(trees, key=lambda tree: _height_rank(plot.plot.plot_id, tree))
        chosen |= {tree.tag for tree in order[:HEIGHTS_EACH_SPECIES]}
    return chosen


def _height_rank(plot_id: str, tree: TrueTree) -> tuple[str, float]:
    """Older trees first, then by lot: a new tree never takes the place of one that was measured before."""
    return next(iter(tree.states)), random.Random(f"{plot_id}/{tree.tag}").random()


class _Tape(NamedTuple):
    """Who reads a tape, how lucky, and what it reads too much, cm."""

    habit: Habit
    luck: random.Random
    off_cm: float


def _row(tree: TrueTree, state: State, with_height: bool, tape: _Tape) -> TypedRow:
    luck = tape.luck
    row = {
        "tag": tree.tag,
        "species": tree.species.code,
        "tally_code": str(int(state.tally_code)),
        "azimuth_deg": str(round(tree.azimuth_deg + luck.gauss(0, 0.7)) % 360),
        "distance_m": f"{max(0.1, tree.distance_m + luck.gauss(0, 0.05)):.1f}",
    }
    if state.tally_code.is_alive:
        row["dbh_cm"] = _dbh_text(state.dbh_cm, tape)
        height = max(1.4, state.height_m + luck.gauss(0, 0.02 * state.height_m))
        if with_height:
            row["height_m"] = f"{height:.1f}"
    return row


def _dbh_text(true_cm: float, tape: _Tape) -> str:
    habit, luck = tape.habit, tape.luck
    limit = TAPE_LIMIT_CM[habit]
    # the reading is to a tenth, so what is lost by that is part of the limit
    room = limit - 0.05
    read_cm = true_cm + tape.off_cm + min(room, max(-room, luck.gauss(0, limit / 2)))
    rounds = luck.random() < ROUNDED_SHARE
    if habit is Habit.ROUNDS and rounds:
        return f"{max(5, round(read_cm))}.0"
    return f"{max(5.0, read_cm):.1f}"
