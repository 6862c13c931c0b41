"""One tree in one census: its diameter, species, position and point of measurement (T01-T04, T11, T14, T15).

Typing slips of a diameter are found in `slips`, where there is something to compare it with; tags in `tag`.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot

from server.forest.tree import Measurement
from server.validation.expected import went_on
from server.validation.flag import Flag, Severity
from server.validation.rule import raised
from server.validation.scene import Scene, shown

KNOWN_SCORE = 0.1
"""Score of an oversized diameter that last time's supports (project default): the species may be wrong."""


def diameter_flags(scene: Scene) -> Iterator[Flag]:
    """T01 missing, T02 below the tally limit, T03 impossible."""
    limits = scene.limits
    low, high = limits.t02_min_cm - limits.t02_slack_cm, limits.t03_max_cm
    if len(scene.alive) >= limits.t01_all_missing and all(tree.dbh_cm is None for tree in scene.alive):
        yield raised("T01", None, "", "", "dbh_cm", "", score=0.99, case="none", trees=len(scene.alive))
        return
    for tree in scene.alive:
        dbh = tree.dbh_cm
        if dbh is None or dbh <= 0:
            yield _missing(tree)
        elif dbh < low:
            yield _too_small(tree, scene)
        elif dbh > high:
            yield _impossible(tree, scene)


def _missing(tree: Measurement) -> Flag:
    case = "missing" if tree.dbh_cm is None else "zero"
    return raised("T01", tree.ordinal, tree.tag, tree.stem_id, "dbh_cm", shown(tree), case=case)


def _too_small(tree: Measurement, scene: Scene) -> Flag:
    """An error; but a tree that was tallied last time only waits to be dropped: whether it can have shrunk so is asked
    by the rules of growth."""
    limits = scene.limits
    before = scene.known.get((tree.tag, tree.stem_id))
    last = before.dbh_cm if before is not None and before.dbh_cm is not None else 0.0
    known = last >= limits.t02_min_cm - limits.t02_slack_cm
    severity, score, case = (Severity.INFO, 0.1, "known") if known else (None, None, "")
    return raised("T02", tree.ordinal, tree.tag, tree.stem_id, "dbh_cm", shown(tree), limits.t02_min_cm,
                  severity=severity, score=score, case=case, min_cm=limits.t02_min_cm)  # fmt: skip


def _impossible(tree: Measurement, scene: Scene) -> Flag:
    before = scene.known.get((tree.tag, tree.stem_id))
    veteran = before is not None and before.dbh_cm is not None and before.dbh_cm > scene.limits.t03_max_cm
    return raised(
        "T03", tree.ordinal, tree.tag, tree.stem_id, "dbh_cm", shown(tree), None, scene.limits.t03_max_cm,
        severity=Severity.WARN if veteran else None, case="veteran" if veteran else "",
        max_cm=scene.limits.t03_max_cm,
    )  # fmt: skip


def size_flags(scene: Scene) -> Iterator[Flag]:
    """T04: larger or taller than accepted trees of the species, or else of its genus, are known to be."""
    if scene.reference is None:
        return
    bounds: dict[str, tuple[float, float]] = {}
    for tree in scene.sized:
        if tree.species not in bounds:
            bounds[tree.species] = _size_bounds(scene, tree.species)
        most_cm, most_m = bounds[tree.species]
        if tree.dbh_cm is not None and tree.dbh_cm > most_cm:
            yield _oversized(tree, "dbh_cm", tree.dbh_cm, most_cm, known=went_on(scene, tree))
        if tree.height_m is not None and tree.height_m > most_m:
            yield _oversized(tree, "height_m", tree.height_m, most_m, known=False)


def _size_bounds(scene: Scene, species: str) -> tuple[float, float]:
    limits, reference = scene.limits, scene.reference
    if reference is None:
        return (float("inf"), float("inf"))
    genus = scene.info(species).genus
    dbh_cm = reference.largest_dbh_cm(species, genus, limits.t04_min_trees)
    height_m = reference.largest_height_m(species, genus, limits.t04_min_trees)
    return (
        float("inf") if dbh_cm is None else limits.t04_factor * dbh_cm + limits.t04_margin_cm,
        float("inf") if height_m is None else limits.t04_factor * height_m + limits.t04_margin_m,
    )


def _oversized(tree: Measurement, field: str, value: float, most: float, *, known: bool) -> Flag:
    """Information where the tree is `known` to be that large: it was nearly so last time."""
    excess = value / most
    return raised(
        "T04", tree.ordinal, tree.tag, tree.stem_id, field, f"{value:g}", None, most,
        severity=Severity.INFO if known else None, score=KNOWN_SCORE if known else excess / (excess + 1), case=field,
        species=tree.species, most=most,
    )  # fmt: skip


def species_flags(scene: Scene) -> Iterator[Flag]:
    """T11: a species that the list does not know; a living tree without species where others have one."""
    listed, alive = scene.species, scene.alive
    if not any(tree.species for tree in alive):
        if alive:
            yield raised(
                "T11", None, "", "", "species", "", severity=Severity.WARN, case="none", trees=len(alive)
            )
        return
    for tree in alive:
        if not tree.species:
            before = scene.known.get((tree.tag, tree.stem_id))
            yield raised("T11", tree.ordinal, tree.tag, tree.stem_id, "species", "", severity=Severity.WARN,
                         suggestion=before.species if before else "", case="blank")  # fmt: skip
        elif listed is not None and tree.species not in listed:
            yield raised(
                "T11", tree.ordinal, tree.tag, tree.stem_id, "species", tree.species, case="unlisted"
            )


def position_flags(scene: Scene) -> Iterator[Flag]:
    """T14: a tree outside the boundary of a plot whose size is known (square or round)."""
    side, radius, limits = scene.now.side_m, scene.now.radius_m, scene.limits
    if side is None and radius is None:
        return
    for tree in scene.now.trees:
        x, y = tree.x_m, tree.y_m
        if x is None or y is None:
            continue
        outside = hypot(x, y) - radius if radius is not None else _outside_square(x, y, side or 0.0)
        if outside >= limits.t14_warn_m:
            gross = outside > limits.t14_error_m
            yield raised(
                "T14", tree.ordinal, tree.tag, tree.stem_id, "x_m", f"{x:g}, {y:g}",
                severity=None if gross else Severity.WARN, score=None if gross else 0.2,
                outside_m=round(outside, 2), warn_m=limits.t14_warn_m, error_m=limits.t14_error_m,
            )  # fmt: skip


def _outside_square(x: float, y: float, side: float) -> float:
    return hypot(max(-x, x - side, 0.0), max(-y, y - side, 0.0))


def pom_flags(scene: Scene) -> Iterator[Flag]:
    """T15: measured elsewhere than at breast height without a code that says why; or at an impossible height."""
    usual, most = scene.limits.t15_usual_m, scene.limits.t15_most_m
    for tree in scene.sized:
        pom = tree.pom_m
        if pom is None or pom == usual or pom == 0:  # 0 is how tables write "not noted"
            continue
        if not 0 < pom <= most:
            yield raised("T15", tree.ordinal, tree.tag, tree.stem_id, "pom_m", f"{pom:g}", 0.0, most,
                         severity=Severity.ERROR, score=0.5, case="impossible")  # fmt: skip
        elif not tree.codes and (tree.tag, tree.stem_id) not in scene.known:
            yield raised("T15", tree.ordinal, tree.tag, tree.stem_id, "pom_m", f"{pom:g}", usual_m=usual)
