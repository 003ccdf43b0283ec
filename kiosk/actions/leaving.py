"""The end of a session."""

from uuid import UUID

from kiosk.store.journal import Journal
from sync.messages import CheckOut, Moment


def everyone_out(
    journal: Journal, session_id: UUID, intent_id: UUID, moment: Moment, new_id: UUID, roster_position: int
) -> UUID:
    """Record that everybody has left a session; the check-out's id. The same form again is the same check-out.

    Raises `NotRecorded`.
    """
    with journal.writing() as page:
        earlier = page.everyone_out_by(intent_id, session_id)
        if earlier is not None:
            return earlier
        page.append(
            CheckOut(
                id=new_id,
                session_id=session_id,
                method="staff",
                at=moment,
                roster_position=roster_position,
                everyone=True,
            ),
            intent_id=intent_id,
        )
    return new_id
