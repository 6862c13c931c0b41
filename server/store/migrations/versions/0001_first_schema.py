"""The first schema.

Reason: an empty store becomes one that can take plots, people and forms.
"""

from __future__ import annotations

from alembic import op

from server.store.schema import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table."""
    metadata.create_all(op.get_bind())
