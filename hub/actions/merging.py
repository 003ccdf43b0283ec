"""Two students turn out to be one person."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine

from hub.database import writing
from hub.errors import HubRefused, UnknownStudent
from hub.store import facts, feed, imports, merges, registrations, students


def merge(engine: Engine, institution_id: UUID, username: str, into: str, now: datetime) -> None:
    """One student becomes another: addresses, cards, registrations and everything they did.

    Kiosks hear of it with their next exchange; what a kiosk still sends about the one counts for the other. The main
    address of the one is one more of the other's. On PostgreSQL it waits until no file is imported or checked. Raises
    `UnknownStudent` or `HubRefused`; cannot be taken back.
    """
    if username == into:
        raise HubRefused(f"{username} is who they are already. Name two students.")
    with writing(engine) as conn:
        imports.take_turns(conn, institution_id)
        found = {each.username: each.id for each in students.named(conn, institution_id, [username, into])}
        for each in (username, into):
            if each not in found:
                raise UnknownStudent(f"There is no student {each!r}. Upper and lower case count.")
        gone, stays = found[username], found[into]
        # First: pushes that still know the one are over now, and new ones wait.
        feed.touch(conn, institution_id, "person", [gone], gone=True)
        feed.touch(conn, institution_id, "person", [stays])
        for session_id in registrations.by_hand(conn, institution_id, gone):
            registrations.keep(conn, institution_id, session_id, [stays])
        merges.move_what_is_theirs(conn, institution_id, gone, stays)
        facts.reassign(conn, institution_id, gone, stays)
        merges.add(conn, institution_id, gone, stays, now)
        students.drop(conn, institution_id, gone)
        facts.settle_claims(conn, institution_id, students.claims_found(conn, institution_id))
