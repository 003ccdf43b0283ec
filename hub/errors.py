"""What the hub refuses, each with a stable code. `sync.errors` draws the tree these hang on.

Refused
 ├── HubRefused          a person asked for something that cannot be done; `detail` says why and the way out
 │    ├── UnknownInstitution · UnknownEvent · UnknownSession · UnknownStudent · UnknownKiosk
 │    ├── NotReady       the hub itself is not set up
 │    ├── InUse          somebody else has the database to themselves, or serves it
 │    └── NotWritten     a file that did not come to be, or a database that was not replaced
 └── UnreadableFile      an uploaded file that cannot be read at all
"""

from sync.errors import Refused


class HubRefused(Refused):
    """A person asked for something that cannot be done. `detail` is a sentence for that person."""

    code = "hub_refused"


class NotReady(HubRefused):
    code = "not_ready"


class UnknownInstitution(HubRefused):
    code = "unknown_institution"


class UnknownEvent(HubRefused):
    code = "unknown_event"


class UnknownSession(HubRefused):
    code = "unknown_session"


class UnknownStudent(HubRefused):
    code = "unknown_student"


class UnknownKiosk(HubRefused):
    code = "unknown_kiosk"


class InUse(HubRefused):
    code = "in_use"


class NotWritten(HubRefused):
    """Nothing came of it: what was there before is there still."""

    code = "not_written"


class UnreadableFile(Refused):
    """A file that cannot be read at all: `reason` is a stable code, `detail` a sentence with the way out.

    `about` is what that sentence names (a line, a column, a number), for those who say it in another language.
    """

    code = "unreadable_file"

    def __init__(self, reason: str, detail: str, **about: str | int) -> None:
        super().__init__(detail)
        self.reason = reason
        self.about = about
