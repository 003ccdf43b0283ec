"""A hub that is in use is brought to today's shape with everything it holds."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import command
from sqlalchemy import Engine
from uuid_utils.compat import uuid4, uuid7

from hub import migrations
from hub.actions import attendance, desk_pin
from hub.database import connect, writing
from hub.store import feed
from tests.hub.desk import enrolled, student
from tests.hub.roster_view import view

AT = datetime(2026, 11, 21, 10)


def first_shape(engine: Engine) -> None:
    with writing(engine) as conn:
        command.upgrade(migrations.config(conn), "0001")


def fill(engine: Engine) -> tuple[UUID, UUID, UUID]:
    """An institution of the first version, with a session, a kiosk, and a check-in of Ada; all as plain SQL."""
    institution, event, session, kiosk, stream, ada = (uuid7() for _ in range(6))
    span = {"starts": AT, "ends": AT}
    mine = {"institution_id": institution}
    rows: list[tuple[str, dict[str, object]]] = [
        ("hubs", {"id": uuid4(), "made_at": AT}),
        (
            "institutions",
            {"id": institution, "name": "Example University", "card_formats": "[]", "epoch": uuid4()}
            | {"feed_position": 3, "roster_key": b"r" * 32, "private_key": b"k" * 32, "public_key": b"p" * 32}
            | {"made_at": AT},
        ),
        ("domains", mine | {"domain": "example.edu"}),
        ("events", mine | span | {"id": event, "kind": "event", "name": "Talk", "made_at": AT}),
        ("sessions", mine | span | {"id": session, "event_id": event, "number": 1, "name": "Talk"}),
        (
            "students",
            mine
            | {"id": ada, "username": "ada", "first_name": "Ada", "last_name": "Byron", "attributes": "{}"}
            | {"disabled": False, "made_at": AT, "changed_at": AT},
        ),
        ("registrations", mine | {"session_id": session, "student_id": ada, "registered_at": AT}),
        ("kiosks", mine | {"id": kiosk, "name": "Door", "token_hash": b"t", "app": "test", "enrolled_at": AT}),
        (
            "streams",
            mine | {"id": stream, "kiosk_id": kiosk, "acked_seq": 1, "acked_hash": b"h", "head_seq": 1, "heard_at": AT},
        ),
        (
            "facts",
            mine
            | {"stream_id": stream, "seq": 1, "id": uuid7(), "kind": "check_in", "session_id": session}
            | {"student_id": ada, "occurred_at": AT, "received_at": AT, "verdict": "counted", "hash": b"h"}
            | {"body": b"{}"},
        ),
        *(
            ("feed", mine | {"kind": kind, "key": key, "position": position, "gone": False})
            for position, (kind, key) in enumerate(
                (("settings", institution), ("session", session), ("person", ada)), 1
            )
        ),
    ]
    with writing(engine) as conn:
        tables = sa.MetaData()
        tables.reflect(conn)
        for name, row in rows:
            conn.execute(tables.tables[name].insert(), [_for_driver(conn, row)])
    return institution, session, ada


def _for_driver(conn: sa.Connection, row: dict[str, object]) -> dict[str, object]:
    # Reflected from SQLite, an id is the text that it is kept as.
    if conn.dialect.name == "postgresql":
        return {name: _json(value) for name, value in row.items()}
    return {name: value.hex if isinstance(value, UUID) else _json(value) for name, value in row.items()}


def _json(value: object) -> object:
    return {"[]": [], "{}": {}}.get(value, value) if isinstance(value, str) else value


def test_a_database_of_the_first_version_keeps_all_it_holds_and_can_do_what_is_new(
    blank_database_url: str, now: datetime
) -> None:
    engine = connect(blank_database_url)
    first_shape(engine)
    institution, session, ada = fill(engine)
    assert not migrations.is_current(engine)

    migrations.upgrade(engine)

    assert migrations.is_current(engine)
    counted = attendance.count(engine, institution, session)
    assert (counted.count.checked_in, counted.count.registered, counted.count.inside) == (1, 1, None)
    assert [(kiosk.name, kiosk.assignment, kiosk.session_id) for kiosk in counted.kiosks] == [("Door", 0, None)]
    with writing(engine) as conn:
        moved = [(line.kind, line.position) for line in feed.after(conn, institution, 3, 10)]
    assert moved == [("settings", 4)]
    told = view(engine, institution)
    assert (told.lock, told.people[ada].registered, told.session(session).next_step) == (None, (session,), {})
    enrolled(engine, institution, now)
    student(engine, institution, "Bo", confirmed=["bo@example.edu"])
    desk_pin.choose(engine, institution, "483921", 10)
    line = view(engine, institution, "483921").people[ada].line
    assert line is not None
    assert line.name == "Ada Byron"
    engine.dispose()


def test_the_way_back_leads_to_the_first_shape(blank_database_url: str) -> None:
    engine = connect(blank_database_url)
    first_shape(engine)
    institution, session, _ = fill(engine)
    migrations.upgrade(engine)
    with writing(engine) as conn:
        command.downgrade(migrations.config(conn), "0001")
    migrations.upgrade(engine)
    assert attendance.count(engine, institution, session).count.checked_in == 1
    engine.dispose()
