"""Invite, enrol, recognise and cut off kiosks."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import Connection, Engine
from uuid_utils.compat import uuid4, uuid7

from hub.database import reading, writing
from hub.errors import HubRefused, UnknownKiosk
from hub.store import events, institutions, kiosks
from hub.store.kiosks import Kiosk, Listed
from sync.errors import CodeRefused, DeviceRevoked, DeviceUnknown
from sync.messages import Enrolled, Enrolment
from sync.seals import new_key

INVITATION_LASTS = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Invited:
    """A one-time code, said once; the hub keeps only its hash."""

    code: str
    expires_at: datetime


def invite(engine: Engine, institution_id: UUID, name: str, now: datetime) -> Invited:
    """A code with which one kiosk can enrol within ten minutes."""
    # Hexadecimal: 128 bits that never begin with a dash, which a command line would take for an option.
    code = secrets.token_hex(16)
    invited = Invited(code, now + INVITATION_LASTS)
    with writing(engine) as conn:
        kiosks.invite(
            conn,
            {
                "institution_id": institution_id,
                "code_hash": _hash(code),
                "name": name,
                "made_at": now,
                "expires_at": invited.expires_at,
            },
        )
    return invited


def enrol(engine: Engine, hub_id: UUID, enrolment: Enrolment, now: datetime) -> Enrolled:
    """Take a code once and give a kiosk its standing. Raises `CodeRefused`."""
    kiosk_id = uuid7()
    token = secrets.token_urlsafe(32)
    with writing(engine) as conn:
        invitation = kiosks.take_invitation(conn, _hash(enrolment.code), kiosk_id, now)
        if invitation is None:
            raise CodeRefused()
        institution = institutions.of(conn, invitation.institution_id)
        kiosks.add(
            conn,
            {
                "institution_id": institution.id,
                "id": kiosk_id,
                "name": invitation.name,
                "token_hash": _hash(token),
                "app": "".join(filter(str.isprintable, enrolment.app)),
                "enrolled_at": now,
            },
        )
    return Enrolled(
        kiosk_id=kiosk_id,
        token=token,
        hub_id=hub_id,
        hub_key=institution.public_key,
        institution=institution.name,
    )


def recognise(engine: Engine, token: str) -> Kiosk:
    """The kiosk that holds a token. Raises `DeviceUnknown` or `DeviceRevoked`."""
    with reading(engine) as conn:
        kiosk = kiosks.by_token(conn, _hash(token))
    if kiosk is None:
        raise DeviceUnknown()
    if kiosk.revoked_at is not None:
        raise DeviceRevoked()
    return kiosk


def everyone(engine: Engine, institution_id: UUID) -> list[Listed]:
    """All kiosks of an institution, revoked ones included."""
    with reading(engine) as conn:
        return kiosks.everyone(conn, institution_id)


def revoke(engine: Engine, institution_id: UUID, kiosk_id: UUID, now: datetime) -> Listed:
    """Cut a kiosk off at once, and give all others a roster under new keys. Raises `UnknownKiosk`.

    Revoking again changes nothing.
    """
    with writing(engine) as conn:
        desk = institutions.lock(conn, institution_id).desk
        kiosk = _there(conn, institution_id, kiosk_id)
        if kiosk.revoked_at is None:
            kiosks.revoke(conn, institution_id, kiosk_id, now)
            # The PIN stays what it was; the directory it opens is another one.
            desk = desk and replace(desk, directory_key=new_key())
            institutions.rotate(conn, institution_id, uuid4(), new_key(), desk)
        return _there(conn, institution_id, kiosk_id)


def assign(engine: Engine, institution_id: UUID, kiosk_id: UUID, session_id: UUID) -> Listed:
    """Say at which session a kiosk shall stand; it hears so with its next exchange.

    Each time is a new assignment, so that the same session again calls back a desk that was switched by hand. Raises
    `UnknownKiosk`, `UnknownSession`, or `HubRefused` for a kiosk that is cut off.
    """
    with writing(engine) as conn:
        kiosk = _there(conn, institution_id, kiosk_id)
        if kiosk.revoked_at is not None:
            raise HubRefused(f"{kiosk.name} is cut off: it will not hear of this. Enrol it again first.")
        events.there(conn, institution_id, session_id)
        kiosks.assign(conn, institution_id, kiosk_id, session_id)
        return _there(conn, institution_id, kiosk_id)


def _there(conn: Connection, institution_id: UUID, kiosk_id: UUID) -> Listed:
    kiosk = kiosks.get(conn, institution_id, kiosk_id)
    if kiosk is None:
        raise UnknownKiosk(f"There is no kiosk {kiosk_id}. `hub kiosks list` shows them all.")
    return kiosk


def _hash(secret: str) -> bytes:
    # 128 bits and more of chance need no slow hash; the look-up by hash is what keeps timing quiet.
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()
