"""An audit visit beside the visit that it checks: tree by tree, and what may be concluded from so many trees.

Two honest tapes differ; the tolerance of two tapes (GB/T 38590-2020, unverified) says how far. Of a hundred honest
trees some five lie outside it, so a number is refused only when an honest crew would hardly reach it, and what a good
number proves is told as power. Start at `compared`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from math import sqrt
from typing import Any, NamedTuple

from server.forest.tree import Measurement, TallyCode
from server.validation.parameters.limits import Limits
from server.validation.shares import Z95, as_student, most_by_chance, power
from server.validation.stake import tonnes_co2

Figures = dict[str, Any]
ALIVE = frozenset(code for code in TallyCode if code.is_alive)
MOST_CM = 1000.0
"""A diameter beyond this is none, and weighs as this, cm."""


class Verdict(StrEnum):
    """What an audit says: `weak` is no fault found among too few trees."""

    PASSED = "passed"
    FAILED = "failed"
    WEAK = "weak"


class Beside(NamedTuple):
    """One tree as the crew (`theirs`) and as the audit (`ours`) found it; None: not in that list. `off_cm` is theirs
    less ours, None where one has no diameter; `faults` are words for what differs beyond what may."""

    theirs: Measurement | None
    ours: Measurement | None
    off_cm: float | None
    tolerance_cm: float
    faults: tuple[str, ...]


def tolerance_cm(dbh_cm: float, limits: Limits) -> float:
    """How far two honest tapes differ at this diameter, cm."""
    return limits.x02_tolerance_cm if dbh_cm < limits.x02_large_cm else limits.x02_tolerance_share * dbh_cm


def side_by_side(theirs: Sequence[Measurement], ours: Sequence[Measurement], limits: Limits) -> list[Beside]:
    """Every tree of either list, in the crew's order, then what only the audit found. Trees that both say are gone
    are left out."""
    known = {tree.key: tree for tree in reversed(ours)}
    mine = {tree.key: tree for tree in reversed(theirs)}
    pairs: list[tuple[Measurement | None, Measurement | None]] = [(t, known.get(k)) for k, t in mine.items()]
    pairs.sort(key=lambda pair: pair[0].ordinal if pair[0] else 0)
    pairs += [(None, tree) for key, tree in reversed(known.items()) if key not in mine]
    return [_beside(a, b, limits) for a, b in pairs if _lives(a) or _lives(b)]


def _lives(tree: Measurement | None) -> bool:
    return tree is not None and tree.tally_code in ALIVE


def _beside(theirs: Measurement | None, ours: Measurement | None, limits: Limits) -> Beside:
    found = ours.dbh_cm if ours is not None and _lives(ours) else None
    said = theirs.dbh_cm if theirs is not None and _lives(theirs) else None
    off = said - found if said and found else None
    allowed = tolerance_cm(found or said or 0.0, limits)
    return Beside(theirs, ours, off, allowed, tuple(_faults(theirs, ours, off, allowed)))


def _faults(
    theirs: Measurement | None, ours: Measurement | None, off: float | None, allowed: float
) -> Iterator[str]:
    if theirs is None or ours is None:
        yield "missed" if theirs is None else "extra"
        return
    if off is not None and abs(off) > allowed + 1e-9:
        yield "dbh"
    if theirs.species and ours.species and theirs.species != ours.species:
        yield "species"
    if _lives(theirs) != _lives(ours):
        yield "status"


def compared(rows: Sequence[Beside], limits: Limits) -> Figures:
    """An audit in figures (Q02 to Q05) with its verdict."""
    figures = {
        **_agreement(rows, limits),
        **_lists(rows, limits),
        **_bias([rows], limits),
        **_biomass(rows, limits),
    }
    return {**figures, "verdict": _verdict(figures, limits).value}


def _agreement(rows: Sequence[Beside], limits: Limits) -> Figures:
    """Q02: diameters outside the tolerance."""
    measured = [row for row in rows if row.off_cm is not None]
    return agreement(len(measured), sum("dbh" in row.faults for row in measured), limits)


def agreement(trees: int, outside: int, limits: Limits) -> Figures:
    """So many outside of so many, how many an honest crew may have, and how surely a bad one is found."""
    most = most_by_chance(trees, limits.q02_honest_share, limits.q02_sure)
    return {
        "trees": trees,
        "outside": outside,
        "most": most,
        "power": power(trees, most, limits.q02_bad_share),
    }


def _lists(rows: Sequence[Beside], limits: Limits) -> Figures:
    """Q04: trees missed or too many, species, alive or not."""
    lacking = [row for row in rows if {"missed", "extra"} & set(row.faults)]
    large = sum(_size(row) >= limits.q04_large_cm for row in lacking)
    small_trees = sum(_size(row) < limits.q04_large_cm for row in rows)
    both = len(rows) - len(lacking)
    return {
        "missed": sum("missed" in row.faults for row in rows),
        "extra": sum("extra" in row.faults for row in rows),
        "lacking_large": large,
        "lacking_small": len(lacking) - large,
        "small_most": min(limits.q04_small_trees, limits.q04_small_share * small_trees),
        "both": both,
        "species": sum("species" in row.faults for row in rows),
        "status": sum("status" in row.faults for row in rows),
        "labels_most": (1 - limits.q04_labels_share) * both,
    }


def _size(row: Beside) -> float:
    tree = row.ours or row.theirs
    return (tree.dbh_cm if tree else None) or 0.0


def _bias(audits: Sequence[Sequence[Beside]], limits: Limits) -> Figures:
    """Q03: differences in units of what a bias may be. Gross differences are counted by Q02 and left out here: a
    typing slip is no stretched tape."""
    units = [unit for rows in audits for unit in units_of(rows, limits)]
    return bias(len(units), sum(units), sum(unit * unit for unit in units))


def units_of(rows: Sequence[Beside], limits: Limits) -> list[float]:
    """Theirs less ours, in units of the bias that is allowed at that diameter."""
    found = []
    for row in rows:
        if row.off_cm is not None and row.ours is not None and abs(row.off_cm) <= 3 * row.tolerance_cm:
            dbh = row.ours.dbh_cm or 0.0
            allowed = limits.q03_bias_cm if dbh < limits.x02_large_cm else limits.q03_bias_share * dbh
            found.append(row.off_cm / allowed)
    return found


def bias(count: int, total: float, squares: float) -> Figures:
    """Mean of the units with its interval (nine of ten: two one-sided tests), from their sums."""
    sums = {"bias_trees": count, "bias_sum": total, "bias_squares": squares}
    if count < 2:
        return {**sums, "bias": None}
    mean = total / count
    error = sqrt(max(squares - count * mean * mean, 0.0) / (count - 1) / count)
    half = as_student(1.644854, count - 1) * error
    wide = as_student(Z95, count - 1) * error
    return {**sums, "bias": mean, "bias_interval": [mean - half, mean + half],
            "is_biased": abs(mean) > 1 and abs(mean) > wide,
            "is_unbiased": max(half - mean, half + mean) < 1}  # fmt: skip


def _biomass(rows: Sequence[Beside], limits: Limits) -> Figures:
    """Q05: what the trees hold by either list, t CO2e."""
    theirs = sum(_weight(row.theirs, limits) for row in rows)
    ours = sum(_weight(row.ours, limits) for row in rows)
    return {"agb_theirs": theirs, "agb_ours": ours, "agb_off": (theirs - ours) / ours if ours else None}


def _weight(tree: Measurement | None, limits: Limits) -> float:
    return tonnes_co2(limits, min(tree.dbh_cm or 0.0, MOST_CM)) if tree is not None and _lives(tree) else 0.0


def _verdict(figures: Figures, limits: Limits) -> Verdict:
    if failures(figures, limits):
        return Verdict.FAILED
    return Verdict.PASSED if figures["trees"] >= limits.q02_min_trees else Verdict.WEAK


def failures(figures: Figures, limits: Limits) -> list[str]:
    """Why an audit fails: words for the page; empty: it does not."""
    off = figures["agb_off"]
    found = {
        "dbh": figures["outside"] > figures["most"],
        "large": figures["lacking_large"] > 0,
        "small": figures["lacking_small"] > max(figures["small_most"], 0),
        "species": figures["species"] > figures["labels_most"],
        "status": figures["status"] > figures["labels_most"],
        "agb": off is not None and abs(off) > 2 * limits.q05_plot_share,
    }
    return [name for name, fails in found.items() if fails]
