"""Heights of one tree: range (H01), ratio to the diameter (H02), the height curve of its species (H03), height and
diameter exchanged (H04), last time's height (H05); and whether enough were measured (H06).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from math import exp

from server.forest.tree import Measurement
from server.validation.expected import student, went_on
from server.validation.flag import Flag, Severity
from server.validation.hd import HeightCurve
from server.validation.hypotheses import Verdict, weighed
from server.validation.parameters.limits import Limits
from server.validation.rule import raised
from server.validation.scene import ALIVE, Scene

SCREEN_STEPS = 2.5
"""Spreads around the height curve within which no height is looked at (project default)."""
FITS_STEPS = 1.5
"""A pair that was exchanged lies at least this near to the curve when exchanged back (project default)."""
TOLD = 3
"""Stories that a flag tells."""


def height_flags(scene: Scene) -> Iterator[Flag]:
    """H01 and H02; a tree whose height is out of range is not asked for its ratio as well."""
    limits = scene.limits
    low, high = limits.h01_min_m, limits.h01_warn_m
    least, most, from_cm = limits.h02_min, limits.h02_max, limits.h02_min_dbh_cm
    for tree in scene.alive:
        height = tree.height_m
        if height is None:
            continue
        dbh = tree.dbh_cm
        if height < low or height > high:
            yield _out_of_range(scene, tree, height)
        elif dbh is not None and dbh >= from_cm and not least <= height / dbh <= most:
            yield _odd_ratio(tree, height, dbh, limits)


def _out_of_range(scene: Scene, tree: Measurement, height: float) -> Flag:
    limits = scene.limits
    only_tall = limits.h01_warn_m < height <= limits.h01_max_m
    severity = Severity.INFO if only_tall and _is_usual(scene, tree, height) else Severity.WARN
    return raised(
        "H01", tree.ordinal, tree.tag, tree.stem_id, "height_m", f"{height:g}", limits.h01_min_m, limits.h01_max_m,
        severity=severity if only_tall else None, score=0.3 if only_tall else None,
        case="tall" if only_tall else "", warn_m=limits.h01_warn_m,
    )  # fmt: skip


def _is_usual(scene: Scene, tree: Measurement, height: float) -> bool:
    """Are accepted trees of its species and thickness as tall here?"""
    if scene.reference is None or not tree.dbh_cm or tree.dbh_cm <= 0:
        return False
    curve = scene.reference.height_curve(tree.species, scene.info(tree.species).genus)
    return curve is not None and abs(curve.steps(tree.dbh_cm, height)) < SCREEN_STEPS


def _odd_ratio(tree: Measurement, height: float, dbh: float, limits: Limits) -> Flag:
    ratio = height / dbh
    excess = max(ratio / limits.h02_max, limits.h02_min / ratio)
    return raised(
        "H02", tree.ordinal, tree.tag, tree.stem_id, "height_m", f"{height:g}",
        round(limits.h02_min * dbh, 1), round(limits.h02_max * dbh, 1),
        suggestion=_shifted(height, dbh, limits), score=excess / (excess + 1.5),
        dbh_cm=dbh, ratio=round(ratio, 2), min=limits.h02_min, max=limits.h02_max,
    )  # fmt: skip


def _shifted(height: float, dbh: float, limits: Limits) -> str:
    """The height with its decimal point moved, where that gives a usual ratio."""
    for value in (height * 10, height / 10):
        if (
            1.5 * limits.h02_min <= value / dbh <= limits.h02_max / 1.5
            and limits.h01_min_m <= value <= limits.h01_warn_m
        ):
            return f"{value:.1f}"
    return ""


def curve_flags(scene: Scene) -> Iterator[Flag]:
    """H03 and H04: a height that accepted trees of the species do not have at this diameter."""
    reference = scene.reference
    if reference is None or not reference.heights:
        return
    limits, curves = scene.limits, {}
    for tree in scene.sized:
        height, dbh = tree.height_m, tree.dbh_cm or 0.0
        if not height or height <= 0 or dbh < limits.h02_min_dbh_cm:
            continue
        if tree.species not in curves:
            curves[tree.species] = reference.height_curve(tree.species, scene.info(tree.species).genus)
        curve = curves[tree.species]
        if curve is not None and abs(curve.steps(dbh, height)) > SCREEN_STEPS:
            yield from _off_curve(scene, tree, curve)


def _off_curve(scene: Scene, tree: Measurement, curve: HeightCurve) -> Iterator[Flag]:
    limits, height, dbh = scene.limits, tree.height_m or 0.0, tree.dbh_cm or 0.0
    steps = curve.steps(dbh, height)
    changed_places = _exchanged(scene, tree, curve)
    if changed_places >= limits.x03_warn_score:
        yield raised("H04", tree.ordinal, tree.tag, tree.stem_id, "height_m", f"{height:g}",
                     suggestion=f"{dbh:g}", score=round(changed_places, 4), dbh_cm=dbh)  # fmt: skip
        return
    verdict = height_verdict(scene, tree, curve)
    if abs(steps) > limits.h03_steps or verdict.wrong >= limits.x03_warn_score:
        story = verdict.likeliest
        named = story is not None and story.meant_cm is not None and story.chance >= verdict.wrong / 2
        yield raised(
            "H03", tree.ordinal, tree.tag, tree.stem_id, "height_m", f"{height:g}",
            *usual_m(curve, dbh), suggestion=f"{story.meant_cm:.1f}" if named and story else "",
            severity=None if verdict.wrong >= limits.x03_warn_score else Severity.INFO, score=round(verdict.wrong, 4),
            dbh_cm=dbh, species=tree.species, expected_m=round(curve.height_m(dbh), 1), bands=scene.reference.version
            if scene.reference else "", hypotheses=[one.text for one in verdict.stories[:TOLD]],
        )  # fmt: skip


def _exchanged(scene: Scene, tree: Measurement, curve: HeightCurve) -> float:
    """How probable it is that diameter and height changed places."""
    height, dbh = tree.height_m or 0.0, tree.dbh_cm or 0.0
    if abs(curve.steps(height, dbh)) > FITS_STEPS or went_on(scene, tree):
        return 0.0
    likely = student(abs(curve.steps(height, dbh))) * scene.limits.h04_prior
    return likely / (likely + student(abs(curve.steps(dbh, height))))


def usual_m(curve: HeightCurve, dbh_cm: float) -> tuple[float, float]:
    """Nineteen trees of twenty of this diameter are between these, m."""
    middle, factor = curve.height_m(dbh_cm), exp(2 * curve.spread)
    return round(middle / factor, 1), round(middle * factor, 1)


def height_verdict(scene: Scene, tree: Measurement, curve: HeightCurve) -> Verdict:
    """What may have happened to a height: the slips of hand and eye are those of a diameter."""
    dbh, limits = tree.dbh_cm or 0.0, scene.limits

    def honest(heights_m: Iterable[float]) -> list[float]:
        return [student(abs(curve.steps(dbh, one))) / (curve.spread * one) for one in heights_m]

    return weighed(tree.height_m or 0.0, honest, curve.height_m(dbh), limits.h03_prior_error, whole_share=1.0)


def height_change_flags(scene: Scene) -> Iterator[Flag]:
    """H05: lower than last time, or taller by more than trees grow."""
    limits = scene.limits
    for now, before in scene.pairs:
        height, last = now.height_m, before.height_m
        if not height or not last or now.tally_code not in ALIVE or before.tally_code not in ALIVE:
            continue
        low = last - max(limits.h05_repeat_m, limits.h05_repeat_share * last)
        high = last + limits.h05_growth_m_yr * scene.years + limits.h05_repeat_m
        if not low <= height <= high:
            beyond = max(low - height, height - high) / limits.h05_repeat_m
            score = round((0.2 + beyond) / (1 + beyond), 4)
            asked = beyond > limits.h05_warn_repeats and not _was_odder(scene, now, before)
            severity = None if asked else Severity.INFO
            yield raised("H05", now.ordinal, now.tag, now.stem_id, "height_m", f"{height:g}", round(low, 1),
                         round(high, 1), severity=severity, score=score, before_m=last,
                         years=round(scene.years, 1), case="" if height > high else "lower")  # fmt: skip


def _was_odder(scene: Scene, now: Measurement, before: Measurement) -> bool:
    """Did last time's height lie further off the curve of the species than today's? Then today's is no question."""
    if scene.reference is None or min(now.dbh_cm or 0.0, before.dbh_cm or 0.0) <= 0:
        return False
    curve = scene.reference.height_curve(now.species, scene.info(now.species).genus)
    if curve is None:
        return False
    today = abs(curve.steps(now.dbh_cm or 0.0, now.height_m or 0.0))
    return today < abs(curve.steps(before.dbh_cm or 0.0, before.height_m or 0.0))


def few_heights_flags(scene: Scene) -> Iterator[Flag]:
    """H06: species of which too few heights were measured, where heights were measured at all."""
    trees = Counter(tree.species for tree in scene.sized if tree.species)
    measured = Counter(tree.species for tree in scene.sized if tree.height_m)
    if not measured:
        return
    least = scene.limits.h06_min_heights
    short = sorted(
        name
        for name, count in trees.items()
        if count >= scene.limits.h06_min_trees and measured[name] < least
    )
    if short:
        yield raised("H06", None, "", "", "height_m", "", plot_species=short, min_heights=least)
