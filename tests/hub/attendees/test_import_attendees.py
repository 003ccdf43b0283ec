"""Attendee files: what they add, what they leave alone, how they count beside kiosks, and taking them back."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.actions import merging, registrations
from hub.actions.imports import Difference, Job
from hub.actions.imports.attendees import Attendees
from hub.database import trying
from hub.errors import UnknownSession, UnreadableFile
from hub.readers import Row as Line
from hub.rules.attendee_file.columns import Options
from hub.rules.attendee_file.occasions import Occasion, listed
from hub.rules.attendee_file.plan import Known
from hub.schema import imported_attendance
from hub.schema import registrations as registered_table
from hub.store import events
from tests.hub.attendees.office import Office, as_csv, counts, failed_rows, row, said, why
from tests.hub.desk import Desk
from tests.hub.roster_view import view


def test_the_same_file_again_changes_nothing_and_says_so(office: Office) -> None:
    office.student("Ada"), office.student("Bo")
    talk = office.event()[0]
    file = as_csv([row("ada@example.edu"), row("bo@example.edu", checked_in="FALSE")])
    assert counts(office.take(file, Options(session_id=talk.id))) == (2, 0, 0, 0, 0)
    before = (office.stored(), office.position(), office.count(talk))
    assert counts(office.take(file, Options(session_id=talk.id))) == (0, 0, 2, 0, 0)
    assert (office.stored(), office.position(), office.count(talk)) == before
    assert before[2] == (2, 1, 1)


def test_rule_37_who_was_registered_stays_so_when_a_file_says_that_they_came(small: Office) -> None:
    small.student("Ada")
    talk = small.event()[0]
    first = small.rows(row("ada@example.edu", "TRUE", "FALSE"), session=talk)
    assert first.report.created[0].outcome.differences == (Difference("registered", "FALSE", "TRUE"),)
    second = small.rows(row("ada@example.edu", "FALSE", "TRUE"), session=talk)
    assert counts(second) == (0, 1, 0, 0, 0)
    assert second.report.updated[0].outcome.differences == (Difference("checked_in", "FALSE", "TRUE"),)
    assert small.count(talk) == (1, 1, 1)


def test_rule_38_who_came_without_being_registered_is_not_registered_by_it(small: Office) -> None:
    small.student("Ada")
    talk = small.event()[0]
    small.rows(row("ada@example.edu", "FALSE", "TRUE"), session=talk)
    assert small.count(talk) == (0, 1, 1)


def test_false_takes_nothing_away_and_is_flagged(small: Office) -> None:
    small.student("Ada"), small.student("Bo")
    talk = small.event()[0]
    small.rows(row("ada@example.edu"), session=talk)
    done = small.rows(row("ada@example.edu", "TRUE", "FALSE"), row("bo@example.edu", "FALSE", "FALSE"), session=talk)
    assert counts(done) == (0, 0, 2, 0, 0)
    assert [(each.line, each.outcome.flags) for each in done.report.flagged] == [
        (2, ("not_taken_away",)),
        (3, ("says_nothing",)),
    ]
    assert small.count(talk) == (1, 1, 1)


def test_an_archived_student_was_there_all_the_same(small: Office) -> None:
    small.student("Cem", archived=True)
    talk = small.event()[0]
    done = small.rows(row("cem@example.edu"), session=talk)
    assert [each.outcome.flags for each in done.report.flagged] == [("archived",)]
    assert small.count(talk) == (1, 1, 1)


def test_rule_40_two_addresses_of_one_student_are_one_attendee_and_the_second_row_is_reported(small: Office) -> None:
    small.student("Ada", school=["a.lovelace@example.edu"])
    talk, fair = small.event()[0], small.event("career_fair")[0]
    done = small.rows(
        said("ada@example.edu", "TRUE", "FALSE", "Event", talk.event_id),
        said("a.lovelace@example.edu", "FALSE", "TRUE", "Event", talk.event_id),
        said("ada@example.edu", "FALSE", "TRUE", "CareerFairSession", fair.id),
    )
    assert counts(done) == (2, 0, 0, 1, 0)
    assert done.report.rejected[0].outcome.wrong[0].about == {"line": 2}
    assert [each[-2] for each in failed_rows(done)] == ["repeated_in_file"]
    assert [(each.code, each.rows) for each in done.result.warnings] == [("repeated_in_file", 1)]
    assert (small.count(talk), small.count(fair)) == ((1, 0, 0), (0, 1, 1))


def test_a_row_that_fails_is_in_no_later_ones_way(small: Office) -> None:
    small.student("Ada")
    talk = small.event()[0]
    done = small.rows(row("ada@example.edu", "yes"), row("ada@example.edu"), session=talk)
    assert counts(done) == (1, 0, 0, 0, 1)


def test_all_that_is_wrong_with_a_row_is_said_at_once(small: Office) -> None:
    done = small.rows(said("nobody@example.edu", "yes", "FALSE", "Event", "EV-9"))
    assert why(done) == [
        ("registered", "not_a_boolean"),
        ("student_email_address", "unknown_address"),
        ("identifiable_id", "unknown_event"),
    ]


def test_a_mended_failed_rows_file_can_be_imported_as_it_is(small: Office) -> None:
    small.student("Ada")
    talk = small.event()[0]
    done = small.rows(row("ada@example.edu", "yes"), session=talk)
    assert done.result.failed_rows_file is not None
    mended = Path(done.result.failed_rows_file).read_text().replace("yes", "TRUE")
    again = small.take(mended, Options(session_id=talk.id))
    assert (counts(again), again.result.warnings) == ((1, 0, 0, 0, 0), ())


def test_a_dry_run_says_the_same_and_changes_nothing(office: Office) -> None:
    office.student("Ada")
    talk = office.event()[0]
    file, options = as_csv([row("ada@example.edu"), row("bo@example.edu")]), Options(session_id=talk.id)
    position = office.position()
    told = office.take(file, options, dry_run=True)
    assert (office.stored(), office.position()) == ((set(), set()), position)
    assert counts(told) == counts(office.take(file, options)) == (1, 0, 0, 0, 1)


def test_headers_in_french_and_in_other_spellings_are_understood(small: Office) -> None:
    small.student("Ada")
    talk = small.event()[0]
    file = "Adresse e-mail de l’étudiant(e);Inscrit(e);Présent(e);Nom\nada@example.edu;TRUE;TRUE;Lovelace\n"
    done = small.take(file, Options(session_id=talk.id))
    assert done.report.columns == ("student_email_address", "registered", "checked_in", None)
    assert [each.code for each in done.result.warnings] == [*["header_taken_for"] * 3, "unknown_header"]
    assert small.count(talk) == (1, 1, 1)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ("name,year", "no_header"),
        ("registered,checked_in", "missing_columns"),
        ("email,e-mail,checked_in", "repeated_column"),
        ("student_email_address,checked_in,identifiable_id", "says_no_event"),
        ("student_email_address,checked_in,identifiable_type", "says_no_event"),
    ],
)
def test_a_header_row_that_cannot_be_understood_is_refused(small: Office, headers: str, reason: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        small.take(f"{headers}\n1,2,3\n")
    assert refused.value.reason == reason


def test_a_file_for_a_session_that_is_not_there_is_refused(small: Office, now: datetime) -> None:
    small.student("Ada")
    with pytest.raises(UnknownSession):
        small.take(as_csv([row("ada@example.edu")]), Options(session_id=small.institution_id))


def test_who_came_before_it_began_may_be_at_the_wrong_session(small: Office) -> None:
    small.student("Ada")
    small.now = small.now.replace(year=2020)
    talk = small.event()[0]
    small.now = small.now.replace(year=2019)
    done = small.rows(row("ada@example.edu"), session=talk)
    assert [(each.code, each.rows) for each in done.result.warnings] == [("not_begun", 1)]


# --- beside kiosks


def test_rule_39_who_checked_in_at_a_kiosk_is_not_counted_again_by_a_file(
    office: Office, client: FlaskClient, desk: Desk
) -> None:
    ada = office.student("Ada")
    talk = office.event()[0]
    desk.check_in(talk.id, ada)
    desk.hand_over(client)
    done = office.rows(row("ada@example.edu", "FALSE"), session=talk)
    assert counts(done) == (0, 0, 1, 0, 0)
    assert office.count(talk) == (0, 1, 0)


def test_rule_39_a_check_in_that_arrives_after_the_file_is_of_somebody_who_is_present_already(
    office: Office, client: FlaskClient, desk: Desk
) -> None:
    ada, bo = office.student("Ada"), office.student("Bo")
    talk = office.event()[0]
    office.rows(row("ada@example.edu", "FALSE"), session=talk)
    check_in = desk.check_in(talk.id, ada)
    desk.check_in(talk.id, bo)
    assert [each.verdict for each in desk.hand_over(client).receipts] == ["already_present", "counted"]
    assert office.count(talk) == (0, 2, 0)
    # The kiosk was wrong; the file still says so.
    desk.undo(talk.id, [check_in.id])
    desk.hand_over(client, 3)
    assert office.count(talk) == (0, 2, 1)


def test_who_was_taken_back_at_the_kiosk_is_present_by_the_file(
    office: Office, client: FlaskClient, desk: Desk
) -> None:
    ada = office.student("Ada")
    talk = office.event()[0]
    check_in = desk.check_in(talk.id, ada)
    desk.undo(talk.id, [check_in.id])
    desk.hand_over(client)
    assert counts(office.rows(row("ada@example.edu", "FALSE"), session=talk)) == (1, 0, 0, 0, 0)
    assert office.count(talk) == (0, 1, 1)


def test_kiosks_are_told_exactly_when_a_registration_is_new(office: Office, desk: Desk) -> None:
    ada = office.student("Ada")
    talk = office.event()[0]
    position = office.position()
    office.rows(row("ada@example.edu", "FALSE"), session=talk)
    assert office.position() == position
    office.rows(row("ada@example.edu"), session=talk)
    assert office.position() == position + 1
    assert view(office.engine, office.institution_id).people[ada].registered == (talk.id,)
    office.undo()
    assert view(office.engine, office.institution_id).people[ada].registered == ()


def test_two_who_turn_out_to_be_one_were_there_once(office: Office) -> None:
    office.student("Bo"), office.student("Bob")
    talk, fair = office.event()[0], office.event("career_fair")[0]
    office.rows(row("bo@example.edu"), row("bob@example.edu"), session=talk)
    office.rows(row("bob@example.edu"), session=fair)
    merging.merge(office.engine, office.institution_id, "bob", "bo", office.now)
    assert (office.count(talk), office.count(fair)) == ((1, 1, 1), (1, 1, 1))
    # What a file says of the one is said of the other now.
    assert office.undo().undone == 1
    assert office.count(fair) == (0, 0, 0)


# --- taking it back


def test_an_import_is_taken_back_as_a_whole_and_only_that_import(office: Office) -> None:
    office.student("Ada"), office.student("Bo")
    talk = office.event()[0]
    office.rows(row("ada@example.edu"), session=talk)
    before = office.stored()
    office.rows(row("ada@example.edu"), row("bo@example.edu"), session=talk)
    undone = office.undo()
    assert (undone.undone, undone.kept) == (1, 1)
    assert [(each.who, each.why) for each in undone.told] == [("ada", "said_elsewhere")]
    assert office.stored() == before
    position = office.position()
    again = office.undo()
    assert (again.undone, again.kept, office.position()) == (0, 0, position)


def test_what_another_file_says_too_stays_whichever_of_them_is_taken_back(office: Office) -> None:
    office.student("Ada"), office.student("Bo"), office.student("Cem")
    talk = office.event()[0]
    office.rows(row("ada@example.edu"), row("bo@example.edu"), row("cem@example.edu", "FALSE"), session=talk)
    wrong = office.import_ids[-1]
    right = office.rows(row("ada@example.edu"), row("bo@example.edu", "TRUE", "FALSE"), session=talk)
    assert counts(right) == (0, 0, 2, 0, 0)
    assert office.undo(wrong).undone == 2, "Bo was not there, and stays registered"
    assert office.count(talk) == (2, 1, 1)
    assert office.undo().undone == 2
    assert office.count(talk) == (0, 0, 0)


def test_what_a_file_says_stays_when_a_kiosk_said_it_first_and_takes_it_back(
    office: Office, client: FlaskClient, desk: Desk
) -> None:
    ada = office.student("Ada")
    talk = office.event()[0]
    check_in = desk.check_in(talk.id, ada)
    desk.hand_over(client)
    assert counts(office.rows(row("ada@example.edu", "FALSE"), session=talk)) == (0, 0, 1, 0, 0)
    desk.undo(talk.id, [check_in.id])
    desk.hand_over(client, 2)
    assert office.count(talk) == (0, 1, 1)


def test_what_was_said_of_two_who_turn_out_to_be_one_is_said_twice(office: Office) -> None:
    office.student("Bo"), office.student("Bob")
    talk = office.event()[0]
    for address in ("bo@example.edu", "bob@example.edu"):
        office.rows(row(address), session=talk)
    merging.merge(office.engine, office.institution_id, "bob", "bo", office.now)
    office.undo()
    assert office.count(talk) == (1, 1, 1)


def test_who_was_seen_at_a_kiosk_as_well_stays_checked_in(office: Office, client: FlaskClient, desk: Desk) -> None:
    ada = office.student("Ada")
    office.student("Bo")
    talk = office.event()[0]
    office.rows(row("ada@example.edu"), row("bo@example.edu"), session=talk)
    desk.check_in(talk.id, ada)
    desk.hand_over(client)
    undone = office.undo()
    assert (undone.undone, undone.kept) == (1, 1)
    assert [(each.who, each.why) for each in undone.told] == [("ada", "seen_at_a_kiosk")]
    assert office.count(talk) == (0, 1, 0)


def test_a_registration_that_somebody_made_by_hand_stays(small: Office) -> None:
    small.student("Ada"), small.student("Bo")
    talk = small.event()[0]
    small.rows(row("ada@example.edu"), row("bo@example.edu"), session=talk)
    done = registrations.register(small.engine, small.institution_id, talk.id, ["ada"], small.now)
    assert (done.registered, done.already) == (0, 1)
    small.undo()
    assert small.count(talk) == (1, 0, 0)


# --- promises

ADDRESSES = [
    "ada@example.edu",
    "bo@example.edu",
    "cem@example.edu",
    "dita@home.example",
    "nobody@example.edu",
    "rubbish",
]
ROWS = st.lists(
    st.tuples(st.sampled_from(ADDRESSES), *[st.sampled_from(["TRUE", "FALSE", "yes"])] * 2, st.sampled_from("XYZ")),
    max_size=8,
    unique_by=lambda each: (each[0], each[3]),
)
"""Rows that are about different people or sessions; Z is no event."""


@pytest.fixture
def school(small: Office) -> Office:
    for name in ("Ada", "Bo", "Cem"):
        small.student(name)
    small.student("Dita", additional=["dita@home.example"])
    small.event(external_id="X"), small.event(external_id="Y")
    small.take("student_email_address,checked_in,identifiable_type,identifier\n")
    return small


def stored_after(school: Office, *files: list[tuple[str, ...]]) -> tuple[set[tuple[str, UUID, UUID]], list[int]]:
    """What is stored once these rows were imported, file after file, and how many rows of each changed something."""
    job = Job(
        engine=school.engine,
        institution_id=school.institution_id,
        import_id=school.import_ids[-1],
        path=school.folder,
        name="",
        folder=school.folder,
        now=school.now,
    )
    changing = []
    with trying(school.engine) as conn:
        occasions = listed(Occasion._make(each) for each in events.named(conn, school.institution_id))
        for file in files:
            importer = Attendees(job, Options(), Known(occasions, None, True))
            importer.columns(["student_email_address", "registered", "checked_in", "identifier", "identifiable_type"])
            lines = [Line(number, [*cells, "Event"]) for number, cells in enumerate(file, 2)]
            outcomes = importer.rows(conn, lines)
            importer.finish(conn)
            changing.append(sum(each.became in ("created", "updated") for each in outcomes))
        rows = {
            (table.name, each.session_id, each.student_id)
            for table in (registered_table, imported_attendance)
            for each in conn.execute(table.select())
        }
    return rows, changing


quickly = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@quickly
@given(rows=ROWS)
def test_twice_is_once(school: Office, rows: list[tuple[str, ...]]) -> None:
    once, _ = stored_after(school, rows)
    twice, changing = stored_after(school, rows, rows)
    assert (twice, changing[1]) == (once, 0)


@quickly
@given(rows=ROWS, data=st.data())
def test_the_order_of_unrelated_rows_makes_no_difference(
    school: Office, rows: list[tuple[str, ...]], data: st.DataObject
) -> None:
    assert stored_after(school, data.draw(st.permutations(rows)))[0] == stored_after(school, rows)[0]


@quickly
@given(rows=ROWS)
def test_good_rows_land_whatever_the_bad_ones_are(school: Office, rows: list[tuple[str, ...]]) -> None:
    good = [
        each for each in rows if each[0] in ADDRESSES[:3] and {each[1], each[2]} <= {"TRUE", "FALSE"} and each[3] != "Z"
    ]
    assert stored_after(school, rows) == stored_after(school, good)
    assert len(stored_after(school, good)[0]) == sum((each[1] == "TRUE") + (each[2] == "TRUE") for each in good)
