"""The hub's tables, once. Every table leads with its institution; nothing here knows a dialect.

Facts are stored as the bytes first written and never changed; the columns beside `body` say what the hub made of them.
Moments are aware and in UTC on both sides of the database.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    false,
    text,
    true,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware moment in UTC, in and out: SQLite keeps no zone, and a naive moment is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _institution(*, primary_key: bool = True) -> Column[object]:
    return Column(
        "institution_id",
        Uuid,
        ForeignKey("institutions.id"),
        primary_key=primary_key,
        nullable=False,
    )


def _id() -> Column[object]:
    return Column("id", Uuid, primary_key=True)


def _belongs(table: str, column: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["institution_id", column], [f"{table}.institution_id", f"{table}.id"])


hubs = Table(
    "hubs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("made_at", Instant, nullable=False),
)

institutions = Table(
    "institutions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("card_formats", JSON, nullable=False),
    Column("epoch", Uuid, nullable=False),
    Column("feed_position", BigInteger, nullable=False),
    Column("roster_key", LargeBinary, nullable=False),
    Column("private_key", LargeBinary, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("made_at", Instant, nullable=False),
    # These four are there exactly while the desk has a PIN. The PIN itself is nowhere.
    Column("directory_key", LargeBinary),
    Column("desk_salt", LargeBinary),
    Column("desk_cost", Integer),
    Column("desk_key", LargeBinary),
)

domains = Table(
    "domains",
    metadata,
    _institution(primary_key=False),
    Column("domain", Text, primary_key=True),
)

students = Table(
    "students",
    metadata,
    _institution(),
    _id(),
    Column("username", Text, nullable=False),
    Column("auth_identifier", Text),
    Column("first_name", Text, nullable=False),
    Column("last_name", Text),
    Column("middle_name", Text),
    Column("preferred_name", Text),
    Column("school_year_name", Text),
    Column("disabled", Boolean, nullable=False, server_default=false()),
    Column("preferred_address_id", Uuid),
    Column("attributes", JSON, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    # Nightly files leave them alone, so that staff may change by hand what such a file brings (RULE-18).
    Column("excluded_from_sync", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("institution_id", "username"),
    UniqueConstraint("institution_id", "auth_identifier"),
)

addresses = Table(
    "addresses",
    metadata,
    _institution(),
    _id(),
    Column("student_id", Uuid, nullable=False),
    Column("typed", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("main", Boolean, nullable=False, server_default=false()),
    Column("state", String(16), nullable=False),
    Column("origin", String(16), nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    _belongs("students", "student_id"),
    CheckConstraint("kind in ('school', 'additional')", name="kind"),
    CheckConstraint("state in ('confirmed', 'pending')", name="state"),
    CheckConstraint("origin in ('imported', 'added')", name="origin"),
    Index(None, "institution_id", "student_id"),
    Index(
        "uq_addresses_one_main",
        "institution_id",
        "student_id",
        unique=True,
        sqlite_where=text("main"),
        postgresql_where=text("main"),
    ),
)

cards = Table(
    "cards",
    metadata,
    _institution(),
    Column("card_id", Text, primary_key=True),
    Column("student_id", Uuid, nullable=False),
    _belongs("students", "student_id"),
    Index(None, "institution_id", "student_id"),
)

passes = Table(
    "passes",
    metadata,
    _institution(),
    Column("id", Text, primary_key=True),
    Column("student_id", Uuid, nullable=False),
    Column("made_at", Instant, nullable=False),
    _belongs("students", "student_id"),
    UniqueConstraint("institution_id", "student_id"),
)

events = Table(
    "events",
    metadata,
    _institution(),
    _id(),
    Column("kind", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("starts", Instant, nullable=False),
    Column("ends", Instant, nullable=False),
    Column("external_id", Text),
    Column("capacity", Integer),
    Column("made_at", Instant, nullable=False),
    UniqueConstraint("institution_id", "external_id"),
    CheckConstraint("kind in ('event', 'career_fair', 'appointment', 'survey')", name="kind"),
    CheckConstraint("starts <= ends", name="order"),
    Index(None, "institution_id", "starts"),
)

sessions = Table(
    "sessions",
    metadata,
    _institution(),
    _id(),
    Column("event_id", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("starts", Instant, nullable=False),
    Column("ends", Instant, nullable=False),
    Column("external_id", Text),
    Column("next_step", JSON, nullable=False, server_default=text("'{}'")),
    Column("listed", Boolean, nullable=False, server_default=false()),
    Column("check_out", Boolean, nullable=False, server_default=false()),
    Column("opens_before", Integer),
    Column("closes_after", Integer),
    _belongs("events", "event_id"),
    UniqueConstraint("institution_id", "event_id", "number"),
    UniqueConstraint("institution_id", "external_id"),
)

registrations = Table(
    "registrations",
    metadata,
    _institution(),
    Column("session_id", Uuid, primary_key=True),
    Column("student_id", Uuid, primary_key=True),
    Column("registered_at", Instant, nullable=False),
    # The import that brought it, if a file did.
    Column("import_id", Uuid),
    _belongs("sessions", "session_id"),
    _belongs("students", "student_id"),
    Index(None, "institution_id", "student_id"),
)

imports = Table(
    "imports",
    metadata,
    _institution(),
    _id(),
    Column("kind", String(16), nullable=False),
    # The session on whose page an attendee file was uploaded.
    Column("session_id", Uuid),
    Column("state", String(16), nullable=False),
    Column("file_name", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("options", JSON, nullable=False),
    Column("result", JSON),
    Column("who", Text, nullable=False),
    # Who wants what is under way.
    Column("asked_by", Text),
    Column("made_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("applied_at", Instant),
    CheckConstraint("kind in ('students', 'attendees')", name="kind"),
    Index(None, "institution_id", "made_at"),
)

import_changes = Table(
    "import_changes",
    metadata,
    _institution(),
    Column("import_id", Uuid, primary_key=True),
    Column("student_id", Uuid, primary_key=True),
    # What the file calls the student, and what was there before: null for one whom the import made. `after`: a digest
    # of what it left behind.
    Column("before", JSON),
    Column("after", LargeBinary, nullable=False),
    _belongs("imports", "import_id"),
)

# What each file says, also where it is known otherwise: undoing one file takes nothing away that another says too.
imported_attendance, imported_registrations = (
    Table(
        name,
        metadata,
        _institution(),
        Column("session_id", Uuid, primary_key=True),
        Column("student_id", Uuid, primary_key=True),
        Column("import_id", Uuid, primary_key=True),
        _belongs("sessions", "session_id"),
        _belongs("students", "student_id"),
        _belongs("imports", "import_id"),
        Index(None, "institution_id", "student_id"),
        Index(None, "institution_id", "import_id"),
    )
    for name in ("imported_attendance", "imported_registrations")
)

freed_addresses = Table(
    "freed_addresses",
    metadata,
    _institution(),
    Column("key", Text, primary_key=True),
    Column("student_id", Uuid, nullable=False),
    Column("freed_at", Instant, nullable=False),
)

audit_log = Table(
    "audit_log",
    metadata,
    _institution(),
    _id(),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", String(64), nullable=False),
    Column("about", JSON, nullable=False),
    Index(None, "institution_id", "at"),
)

kiosks = Table(
    "kiosks",
    metadata,
    _institution(),
    _id(),
    Column("name", Text, nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("app", Text, nullable=False),
    Column("enrolled_at", Instant, nullable=False),
    Column("last_seen_at", Instant),
    Column("revoked_at", Instant),
    # No foreign key: SQLite cannot add one to a table that others refer to. Sessions never go.
    Column("session_id", Uuid),
    Column("assignment", Integer, nullable=False, server_default=text("0")),
)

invitations = Table(
    "invitations",
    metadata,
    _institution(primary_key=False),
    Column("code_hash", LargeBinary, primary_key=True),
    Column("name", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("kiosk_id", Uuid),
)

streams = Table(
    "streams",
    metadata,
    _institution(),
    _id(),
    Column("kiosk_id", Uuid, nullable=False),
    Column("acked_seq", BigInteger, nullable=False),
    Column("acked_hash", LargeBinary, nullable=False),
    Column("head_seq", BigInteger, nullable=False),
    Column("heard_at", Instant, nullable=False),
    # The stream it goes on from: its kiosk's disk was copied, set back or salvaged, or the kiosk enrolled anew.
    Column("parent_id", Uuid),
    _belongs("kiosks", "kiosk_id"),
    Index(None, "institution_id", "kiosk_id"),
)

OUT_OF_PLACE = text("verdict in ('set_aside', 'parked:unknown_session', 'parked:id_conflict')")
"""Facts that no session's page shows."""

