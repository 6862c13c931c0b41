"""How crews work, and what audits found.

Reason: heaping, speed and blind re-measurement are judged for a crew in a census, not for a tree.
"""

from __future__ import annotations

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """How crews work, and what audits found."""
