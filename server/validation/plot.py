"""A visit as a whole: girths, coarse reading, copied values, codes, deaths, stems of one tree and thinnings
(T07, T08, T11 mixed stems, T13, X06, X11, X15, X16)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import hypot, pi, sqrt

from server.forest.tree import Measurement, TallyCode
from server.validation.expected import Expectations, largest_plausible_cm, smallest_plausible_cm
from server.validation.flag import Flag, Severity
from server.validation.rule import raised
from server.validation.scene import ALIVE, GONE, Scene
from server.validation.shares import log10_tail

CUT = frozenset({TallyCode.CUT, TallyCode.CUT_OTHER})


def girth_flags(scene: Scene) -> Iterator[Flag]:
    """T07: most diameters of the plot make sense only when divided by π."""
    fits, asked = _girths_by_growth(scene) if scene.grown else _girths_by_height(scene)
    if asked >= scene.limits.t07_min_trees and fits >= scene.limits.t07_share * asked:
        yield raised("T07", None, "", "", "dbh_cm", "", plot_fits=fits, plot_trees=asked,
                     score=0.8 + 0.2 * fits / asked, share=scene.limits.t07_share)  # fmt: skip


def _girths_by_growth(scene: Scene) -> tuple[int, int]:
    fits = 0
    for now, before in scene.grown:
        dbh, last = now.dbh_cm or 0.0, before.dbh_cm or 0.0
        if dbh < 2 * last:  # a girth is three times the diameter, and trees hardly shrink
            continue
        most = largest_plausible_cm(scene, now, last)
        if dbh > most and smallest_plausible_cm(scene.limits, last) <= dbh / pi <= most:
            fits += 1
    return fits, len(scene.grown)


def _girths_by_height(scene: Scene) -> tuple[int, int]:
    """Trees so slender at D that only D / π gives them a usual shape. Heights are few: asked of those with one."""
    least, most = scene.limits.h02_min, scene.limits.h02_max
    shapes = [t.height_m / t.dbh_cm for t in scene.sized if t.height_m and t.dbh_cm]
    return sum(shape < 1.5 * least and 1.5 * least <= shape * pi <= most for shape in shapes), len(shapes)


def reading_flags(scene: Scene) -> Iterator[Flag]:
    """T08: diameters read to whole and half centimetres only, or with more than one decimal."""
    limits, sized = scene.limits, scene.sized
    count = len(sized)
    if count < limits.t08_min_trees:
        return
    tenths = [(tree.dbh_cm or 0.0) * 10 for tree in sized]
    fine = sum(abs(value - round(value)) > 1e-6 for value in tenths)
    coarse = sum(round(value) % 5 == 0 for value in tenths)
    usual = limits.t08_coarse_share
    bound = usual + limits.t08_chance_z * sqrt(usual * (1 - usual) / count)
    if fine > limits.t08_decimals_share * count:
        yield raised("T08", None, "", "", "dbh_cm", "", severity=Severity.INFO, score=0.1, case="fine",
                     plot_count=fine, plot_trees=count)  # fmt: skip
    elif coarse > bound * count:
        yield raised("T08", None, "", "", "dbh_cm", "", case="coarse", plot_count=coarse, plot_trees=count,
                     share=limits.t08_coarse_share)  # fmt: skip


def copied_flags(scene: Scene) -> Iterator[Flag]:
    """X06: more diameters exactly as last time than honest crews find."""
    limits, grown = scene.limits, scene.grown
    if len(grown) < limits.x06_min_pairs or scene.years < limits.x06_min_years:
        return
    same = [now.tag for now, before in grown if now.dbh_cm == before.dbh_cm]
    bound = limits.x06_share_long if scene.years >= limits.x06_long_years else limits.x06_share
    # a small plot passes the bound by chance: its share must be above it by more than that
    chance = limits.t08_chance_z * sqrt(bound * (1 - bound) / len(grown))
    many = len(same) > (bound + chance) * len(grown) or len(same) > limits.x06_share * len(grown)
    if many or _is_no_chance(scene, len(same)):
        yield raised("X06", None, "", "", "dbh_cm", "", score=0.5 + 0.5 * len(same) / len(grown), plot_same=len(same),
                     plot_pairs=len(grown), plot_tags=same, share=bound, years=round(scene.years, 1))  # fmt: skip


def _is_no_chance(scene: Scene, same: int) -> bool:
    """Would trees that grow as accepted ones hardly ever leave so many diameters the same?"""
    limits, grown = scene.limits, scene.grown
    if scene.bands is None or same < limits.x06_least_same or same <= limits.x06_least_share * len(grown):
        return False
    expectations, step_cm = Expectations(scene), read_to_cm(scene.sized)
    step_cm *= 1.0 if step_cm < COARSE_CM else COARSE_MORE
    still = 0.0
    for pair in grown:
        expected = expectations.expected(pair)
        [density] = expected.densities((expected.last_cm,))
        still += min(density * step_cm, 1.0)
    return log10_tail(same, len(grown), still / len(grown)) < limits.x06_log10_p


COARSE_CM, COARSE_MORE = 0.15, 1.3
"""Tapes read in steps from this on, cm, give the same value so much more often than the step alone makes: one reads
what stood there last time (own measurements on an inventory in tenths of an inch)."""
STEPS_CM = (1.0, 0.5, 1 / pi, 0.254, 0.5 / pi)
"""Steps coarser than a millimetre that tapes are read in, cm: whole and half centimetres, a centimetre of girth, tenths
of an inch, half a centimetre of girth."""


def read_to_cm(trees: Sequence[Measurement]) -> float:
    """The step in which these diameters were read: the coarsest that nearly all are a multiple of, to a millimetre."""
    dbhs = [tree.dbh_cm for tree in trees if tree.dbh_cm]
    for step in STEPS_CM:
        near = sum(abs(dbh - step * round(dbh / step)) <= 0.0501 for dbh in dbhs)
        if near >= 0.95 * len(dbhs):
            return step
    return 0.1


def code_flags(scene: Scene) -> Iterator[Flag]:
    """X11: so many corrections of last time's crew that one of the two crews needs a check."""
    codes = [tree.tally_code for tree in scene.now.trees]
    missed, over_counted = codes.count(TallyCode.MISSED), codes.count(TallyCode.OVER_COUNTED)
    counts = {"dbh": codes.count(TallyCode.DBH_ERROR), "count": missed + over_counted}
    for case, trees in counts.items():
        if trees >= scene.limits.x11_min_trees:
            yield raised("X11", None, "", "", "tally_code", "", case=case, trees=trees,
                         min_trees=scene.limits.x11_min_trees)  # fmt: skip


