"""Fitted bands, flags' priority, whole-census rechecks.

Reason: bands are versioned and named by flags; a queue may sort by the carbon at stake; when rules, bands or parameters
change, every plot is looked at again and a supervisor sees how far that is.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Fitted bands, flags' priority, whole-census rechecks."""
    op.create_index("ix_flag_rule", "flag", ["project_id", "rule", "state"])
    op.add_column("project", sa.Column("rules_hash", sa.String(length=64), nullable=True))
    op.add_column("flag", sa.Column("priority", sa.Float(), server_default="0", nullable=False))
    op.create_index("ix_flag_priority", "flag", ["project_id", "state", "priority"])
    op.create_table(
        "band_fit",
        sa.Column("id", _ID, nullable=False),
        sa.Column("project_id", _ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("fitted_at", sa.BigInteger(), nullable=False),
        sa.Column("plots", sa.Integer(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("trees", sa.Integer(), nullable=False),
        sa.Column("fit", sa.Text(), nullable=False),
        sa.Column("fit_sha256", sa.String(length=64), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_band_fit_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_band_fit")),
        sa.UniqueConstraint("project_id", "version", name=op.f("uq_band_fit_project_id_version")),
    )
    op.create_table(
        "recheck",
        sa.Column("id", _ID, nullable=False),
        sa.Column("project_id", _ID, nullable=False),
        sa.Column("reason", sa.String(length=12), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("begun", sa.Integer(), server_default="1", nullable=False),
        sa.Column("after_plot_id", _ID, server_default="0", nullable=False),
        sa.Column("plots_total", sa.Integer(), nullable=False),
        sa.Column("plots_done", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "reason IN ('rules', 'bands', 'parameters', 'asked')", name=op.f("ck_recheck_reason")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_recheck_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recheck")),
    )
    op.create_index("ix_recheck_project", "recheck", ["project_id", "id"])
