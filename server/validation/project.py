"""The thresholds of one project: those we ship, its tally limit, and what else it has changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

from server.validation.parameters import Parameters


def parameters_of(tally_limit_cm: float, changes: Mapping[str, float]) -> Parameters:
    """Thresholds compiled once for each combination; asked for at every visit. `tally_limit_cm` in cm."""
    return (
        _compiled(tally_limit_cm, json.dumps(dict(changes), sort_keys=True))
        if changes
        else _compiled(tally_limit_cm, "{}")
    )


@lru_cache(maxsize=256)
def _compiled(tally_limit_cm: float, changes: str) -> Parameters:
    return Parameters.default().with_changes({"T02.min_cm": tally_limit_cm, **json.loads(changes)})
