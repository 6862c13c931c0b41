"""How one crew worked in one census: what it did, in figures with their uncertainty, and what is odd about it.

The unit is a crew in a census. Effect sizes with intervals, never a bare p: with a thousand trees every crew differs
from chance in something. Start at `looked_at`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from server.validation import crew_growth, crew_pace, crew_reading, crew_travel
from server.validation.crew_growth import Pair
from server.validation.crew_travel import Stay
from server.validation.flag import Flag
from server.validation.parameters import Parameters
from server.validation.parameters.limits import Limits
from server.validation.rule import raised

Figures = dict[str, Any]


@dataclass(slots=True)
class Work:
    """What a crew did. `digits`: diameters by their last digit (millimetre), by month ("2026-05"); `gaps_s`: seconds
    from tree to tree as the phones' logs say; `pairs`: trees that were measured in an earlier census too; `edits`:
    visits changed after they were sent although nobody had asked, without a reason in the log."""

    digits: dict[str, list[int]] = field(default_factory=dict)
    gaps_s: list[float] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    edits: int = 0


class Look(NamedTuple):
    """Figures for the crew's page, as JSON, and flags."""

    figures: Figures
    flags: list[Flag]


def looked_at(works: Mapping[int, Work], parameters: Parameters) -> dict[int, Look]:
    """Every crew of a census beside the others, by its number."""
    limits = parameters.limits
    growth = crew_growth.figures({crew: work.pairs for crew, work in works.items()}, limits)
    gaps = {crew: work.gaps_s for crew, work in works.items()}
    found = {}
    for crew, work in works.items():
        figures: Figures = {
            "visits": len(work.stays),
            "reading": crew_reading.figures(list(map(sum, zip(*work.digits.values(), strict=True)))),
            "pace": crew_pace.figures(crew, gaps, limits),
            "travel": crew_travel.figures(work.stays, limits),
            "growth": growth[crew],
            "edits": {"visits": work.edits, "of": len(work.stays)},
            "months": _months(work),
        }
        flags = [flag for look in _LOOKS for flag in look(figures, limits) if flag.rule not in parameters.off]
        found[crew] = Look(figures, flags)
    return found


def _months(work: Work) -> dict[str, Figures]:
    """What a crew's habits were from month to month: round readings, values as last time."""
    months: dict[str, Figures] = {
        month: {"trees": sum(digits), "round": digits[0] + digits[5], "pairs": 0, "same": 0}
        for month, digits in work.digits.items()
    }
    for pair in work.pairs:
        if pair.month in months:
            months[pair.month]["pairs"] += 1
            months[pair.month]["same"] += pair.dbh_cm == pair.before_cm
    return dict(sorted(months.items()))


def _edit_flags(figures: Figures, limits: Limits) -> Sequence[Flag]:
    """C06: visits changed after they were sent, unasked and without a reason."""
    edits = figures["edits"]
    if edits["visits"] < limits.c06_min_edits or edits["visits"] <= limits.c06_share * edits["of"]:
        return ()
    return [raised("C06", None, "", "", "", str(edits["visits"]), edits=edits["visits"], visits=edits["of"],
                   score=edits["visits"] / (edits["visits"] + edits["of"]), step=_step(edits["visits"]))]  # fmt: skip


def _step(count: int) -> int:
    """A count in steps of doubling, so that one more does not ask for a new decision."""
    return count.bit_length()


_LOOKS = (crew_reading.flags, crew_pace.flags, crew_travel.flags, crew_growth.flags, _edit_flags)


def kind_of(flag: Flag) -> str:
    """SHA-256 (hex) of what a person decides on: the rule, its version, how grave, what kind and how large in rough
    steps. One more plot does not open a decision again; a habit that got worse does."""
    seen = [flag.rule, flag.rule_version, flag.severity, flag.facts.get("case", ""), flag.facts.get("step")]
    return sha256(json.dumps(seen, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()
