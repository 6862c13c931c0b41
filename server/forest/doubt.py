"""Which of two values a flag doubts. A flag on a diameter holds today's against last time's; its score is how probably
today's is wrong, and its facts tell how probably the other is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LAST_CASES = ("last", "before")
"""Cases of a flag on a diameter that doubt last time's more than today's."""


def last_wrong(field: str | None, facts: Mapping[str, Any]) -> float | None:
    """How probably last time's value is wrong, of a flag that doubts it more than today's; None for all others."""
    if field != "dbh_cm" or facts.get("case") not in LAST_CASES:
        return None
    stories = (str(text).split() for text in facts.get("hypotheses") or [])
    return next((float(words[-1]) for words in stories if words[0] == "last"), 0.0)


def doubt(score: float, field: str | None, facts: Mapping[str, Any]) -> float:
    """How probably today's value is wrong or last time's, whichever is likelier."""
    return max(score, last_wrong(field, facts) or 0.0)
