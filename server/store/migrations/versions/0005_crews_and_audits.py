"""How crews work, and what audits found.

Reason: heaping, speed and blind re-measurement are judged for a crew in a census, not for a tree.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """How crews work, and what audits found."""
    op.create_table(
        "crew_flag",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("crew_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("census_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule", sa.String(length=10), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("severity", sa.String(length=5), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("inputs_hash", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), server_default="open", nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("severity IN ('error', 'warn', 'info')", name=op.f("ck_crew_flag_severity")),
        sa.CheckConstraint(
            "state IN ('open', 'accepted', 'sent_back', 'void')", name=op.f("ck_crew_flag_state")
        ),
        sa.ForeignKeyConstraint(["census_id"], ["census.id"], name=op.f("fk_crew_flag_census_id")),
        sa.ForeignKeyConstraint(["crew_id"], ["crew.id"], name=op.f("fk_crew_flag_crew_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_crew_flag_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crew_flag")),
    )
    op.create_index("ix_crew_flag_crew", "crew_flag", ["crew_id", "census_id"], unique=False)
    op.create_index("ix_crew_flag_project", "crew_flag", ["project_id", "state"], unique=False)
    op.create_table(
        "crew_work",
        sa.Column(
            "crew_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "census_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("looked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["census_id"], ["census.id"], name=op.f("fk_crew_work_census_id")),
        sa.ForeignKeyConstraint(["crew_id"], ["crew.id"], name=op.f("fk_crew_work_crew_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_crew_work_project_id")),
        sa.PrimaryKeyConstraint("crew_id", "census_id", name=op.f("pk_crew_work")),
    )
    op.create_index("ix_crew_work_census", "crew_work", ["census_id"], unique=False)
    op.create_table(
        "crew_decision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("crew_flag_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("decision", sa.String(length=12), nullable=False),
        sa.Column("visits", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "decision IN ('accept', 'send_back', 'reopen')", name=op.f("ck_crew_decision_decision")
        ),
        sa.ForeignKeyConstraint(
            ["crew_flag_id"], ["crew_flag.id"], name=op.f("fk_crew_decision_crew_flag_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_crew_decision_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crew_decision")),
    )
    op.create_index("ix_crew_decision_flag", "crew_decision", ["crew_flag_id"], unique=False)
    op.create_table(
        "audit_score",
        sa.Column(
            "audit_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("census_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("visit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("crew_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("is_random", sa.Boolean(), nullable=True),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("scored_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("verdict IN ('passed', 'failed', 'weak')", name=op.f("ck_audit_score_verdict")),
        sa.ForeignKeyConstraint(
            ["audit_id"], ["visit.id"], name=op.f("fk_audit_score_audit_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["census_id"], ["census.id"], name=op.f("fk_audit_score_census_id")),
        sa.ForeignKeyConstraint(["crew_id"], ["crew.id"], name=op.f("fk_audit_score_crew_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_audit_score_project_id")),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visit.id"], name=op.f("fk_audit_score_visit_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit_score")),
    )
    op.create_index("ix_audit_score_census", "audit_score", ["census_id", "crew_id"], unique=False)
    op.create_index("ix_audit_score_visit", "audit_score", ["visit_id"], unique=False)
    op.create_table(
        "visit_pace",
        sa.Column(
            "visit_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("log_sha256", sa.String(length=64), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=True),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.Column("gaps_s", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visit.id"], name=op.f("fk_visit_pace_visit_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("visit_id", name=op.f("pk_visit_pace")),
    )
    op.create_index("ix_visit_census", "visit", ["census_id"], unique=False)
