"""Putting students back to what they were before an import."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from hub.actions import attendance, events, kiosks, merging, passes, registrations, students
from hub.actions import parked as parked_check_ins
from hub.actions.events import NewEvent
from hub.actions.imports import Kept, Undone
from hub.actions.imports.students import StudentFile
from hub.actions.receive import receive
from hub.database import one_at_a_time, reading, writing
from hub.schema import addresses, cards, import_changes
from hub.schema import students as students_table
from hub.store import feed
from hub.store.events import Session
from tests.hub.desk import Desk, enrolled
from tests.hub.roster_view import view
from tests.hub.students.desk import ADA, BO, CEM, DITA, Office, Row, counts, on_postgresql, on_sqlite
from tests.hub.students.test_parked_check_ins import PARKED, standing
from tests.hub.test_receive import wait_until_blocked

SHARED = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
RENAMING = StudentFile(match_by="email_address", identifier_changes=True)
NOTHING_LEFT = Undone(undone=0, kept=0)
MORE = "additional_email_addresses"


def everything(office: Office) -> list[list[dict[str, object]]]:
    """All that is stored of students, but for when they changed last."""
    with reading(office.engine) as conn:
        return [
            sorted(
                ({name: value for name, value in row.items() if name != "changed_at"} for row in rows.mappings()),
                key=repr,
            )
            for rows in (conn.execute(sa.select(table)) for table in (students_table, addresses, cards))
        ]


def kept(*those: tuple[str, str]) -> tuple[Kept, ...]:
    return tuple(Kept(who, why) for who, why in those)


def test_undoing_puts_everything_back_and_kiosks_are_told(office: Office) -> None:
    enrolled(office.engine, office.institution_id, office.now)
    office.rows({**ADA, "card_id": "7", MORE: "a@example.edu"}, BO, {**DITA, MORE: "d@example.edu"})
    students.add_email(office.engine, office.institution_id, "bo", "bo@students.example.edu", False, office.now)
    before, told = everything(office), view(office.engine, office.institution_id).people
    office.now += timedelta(days=1)
    office.rows(
        {**ADA, "email_address": "a@example.edu", "card_id": "8", "first_name": "Augusta", "disabled": "TRUE"},
        {**BO, MORE: "bo@students.example.edu", "campus_name": "North"},
        {**DITA, "email_address": "d@example.edu", MORE: "dita@example.edu"},
        {**CEM, "card_id": "7"},
    )
    position, gone = office.position(), {office.field(name, "id"): name == "cem" for name in ("ada", "bo", "cem")}
    assert office.undo() == Undone(undone=4, kept=0)
    assert everything(office) == before
    assert view(office.engine, office.institution_id).people == told
    with reading(office.engine) as conn:
        lines = feed.after(conn, office.institution_id, position, 100)
    assert {line.key: line.gone for line in lines} == gone


def test_undoing_again_finds_nothing_to_do(office: Office) -> None:
    office.rows(ADA)
    office.undo()
    position = office.position()
    assert office.undo() == NOTHING_LEFT
    assert office.position() == position


def test_what_students_exchanged_goes_back_to_each(office: Office) -> None:
    first, second = {**ADA, "card_id": "7", "auth_identifier": "A"}, {**BO, "card_id": "8", "auth_identifier": "B"}
    office.rows(first, second)
    before = everything(office)
    office.rows({**ADA, "email_address": "a@example.edu", "card_id": "**CLEAR**"}, {**BO, "card_id": "7"})
    office.import_ids, both = [], office.import_ids[-1:]
    office.rows({**CEM, "email_address": "ada@example.edu"})
    assert office.undo() == Undone(undone=1, kept=0)
    office.import_ids = both
    assert office.undo() == Undone(undone=2, kept=0)
    assert everything(office) == before


def test_usernames_go_back_round_in_a_ring(office: Office) -> None:
    office.rows(ADA, BO)
    before = everything(office)
    office.rows({**ADA, "username": "x"}, {**BO, "username": "ada"}, options=RENAMING)
    assert office.undo() == Undone(undone=2, kept=0)
    assert everything(office) == before


def add_an_address(office: Office) -> None:
    students.add_email(office.engine, office.institution_id, "ada", "ada@gmail.com", False, office.now)


def import_again(office: Office) -> None:
    first = office.import_ids[-1]
    office.rows({**ADA, "last_name": "Byron"})
    office.import_ids.append(first)


@on_sqlite
@pytest.mark.parametrize("act", [add_an_address, import_again])
@pytest.mark.parametrize("new", [True, False])
def test_who_was_changed_since_stays_as_they_are(office: Office, act: Callable[[Office], None], new: bool) -> None:
    if not new:
        office.rows(ADA)
    office.rows({**ADA, "last_name": "Lovelace"}, BO)
    act(office)
    before = office.stored("ada")
    assert office.undo() == Undone(undone=1, kept=1, told=kept(("ada", "changed_since")))
    assert office.stored("ada") == before
    assert office.stored("bo") is None


def register(office: Office) -> None:
    fair = NewEvent("event", "A fair", office.now, office.now)
    session = events.create(office.engine, office.institution_id, fair, office.now).sessions[0]
    registrations.register(office.engine, office.institution_id, session.id, ["ada"], office.now)


def give_a_pass(office: Office) -> None:
    passes.issue(office.engine, office.institution_id, ["ada"], office.now, reissue=False)


def a_talk(office: Office) -> Session:
    new = NewEvent("event", "A talk", office.now, office.now)
    return events.create(office.engine, office.institution_id, new, office.now).sessions[0]


def hand_over(office: Office, desk: Desk) -> None:
    """All that the desk has, as it comes over the network."""
    kiosk = kiosks.recognise(office.engine, desk.token)
    receive(office.engine, office.institution_id, kiosk, desk.stream_id, desk.push(), office.now)


def student_id(office: Office, username: str) -> UUID:
    found = office.field(username, "id")
    assert isinstance(found, UUID)
    return found


@on_sqlite
def test_a_newcomer_who_was_seen_stays(office: Office) -> None:
    desk = enrolled(office.engine, office.institution_id, office.now)
    office.rows(ADA)
    desk.check_in(a_talk(office).id, student_id(office, "ada"))
    hand_over(office, desk)
    assert office.undo() == Undone(undone=0, kept=1, told=kept(("ada", "in_use")))


@on_postgresql
def test_a_newcomer_who_is_seen_while_the_undo_is_under_way_stays(office: Office) -> None:
    desk, talk = enrolled(office.engine, office.institution_id, office.now), a_talk(office)
    office.rows(ADA, BO)
    desk.check_in(talk.id, student_id(office, "ada"))
    desk.note(talk.id, "bo@example.edu")
    meanwhile = [lambda: hand_over(office, desk)]

    def come_in(*executed: object) -> None:
        """At the last moment before pushes wait for the undo."""
        if meanwhile and str(executed[2]).startswith("UPDATE institutions"):
            meanwhile.pop()()

    event.listen(office.engine, "before_cursor_execute", come_in)
    assert office.undo() == Undone(undone=1, kept=1, told=kept(("ada", "in_use")))
    assert not meanwhile
    assert office.addresses("ada") == [("ada@example.edu", "school", "confirmed", True)]
    assert office.stored("bo") is None
    count = attendance.count(office.engine, office.institution_id, talk.id).count
    assert (count.checked_in, count.parked) == (1, 1)


@on_sqlite
@pytest.mark.parametrize("new", [True, False])
def test_what_counted_by_a_wrong_address_waits_again_until_somebody_gets_it_rightly(
    office: Office, parked: UUID, new: bool
) -> None:
    office.rows(BO) if new else office.rows(ADA, BO)
    office.now += timedelta(days=1)
    office.rows({**ADA, MORE: "countess@example.edu"})
    assert standing(office, parked) == ("counted", office.field("ada", "id"))
    assert office.undo() == Undone(undone=1, kept=0)
    assert standing(office, parked) == (PARKED, None)
    assert office.rows({**BO, MORE: "countess@example.edu"}).warnings == ()
    assert standing(office, parked) == ("counted", office.field("bo", "id"))


@on_sqlite
def test_what_counted_by_an_address_that_is_pending_again_waits_for_it_to_be_confirmed(
    office: Office, parked: UUID
) -> None:
    office.rows(ADA)
    students.add_email(office.engine, office.institution_id, "ada", "countess@example.edu", False, office.now)
    office.rows({**ADA, MORE: "countess@example.edu"})
    assert standing(office, parked)[0] == "counted"
    office.undo()
    assert standing(office, parked) == ("parked:unconfirmed_address", office.field("ada", "id"))
    students.add_email(office.engine, office.institution_id, "ada", "countess@example.edu", True, office.now)
    assert standing(office, parked)[0] == "counted"


@on_sqlite
def test_what_staff_gave_to_another_stays_with_them(office: Office, parked: UUID) -> None:
    office.rows(BO)
    parked_check_ins.settle(office.engine, office.institution_id, parked, "bo")
    office.rows({**ADA, "email_address": "countess@example.edu"})
    office.undo()
    assert standing(office, parked) == ("counted", office.field("bo", "id"))


@on_sqlite
def test_kiosks_hear_nothing_of_what_they_do_not_show(office: Office) -> None:
    office.rows(ADA)
    office.rows({**ADA, "username": "countess"}, options=RENAMING)
    position = office.position()
    assert office.undo() == Undone(undone=1, kept=0)
    assert office.position() == position


@on_sqlite
def test_who_was_merged_and_came_again_is_the_other_once_that_is_undone(office: Office) -> None:
    talk = a_talk(office)
    desk = enrolled(office.engine, office.institution_id, office.now)
    office.rows(ADA, BO)
    ada = student_id(office, "ada")
    merging.merge(office.engine, office.institution_id, "ada", "bo", office.now)
    office.rows({**ADA, "email_address": "countess@example.edu"})
    assert office.field("ada", "id") == ada
    assert office.undo() == Undone(undone=1, kept=0)
    desk.check_in(talk.id, ada)
    hand_over(office, desk)
    assert attendance.count(office.engine, office.institution_id, talk.id).count.checked_in == 1


@on_postgresql
def test_an_undo_waits_for_an_import_that_is_under_way(office: Office) -> None:
    office.rows(ADA)
    with ThreadPoolExecutor(1) as pool:
        with writing(office.engine) as conn:
            one_at_a_time(conn, f"import into {office.institution_id}")
            undoing = pool.submit(office.undo)
            wait_until_blocked(office.engine, undoing)
            assert not undoing.done()
        assert undoing.result() == Undone(undone=1, kept=0)


@pytest.mark.parametrize("act", [register, give_a_pass])
def test_a_newcomer_on_whom_something_hangs_stays(office: Office, act: Callable[[Office], None]) -> None:
    office.rows(ADA, BO)
    act(office)
    assert office.undo() == Undone(undone=1, kept=1, told=kept(("ada", "in_use")))
    assert (office.stored("ada") is None, office.stored("bo") is None) == (False, True)


@on_sqlite
def test_who_was_there_before_is_put_back_whatever_hangs_on_them(office: Office) -> None:
    office.rows(ADA)
    office.rows({**ADA, "last_name": "Lovelace"})
    register(office)
    assert office.undo() == Undone(undone=1, kept=0)
    assert office.field("ada", "last_name") is None


@on_sqlite
def test_who_was_merged_since_is_gone(office: Office) -> None:
    office.rows(ADA, BO)
    office.rows({**ADA, "last_name": "Lovelace"}, {**BO, "last_name": "B"})
    merging.merge(office.engine, office.institution_id, "ada", "bo", office.now)
    assert set(office.undo().told) == set(kept(("ada", "gone"), ("bo", "changed_since")))


@pytest.mark.parametrize(
    ("column", "old", "new"),
    [
        ("email_address", "ada@example.edu", "a@example.edu"),
        ("card_id", "7", "8"),
        ("auth_identifier", "A", "B"),
    ],
)
def test_what_somebody_else_has_meanwhile_stays_theirs(office: Office, column: str, old: str, new: str) -> None:
    allowed = StudentFile(identifier_changes=True)
    office.rows({**ADA, column: old})
    office.rows({**ADA, column: new}, DITA, options=allowed)
    (changed,) = office.import_ids[-1:]
    office.rows({**BO, column: old})
    office.import_ids.append(changed)
    assert office.undo() == Undone(undone=1, kept=1, told=kept(("ada", "identifier_taken")))
    assert office.stored("dita") is None
    assert counts(office.rows({**ADA, column: new}, {**BO, column: old})) == (0, 0, 2, 0, 0)


@on_sqlite
def test_a_username_that_a_newcomer_has_stays_theirs(office: Office) -> None:
    office.rows(ADA)
    office.rows({**ADA, "username": "countess"}, options=RENAMING)
    renamed = office.import_ids[-1]
    office.rows({**BO, "username": "ada"})
    office.import_ids.append(renamed)
    assert office.undo() == Undone(undone=0, kept=1, told=kept(("countess", "identifier_taken")))
    assert office.field("countess", "first_name") == "Ada"


@on_sqlite
def test_a_dry_run_leaves_nothing_to_undo(office: Office) -> None:
    office.rows(ADA, dry_run=True)
    assert office.undo() == NOTHING_LEFT


@on_sqlite
def test_an_import_that_changes_nothing_keeps_nothing(office: Office) -> None:
    office.rows(ADA)
    office.rows(ADA)
    with reading(office.engine) as conn:
        assert conn.execute(sa.select(import_changes.c.import_id)).scalars().all() == office.import_ids[:1]


VALUES = {
    "first_name": ["Ada", "Bo"],
    "last_name": ["", "Byron", "**CLEAR**"],
    "disabled": ["", "TRUE", "FALSE"],
    "card_id": ["", "1", "2", "**CLEAR**"],
    "auth_identifier": ["", "A", "B"],
    "campus_name": ["", "North", "**CLEAR**"],
    MORE: ["", "x@example.edu", "y@example.edu;z@example.edu", "**CLEAR**"],
}


@st.composite
def files(draw: st.DrawFn) -> list[Row]:
    """Rows that may take from each other what they have."""
    names = draw(st.lists(st.sampled_from("abc"), unique=True, min_size=1))
    addresses = st.sampled_from([f"{name}@example.edu" for name in "abcx"])
    return [
        {"username": name, "email_address": draw(addresses)}
        | {column: draw(st.sampled_from(values)) for column, values in VALUES.items()}
        for name in names
    ]


@on_sqlite
@SHARED
@given(before=files(), imported=files(), renaming=st.booleans())
def test_what_an_import_did_is_undone_exactly(
    office: Office, before: list[Row], imported: list[Row], renaming: bool
) -> None:
    office.rows(*before)
    there = everything(office)
    office.rows(*imported, options=RENAMING if renaming else StudentFile(identifier_changes=True))
    assert office.undo().kept == 0
    assert everything(office) == there
