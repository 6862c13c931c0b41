"""Other forests, and first censuses: inventories of Rhode Island, a tropical forest year by year, Finnish heights."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from statistics import mean

from server.cli.tree_table import read_trees
from server.forest.tree import Measurement
from server.forest.visit import Visit
from server.validation.catalogue import flags_of
from server.validation.flag import Severity
from server.validation.parameters import Parameters
from server.validation.reference import Reference
from tests.bench.baselines import height_residuals
from tests.validation.harness import DATA, KINDS, SPOIL, Census, _grew, _only
from tests.validation.proven import Tree, pairs_proven_wrong

HEIGHT_RULES = frozenset({"H01", "H02", "H03", "H04", "T02", "T03", "T04", "T05", "T06"})


def rhode_island() -> Census:
    """Plots of the forest inventory: bands from those visited again until 2012, judged on the others."""
    by_plot: dict[str, list[Visit]] = {}
    for census in read_trees(DATA / "fia_ri.csv").censuses.values():
        for visit in census.values():
            by_plot.setdefault(visit.plot_id, []).append(visit)
    older: list[Visit] = []
    judged: list[tuple[list[Visit], int]] = []
    for visits in by_plot.values():
        visits.sort(key=lambda visit: str(visit.measured_on))
        for at in range(1, len(visits)):
            if str(visits[at].measured_on) >= "2013":
                judged.append((visits, at))
            else:
                older += visits[at - 1 : at + 1]
    return _census(judged, Reference.of(older))


def paracou() -> Census:
    """A tropical plot: bands from 2016 to 2018, judged from 2018 to 2019."""
    censuses = read_trees(DATA / "paracou_2016_2020.csv").censuses
    years = [censuses[year] for year in sorted(censuses)]
    at = sorted(censuses).index("2019")
    plots = [([year[plot] for year in years], at) for plot in censuses["2019"]]
    return _census(plots, Reference.of(v for year in years[:at] for v in year.values()))


def _census(judged: list[tuple[list[Visit], int]], reference: Reference) -> Census:
    """Remeasured trees that no neighbouring visit proves wrong, of plots at a place of all their visits; the same plot
    judged twice counts as two plots."""
    now, before, earlier = [], {}, {}
    for number, (visits, at) in enumerate(judged):
        plot = f"{visits[at].plot_id}/{number}"
        renamed = [replace(visit, plot_id=plot) for visit in visits[max(at - 2, 0) : at + 1]]
        last, this = renamed[-2], renamed[-1]
        known = last.by_key()
        wrong = pairs_proven_wrong([{plot: visit} for visit in visits], at)
        lived: set[Tree] = {
            (plot, *t.key) for t in this.trees if t.key in known and _grew(known[t.key], t, 5.0)
        } - wrong
        if lived:
            now.append(_only(this, lived))
            before[plot] = _only(last, lived)
            if len(renamed) > 2:
                earlier[plot] = renamed[0]
    return Census(now, before, earlier, reference)


def print_heights(seeds: int) -> None:
    """First censuses with heights: 2 % wrong diameters and heights, curves from the other half of the plots."""
    print("\nFirst census, 2 % of diameters and heights wrong (precision / recall, flags in 1000 trees)")
    for name, file in (("FIA Rhode Island", "fia_ri.csv"), ("Finland", "finland_treevol_hd.csv")):
        visits = [
            visit for census in read_trees(DATA / file).censuses.values() for visit in census.values()
            if any(tree.height_m for tree in visit.trees)
        ]  # fmt: skip
        visits.sort(key=lambda visit: (visit.plot_id, visit.census))
        plots = sorted({visit.plot_id for visit in visits})
        clean_plots = set(plots[::2])
        clean = [_measured(visit) for visit in visits if visit.plot_id in clean_plots]
        judged = [_measured(visit) for visit in visits if visit.plot_id not in clean_plots]
        _print_first(name, clean, judged, min(seeds, 5))


def _measured(visit: Visit) -> Visit:
    trees = [t for t in visit.trees if t.dbh_cm and t.height_m and t.dbh_cm >= 5 and t.tally_code == 11]
    return replace(visit, trees=tuple(t._replace(ordinal=place) for place, t in enumerate(trees)))


Looked = Callable[[Visit], set[int]]


def _print_first(name: str, clean: list[Visit], judged: list[Visit], seeds: int) -> None:
    reference = Reference.of(clean)
    biomass = height_residuals((t.dbh_cm or 0.0, t.height_m or 0.0) for visit in clean for t in visit.trees)

    def ours(visit: Visit) -> set[int]:
        flags = flags_of(visit, None, reference=reference, parameters=Parameters.default())
        return {
            flag.ordinal for flag in flags
            if flag.ordinal is not None and flag.rule in HEIGHT_RULES and flag.severity is not Severity.INFO
        }  # fmt: skip

    def theirs(visit: Visit) -> set[int]:
        return {t.ordinal for t in visit.trees if biomass(t.dbh_cm or 0.0, t.height_m or 0.0)}

    for title, look in (("ours", ours), ("BIOMASS, clean reference", theirs)):
        counts = [_found(judged, seed, look) for seed in range(seeds)]
        precision = mean(hit / max(flags, 1) for hit, flags, _, _ in counts)
        recall = mean(hit / max(wrong, 1) for hit, _, wrong, _ in counts)
        load = mean(1000 * flags / trees for _, flags, _, trees in counts)
        print(f"  {name:18s} {title:26s} {precision:.2f} / {recall:.2f}  {load:.1f}")


def _found(judged: list[Visit], seed: int, look: Looked) -> tuple[int, int, int, int]:
    chance = random.Random(seed)
    hit = flags = wrong = trees = 0
    for visit in judged:
        spoilt, truth = _spoilt(visit, chance)
        found = look(spoilt)
        hit, flags, wrong = hit + len(found & truth), flags + len(found), wrong + len(truth)
        trees += len(visit.trees)
    return hit, flags, wrong, trees


def _spoilt(visit: Visit, chance: random.Random) -> tuple[Visit, set[int]]:
    trees, truth = list(visit.trees), set()
    for place, tree in enumerate(visit.trees):
        if chance.random() < 0.02:
            changed = _slip(tree, chance)
            if changed != tree:
                trees[place] = changed
                truth.add(place)
    return replace(visit, trees=tuple(trees)), truth


def _slip(tree: Measurement, chance: random.Random) -> Measurement:
    dbh, height = tree.dbh_cm or 0.0, tree.height_m or 0.0
    if chance.random() < 0.1:
        return tree._replace(dbh_cm=height, height_m=dbh, dbh_text="")
    kinds = {kind: share for kind, share in KINDS.items() if kind in SPOIL}
    kind = chance.choices(list(kinds), list(kinds.values()))[0]
    if chance.random() < 0.5 and kind not in {"girth", "inch", "pom"}:
        return tree._replace(height_m=max(round(SPOIL[kind](height, chance), 1), 0.1))
    return tree._replace(dbh_cm=max(round(SPOIL[kind](dbh, chance), 1), 0.1), dbh_text="")
