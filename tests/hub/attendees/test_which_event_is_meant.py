"""Which session a row of an attendee file means, and what is said when it is none."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from hub.rules.attendee_file.codes import Problem
from hub.rules.attendee_file.occasions import Occasion, Occasions, listed, session_of
from hub.rules.attendee_file.rows import FileRow
from tests.hub.attendees.office import Office, counts, said, why

YESTERDAY = datetime(2026, 11, 20, tzinfo=UTC)


def session(number: int, event: int, kind: str = "event", called: str | None = None, event_called: str | None = None):  # type: ignore[no-untyped-def]
    return Occasion(UUID(int=number), called, UUID(int=event), event_called, kind, YESTERDAY)


TALK = session(1, 101, event_called="EV-1")
QUIET_TALK = session(2, 102)
MORNING, EVENING = (session(each, 103, "career_fair", f"CF-{each}", "FAIR-3") for each in (3, 4))
ONE_FAIR = session(5, 104, "career_fair", None, "FAIR-4")
FIRST, SECOND = (session(each, 105, event_called="EV-5") for each in (6, 7))
ALL = listed([TALK, QUIET_TALK, MORNING, EVENING, ONE_FAIR, FIRST, SECOND])


def meant(kind: str, id: object, identifier: str = "", here: Occasion | None = None, known: Occasions = ALL) -> object:
    row = FileRow(2, type=kind, id=str(id), identifier=identifier)
    found = session_of(row, known, None if here is None else here.session_id)
    return (found.column, found.code, found.about.get("use")) if isinstance(found, Problem) else found


@pytest.mark.parametrize(
    ("kind", "id", "occasion"),
    [
        ("Event", "EV-1", TALK),
        ("Event", UUID(int=101), TALK),
        ("Event", str(UUID(int=0xAB)).upper(), None),
        ("CareerFairSession", "CF-3", MORNING),
        ("CareerFairSession", UUID(int=5), ONE_FAIR),
        ("CareerFairSession", UUID(int=7), SECOND),
    ],
)
def test_an_event_is_named_by_our_id_or_another_systems_and_a_fair_by_its_session(
    kind: str, id: object, occasion: Occasion | None
) -> None:
    if occasion is None:
        occasion = session(9, 0xAB)
        assert meant(kind, id, known=listed([occasion])) == occasion.session_id
    else:
        assert meant(kind, id) == occasion.session_id


@pytest.mark.parametrize(
    ("kind", "id", "code", "use"),
    [
        ("Event", "EV-9", "unknown_event", None),
        ("Event", UUID(int=1), "not_an_event", "EV-1"),
        ("Event", UUID(int=2), "not_an_event", str(UUID(int=102))),
        ("Event", "FAIR-3", "fair_by_session", None),
        ("Event", "FAIR-4", "fair_by_session", str(UUID(int=5))),
        ("Event", "EV-5", "several_sessions", None),
        ("CareerFairSession", "CF-9", "unknown_session", None),
        ("CareerFairSession", "FAIR-3", "not_a_session", None),
        ("CareerFairSession", "FAIR-4", "not_a_session", str(UUID(int=5))),
        ("CareerFairSession", "EV-1", "not_a_fair", "EV-1"),
        ("CareerFairSession", UUID(int=1), "not_a_fair", "EV-1"),
    ],
)
def test_what_is_no_event_or_the_wrong_kind_is_refused_with_what_to_write(
    kind: str, id: object, code: str, use: str | None
) -> None:
    assert meant(kind, id) == ("identifiable_id", code, use)


def test_a_session_of_a_fair_is_no_event() -> None:
    assert meant("Event", "CF-4") == ("identifiable_type", "fair_by_session", "CF-4")


def test_identifier_stands_in_for_a_blank_id_and_may_not_contradict_it() -> None:
    assert meant("Event", "", "EV-1") == TALK.session_id
    assert meant("Event", TALK.event_id, "EV-1") == TALK.session_id
    assert meant("Event", QUIET_TALK.event_id, "EV-1") == ("identifier", "contradiction", None)
    assert meant("Event", TALK.event_id, "EV-9") == ("identifier", "unknown_event", None)
    assert meant("Event", "") == ("identifiable_id", "blank", None)


def test_a_file_for_one_session_need_not_name_it_and_may_name_no_other() -> None:
    assert meant("", "", here=EVENING) == EVENING.session_id
    assert meant("CareerFairSession", "", here=EVENING) == EVENING.session_id
    assert meant("CareerFairSession", "CF-4", here=EVENING) == EVENING.session_id
    assert meant("CareerFairSession", "CF-3", here=EVENING) == ("identifiable_id", "other_session", None)
    assert meant("Event", "EV-1", here=EVENING) == ("identifiable_id", "other_session", None)


def test_an_event_of_several_sessions_is_enough_for_a_file_that_is_for_one_of_them() -> None:
    assert meant("Event", "EV-5", here=SECOND) == SECOND.session_id
    assert meant("Event", "EV-5", here=TALK) == ("identifiable_id", "several_sessions", None)


def test_our_own_ids_win_over_what_another_system_calls_something_else() -> None:
    misleading = session(8, 106, event_called=str(TALK.event_id))
    for order in ([misleading, TALK], [TALK, misleading]):
        assert meant("Event", TALK.event_id, known=listed(order)) == TALK.session_id


def test_rule_42_a_fair_of_one_session_is_named_by_that_session(small: Office) -> None:
    ada = small.student("Ada")
    fair = small.event("career_fair", external_id="FAIR-1")[0]
    refused = small.rows(said("ada@example.edu", "FALSE", "TRUE", "Event", "FAIR-1"))
    assert why(refused) == [("identifiable_id", "fair_by_session")]
    small.call(fair, "CF-1")
    assert counts(small.rows(said("ada@example.edu", "FALSE", "TRUE", "CareerFairSession", " CF-1 ")))[0] == 1
    assert small.stored() == (set(), {(fair.id, ada)})


def test_rule_41_who_came_to_a_fair_came_to_one_of_its_sessions_and_one_file_may_name_many(small: Office) -> None:
    ada, bo = small.student("Ada"), small.student("Bo")
    talk, (morning, evening) = small.event()[0], small.event("career_fair", sessions=2)
    small.rows(
        said("ada@example.edu", "TRUE", "FALSE", "Event", talk.event_id),
        said("ada@example.edu", "FALSE", "TRUE", "CareerFairSession", morning.id),
        said("bo@example.edu", "TRUE", "TRUE", "CareerFairSession", evening.id),
    )
    assert small.stored() == ({(talk.id, ada), (evening.id, bo)}, {(morning.id, ada), (evening.id, bo)})
