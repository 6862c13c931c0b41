"""What a project's accepted trees say, as the rules use it: no visit is judged by trees of its own.

A fit is kept with `FOLDS` others, each without the plots of one part. A visit that is approved may be in the fit, so
it is judged by the one that leaves its part of the plots out; one that waits for a decision is in none.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import Connection

from server.store import bands
from server.validation.reference import Reference

FOLDS = 4
"""Parts of the plots: each approved visit is judged by what three quarters of the accepted plots say."""


class Accepted(NamedTuple):
    """What all accepted plots say, and what they say without each part."""

    every: Reference
    without: tuple[Reference, ...]

    def judging(self, plot_id: int, is_approved: bool) -> Reference:
        """The reference for a visit of the plot with this number."""
        return self.without[plot_id % FOLDS] if is_approved else self.every

    def to_text(self) -> str:
        """As the store keeps it; the same counts give the same text."""
        value = {"every": self.every.as_json(), "without": [one.as_json() for one in self.without]}
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def of_text(cls, text: str) -> Accepted:
        """What `to_text` said."""
        value = json.loads(text)
        return cls(
            Reference.from_json(value["every"]), tuple(Reference.from_json(one) for one in value["without"])
        )


def content_hash(text: str) -> str:
    """SHA-256 (hex) by which a fit is told from the one before."""
    return sha256(text.encode()).hexdigest()


def in_use(connection: Connection, fit: bands.Current | None) -> Accepted | None:
    """The fit as the rules use it; read from the store once for each content. None: nothing was accepted yet."""
    return _kept(connection, fit) if fit else None


_parsed: dict[str, Accepted] = {}
MOST_PARSED = 16
"""Fits that a process holds: one for each project and its successor."""


def _kept(connection: Connection, fit: bands.Current) -> Accepted:
    known = _parsed.get(fit.fit_sha256)
    if known is None:
        if len(_parsed) >= MOST_PARSED:
            _parsed.clear()
        known = _parsed[fit.fit_sha256] = Accepted.of_text(bands.text_of(connection, fit.id))
    return known
