"""${message}

Reason: say here what people or phones gain.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Add what is new; the store of the release before goes on working."""
    ${upgrades if upgrades else "pass"}
