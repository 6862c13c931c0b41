"""A diameter in its first census: nothing before it, so the other trees of the plot and the tree's own height say what
it should be (T05 a decimal point or a unit, T06 a typing slip)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from math import exp, log
from typing import NamedTuple

from server.forest.tree import Measurement
from server.validation.expected import student
from server.validation.flag import Flag, Severity
from server.validation.hd import HeightCurve
from server.validation.hypotheses import RATIOS, Hypothesis, Verdict, weighed
from server.validation.rule import raised
from server.validation.scene import Scene, shown
from server.validation.stats import middle_and_spread

LEAST_SPREAD = 0.15
"""No plot's diameters are more alike than this, as a standard deviation of ln D (even-aged plantations)."""
LOOKED_AT = 2.5
"""Spreads from the plot's middle, or from the height curve, from which a diameter is looked at."""
TOLD = 3


class Stand(NamedTuple):
    """The other trees: middle and spread of ln D, and how many."""

    middle: float
    spread: float
    trees: int

    def densities(self, dbhs_cm: Iterable[float]) -> list[float]:
        """How likely a tree of the stand has each of these diameters, per cm."""
        middle, spread, _ = self
        return [student(abs(log(dbh) - middle) / spread) / (spread * dbh) for dbh in dbhs_cm]


ANYWHERE = Stand(log(15.0), 0.8, 0)
"""Diameters where nothing is known of the stand: nine trees of ten between 3 and 70 cm (project default)."""
ANYWHERE_SHARE = 0.1
"""Share of trees that are of another kind than their stand (project default): few trees say little about its edges."""


class First(NamedTuple):
    """What honest work would find in a first census: the stand, and the curve that the height must fit."""

    stand: Stand
    curve: HeightCurve | None
    height_m: float | None

    def densities(self, dbhs_cm: Sequence[float]) -> list[float]:
        """How likely each of these diameters is, per cm, with the height that was measured."""
        found, curve, height_m = self.stand.densities(dbhs_cm), self.curve, self.height_m
        if curve is None or not height_m:
            return found
        return [
            likely * (student(curve.steps(dbh, height_m)) / curve.spread)
            for dbh, likely in zip(dbhs_cm, found, strict=True)
        ]

    def is_odd(self, dbh_cm: float) -> bool:
        """Is it worth a closer look?"""
        if abs(log(dbh_cm) - self.stand.middle) > LOOKED_AT * self.stand.spread:
            return True
        if self.curve is None or not self.height_m:
            return False
        return abs(self.curve.steps(dbh_cm, self.height_m)) > LOOKED_AT


def outlier_flags(scene: Scene) -> Iterator[Flag]:
    """Trees that were never measured before, beside the other trees of the plot and their own height."""
    new = [tree for tree in scene.sized if tree.key not in scene.known]
    if not new:
        return
    stands = Stands(scene)
    if stands.trees <= scene.limits.t05_min_trees:
        return
    for tree in new:
        first = first_of(scene, tree, stands)
        if first.is_odd(tree.dbh_cm or 0.0):
            flag = _flag(scene, tree, first)
            if flag is not None:
                yield flag


class Stands:
    """The living trees of a plot by species, each species' middle and spread reckoned when it is asked for."""

    def __init__(self, scene: Scene) -> None:
        self._sizes = scene.all_sizes
        self._least = scene.limits.t05_min_trees
        self._known: dict[str, Stand] = {}
        self.trees = sum(map(len, self._sizes.values()))

    def of(self, species: str) -> Stand:
        """Trees of the species where there are enough, else all."""
        found = self._known.get(species)
        if found is None:
            own = self._sizes.get(species, ()) if species else ()
            found = _stand(own) if len(own) > self._least else self._all()
            self._known[species] = found
        return found

    def densities(self, species: str, dbhs_cm: Sequence[float]) -> list[float]:
        """How likely some tree here, of the species if it is named, has each of these diameters, per cm; where few
        trees are known nearly any."""
        stand = self.of(species)
        share = ANYWHERE_SHARE if stand.trees > self._least else 1.0
        return [
            (1 - share) * here + share * anywhere
            for here, anywhere in zip(stand.densities(dbhs_cm), ANYWHERE.densities(dbhs_cm), strict=True)
        ]

    def _all(self) -> Stand:
        found = self._known.get("")
        return found or self._known.setdefault("", _stand([*chain(*self._sizes.values())]))


def _stand(dbhs_cm: Sequence[float]) -> Stand:
    middle, spread = middle_and_spread([log(dbh) for dbh in dbhs_cm])
    return Stand(middle, max(spread, LEAST_SPREAD), len(dbhs_cm))


def first_of(scene: Scene, tree: Measurement, stands: Stands) -> First:
    """What is known of a tree without a last diameter."""
    reference, curve = scene.reference, None
    if reference is not None and reference.heights and tree.height_m and tree.height_m > 0:
        curve = reference.height_curve(tree.species, scene.info(tree.species).genus)
    return First(stands.of(tree.species), curve, tree.height_m)


def verdict_of(scene: Scene, tree: Measurement, first: First) -> Verdict:
    """What may have happened to a diameter that has nothing before it."""
    limits = scene.limits
    return weighed(tree.dbh_cm or 0.0, first.densities, exp(first.stand.middle), limits.x03_prior_error,
                   whole_share=1.0, shift=limits.x03_score_shift, slope=limits.x03_score_slope)  # fmt: skip


def _flag(scene: Scene, tree: Measurement, first: First) -> Flag | None:
    verdict = verdict_of(scene, tree, first)
    story, limits = verdict.likeliest, scene.limits
    if story is None or verdict.wrong < limits.x03_info_score:
        return None
    rule = "T05" if story.kind in RATIOS else "T06"
    return _raised(scene, tree, first, verdict, story, rule)


def _raised(
    scene: Scene, tree: Measurement, first: First, verdict: Verdict, story: Hypothesis, rule: str
) -> Flag:
    low, high = _usual_cm(first.stand)
    severity = Severity.WARN if verdict.wrong >= scene.limits.x03_warn_score else Severity.INFO
    reference = scene.reference
    return raised(
        rule, tree.ordinal, tree.tag, tree.stem_id, "dbh_cm", shown(tree), low, high,
        suggestion=f"{story.meant_cm:.1f}", severity=severity, score=round(verdict.wrong, 4), case="alone",
        slip=story.kind, species=tree.species, plot_trees=first.stand.trees - 1, height_m=tree.height_m,
        bands="" if reference is None else reference.version,
        hypotheses=[one.text for one in verdict.stories[:TOLD]],
    )  # fmt: skip


def _usual_cm(stand: Stand) -> tuple[float, float]:
    """Four trees of five stand between these, cm."""
    return round(exp(stand.middle - 1.28 * stand.spread), 1), round(
        exp(stand.middle + 1.28 * stand.spread), 1
    )
