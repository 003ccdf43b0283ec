"""Whatever a desk may see of a person moves their place in the feed when it changes, and nothing else does.

A place belongs to one content: what is sealed under it must never be two texts.
"""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import Engine

from hub.actions import desk_pin, events, passes, registrations, students
from hub.actions.events import NewEvent
from sync.directory import Line
from tests.hub.desk import enrolled
from tests.hub.roster_view import View, view
from tests.hub.students.desk import ADA, BO, Office, Row

PIN = "483 921"
CHEAP = 10
COUNTESS: Row = {**ADA, "last_name": "Lovelace", "middle_name": "King", "school_year_name": "Senior"}


@pytest.fixture
def session_id(office: Office) -> UUID:
    fair = NewEvent("event", "A fair", office.now, office.now)
    return events.create(office.engine, office.institution_id, fair, office.now).sessions[0].id


@pytest.fixture
def told(office: Office) -> Callable[[], View]:
    """What a desk can read once it is unlocked."""
    enrolled(office.engine, office.institution_id, office.now)
    desk_pin.choose(office.engine, office.institution_id, PIN, CHEAP)
    return lambda: view(office.engine, office.institution_id, PIN)


def rows(row: Row, **changed: str) -> Callable[[Office, UUID], object]:
    return lambda office, _: office.rows({**row, **changed}, BO)


def add_email(address: str, confirmed: bool) -> Callable[[Office, UUID], object]:
    return lambda office, _: students.add_email(
        office.engine, office.institution_id, "ada", address, confirmed, office.now
    )


def remove_email(address: str) -> Callable[[Office, UUID], object]:
    return lambda office, _: students.remove_email(office.engine, office.institution_id, "ada", address, office.now)


def register(office: Office, session_id: UUID) -> object:
    return registrations.register(office.engine, office.institution_id, session_id, ["ada"], office.now)


def unregister(office: Office, session_id: UUID) -> object:
    return registrations.unregister(office.engine, office.institution_id, session_id, ["ada"])


def issue(reissue: bool) -> Callable[[Office, UUID], object]:
    return lambda office, _: passes.issue(office.engine, office.institution_id, ["ada"], office.now, reissue=reissue)


def revoke(office: Office, _: UUID) -> object:
    return passes.revoke(office.engine, office.institution_id, "ada")


VISIBLE = {
    "first name": rows(COUNTESS, first_name="Augusta"),
    "last name": rows(COUNTESS, last_name="Byron"),
    "no last name": rows(COUNTESS, last_name="**CLEAR**"),
    "middle name": rows(COUNTESS, middle_name="Gordon"),
    "preferred name": rows(COUNTESS, preferred_name="Countess"),
    "school year": rows(COUNTESS, school_year_name="Alumni"),
    "archived": rows(COUNTESS, disabled="TRUE"),
    "main address": rows(COUNTESS, email_address="augusta.ada@example.edu"),
    "another school address": rows(COUNTESS, additional_email_addresses="al@example.edu"),
    "a card": rows(COUNTESS, card_id="0012"),
    "a confirmed address": add_email("ada@gmail.com", True),
    "a registration": register,
    "a pass": issue(False),
}
INVISIBLE = {
    "the same file": rows(COUNTESS),
    "the case of an address": rows(COUNTESS, email_address="Ada@Example.edu"),
    "a preferred name that is the first": rows(COUNTESS, preferred_name="Ada"),
    "a campus": rows(COUNTESS, campus_name="North"),
    "a sign-in": rows(COUNTESS, auth_identifier="ada@sso"),
    "a pending address": add_email("ada@gmail.com", False),
    "a registration that is not there taken back": unregister,
    "a pass that is not there taken back": revoke,
}
AFTER: dict[str, list[Callable[[Office, UUID], object]]] = {
    "a pending address confirmed": [add_email("ada@gmail.com", False), add_email("ada@gmail.com", True)],
    "a confirmed address removed": [add_email("ada@gmail.com", True), remove_email("ada@gmail.com")],
    "a registration taken back": [register, unregister],
    "a new pass": [issue(False), issue(True)],
    "a pass taken back": [issue(False), revoke],
}
AFTER_NOTHING: dict[str, list[Callable[[Office, UUID], object]]] = {
    "registered again": [register, register],
    "the same pass again": [issue(False), issue(False)],
    "a pending address removed": [add_email("ada@gmail.com", False), remove_email("ada@gmail.com")],
}
CASES = [
    *(pytest.param([act], True, id=name) for name, act in VISIBLE.items()),
    *(pytest.param([act], False, id=name) for name, act in INVISIBLE.items()),
    *(pytest.param(acts, True, id=name) for name, acts in AFTER.items()),
    *(pytest.param(acts, False, id=name) for name, acts in AFTER_NOTHING.items()),
]


@pytest.mark.parametrize(("acts", "visible"), CASES)
def test_a_place_in_the_feed_moves_with_what_it_shows_and_only_then(
    office: Office,
    session_id: UUID,
    told: Callable[[], View],
    acts: list[Callable[[Office, UUID], object]],
    visible: bool,
) -> None:
    office.rows(COUNTESS, BO)
    for act in acts[:-1]:
        act(office, session_id)
    before, position = told(), office.position()
    acts[-1](office, session_id)
    after = told()
    assert (after.people != before.people) == visible
    assert (office.position() != position) == visible
    ada, bo = office.field("ada", "id"), office.field("bo", "id")
    assert isinstance(ada, UUID)
    assert isinstance(bo, UUID)
    assert (after.entries[ada].position != before.entries[ada].position) == visible
    assert after.entries[bo].position == before.entries[bo].position


def test_a_dry_run_moves_nothing(office: Office) -> None:
    office.rows(COUNTESS)
    before = office.position()
    office.rows({**COUNTESS, "last_name": "Byron"}, dry_run=True)
    assert office.position() == before


@pytest.mark.parametrize(
    ("row", "line"),
    [
        pytest.param(ADA, Line("Ada", hint="a…@example.edu"), id="one name"),
        pytest.param(COUNTESS, Line("Ada Lovelace", "King", "Senior", "a…@example.edu"), id="every name"),
        pytest.param(
            {**COUNTESS, "preferred_name": "Countess", "email_address": "augusta.ada@example.edu"},
            Line("Countess Lovelace", "Ada King", "Senior", "au…da@example.edu"),
            id="a preferred name",
        ),
    ],
)
def test_the_directory_names_people_as_they_are_called_and_tells_namesakes_apart(
    office: Office, told: Callable[[], View], row: Row, line: Line
) -> None:
    office.rows(row)
    ada = office.field("ada", "id")
    assert isinstance(ada, UUID)
    assert told().people[ada].line == line


def test_without_a_pin_there_is_no_directory_and_a_wrong_one_opens_nothing(office: Office, engine: Engine) -> None:
    office.rows(COUNTESS)
    enrolled(engine, office.institution_id, office.now)
    closed = view(engine, office.institution_id)
    assert (closed.lock, [each.line for each in closed.people.values()]) == (None, [None])
    desk_pin.choose(engine, office.institution_id, PIN, CHEAP)
    wrong = view(engine, office.institution_id, "483922")
    assert wrong.lock is not None
    assert wrong.directory_key is None
