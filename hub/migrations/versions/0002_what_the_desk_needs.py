"""What the desk needs: its PIN, passes, what a session asks for, assignments

Columns are added one by one: SQLite makes a table anew for anything else, and cannot do so with tables that others
refer to.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_COUNTING = ("institution_id", "session_id", "student_id", "verdict", "id")


def upgrade() -> None:
    op.add_column("institutions", sa.Column("directory_key", sa.LargeBinary()))
    op.add_column("institutions", sa.Column("desk_salt", sa.LargeBinary()))
    op.add_column("institutions", sa.Column("desk_cost", sa.Integer()))
    op.add_column("institutions", sa.Column("desk_key", sa.LargeBinary()))
    op.add_column("sessions", sa.Column("next_step", sa.JSON(), nullable=False, server_default=sa.text("'{}'")))
    op.add_column("sessions", sa.Column("listed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("sessions", sa.Column("check_out", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("sessions", sa.Column("opens_before", sa.Integer()))
    op.add_column("sessions", sa.Column("closes_after", sa.Integer()))
    op.add_column("kiosks", sa.Column("session_id", sa.Uuid()))
    op.add_column("kiosks", sa.Column("assignment", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.create_table(
        "passes",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["institution_id"], ["institutions.id"], name=op.f("fk_passes_institution_id")),
        sa.ForeignKeyConstraint(
            ["institution_id", "student_id"],
            ["students.institution_id", "students.id"],
            name=op.f("fk_passes_institution_id_student_id"),
        ),
        sa.PrimaryKeyConstraint("institution_id", "id", name=op.f("pk_passes")),
        sa.UniqueConstraint("institution_id", "student_id", name=op.f("uq_passes_institution_id_student_id")),
    )
    op.create_index(
        op.f("ix_registrations_institution_id_student_id"), "registrations", ["institution_id", "student_id"]
    )
    op.drop_index("ix_facts_counting", "facts")
    op.create_index("ix_facts_counting", "facts", [*_COUNTING, "kind", "occurred_at"])
    # The settings say more now, and kiosks ask only for what has moved.
    op.execute("UPDATE institutions SET feed_position = feed_position + 1")
    op.execute(
        "UPDATE feed SET position ="
        " (SELECT feed_position FROM institutions WHERE institutions.id = feed.institution_id) WHERE kind = 'settings'"
    )


def downgrade() -> None:
    op.drop_index("ix_facts_counting", "facts")
    op.create_index("ix_facts_counting", "facts", _COUNTING)
    op.drop_index(op.f("ix_registrations_institution_id_student_id"), "registrations")
    op.drop_table("passes")
    for table, columns in {
        "kiosks": ("assignment", "session_id"),
        "sessions": ("closes_after", "opens_before", "check_out", "listed", "next_step"),
        "institutions": ("desk_key", "desk_cost", "desk_salt", "directory_key"),
    }.items():
        for column in columns:
            op.drop_column(table, column)
