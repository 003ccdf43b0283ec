"""What there is to say about a file and its rows, by code: why, and what to do.

Each code has one sentence or several: the first counts for which everything it names is known.
"""

from collections.abc import Mapping
from typing import Any

from flask_babel import format_decimal
from flask_babel import lazy_gettext as _l

from hub.store.imports import Kind

Sentences = Mapping[str, tuple[Any, ...]]

PROBLEMS: Sentences = {
    "blank": (_l("is empty. Fill it in: a new student needs it."),),
    "too_long": (
        _l("is longer than %(most)s characters. Shorten it."),
        _l("is too long. Shorten it."),
    ),
    "control_characters": (_l("holds characters that cannot be seen. Type it again by hand."),),
    "not_an_address": (
        _l("“%(address)s” is not an e-mail address. Correct it."),
        _l("is not an e-mail address. Correct it."),
    ),
    "not_clearable": (_l("cannot be erased. Write TRUE or FALSE."),),
    "not_a_boolean": (
        _l("has to be TRUE or FALSE. Write %(meant)s."),
        _l("has to be TRUE or FALSE. Write one of them."),
    ),
    "not_a_date": (
        _l(
            "is not a date. Write it as 2026-06-30: year, month, day. Excel rewrites dates: format the column as text "
            "first, or use a workbook (.xlsx) with real dates."
        ),
    ),
    "wrong_case": (_l("is spelt otherwise, capitals included. Write “%(meant)s”."),),
    "not_in_list": (_l("is not one of the known values. Choose one of: %(allowed)s."),),
    "contradiction": (
        _l("says something else than the column %(column)s. Keep one of the two."),
        _l("says something else than the columns beside it. Keep one of the two."),
    ),
    "inexact_number": (
        _l(
            "is a number so long that the workbook lost its last digits. Format the column as text, and enter it again."
        ),
    ),
    "wrong_number_of_columns": (
        _l(
            "The row has %(cells)s cells, the first row %(width)s. Look for a separator too many or a missing "
            "quotation mark."
        ),
        _l("The row had too few or too many cells. Move each to its column, then empty error_code."),
    ),
    "email_taken": (
        _l("%(address)s belongs to another student. Check both; an address is one person’s."),
        _l("belongs to another student. Check both; an address is one person’s."),
    ),
    "card_taken": (_l("is another student’s card. Check both; a card is one person’s."),),
    "auth_identifier_taken": (_l("is what another student signs in with. Check both."),),
    "username_taken": (_l("is another student’s username. Check both."),),
    "foreign_address": (
        _l(
            "%(address)s is not on a mail domain of this institution. Remove it; students may add such an address "
            "themselves."
        ),
    ),
    "identifier_change": (
        _l(
            "would change from “%(old)s” to “%(new)s”. If that is right, check the file again with “This file may "
            "change identifiers”."
        ),
        _l("would change. If that is right, check the file again with “This file may change identifiers”."),
    ),
    "username_and_email_change": (
        _l(
            "The row changes the username and the address of one student. Make two files of it, and apply one after "
            "the other."
        ),
    ),
    "end_before_start": (
        _l("The end is before the start, in the file or at the hub. Correct one; **CLEAR** erases an end date of old."),
    ),
    "foreign_domain": (
        _l("is on %(domain)s, which belongs to another institution. Its own staff bring this student in."),
    ),
    "repeated_in_file": (_l("repeats line %(line)s. Only the first one counts; remove one of them."),),
    "excluded_from_sync": (
        _l("This student is excluded from automatic syncs. Use a file uploaded by hand, or end the exclusion."),
    ),
    "not_a_type": (
        _l("is not a kind of event. Write “%(meant)s”."),
        _l("is not a kind of event. Write Event or CareerFairSession."),
    ),
    "unknown_address": (
        _l("is nobody’s school address here. Correct it, or bring the student in first with a student file."),
    ),
    "unconfirmed": (_l("is the address of an account that is not confirmed yet. Upload the row again once it is."),),
    "not_a_school_address": (
        _l("is an additional address, and only school addresses count here. Write %(use)s."),
        _l("is an additional address, and only school addresses count here. Write the student’s school address."),
    ),
    "unknown_event": (
        _l("is the id of no event here. Write the id, or the external id, that stands on the page of the event."),
    ),
    "unknown_session": (
        _l(
            "is the id of no session here. Write the id, or the external id, that stands on the page of the event "
            "beside the session."
        ),
    ),
    "not_an_event": (
        _l("is the id of a session, not of its event. Write %(use)s."),
        _l("is the id of a session, not of its event. Write the event’s id; it stands on the page of the event."),
    ),
    "not_a_session": (
        _l("is the id of the whole event, not of its session. Write %(use)s."),
        _l(
            "is the id of the whole event. Write the id of one of its sessions; it stands on the page of the event, "
            "beside the session."
        ),
    ),
    "fair_by_session": (
        _l(
            "A career fair is named by one of its sessions. Write CareerFairSession in identifiable_type, and "
            "%(use)s as the id."
        ),
        _l(
            "A career fair is named by one of its sessions. Write CareerFairSession in identifiable_type, and as the "
            "id that of the session; it stands on the page of the event, beside the session."
        ),
    ),
    "not_a_fair": (
        _l("is not of a career fair. Write Event in identifiable_type, and %(use)s as the id."),
        _l(
            "is not of a career fair. Write Event in identifiable_type, and as the id that of the event; it stands on "
            "the page of the event."
        ),
    ),
    "several_sessions": (
        _l("has %(sessions)s sessions. Upload the file on the page of the event, at the session that is meant."),
    ),
    "other_session": (_l("names another session than the one this file was uploaded for. Upload the row there."),),
}
FLAGS: Sentences = {
    "recently_freed": (
        _l("This address was another student’s until lately. It is taken as a new person’s; make sure that it is."),
    ),
    "says_nothing": (_l("Neither registered nor checked in: the row changes nothing."),),
    "not_taken_away": (_l("The file says FALSE where the hub says TRUE. It stays TRUE: a file takes nothing away."),),
    "archived": (_l("This student is archived. The attendance is kept all the same."),),
}
WARNINGS: Sentences = {
    "unknown_header": (
        _l("Column “%(header)s” is unknown and left out. Was “%(did_you_mean)s” meant?"),
        _l("Column “%(header)s” is unknown and left out."),
    ),
    "header_taken_for": (_l("Column “%(header)s” is taken for %(did_you_mean)s."),),
    "encoding_guessed": (_l("Nothing in the file says how its letters are written; it is read as %(encoding)s."),),
    "foreign_domain": (
        _l("Skipped because %(domain)s belongs to another institution: %(rows)s."),
        _l("Skipped because the address belongs to another institution: %(rows)s."),
    ),
    "repeated_in_file": (
        _l(
            "Skipped because an earlier row is about the same person, or has the same address, username, card or "
            "sign-in id: %(rows)s."
        ),
    ),
    "excluded_from_sync": (_l("Skipped because the student is excluded from automatic syncs: %(rows)s."),),
    "emails_held": (
        _l(
            "A tenth of the rows or more would change an address, so none was changed: %(rows)s. If it is right, "
            "upload the file without “nightly sync”."
        ),
    ),
    "recently_freed": (
        _l("With an address that was another student’s until lately: %(rows)s. Look at them before you apply."),
    ),
    "not_begun": (_l("Said to have come to a session that has not begun: %(rows)s. Is it the right session?"),),
}
PROBLEMS_OF: Mapping[Kind, Sentences] = {
    "students": PROBLEMS,
    "attendees": {**PROBLEMS, "blank": (_l("is empty. Fill it in."),)},
}
"""Those of each kind of file: what is wrong may be to be put right in another way."""
WARNINGS_OF: Mapping[Kind, Sentences] = {
    "students": WARNINGS,
    "attendees": {
        **WARNINGS,
        "repeated_in_file": (
            _l("Skipped because an earlier row is about the same person at the same session: %(rows)s."),
        ),
    },
}
KEPT: Sentences = {
    "changed_since": (_l("was changed since, so nothing was put back"),),
    "gone": (_l("is not there any more, perhaps merged with another"),),
    "in_use": (_l("came with this file and has checked in, is registered or was given something since"),),
    "identifier_taken": (_l("had something before that belongs to somebody else by now"),),
    "said_elsewhere": (_l("is in another file as well, or was entered by hand, and stays"),),
    "seen_at_a_kiosk": (_l("was seen at a kiosk as well, and stays checked in"),),
}
_NOT_JUST_NOW = _l("The hub could not do it just then, and nothing was changed. Try again.")
_CANNOT_READ = _l("The hub cannot read the file where it lies. Upload it again.")
REASONS: Sentences = {
    "no_file": (_l("Choose a file first."),),
    "too_large": (_l("The file is larger than 50 MB. Split it, and upload the parts."),),
    "empty": (_l("There is nothing in the file. Export it again, with the column names in the first row."),),
    **dict.fromkeys(("not_found", "not_a_file", "no_permission", "cannot_read"), (_CANNOT_READ,)),
    "unknown_extension": (
        _l("Its name does not say what it is. Save the table as .csv, .xlsx or .ods, and upload that file."),
    ),
    "old_workbook": (
        _l("Workbooks ending in %(extension)s are not read. Save it as “Excel workbook (.xlsx)”, and upload that."),
        _l("Workbooks of old Excel versions are not read. Save it as “Excel workbook (.xlsx)”, and upload that."),
    ),
    "encrypted": (_l("The workbook is protected by a password. Save it without one, and upload that."),),
    "web_page": (
        _l("This is a web page, perhaps one that asks to sign in. Download the file again while you are signed in."),
    ),
    "not_csv": (
        _l("This is a workbook or an archive, whatever its name says. Give it the ending it had, or save it as CSV."),
    ),
    "not_a_workbook": (
        _l("This is not a workbook, whatever its name says. Open it where it comes from, and save it as .xlsx."),
    ),
    "wrong_extension": (
        _l("In truth this is a file of the kind .%(kind)s. Give it that ending, and upload it again."),
    ),
    "unknown_encoding": (_l("Files written as %(encoding)s are not read. Choose another encoding below."),),
    "not_utf8": (
        _l("Line %(line)s is not UTF-8 text. Choose another encoding below, or save the file as “CSV UTF-8”."),
    ),
    "not_in_encoding": (
        _l("Line %(line)s is not %(encoding)s text. Choose another encoding below, or save the file as “CSV UTF-8”."),
    ),
    "unknown_delimiter": (_l("Cells cannot be separated like that. Choose another separator below."),),
    "nul": (_l("Line %(line)s holds a NUL byte, so this is not a text file. Export it again, as CSV or .xlsx."),),
    "line_too_long": (
        _l("Line %(line)s goes on for more than a million characters. A quotation mark may be open there."),
    ),
    "broken_quotes": (
        _l(
            'In the row that starts on line %(line)s a quotation mark is in the wrong place. Write it twice ("") if it '
            "belongs to the text; an earlier row may have left one open."
        ),
    ),
    "unclosed_quote": (
        _l(
            "A quotation mark opened in the row that starts on line %(line)s is never closed. Close it, or write it "
            'twice ("") if it belongs to the text.'
        ),
    ),
    "broken_workbook": (_l("The workbook is damaged. Open it, let it be repaired, save it again, and upload that."),),
    "unsafe_workbook": (
        _l(
            "The workbook is not built as a spreadsheet program builds it, so it is not opened. Copy the table into "
            "a new workbook, or save it as CSV."
        ),
    ),
    "no_such_sheet": (_l("There is no sheet “%(sheet)s”. These there are: %(sheets)s."),),
    "far_cell": (
        _l(
            "A cell far away from the table is filled: %(cell)s. Delete the empty-looking rows and columns, or copy "
            "the table into a new workbook."
        ),
    ),
    "too_many_columns": (_l("The first row has %(columns)s columns. Keep %(max)s at most."),),
    "too_many_rows": (_l("The file has more than %(max)s rows. Split it, and upload the parts."),),
    "cell_too_long": (
        _l("A cell in the row that starts on line %(line)s is too long. A quotation mark may be open there."),
    ),
    "too_much_memory": (_l("The workbook is too large to be read. Save it as CSV, and upload that."),),
    "too_slow": (_l("Reading this file takes too long. Save it as CSV, and upload that."),),
    "reader_failed": (_l("The file could not be read. Save it as CSV, and upload that."),),
    "header_missing": (
        _l(
            "The first row holds an address, so the column names are missing. Put a row with them above it, and upload "
            "the file again."
        ),
    ),
    "no_header": (
        _l("The first row holds no column name that is known here. Put the column names there, or choose below."),
    ),
    "missing_columns": (_l("Missing: %(columns)s. Choose below which columns of the file these are, or add them."),),
    "repeated_column": (_l("Several columns are taken for %(columns)s. Leave all but one of them out."),),
    "says_no_event": (
        _l(
            "Nothing in the file says which event it is about. Upload it on the page of the event, or add the "
            "columns identifiable_type and identifiable_id."
        ),
    ),
    "says_nothing": (
        _l(
            "The file holds addresses, but not what these people did. Say whether they were present or are "
            "registered, or add the columns registered and checked_in."
        ),
    ),
    "not_now": (_NOT_JUST_NOW,),
    "hub_refused": (_NOT_JUST_NOW,),
    "not_written": (
        _l("The disk of the hub took nothing more, and nothing was changed. Tell whoever looks after it."),
    ),
}


def sentence(sentences: Sentences, code: str, about: Mapping[str, Any], otherwise: str) -> str:
    """Why, and what to do, in the reader's language; `otherwise` for a code that has no sentence."""
    named = {key: format_decimal(value) if isinstance(value, int) else value for key, value in about.items()}
    for each in sentences.get(code, ()):
        try:
            return str(each) % named
        except KeyError:
            continue
    return otherwise
