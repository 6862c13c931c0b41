"""How well and how fast the rules find known errors: python -m tests.bench.validation [--seeds 20] [--processes 1].

Real remeasurements with injected slips, beside published rule sets on the same data; values that other censuses
prove wrong; values that crews measured again and kept; other forests; first censuses with heights; whole plots and
statuses gone wrong. Bands are fitted on older censuses alone. Needs the reference data beside the checkout.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from multiprocessing import Pool
from statistics import mean, stdev
from time import process_time
from typing import Any

from server.validation.parameters import Parameters
from tests.bench import blocks, blocks_crews, blocks_places, firsts, mined
from tests.bench.baselines import DETECTORS, Detector
from tests.validation.harness import (
    DATA,
    KINDS,
    Census,
    Score,
    Slip,
    Tree,
    _share,
    calibration,
    flags_by_plot,
    injected,
    recalls,
    remeasured,
    score,
)
from tests.validation.harness import years_of as years_by_plot

RATES = (0.003, 0.01, 0.03)
COLUMNS = ("precision", "recall_all", "recall_material", "flags_per_1000", "recall_carbon", "recall_carbon_small",
           "average_precision", "error_precision", "calibration")  # fmt: skip
HEADS = ("prec", "recall", "mat", "fl/1000", "carbon", "C-mod", "AP", "err", "ECE")

Measures = dict[str, Any]


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--rates", type=float, nargs="*", default=list(RATES))
    options = parser.parse_args()
    forests: dict[str, Callable[[], Census]] = {
        "SCBI 2013 to 2018, one census before": partial(scbi, "1"),
        "SCBI 2013 to 2018, none before": partial(scbi, None),
        "SCBI 2018 to 2023, crews' word for a value left out": scbi_lately,
        "SCBI 2008 to 2013, nothing accepted": scbi_first,
        "FIA Rhode Island, later half": firsts.rhode_island,
        "Paracou, one year": firsts.paracou,
    }
    for number, (title, made) in enumerate(forests.items()):
        census = made()
        _clean(title, census)
        for rate in options.rates if number == 0 else [0.01]:
            _table(f"{title}, {100 * rate:g} % injected", census, rate, options.seeds, options.processes)
    mined.print_tables()
    firsts.print_heights(options.seeds)
    blocks.print_tables()
    blocks_places.main()
    blocks_crews.main()


def scbi(earlier: str | None) -> Census:
    """Trees of 5 cm and more, 2013 to 2018; bands from 2008 to 2013."""
    return remeasured(DATA / "scbi.csv", "2", "3", 5.0, earlier)


def scbi_lately() -> Census:
    """2018 to 2023, one census before. The crew's word that it measured again, which lowers a flag, was given because
    another rule had asked."""
    census = remeasured(DATA / "scbi.csv", "3", "4", 5.0, "2")
    return census._replace(
        now=[replace(v, trees=tuple(t._replace(verified=False) for t in v.trees)) for v in census.now]
    )


def scbi_first() -> Census:
    """The first two censuses of a forest, where nothing is accepted yet."""
    return remeasured(DATA / "scbi.csv", "1", "2", 5.0)._replace(reference=None)


def _clean(title: str, census: Census) -> None:
    start = process_time()
    clean = flags_by_plot(census, Parameters.default())
    spent = process_time() - start
    trees = sum(len(visit.trees) for visit in census.now)
    above = sum(str(flag.severity) != "info" for flags in clean.values() for flag in flags)
    print(f"\n{title}: {len(census.now)} visits, {trees} trees; as published {1000 * above / trees:.1f} flags in 1000 "
          f"trees; {1000 * spent / len(census.now):.2f} ms a visit")  # fmt: skip


def _table(title: str, census: Census, rate: float, seeds: int, processes: int) -> None:
    work = partial(_one_seed, census, rate)
    if processes > 1:
        with Pool(processes) as pool:
            results = pool.map(work, range(seeds))
    else:
        results = [work(seed) for seed in range(seeds)]
    print(f"\n{title}, {seeds} seeds: mean ± SD")
    print(f"  {'':28s}" + "".join(f"{head:>13s}" for head in HEADS))
    for name in results[0]:
        print(
            f"  {name:28s}" + "".join(_cell([one[name].get(column) for one in results]) for column in COLUMNS)
        )
    _print_ours([one["ours"] for one in results])


def _one_seed(census: Census, rate: float, seed: int) -> dict[str, Measures]:
    spoilt, truth = injected(census, rate, seed)
    ours: Score = score(spoilt, truth, flags_by_plot(spoilt, Parameters.default()))
    return {"ours": ours._asdict()} | {
        name: _baseline(spoilt, truth, detector) for name, detector in DETECTORS.items()
    }


def _baseline(census: Census, truth: Mapping[Tree, Slip], detector: Detector) -> Measures:
    found = {tree: None for tree, *pair in pairs(census) if detector(*pair)}
    trees = sum(1 for _ in pairs(census))
    return recalls(truth, found) | {
        "precision": _share(found, truth),
        "flags_per_1000": 1000 * len(found) / trees,
    }


def pairs(census: Census) -> Iterator[tuple[Tree, float, float, float]]:
    """Every remeasured tree: last and now in cm, years between."""
    years = years_by_plot(census)
    for visit in census.now:
        known = census.before[visit.plot_id].by_key()
        for tree in visit.trees:
            before = known.get(tree.key)
            if before is not None and before.dbh_cm and tree.dbh_cm:
                yield (visit.plot_id, *tree.key), before.dbh_cm, tree.dbh_cm, years[visit.plot_id]


def _cell(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return f"{'':>13s}"
    spread = stdev(known) if len(known) > 1 else 0.0
    digits = 1 if max(known) > 2 else 3
    return f"{f'{mean(known):.{digits}f} ±{spread:.{digits}f}':>13s}"


def _print_ours(results: Sequence[Measures]) -> None:
    shares = []
    for kind in KINDS:
        hit, every = (sum(one["recall"][kind][part] for one in results) for part in (0, 1))
        shares.append(f"{kind} {hit / max(every, 1):.2f}")
    print("  recall of each kind:", ", ".join(shares))
    pooled = tuple(
        tuple(map(sum, zip(*bins, strict=True)))
        for bins in zip(*(one["bins"] for one in results), strict=True)
    )
    told = [
        f"{chance / flags:.2f}: {right / flags:.2f} of {flags}" for flags, right, chance in pooled if flags
    ]
    print(f"  score and share of right flags, ECE {calibration(pooled):.3f}:", "; ".join(told))


if __name__ == "__main__":
    main()
