"""One tree across censuses, its diameter's growth apart: what became of it, its species, tag, place and point of
measurement (T12, X07-X10, X12-X14). Nothing here speaks where no earlier visit is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import hypot

from server.forest.tree import Measurement, TallyCode
from server.validation.expected import went_on
from server.validation.flag import Flag, Severity
from server.validation.rule import raised
from server.validation.scene import ALIVE, GONE, Key, Pair, Scene, shown


def fate_flags(scene: Scene) -> Iterator[Flag]:
    """T12 a dead or cut tree with a new diameter; X08 a dead tree that lives; X07 a tree of unknown fate."""
    tolerance = scene.limits.t12_tolerance_cm
    for now, before in scene.pairs:
        if now.tally_code in ALIVE:
            if before.tally_code in GONE and now.tally_code is not TallyCode.INGROWTH:
                yield _resurrected(now, before)
        elif now.tally_code is None:
            if before.tally_code in ALIVE:
                yield raised("X07", now.ordinal, now.tag, now.stem_id, "tally_code", "", severity=Severity.WARN,
                             score=0.4, case="unknown", before_cm=before.dbh_cm)  # fmt: skip
        elif now.dbh_cm and before.dbh_cm and abs(now.dbh_cm - before.dbh_cm) > tolerance:
            yield raised(
                "T12", now.ordinal, now.tag, now.stem_id, "dbh_cm", shown(now), before.dbh_cm - tolerance,
                before.dbh_cm + tolerance, before_cm=before.dbh_cm, tolerance_cm=tolerance,
            )  # fmt: skip


def _resurrected(now: Measurement, before: Measurement) -> Flag:
    said = now.tally_code is TallyCode.RESURRECTED
    return raised(
        "X08", now.ordinal, now.tag, now.stem_id, "tally_code", _code(now), severity=Severity.WARN if said else None,
        score=0.3 if said else None, case="said" if said else "", before=_code(before),
    )  # fmt: skip


def _code(tree: Measurement) -> str:
    return "" if tree.tally_code is None else str(int(tree.tally_code))


def vanished_flags(scene: Scene) -> Iterator[Flag]:
    """X07: trees that lived last time and have no row now; one flag for all where the visit looks unfinished."""
    if len(scene.pairs) == len(scene.known):
        return
    mine = scene.mine
    absent = [tree for key, tree in scene.known.items() if key not in mine and tree.tally_code in ALIVE]
    lived = sum(tree.tally_code in ALIVE for tree in scene.known.values())
    if len(absent) >= scene.limits.x07_many and len(absent) > scene.limits.x07_many_share * lived:
        yield raised("X07", None, "", "", "tag", "", score=0.98, case="many", absent=len(absent), lived=lived,
                     tags=sorted(tree.tag for tree in absent))  # fmt: skip
        return
    for tree in absent:
        yield raised(
            "X07", None, tree.tag, tree.stem_id, "tag", "", before_cm=tree.dbh_cm, species=tree.species
        )


def species_change_flags(scene: Scene) -> Iterator[Flag]:
    """X09: another species than last time, unless the crew says that last time's was wrong (code 19). Several trees
    that went from one species to one other are one decision of the crew, and one flag."""
    changes: dict[tuple[str, str], list[Measurement]] = {}
    for now, before in scene.pairs:
        if now.species == before.species or not now.species or not before.species:
            continue
        if now.tally_code is not TallyCode.SPECIES_ERROR and not _same_name(now.species, before.species):
            changes.setdefault((before.species, now.species), []).append(now)
    for (before_name, now_name), trees in changes.items():
        alike = _are_mistaken(scene, now_name, before_name)
        severity, score = (Severity.INFO, 0.2) if alike else (None, None)
        if len(trees) >= scene.limits.x09_many:
            yield raised("X09", None, "", "", "species", now_name, severity=severity, score=score, case="many",
                         before=before_name, trees=len(trees), tags=sorted(tree.tag for tree in trees))  # fmt: skip
            continue
        for tree in trees:
            yield raised(
                "X09", tree.ordinal, tree.tag, tree.stem_id, "species", now_name, suggestion=before_name,
                severity=severity, score=score, before=before_name,
            )  # fmt: skip


def _are_mistaken(scene: Scene, one: str, other: str) -> bool:
    """Are the two of one genus, or did accepted crews take the one for the other before?"""
    genus = _genus(scene, one)
    if genus and genus == _genus(scene, other):
        return True
    reference = scene.reference
    return reference is not None and reference.mistaken_trees(one, other) >= scene.limits.x09_mistaken


def _genus(scene: Scene, species: str) -> str:
    """As the list says it; else the first word of a Latin name, which has two."""
    first, _, second = species.partition(" ")
    return scene.info(species).genus or (first.casefold() if second and first.isascii() else "")


def _same_name(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def newcomer_flags(scene: Scene) -> Iterator[Flag]:
    """X10 ingrowth larger than a tree can have become; X12 a tag that had another life before."""
    if scene.before is None:
        return
    if len(scene.pairs) == len(scene.mine) and not any(
        pair.now.tally_code is TallyCode.INGROWTH for pair in scene.pairs
    ):
        return
    limits = scene.limits
    most = limits.t02_min_cm + limits.x10_growth_cm_yr * scene.years + limits.x10_slack_cm
    older = _older(scene)
    for key, tree in scene.mine.items():
        last = scene.known.get(key) or older.get(key)
        if last is not None:
            if _reused(tree, last, is_older=key not in scene.known):
                yield raised("X12", tree.ordinal, tree.tag, tree.stem_id, "tag", tree.tag,
                             case="new" if tree.tally_code is TallyCode.INGROWTH else "", before=_code(last),
                             before_cm=last.dbh_cm)  # fmt: skip
        elif tree.dbh_cm is not None and tree.dbh_cm > most and tree.tally_code in _NEWCOMERS:
            yield _big_newcomer(tree, tree.dbh_cm, most, scene)


_NEWCOMERS = ALIVE - {TallyCode.MISSED}  # a missed tree is expected to be large


def _older(scene: Scene) -> dict[Key, Measurement]:
    """Each tree of the visits before the last, as it was seen last: these visits come latest first."""
    found: dict[Key, Measurement] = {}
    for visit in scene.earlier:
        for tree in visit.trees:
            found.setdefault((tree.tag, tree.stem_id), tree)
    return found


def _reused(tree: Measurement, last: Measurement, *, is_older: bool) -> bool:
    if tree.tally_code is TallyCode.INGROWTH:
        return True
    back = is_older and tree.tally_code in ALIVE and last.tally_code in GONE
    return back and tree.tally_code is not TallyCode.RESURRECTED


def _big_newcomer(tree: Measurement, dbh: float, most: float, scene: Scene) -> Flag:
    limits = scene.limits
    gross = dbh > limits.x10_error_cm
    excess = dbh / most
    return raised(
        "X10", tree.ordinal, tree.tag, tree.stem_id, "dbh_cm", shown(tree), None, round(most, 1),
        severity=Severity.ERROR if gross else None, score=excess / (excess + 1),
        years=round(scene.years, 1), min_cm=limits.t02_min_cm, growth_cm_yr=limits.x10_growth_cm_yr,
        error_cm=limits.x10_error_cm,
    )  # fmt: skip


def place_flags(scene: Scene) -> Iterator[Flag]:
    """X13: a tree whose position in the plot is not where it was. One whose species and diameter go on is the same
    tree measured from elsewhere, which is information; unless it is far away, or changed places with another. Many of
    those far away are one doubt about the map."""
    limits = scene.limits
    moved = [
        pair for pair in scene.pairs
        if (pair.now.x_m != pair.before.x_m or pair.now.y_m != pair.before.y_m) and _apart_m(*pair) > limits.x13_shift_m
    ]  # fmt: skip
    others = {pair.now.ordinal: _changed_places(pair, moved, limits.x13_shift_m) for pair in moved}
    odd = {pair.now.ordinal for pair in moved if others[pair.now.ordinal] or _is_another(scene, pair)}
    far = [pair for pair in moved if _apart_m(*pair) > limits.x13_far_m and pair.now.ordinal not in odd]
    together = {pair.now.ordinal for pair in far} if len(far) >= limits.x13_many else set()
    if together:
        yield raised("X13", None, "", "", "x_m", "", score=0.3, case="many", trees=len(far), far_m=limits.x13_far_m,
                     tags=sorted(pair.now.tag for pair in far))  # fmt: skip
    for pair in moved:
        now, before = pair
        if now.ordinal in together:
            continue
        apart_m, other = _apart_m(now, before), others[now.ordinal]
        asked = now.ordinal in odd or apart_m > limits.x13_far_m
        yield raised(
            "X13", now.ordinal, now.tag, now.stem_id, "x_m", f"{now.x_m:g}, {now.y_m:g}",
            suggestion=f"{before.x_m:g}, {before.y_m:g}", severity=None if asked else Severity.INFO,
            score=0.5 if other else 0.3 if asked else 0.05, case="places" if other else "moved",
            moved_m=round(apart_m, 1), shift_m=limits.x13_shift_m, other=other,
        )  # fmt: skip


def _apart_m(one: Measurement, other: Measurement) -> float:
    """Metres between their positions; 0 where one has none."""
    if one.x_m is None or one.y_m is None or other.x_m is None or other.y_m is None:
        return 0.0
    return hypot(one.x_m - other.x_m, one.y_m - other.y_m)


def _changed_places(pair: Pair, moved: Iterable[Pair], within_m: float) -> str:
    """The tag of the tree that stands where this one stood, and stood where this one stands; "" for none."""
    return next(
        (
            other.now.tag
            for other in moved
            if other is not pair
            and _apart_m(pair.now, other.before) <= within_m
            and _apart_m(other.now, pair.before) <= within_m
        ),
        "",
    )


def _is_another(scene: Scene, pair: Pair) -> bool:
    """Do species or diameter say that this is another tree than last time?"""
    measured = bool(pair.now.dbh_cm and pair.before.dbh_cm)
    return pair.now.species != pair.before.species or (measured and not went_on(scene, pair.now))


def pom_change_flags(scene: Scene) -> Iterator[Flag]:
    """X14: measured at another height of the stem than last time, so that the growth cannot be read off."""
    share, alert = scene.limits.x14_use_share, scene.limits.x14_alert_m
    for now, before in scene.grown:
        if now.pom_m == before.pom_m or not now.pom_m or not before.pom_m:
            continue
        change = abs(now.pom_m - before.pom_m)
        if change > share * before.pom_m:
            large = change > alert
            yield raised(
                "X14", now.ordinal, now.tag, now.stem_id, "pom_m", f"{now.pom_m:g}",
                severity=None if large else Severity.INFO, score=None if large else 0.1,
                before_m=f"{before.pom_m:g}", alert_m=alert, use_share=share,
            )  # fmt: skip
