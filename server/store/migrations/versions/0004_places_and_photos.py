"""Where visits and photos say they were.

Reason: places, datum shifts, copied tallies and photos shown twice are judged by rules. Visits and photos of before are
indexed when they are unfolded or looked at again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Where visits and photos say they were."""
    op.add_column("stratum", sa.Column("boundary", sa.JSON(), nullable=True))
    op.create_index("ix_visit_fix", "visit", ["project_id", "lat"])
    op.add_column("photo", sa.Column("gps_at", sa.BigInteger(), nullable=True))
    op.add_column("photo", sa.Column("likeness", sa.String(length=16), nullable=True))
    op.create_table(
        "photo_band",
        sa.Column("project_id", _ID, nullable=False),
        sa.Column("band", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attachment_id", _ID, nullable=False),
        _foreign("photo_band", "project"),
        _foreign("photo_band", "attachment", cascade=True),
        sa.PrimaryKeyConstraint("project_id", "band", "attachment_id", name=op.f("pk_photo_band")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_photo_band_attachment", "photo_band", ["attachment_id"])
    op.create_table(
        "photo_twin",
        sa.Column("attachment_id", _ID, nullable=False),
        sa.Column("other_id", _ID, nullable=False),
        sa.Column("bits_apart", sa.Integer(), nullable=False),
        _foreign("photo_twin", "attachment", cascade=True),
        sa.ForeignKeyConstraint(
            ["other_id"], ["attachment.id"], name=op.f("fk_photo_twin_other_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("attachment_id", "other_id", name=op.f("pk_photo_twin")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_photo_twin_other", "photo_twin", ["other_id"])
    op.create_table(
        "visit_gram",
        sa.Column("project_id", _ID, nullable=False),
        sa.Column("gram", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("visit_id", _ID, nullable=False),
        sa.Column("plot_id", _ID, nullable=False),
        _foreign("visit_gram", "project"),
        _foreign("visit_gram", "visit", cascade=True),
        _foreign("visit_gram", "plot"),
        sa.PrimaryKeyConstraint("project_id", "gram", "visit_id", name=op.f("pk_visit_gram")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_visit_gram_visit", "visit_gram", ["visit_id"])
    op.create_table(
        "fix_datum",
        sa.Column("id", _ID, nullable=False),
        sa.Column("project_id", _ID, nullable=False),
        sa.Column("visit_id", _ID, nullable=False),
        sa.Column("datum", sa.String(length=6), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("raw_lat", "raw_lon", "lat", "lon")),
        sa.Column("said_by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("said_at", sa.BigInteger(), nullable=False),
        sa.Column("undone_at", sa.BigInteger(), nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.CheckConstraint("datum IN ('gcj02', 'bd09')", name=op.f("ck_fix_datum_datum")),
        _foreign("fix_datum", "project"),
        _foreign("fix_datum", "visit", cascade=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fix_datum")),
    )
    op.create_index("ix_fix_datum_visit", "fix_datum", ["visit_id"])


def _foreign(table: str, to: str, *, cascade: bool = False) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [f"{to}_id"],
        [f"{to}.id"],
        name=op.f(f"fk_{table}_{to}_id"),
        ondelete="CASCADE" if cascade else None,
    )
