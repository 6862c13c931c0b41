"""C01: how a crew reads its tape: how often the last digit is 0 or 5.

Honest crews write 0 or 5 in 19 to 30 of 100 diameters, whatever a test against equal digits says of them (own
measurements on three inventories): χ² and Cramér's V are told beside the share, and never decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt
from typing import Any

from server.validation.flag import Flag
from server.validation.parameters.limits import Limits
from server.validation.rule import raised
from server.validation.shares import chance_above, wilson

DIGITS = 10
_WHOLE = 0.6
"""Share of zeros from which a crew reads whole centimetres (project default)."""


def figures(digits: Sequence[int]) -> dict[str, Any]:
    """`digits`: how many diameters end in 0, in 1, ... in 9; empty: none at all."""
    counts = list(digits) or [0] * DIGITS
    trees, hits = sum(counts), counts[0] + counts[5]
    even = trees / DIGITS
    chi2 = sum((count - even) ** 2 / even for count in counts) if trees else 0.0
    return {
        "digits": counts,
        "trees": trees,
        "round": hits,
        "share": hits / trees if trees else None,
        "interval": list(wilson(hits, trees)),
        "chi2": chi2,
        "cramer_v": sqrt(chi2 / (trees * (DIGITS - 1))) if trees else 0.0,
    }


def flags(figures: dict[str, Any], limits: Limits) -> Iterator[Flag]:
    """C01, where the share is above the limit and its interval above what honest crews write."""
    seen = figures["reading"]
    trees, share, (low, high) = seen["trees"], seen["share"], seen["interval"]
    if trees < limits.c01_min_trees or share <= limits.c01_share or low <= limits.c01_honest_share:
        return
    yield raised(
        "C01", None, "", "", "dbh_cm", f"{share:.3f}", 0.0, limits.c01_honest_share,
        case="whole" if seen["digits"][0] > _WHOLE * trees else "", share_pct=100 * share, low_pct=100 * low,
        high_pct=100 * high, honest_pct=100 * limits.c01_honest_share, trees=trees, chi2=seen["chi2"],
        cramer_v=f"{seen['cramer_v']:.2f}", step=round(share * DIGITS),
        score=chance_above(seen["round"], trees, limits.c01_honest_share),
    )  # fmt: skip
