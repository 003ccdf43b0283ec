"""Staff take something back, or take that back."""

from typing import Literal
from uuid import UUID

import msgspec

from kiosk.store.journal import Journal
from kiosk.store.recent import Kept
from sync.messages import CheckIn, CheckOut, Moment, Undo

Undoing = Literal["undone", "was_undone"]
Again = Literal["in_again", "out_again", "already_in", "not_in"]


def can_be_undone(kept: Kept) -> bool:
    """Whether it brought somebody in or out and still does."""
    return isinstance(kept.fact, CheckIn | CheckOut) and not kept.undone


def undo(journal: Journal, fact_id: UUID, moment: Moment, new_id: UUID) -> Undoing | None:
    """Take a check-in or check-out back, sent or not, by a fact of its own (RULE-53, RULE-71): what was recorded stays.

    Once more changes nothing. None: this journal has no such check-in or check-out. Raises `NotRecorded`.
    """
    with journal.writing() as page:
        kept = page.kept(fact_id)
        if kept is None or not isinstance(kept.fact, CheckIn | CheckOut):
            return None
        if kept.undone:
            return "was_undone"
        page.append(Undo(id=new_id, session_id=kept.fact.session_id, at=moment, undoes=(fact_id,)))
    return "undone"


def again(journal: Journal, fact_id: UUID, moment: Moment, new_id: UUID) -> Again | None:
    """Let the person of an earlier check-in in again, or out again, by hand (RULE-52).

    Records nothing where that would change nothing. None: this journal has no such person. Raises `NotRecorded`.
    """
    with journal.writing() as page:
        kept = page.kept(fact_id)
        if kept is None or kept.subject is None or not isinstance(kept.fact, CheckIn | CheckOut):
            return None
        fact, leaving = kept.fact, isinstance(kept.fact, CheckOut)
        is_in = page.present(fact.session_id, kept.subject, kept.subject) is not None
        if is_in != leaving:
            return "not_in" if leaving else "already_in"
        page.append(msgspec.structs.replace(fact, id=new_id, at=moment, method="staff"), kept.subject)
    return "out_again" if leaving else "in_again"
