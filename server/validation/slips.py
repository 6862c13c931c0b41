"""A diameter out of line in a single census: a wrong decimal point or unit (T05 without an earlier visit)."""

from __future__ import annotations

from collections.abc import Iterator

from server.forest.tree import Measurement
from server.validation.flag import Flag, Severity
from server.validation.rule import raised
from server.validation.scene import Scene, shown
from server.validation.suggest import Expected, ratio_slip

MOST_OUTLIERS = 3
"""Trees at one end of a species that may be out of line together; more than that is a second generation."""


def outlier_flags(scene: Scene) -> Iterator[Flag]:
    """T05 as a warn: far from every other tree of its species in the plot, and a slip brings it among them."""
    groups: dict[str, list[Measurement]] = {}
    for tree in scene.sized:
        if (tree.tag, tree.stem_id) not in scene.known:
            groups.setdefault(tree.species, []).append(tree)
    for trees in groups.values():
        if len(trees) > scene.limits.t05_min_trees:
            yield from _outliers(scene, trees)


def _outliers(scene: Scene, trees: list[Measurement]) -> Iterator[Flag]:
    trees = sorted(trees, key=_dbh)
    factor = scene.limits.t05_outlier_factor
    for count in range(MOST_OUTLIERS, 0, -1):
        inner = trees[:-count]
        if len(inner) >= scene.limits.t05_min_trees and _dbh(trees[-count]) > factor * _dbh(inner[-1]):
            yield from _hits(scene, trees[-count:], inner)
            break
    for count in range(MOST_OUTLIERS, 0, -1):
        inner = trees[count:]
        if len(inner) >= scene.limits.t05_min_trees and _dbh(trees[count - 1]) < _dbh(inner[0]) / factor:
            yield from _hits(scene, trees[:count], inner)
            break


def _hits(scene: Scene, outliers: list[Measurement], inner: list[Measurement]) -> Iterator[Flag]:
    core = _core(inner, scene.limits.t05_core_share)
    for tree in outliers:
        slip = ratio_slip(_dbh(tree), core)
        if slip is not None:
            distance = max(_dbh(tree) / _dbh(inner[-1]), _dbh(inner[0]) / _dbh(tree))
            yield raised(
                "T05", tree.ordinal, tree.tag, tree.stem_id, "dbh_cm", shown(tree), core.low_cm, core.high_cm,
                suggestion=slip.text, severity=Severity.WARN, score=10 * distance / (distance + 3),
                case="alone", slip=slip.kind, species=tree.species, plot_trees=len(inner),
            )  # fmt: skip


def _core(inner: list[Measurement], share: float) -> Expected:
    cut = round(len(inner) * (1 - share) / 2)
    low, high = _dbh(inner[cut]), _dbh(inner[-1 - cut])
    return Expected(_dbh(inner[len(inner) // 2]), max(high - low, 0.1), low, high)


def _dbh(tree: Measurement) -> float:
    return tree.dbh_cm or 0.0
