"""Our own wire, rework, merging.

Reason: phones learn what changed since they last asked and go on with half-sent photos; supervisors correct, decide
and send trees back; two accounts of one plot are kept side by side until somebody chooses.
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Our own wire, rework, merging."""
    op.create_table(
        "house",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.String(length=32), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_house_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_house")),
    )
    op.create_table(
        "feed",
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column(
            "subject_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("was_crew_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("was_township_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_feed_project_id")),
        sa.PrimaryKeyConstraint("project_id", "kind", "subject_id", name=op.f("pk_feed")),
    )
    with op.batch_alter_table("feed", schema=None) as batch_op:
        batch_op.create_index("uq_feed_number", ["project_id", "number", "kind", "subject_id"], unique=True)

    op.create_table(
        "feed_head",
        sa.Column(
            "project_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_feed_head_project_id")),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_feed_head")),
    )
    op.create_table(
        "device_plot",
        sa.Column("device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_device_plot_device_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["plot_id"], ["plot.id"], name=op.f("fk_device_plot_plot_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_id", "plot_id", name=op.f("pk_device_plot")),
    )
    op.create_table(
        "device_township",
        sa.Column("device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("township_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_device_township_device_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["township_id"], ["township.id"], name=op.f("fk_device_township_township_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_id", "township_id", name=op.f("pk_device_township")),
    )
    op.create_table(
        "upload",
        sa.Column("id", sa.String(length=43), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("form_id", sa.String(length=200), nullable=False),
        sa.Column("instance_id", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_upload_device_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_upload_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    with op.batch_alter_table("upload", schema=None) as batch_op:
        batch_op.create_index("ix_upload_expires", ["expires_at"], unique=False)
        batch_op.create_index("ix_upload_instance", ["project_id", "instance_id"], unique=False)

    op.create_table(
        "conflict",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("visit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=10), server_default="open", nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('two-visits', 'edit-correction', 'two-edits')", name=op.f("ck_conflict_kind")
        ),
        sa.CheckConstraint("state IN ('open', 'settled', 'gone')", name=op.f("ck_conflict_state")),
        sa.ForeignKeyConstraint(["plot_id"], ["plot.id"], name=op.f("fk_conflict_plot_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_conflict_project_id")),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visit.id"], name=op.f("fk_conflict_visit_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflict")),
        sa.UniqueConstraint(
            "project_id", "kind", "subject", name=op.f("uq_conflict_project_id_kind_subject")
        ),
    )
    with op.batch_alter_table("conflict", schema=None) as batch_op:
        batch_op.create_index("ix_conflict_open", ["project_id", "state"], unique=False)

    op.create_table(
        "correction",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("visit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tag", sa.String(length=40), nullable=True),
        sa.Column("stem_id", sa.String(length=20), nullable=True),
        sa.Column("ordinal", sa.Integer(), nullable=True),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("old", sa.Text(), nullable=True),
        sa.Column("new", sa.Text(), nullable=True),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("source_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("undone_at", sa.BigInteger(), nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "source IN ('supervisor', 'rework', 'edit', 'merge')", name=op.f("ck_correction_source")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_correction_project_id")),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visit.id"], name=op.f("fk_correction_visit_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.create_index("ix_correction_visit", ["visit_id"], unique=False)

    op.create_table(
        "rework",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("visit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("crew_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("due_on", sa.String(length=10), nullable=True),
        sa.Column("state", sa.String(length=10), server_default="open", nullable=False),
        sa.Column("sent_by", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'returned', 'cancelled')", name=op.f("ck_rework_state")),
        sa.ForeignKeyConstraint(["crew_id"], ["crew.id"], name=op.f("fk_rework_crew_id")),
        sa.ForeignKeyConstraint(["plot_id"], ["plot.id"], name=op.f("fk_rework_plot_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_rework_project_id")),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visit.id"], name=op.f("fk_rework_visit_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rework")),
    )
    with op.batch_alter_table("rework", schema=None) as batch_op:
        batch_op.create_index("ix_rework_project", ["project_id", "state"], unique=False)
        batch_op.create_index("ix_rework_visit", ["visit_id"], unique=False)

    op.create_table(
        "review",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("visit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("flag_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("decision", sa.String(length=12), nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "decision IN ('accept', 'correct', 'send_back', 'reopen', 'approve', 'reject')",
            name=op.f("ck_review_decision"),
        ),
        sa.ForeignKeyConstraint(["flag_id"], ["flag.id"], name=op.f("fk_review_flag_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_review_project_id")),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visit.id"], name=op.f("fk_review_visit_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
    )
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.create_index("ix_review_visit", ["visit_id"], unique=False)

    op.create_table(
        "rework_tree",
        sa.Column("rework_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tag", sa.String(length=40), nullable=False),
        sa.Column("stem_id", sa.String(length=20), nullable=False),
        sa.Column("flag_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("state", sa.String(length=10), server_default="open", nullable=False),
        sa.Column("returned_visit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("returned_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'corrected', 'confirmed', 'gone', 'cancelled')",
            name=op.f("ck_rework_tree_state"),
        ),
        sa.ForeignKeyConstraint(
            ["flag_id"], ["flag.id"], name=op.f("fk_rework_tree_flag_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["returned_visit_id"],
            ["visit.id"],
            name=op.f("fk_rework_tree_returned_visit_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["rework_id"], ["rework.id"], name=op.f("fk_rework_tree_rework_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("rework_id", "tag", "stem_id", name=op.f("pk_rework_tree")),
    )
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.add_column(sa.Column("app_version", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("pending_count", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("pending_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("joined_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("scope_number", sa.BigInteger(), server_default="0", nullable=False))

    # plain columns: a foreign key would make SQLite write the whole table anew, and drop the old one with its trees
    for table, name in (("measurement", "from_visit_id"), ("visit", "merged_into_id")):
        op.add_column(table, sa.Column(name, sa.BigInteger().with_variant(sa.Integer(), "sqlite")))

    op.execute(
        sa.text("INSERT INTO house (id, epoch) VALUES (1, :epoch)").bindparams(epoch=secrets.token_hex(8))
    )
