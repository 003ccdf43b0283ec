"""A kiosk reduced to what the hub sees of one: a stream of facts with its chain."""

import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from hub.actions import kiosks, readiness
from hub.database import reading, writing
from hub.schema import addresses, students
from hub.store import feed
from sync import PROTO, chain
from sync.identifiers import read_email
from sync.messages import CheckIn, CheckOut, Enrolment, Fact, Moment, Push, PushAnswer, Rehearsal, Undo, encode
from sync.seals import seal_to_hub

NOON = Moment(wall=datetime(2026, 11, 21, 12, 0, tzinfo=UTC), boot="boot-1", since_boot_ms=3_600_000)


def at(wall: datetime = NOON.wall, since_boot_ms: int = 3_000_000, boot: str = "boot-1") -> Moment:
    return Moment(wall=wall, boot=boot, since_boot_ms=since_boot_ms)


@dataclass
class Desk:
    """An enrolled kiosk with one stream; `made` are the bytes of every fact it ever made."""

    kiosk_id: UUID
    token: str
    hub_key: bytes
    stream_id: UUID = field(default_factory=uuid7)
    made: list[bytes] = field(default_factory=list)

    def make(self, fact: Fact) -> Fact:
        self.made.append(encode(fact))
        return fact

    def check_in(self, session_id: UUID, ref: UUID, moment: Moment | None = None) -> CheckIn:
        fact = CheckIn(id=uuid7(), session_id=session_id, method="email", at=moment or at(), roster_position=1, ref=ref)
        self.make(fact)
        return fact

    def note(self, session_id: UUID, address: str) -> CheckIn:
        fact = CheckIn(
            id=uuid7(),
            session_id=session_id,
            method="email",
            at=at(),
            roster_position=1,
            tag=b"12345678",
            sealed_identifier=seal_to_hub(self.hub_key, read_email(address)),
        )
        self.make(fact)
        return fact

    def check_out(self, session_id: UUID, ref: UUID | None, moment: Moment | None = None) -> CheckOut:
        """Of one person, or of everyone."""
        fact = CheckOut(
            id=uuid7(),
            session_id=session_id,
            method="staff",
            at=moment or at(),
            roster_position=1,
            ref=ref,
            everyone=ref is None,
        )
        self.make(fact)
        return fact

    def note_leaving(self, session_id: UUID, address: str, moment: Moment | None = None) -> CheckOut:
        sealed = seal_to_hub(self.hub_key, read_email(address))
        fact = CheckOut(
            id=uuid7(),
            session_id=session_id,
            method="email",
            at=moment or at(),
            roster_position=1,
            tag=b"12345678",
            sealed_identifier=sealed,
        )
        self.make(fact)
        return fact

    def rehearse(self, session_id: UUID) -> Rehearsal:
        fact = Rehearsal(id=uuid7(), session_id=session_id, at=at())
        self.make(fact)
        return fact

    def undo(self, session_id: UUID, check_ins: Iterable[UUID]) -> Undo:
        fact = Undo(id=uuid7(), session_id=session_id, at=at(), undoes=tuple(check_ins))
        self.make(fact)
        return fact

    def push(self, first: int = 1, last: int | None = None, clock: Moment = NOON) -> Push:
        """Facts `first` to `last`, both included."""
        facts = self.made[first - 1 : last]
        hashes = [chain.START, *chain.hashes(chain.START, self.made)]
        return Push(
            proto=PROTO,
            from_seq=first,
            prev_hash=hashes[first - 1],
            head_seq=len(self.made),
            clock=clock,
            facts=tuple(msgspec.Raw(fact) for fact in facts),
        )

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def send(self, client: FlaskClient, push: Push | bytes, **headers: str) -> TestResponse:
        body = push if isinstance(push, bytes) else encode(push)
        return client.post(
            f"/api/v1/streams/{self.stream_id}/facts",
            data=body,
            headers=self.headers() | {"Content-Type": "application/json"} | headers,
        )

    def hand_over(self, client: FlaskClient, first: int = 1, last: int | None = None) -> PushAnswer:
        response = self.send(client, self.push(first, last))
        assert response.status_code == 200, response.text
        return msgspec.json.decode(response.data, type=PushAnswer)


def enrolled(engine: Engine, institution_id: UUID, now: datetime, name: str = "Front door") -> Desk:
    invited = kiosks.invite(engine, institution_id, name, now)
    standing = kiosks.enrol(engine, readiness.hub_id(engine), Enrolment(code=invited.code, app="test"), now)
    return Desk(standing.kiosk_id, standing.token, standing.hub_key)


def student(
    engine: Engine,
    institution_id: UUID,
    name: str,
    *,
    confirmed: Sequence[str] = (),
    pending: Sequence[str] = (),
    disabled: bool = False,
) -> UUID:
    """A student with addresses, put where an import would put them."""
    student_id = uuid7()
    made = datetime(2026, 9, 1, tzinfo=UTC)
    row: dict[str, Any] = {
        "institution_id": institution_id,
        "id": student_id,
        "username": f"{name.lower()}-{student_id}",
        "first_name": name,
        "disabled": disabled,
        "attributes": {},
        "made_at": made,
        "changed_at": made,
    }
    with writing(engine) as conn:
        conn.execute(students.insert(), row)
        for state, typed in [("confirmed", each) for each in confirmed] + [("pending", each) for each in pending]:
            conn.execute(
                addresses.insert(),
                {
                    "institution_id": institution_id,
                    "id": uuid7(),
                    "student_id": student_id,
                    "typed": typed,
                    "key": read_email(typed).key,
                    "kind": "additional",
                    "state": state,
                    "origin": "added",
                    "added_at": made,
                },
            )
        feed.touch(conn, institution_id, "person", [student_id])
    return student_id


def username(engine: Engine, ref: UUID) -> str:
    """What the student with this id is called by."""
    with reading(engine) as conn:
        return str(conn.execute(select(students.c.username).where(students.c.id == ref)).scalar_one())


def unzipped(response: TestResponse) -> bytes:
    return gzip.decompress(response.data) if response.headers.get("Content-Encoding") == "gzip" else response.data
