"""Files in and out: imports with what they changed, attendance that came by file, freed addresses, the audit log"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("students", sa.Column("excluded_from_sync", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("registrations", sa.Column("import_id", sa.Uuid()))
    _table(
        "imports",
        _key("id"),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("session_id", sa.Uuid()),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON()),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text()),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("kind in ('students', 'attendees')", name=op.f("ck_imports_kind")),
        key=("id",),
    )
    _index("imports", "made_at")
    _table(
        "import_changes",
        _key("import_id"),
        _key("student_id"),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.LargeBinary(), nullable=False),
        _belongs("import_changes", "imports", "import_id"),
        key=("import_id", "student_id"),
    )
    for said in ("imported_attendance", "imported_registrations"):
        _table(
            said,
            _key("session_id"),
            _key("student_id"),
            _key("import_id"),
            _belongs(said, "sessions", "session_id"),
            _belongs(said, "students", "student_id"),
            _belongs(said, "imports", "import_id"),
            key=("session_id", "student_id", "import_id"),
        )
        _index(said, "student_id")
        _index(said, "import_id")
    _table(
        "freed_addresses",
        sa.Column("key", sa.Text(), nullable=False),
        _key("student_id"),
        sa.Column("freed_at", sa.DateTime(timezone=True), nullable=False),
        key=("key",),
    )
    _table(
        "audit_log",
        _key("id"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("what", sa.String(64), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        key=("id",),
    )
    _index("audit_log", "at")


def _table(name: str, *columns: sa.schema.SchemaItem, key: tuple[str, ...]) -> None:
    op.create_table(
        name,
        _key("institution_id"),
        *columns,
        sa.ForeignKeyConstraint(["institution_id"], ["institutions.id"], name=op.f(f"fk_{name}_institution_id")),
        sa.PrimaryKeyConstraint("institution_id", *key, name=op.f(f"pk_{name}")),
    )


def _key(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=False)


def _belongs(name: str, to: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["institution_id", column],
        [f"{to}.institution_id", f"{to}.id"],
        name=op.f(f"fk_{name}_institution_id_{column}"),
    )


def _index(table: str, column: str) -> None:
    op.create_index(op.f(f"ix_{table}_institution_id_{column}"), table, ["institution_id", column])


def downgrade() -> None:
    said = ("imported_registrations", "imported_attendance")
    for table in ("audit_log", "freed_addresses", *said, "import_changes", "imports"):
        op.drop_table(table)
    op.drop_column("registrations", "import_id")
    op.drop_column("students", "excluded_from_sync")
