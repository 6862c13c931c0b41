"""C02: how fast a crew enters trees, as the log of its phones says.

A tape around a stem, a call and an entry take half a minute; trees that follow each other within seconds were not
measured one by one. Gaps of exactly nothing are stamps of a machine (an import, one page for several trees): they
say that the log cannot tell, and are counted apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from server.validation.flag import Flag, Severity
from server.validation.parameters.limits import Limits
from server.validation.rule import raised
from server.validation.shares import chance_above, wilson


def figures(crew: int, gaps_s: Mapping[int, Sequence[float]], limits: Limits) -> dict[str, Any]:
    """A crew's gaps beside those of the others, s."""
    gaps = gaps_s[crew]
    timed = [gap for gap in gaps if gap > 0]
    others = [gap for other, some in gaps_s.items() if other != crew for gap in some if gap > 0]
    quick = sum(gap < limits.c02_gap_s for gap in timed)
    return {
        "gaps": len(timed),
        "stamped": len(gaps) - len(timed),
        "quick": quick,
        "interval": list(wilson(quick, len(timed))),
        "median_s": median(timed) if timed else None,
        "others_s": median(others) if len(others) >= limits.c02_min_gaps else None,
    }


def flags(figures: dict[str, Any], limits: Limits) -> Iterator[Flag]:
    """C02: too many quick gaps, a pace that no other crew keeps, or a log full of stamps."""
    seen = figures["pace"]
    timed, stamped, median_s, others_s = seen["gaps"], seen["stamped"], seen["median_s"], seen["others_s"]
    facts = {"gaps": timed, "quick": seen["quick"], "median_s": median_s, "gap_s": limits.c02_gap_s}
    if timed >= limits.c02_min_gaps and seen["quick"] > limits.c02_share * timed:
        share = seen["quick"] / timed
        yield raised("C02", None, "", "", "", f"{share:.2f}", share_pct=100 * share, **facts, step=round(10 * share),
                     score=chance_above(seen["quick"], timed, limits.c02_share))  # fmt: skip
    elif timed >= limits.c02_min_gaps and others_s and median_s * limits.c02_rate < others_s:
        yield raised("C02", None, "", "", "", f"{median_s:.0f}", case="rate", others_s=others_s, **facts,
                     score=1 - median_s / others_s, step=round(others_s / median_s))  # fmt: skip
    if stamped >= limits.c02_min_gaps and stamped > timed:
        yield raised("C02", None, "", "", "", str(stamped), case="stamped", severity=Severity.INFO, score=0.1,
                     stamped=stamped, trees=stamped + timed, step=0)  # fmt: skip
