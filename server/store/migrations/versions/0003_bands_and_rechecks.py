"""Fitted bands, flags' priority, whole-census rechecks.

Reason: bands are versioned and named by flags; a queue may sort by the carbon at stake.
"""

from __future__ import annotations

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Fitted bands, flags' priority, whole-census rechecks."""
