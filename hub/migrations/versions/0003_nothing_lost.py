"""What keeps two sides agreed: marks of the feed, clock samples, streams that go on from others, merged students"""

import sqlalchemy as sa
from alembic import op
from uuid_utils.compat import uuid4

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("streams", sa.Column("parent_id", sa.Uuid()))
    op.create_table(
        "feed_marks",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mark", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["institution_id"], ["institutions.id"], name=op.f("fk_feed_marks_institution_id")),
        sa.PrimaryKeyConstraint("institution_id", "position", name=op.f("pk_feed_marks")),
    )
    op.create_table(
        "clock_samples",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("kiosk_id", sa.Uuid(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("since_boot_ms", sa.BigInteger(), nullable=False),
        sa.Column("hub_time", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["institution_id"], ["institutions.id"], name=op.f("fk_clock_samples_institution_id")),
        sa.ForeignKeyConstraint(
            ["institution_id", "kiosk_id"],
            ["kiosks.institution_id", "kiosks.id"],
            name=op.f("fk_clock_samples_institution_id_kiosk_id"),
        ),
        sa.PrimaryKeyConstraint("institution_id", "kiosk_id", "boot", name=op.f("pk_clock_samples")),
    )
    op.create_table(
        "merges",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("into_id", sa.Uuid(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["institution_id"], ["institutions.id"], name=op.f("fk_merges_institution_id")),
        sa.ForeignKeyConstraint(
            ["institution_id", "into_id"],
            ["students.institution_id", "students.id"],
            name=op.f("fk_merges_institution_id_into_id"),
        ),
        sa.PrimaryKeyConstraint("institution_id", "student_id", name=op.f("pk_merges")),
    )
    # Positions that were given out before there were marks share one.
    institutions = sa.table("institutions", sa.column("id", sa.Uuid()), sa.column("feed_position", sa.BigInteger()))
    marks = sa.table(
        "feed_marks",
        sa.column("institution_id", sa.Uuid()),
        sa.column("position", sa.BigInteger()),
        sa.column("mark", sa.Uuid()),
    )
    for row in op.get_bind().execute(sa.select(institutions.c.id, institutions.c.feed_position)).all():
        first = {"institution_id": row.id, "position": row.feed_position, "mark": uuid4()}
        op.get_bind().execute(sa.insert(marks), first)


def downgrade() -> None:
    for table in ("merges", "clock_samples", "feed_marks"):
        op.drop_table(table)
    op.drop_column("streams", "parent_id")
