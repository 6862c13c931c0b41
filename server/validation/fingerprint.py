"""Which rules these are: one word that changes with any of them, so that a store can say what looked at it."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256

from server.validation.parameters import Parameters
from server.validation.rule import rules


@cache
def rules_hash() -> str:
    """SHA-256 (hex) of every rule's version and weight and of every threshold that we ship; not of their words."""
    known = [[rule.id, rule.version, rule.severity, rule.starred, rule.score] for rule in rules()]
    thresholds = [[one.key, one.value] for one in Parameters.default().table]
    return sha256(json.dumps([known, sorted(thresholds)]).encode()).hexdigest()
