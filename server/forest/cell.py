"""A value that a person writes into one cell of a tally sheet."""

from __future__ import annotations

from server.forest.answers import number
from server.forest.effective import CORRECTED, NUMBERS
from server.forest.tree import tally_code

MOST = {"dbh_cm": 1000.0, "height_m": 150.0, "pom_m": 30.0}
"""Values at and above which no person can mean it: cm, m, m."""
MOST_CHARS = {"stem_id": 20}
"""Characters of a text at most; 40 where a field is not named."""


def written(field: str, text: str) -> str | None:
    """The value as a crew would type it; None: blank, which only a number may be.

    Raises ValueError for what cannot stand in the cell.
    """
    text = text.strip()
    if field not in CORRECTED or len(text) > MOST_CHARS.get(field, 40) or "\0" in text:
        raise ValueError(field)
    if field in NUMBERS:
        return _number(field, text) if text else None
    if field == "tally_code":
        code = tally_code(text)
        text = "" if code is None else str(int(code))
    if not text:
        raise ValueError(field)
    return text


def _number(field: str, text: str) -> str:
    value = number(text)
    if value is None or not 0 < value < MOST[field]:
        raise ValueError(text)
    return f"{value:.10g}"