facts = Table(
    "facts",
    metadata,
    _institution(),
    Column("stream_id", Uuid, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Uuid, unique=True),
    Column("kind", String(16)),
    Column("session_id", Uuid),
    Column("student_id", Uuid),
    Column("method", String(16)),
    Column("claimed_key", Text),
    Column("occurred_at", Instant),
    Column("clock_quality", String(16)),
    Column("received_at", Instant, nullable=False),
    Column("verdict", String(64), nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _belongs("streams", "stream_id"),
    # Holds all that a count asks for, so that counting reads no fact.
    Index("ix_facts_counting", "institution_id", "session_id", "student_id", "verdict", "id", "kind", "occurred_at"),
    Index(
        "ix_facts_out_of_place",
        "institution_id",
        sqlite_where=OUT_OF_PLACE,
        postgresql_where=OUT_OF_PLACE,
    ),
    Index(
        "ix_facts_claimed",
        "institution_id",
        "claimed_key",
        sqlite_where=text("claimed_key is not null"),
        postgresql_where=text("claimed_key is not null"),
    ),
)

undone = Table(
    "undone",
    metadata,
    _institution(),
    Column("check_in_id", Uuid, primary_key=True),
    Column("undo_id", Uuid, primary_key=True),
)

feed = Table(
    "feed",
    metadata,
    _institution(),
    Column("kind", String(16), primary_key=True),
    Column("key", Uuid, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("gone", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("institution_id", "position"),
)

feed_marks = Table(
    "feed_marks",
    metadata,
    _institution(),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("mark", Uuid, nullable=False),
)

clock_samples = Table(
    "clock_samples",
    metadata,
    _institution(),
    Column("kiosk_id", Uuid, primary_key=True),
    Column("boot", Text, primary_key=True),
    Column("since_boot_ms", BigInteger, nullable=False),
    Column("hub_time", Instant, nullable=False),
    _belongs("kiosks", "kiosk_id"),
)

merges = Table(
    "merges",
    metadata,
    _institution(),
    Column("student_id", Uuid, primary_key=True),
    Column("into_id", Uuid, nullable=False),
    Column("merged_at", Instant, nullable=False),
    _belongs("students", "into_id"),
)

roles = Table(
    "roles",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(80), nullable=False, unique=True),
    Column("description", Text),
    Column("permissions", Text),
    Column("update_datetime", Instant),
)

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    _institution(primary_key=False),
    Column("email", String(254), nullable=False, unique=True),
    Column("password", Text),
    Column("active", Boolean, nullable=False, server_default=true()),
    Column("fs_uniquifier", String(64), nullable=False, unique=True),
    Column("create_datetime", Instant),
    Column("update_datetime", Instant),
)

roles_users = Table(
    "roles_users",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), primary_key=True),
    Column("role_id", Integer, ForeignKey("roles.id"), primary_key=True),
)
