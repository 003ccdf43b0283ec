"""Set a hub up, and say whether it is well."""

import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, Engine
from uuid_utils.compat import uuid4, uuid7

from hub import migrations
from hub.config import SECRET_FILE
from hub.database import writing
from hub.errors import HubRefused
from hub.store import domains, feed, institutions
from sync.errors import Unreadable
from sync.identifiers import read_domain
from sync.seals import new_hub_key, new_key


@dataclass(frozen=True, slots=True)
class SetUp:
    """The institution, and whether this call made it."""

    institution_id: UUID
    made: bool


AddAdmin = Callable[[Connection, UUID], None]
"""Adds the first person who may sign in, inside the transaction that makes the institution."""


def make_data_dir(data_dir: Path) -> None:
    """The hub's own folder, readable by nobody else, with a fresh secret key in it. Keeps what is there."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        file = os.open(data_dir / SECRET_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(file, "w") as secret:
        secret.write(secrets.token_urlsafe(48))


def set_up(engine: Engine, name: str, mail_domains: Sequence[str], add_admin: AddAdmin, now: datetime) -> SetUp:
    """Bring the database to its newest shape and make the institution with its mail domains and first admin.

    When an institution of this name is there already, it stays exactly as it is. Raises `HubRefused` when a domain is
    no domain or another institution's, and then makes nothing.
    """
    wanted = _domains(mail_domains)
    if not name.strip():
        raise HubRefused("An institution needs a name.")
    migrations.upgrade(engine)
    with writing(engine) as conn:
        there = institutions.named(conn, name.strip())
        if there is not None:
            return SetUp(there.id, made=False)
        institution_id = make_institution(conn, name.strip(), wanted, now)
        add_admin(conn, institution_id)
        return SetUp(institution_id, made=True)


def make_institution(conn: Connection, name: str, mail_domains: Sequence[str], now: datetime) -> UUID:
    """A new institution with fresh keys and an empty feed; the first one makes the hub's own id too.

    Raises `HubRefused` when a domain is another institution's.
    """
    if institutions.hub_id(conn) is None:
        institutions.make_hub(conn, {"id": uuid4(), "made_at": now})
    institution_id = uuid7()
    private_key, public_key = new_hub_key()
    institutions.add(
        conn,
        {
            "id": institution_id,
            "name": name,
            "card_formats": [],
            "epoch": uuid4(),
            "feed_position": 0,
            "roster_key": new_key(),
            "private_key": private_key,
            "public_key": public_key,
            "made_at": now,
        },
    )
    domains.add(conn, institution_id, mail_domains)
    feed.touch(conn, institution_id, "settings", [institution_id])
    return institution_id


def _domains(texts: Sequence[str]) -> list[str]:
    try:
        return list(dict.fromkeys(read_domain(text) for text in texts))
    except Unreadable as error:
        raise HubRefused(
            f"One of these is no mail domain: {', '.join(texts)}. Example: students.example.edu"
        ) from error
