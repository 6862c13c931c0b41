"""How well and how fast the rules find known errors: python -m tests.bench.validation [seeds] [rate].

Prints, for real remeasurements with injected slips, recall by kind, precision, load and ranking, and the time
that one visit takes. Needs the reference data beside the checkout.
"""

from __future__ import annotations

import sys
from collections import Counter
from statistics import mean
from time import process_time

from server.validation.parameters import Parameters
from tests.validation.harness import DATA, KINDS, Score, flags_by_plot, injected, remeasured, score


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    rate = float(sys.argv[2]) if len(sys.argv) > 2 else 0.01
    parameters = Parameters.default()
    for earlier, before, now in ((None, "1", "2"), (None, "2", "3"), ("1", "2", "3")):
        census = remeasured(DATA / "scbi.csv", before, now, 5.0, earlier)
        start = process_time()
        clean = flags_by_plot(census, parameters)
        spent = process_time() - start
        trees = sum(len(visit.trees) for visit in census.now)
        counts = Counter((f.rule, str(f.severity)) for flags in clean.values() for f in flags)
        title = f"census {before} to {now}, {'one' if earlier else 'none'} before"
        print(
            f"{title}: {len(census.now)} visits, {trees} trees, {1000 * spent / len(census.now):.2f} ms a visit"
        )
        print("  as published:", ", ".join(f"{rule} {sev} {n}" for (rule, sev), n in sorted(counts.items())))
        _print([score(spoilt, truth, flags_by_plot(spoilt, parameters))
                for spoilt, truth in (injected(census, rate, seed) for seed in range(seeds))])  # fmt: skip


def _print(scores: list[Score]) -> None:
    for name in (
        "precision",
        "error_precision",
        "flags_per_1000",
        "recall_all",
        "recall_material",
        "average_precision",
    ):
        print(f"  {name:18s} {mean(getattr(one, name) for one in scores):.3f}")
    for kind in KINDS:
        hit, all_ = (sum(one.recall[kind][part] for one in scores) for part in (0, 1))
        print(f"  recall {kind:11s} {hit / max(all_, 1):.2f} of {all_}")


if __name__ == "__main__":
    main()
