"""Where visits and photos say they were.

Reason: places, datum shifts and photos shown twice are judged by rules.
"""

from __future__ import annotations

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Where visits and photos say they were."""
