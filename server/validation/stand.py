"""A plot's stand as a whole: basal area, density, mean size (P06); two stems in one spot (P11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import hypot, pi

from server.forest.tree import Measurement
from server.forest.visit import Visit
from server.validation.flag import Flag, Severity
from server.validation.parameters.limits import Limits
from server.validation.rule import raised
from server.validation.scene import ALIVE

CELL_M = 2.0
"""Side of the squares that stems are sorted into before neighbours are compared, m: thicker than two stems together."""


def stand_flags(visit: Visit, limits: Limits) -> Iterator[Flag]:
    """P06: more wood or more stems than grows on the area, or trees of a mean size that no stand has."""
    dbhs = [t.dbh_cm for t in visit.trees if t.tally_code in ALIVE and t.dbh_cm and t.dbh_cm > 0]
    if not dbhs or not visit.area_ha:
        return
    ba = _basal_area(dbhs) / visit.area_ha
    # what one tree alone makes too much is said at that tree
    without_largest = ba - _basal_area([max(dbhs)]) / visit.area_ha
    if ba > limits.p06_ba_warn and without_largest > limits.p06_ba_warn:
        gross = without_largest > limits.p06_ba_error
        yield _stand("basal_area", round(ba, 1), limits.p06_ba_error if gross else limits.p06_ba_warn, gross)
    stems = sum(dbh >= 5 for dbh in dbhs) / visit.area_ha
    if stems > limits.p06_stems_warn:
        gross = stems > limits.p06_stems_error
        yield _stand("stems", round(stems), limits.p06_stems_error if gross else limits.p06_stems_warn, gross)
    if len(dbhs) >= limits.p06_min_trees:
        yield from _mean_size(visit, dbhs, limits)


def _stand(case: str, value: float, most: float, gross: bool) -> Flag:
    return raised("P06", None, "", "", "", f"{value:g}", None, most, severity=Severity.ERROR if gross else None,
                  score=0.9 if gross else 0.4, case=case)  # fmt: skip


def _mean_size(visit: Visit, dbhs: Sequence[float], limits: Limits) -> Iterator[Flag]:
    mean_cm = sum(dbhs) / len(dbhs)
    if not limits.p06_mean_dbh_least <= mean_cm <= limits.p06_mean_dbh_most:
        yield raised("P06", None, "", "", "dbh_cm", f"{mean_cm:.1f}", limits.p06_mean_dbh_least,
                     limits.p06_mean_dbh_most, case="mean_dbh", plot_trees=len(dbhs))  # fmt: skip
    heights = [t.height_m for t in visit.trees if t.tally_code in ALIVE and t.height_m]
    if len(heights) < limits.p06_min_trees:
        return
    mean_m = sum(heights) / len(heights)
    if not limits.p06_mean_height_least <= mean_m <= limits.p06_mean_height_most:
        yield raised("P06", None, "", "", "height_m", f"{mean_m:.1f}", limits.p06_mean_height_least,
                     limits.p06_mean_height_most, case="mean_height", plot_trees=len(heights))  # fmt: skip


def _basal_area(dbhs: Sequence[float]) -> float:
    """m² of cross-section at breast height."""
    return sum(pi / 4 * dbh * dbh for dbh in dbhs) / 10_000


def crowded_flags(visit: Visit, before: Visit | None, limits: Limits) -> Iterator[Flag]:
    """P11: two living stems of different tags whose wood would overlap; silent where both stood there last time."""
    placed = [
        t
        for t in visit.trees
        if t.tally_code in ALIVE and t.x_m is not None and t.y_m is not None and t.dbh_cm
    ]
    if len(placed) < 2:
        return
    known = before.by_key() if before is not None else {}
    squares: dict[tuple[int, int], list[Measurement]] = {}
    for tree in placed:
        x, y = _square(tree)
        for near in ((x + i, y + j) for i in (-1, 0, 1) for j in (-1, 0, 1)):
            for other in squares.get(near, ()):
                if other.tag != tree.tag and not (_stood_there(tree, known) and _stood_there(other, known)):
                    yield from _overlap(tree, other, limits)
        squares.setdefault((x, y), []).append(tree)


def _square(tree: Measurement) -> tuple[int, int]:
    return int((tree.x_m or 0.0) // CELL_M), int((tree.y_m or 0.0) // CELL_M)


def _stood_there(tree: Measurement, known: Mapping[tuple[str, str], Measurement]) -> bool:
    before = known.get(tree.key)
    return before is not None and (before.x_m, before.y_m) == (tree.x_m, tree.y_m)


def _overlap(tree: Measurement, other: Measurement, limits: Limits) -> Iterator[Flag]:
    apart = hypot((tree.x_m or 0.0) - (other.x_m or 0.0), (tree.y_m or 0.0) - (other.y_m or 0.0))
    touching = ((tree.dbh_cm or 0.0) + (other.dbh_cm or 0.0)) / 200
    if apart < limits.p11_share * touching:
        sure = touching >= limits.p11_sure_m
        yield raised("P11", tree.ordinal, tree.tag, tree.stem_id, "x_m", f"{tree.x_m:g}, {tree.y_m:g}",
                     severity=None if sure else Severity.INFO, score=None if sure else 0.1, other=other.tag,
                     apart_m=round(apart, 2), touching_m=round(touching, 2))  # fmt: skip