def rate_flags(scene: Scene) -> Iterator[Flag]:
    """X15: more deaths or more new trees a year than a plot sees without a thinning or a disaster."""
    if scene.before is None or scene.now.thinned:
        return
    limits = scene.limits
    died = [before for now, before in scene.pairs if now.tally_code in _DEATHS and before.tally_code in ALIVE]
    new = [
        tree for key, tree in scene.mine.items() if key not in scene.known and tree.tally_code in _RECRUITS
    ]
    if len(died) < limits.x15_min_changed and len(new) < limits.x15_min_changed:
        return
    lived = sum(tree.tally_code in ALIVE for tree in scene.known.values())
    if lived >= limits.x15_min_trees:
        yield from _odd_rates(scene, lived, len(died), len(new))


_DEATHS = GONE - {TallyCode.OVER_COUNTED}
_RECRUITS = frozenset({TallyCode.ALIVE, TallyCode.INGROWTH})


def _odd_rates(scene: Scene, lived: int, died: int, new: int) -> Iterator[Flag]:
    limits = scene.limits
    mortality = 1 - (1 - died / lived) ** (1 / scene.years) if died < lived else 1.0
    ingrowth = (1 + new / lived) ** (1 / scene.years) - 1
    most_died = 1 - (1 - limits.x15_mortality_yr) ** scene.years
    most_new = (1 + limits.x15_ingrowth_yr) ** scene.years - 1
    for case, trees, rate, most, most_by_rate in (
        ("mortality", died, mortality, limits.x15_mortality_yr, most_died),
        ("ingrowth", new, ingrowth, limits.x15_ingrowth_yr, most_new),
    ):
        # a few trees pass a rate by chance: counts spread by the root of what the rate allows
        by_chance = limits.t08_chance_z * sqrt(most_by_rate * lived)
        if trees >= limits.x15_min_changed and trees > most_by_rate * lived + by_chance:
            yield raised("X15", None, "", "", "tally_code", "", case=case, trees=trees, lived=lived,
                         rate_pct=100 * rate, most_pct=100 * most, years=round(scene.years, 1))  # fmt: skip


def thinning_flags(scene: Scene) -> Iterator[Flag]:
    """X16: cut trees without a thinning on record, or a thinning that cut none of the trees known here."""
    cut = [tree.tag for tree in scene.now.trees if tree.tally_code in CUT and not _was_cut(scene, tree)]
    if cut and not scene.now.thinned:
        yield raised("X16", None, "", "", "tally_code", "", case="stumps", trees=len(cut), tags=cut)
    elif scene.now.thinned and not cut and scene.known:
        yield raised("X16", None, "", "", "tally_code", "", case="record", trees=0)


def _was_cut(scene: Scene, tree: Measurement) -> bool:
    before = scene.known.get((tree.tag, tree.stem_id))
    return before is not None and before.tally_code in GONE


def stem_flags(scene: Scene) -> Iterator[Flag]:
    """T11 (two species under one tag) and T13 (stems of one tree apart)."""
    stems: dict[str, list[Measurement]] = {}
    for tree in scene.mine.values():
        stems.setdefault(tree.tag, []).append(tree)
    if len(stems) == len(scene.mine):
        return
    for tag, trees in stems.items():
        if tag and len(trees) > 1:
            yield from _one_tree(scene, trees, scene.limits.t13_apart_m)


def _one_tree(scene: Scene, trees: list[Measurement], apart_m: float) -> Iterator[Flag]:
    first, *others = trees
    for tree in others:
        if tree.species and first.species and tree.species != first.species:
            yield raised("T11", tree.ordinal, tree.tag, tree.stem_id, "species", tree.species, severity=Severity.WARN,
                         suggestion=first.species, case="mixed", other=first.species)  # fmt: skip
        if tree.x_m is None or tree.y_m is None or first.x_m is None or first.y_m is None:
            continue
        apart = hypot(tree.x_m - first.x_m, tree.y_m - first.y_m)
        if apart > apart_m and not (_stood_there(scene, first) and _stood_there(scene, tree)):
            yield raised("T13", tree.ordinal, tree.tag, tree.stem_id, "x_m", f"{tree.x_m:g}, {tree.y_m:g}",
                         apart_m=round(apart, 1), most_m=apart_m)  # fmt: skip


def _stood_there(scene: Scene, tree: Measurement) -> bool:
    """Was it mapped at the same place last time, and so looked at then?"""
    before = scene.known.get((tree.tag, tree.stem_id))
    return before is not None and (before.x_m, before.y_m) == (tree.x_m, tree.y_m)
