"""Height of one tree in one census: its range (H01) and its ratio to the diameter (H02).

Heights against a fitted height-diameter curve need accepted data and are not judged here.
"""

from __future__ import annotations

from collections.abc import Iterator

from server.forest.tree import Measurement
from server.validation.flag import Flag, Severity
from server.validation.parameters.limits import Limits
from server.validation.rule import raised
from server.validation.scene import Scene


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
            yield _out_of_range(tree, height, limits)
        elif dbh is not None and dbh >= from_cm and not least <= height / dbh <= most:
            yield _odd_ratio(tree, height, dbh, limits)


def _out_of_range(tree: Measurement, height: float, limits: Limits) -> Flag:
    only_tall = limits.h01_warn_m < height <= limits.h01_max_m
    return raised(
        "H01", tree.ordinal, tree.tag, tree.stem_id, "height_m", f"{height:g}", limits.h01_min_m, limits.h01_max_m,
        severity=Severity.WARN if only_tall else None, score=0.3 if only_tall else None,
        case="tall" if only_tall else "", warn_m=limits.h01_warn_m,
    )  # fmt: skip


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
