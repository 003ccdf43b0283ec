"""Several processes of one hub, and everybody at once: one row each, and nobody is turned away but for being busy."""

import gzip
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import msgspec
import pytest
import requests
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from hub.database import connect, reading
from hub.schema import streams, students
from kiosk import clock
from sync import PROTO, chain
from sync.hub_client import enrol
from sync.messages import CheckIn, Enrolled, Push, PushAnswer, encode
from tests.whole.conftest import Place
from tests.whole.programs import Hub, eventually, free_port

pytestmark = pytest.mark.timeout(300)

WORKERS, THREADS = 4, 16
"""More who ask than there are processes."""
FACTS = 20


@dataclass(frozen=True)
class Stream:
    """A kiosk's stream, as requests: any of them may be sent by anybody, in any order, as often as they like."""

    enrolled: Enrolled
    stream_id: UUID
    bodies: tuple[bytes, ...]

    @classmethod
    def of_a_new_kiosk(cls, hub: Hub, session_id: str, students: Sequence[UUID]) -> "Stream":
        enrolled = enrol(hub.url, hub.ask("kiosks", "invite")["code"], "test")
        facts = [
            CheckIn(
                id=uuid7(), session_id=UUID(session_id), method="email", at=clock.now(), roster_position=1, ref=each
            )
            for each in students
        ]
        return cls(enrolled, uuid7(), tuple(encode(each) for each in facts))

    def push(self, url: str, first: int, last: int) -> requests.Response:
        """Hand over facts `first` to `last`, counted from 1."""
        hashes = [chain.START, *chain.hashes(chain.START, self.bodies)]
        push = Push(
            proto=PROTO,
            from_seq=first,
            prev_hash=hashes[first - 1],
            head_seq=len(self.bodies),
            clock=clock.now(),
            facts=tuple(msgspec.Raw(each) for each in self.bodies[first - 1 : last]),
        )
        return requests.post(
            f"{url}/api/v1/streams/{self.stream_id}/facts",
            data=gzip.compress(encode(push)),
            headers={
                "Authorization": f"Bearer {self.enrolled.token}",
                "Content-Type": "application/json",
                "Content-Encoding": "gzip",
            },
            timeout=60,
        )

    @property
    def last_hash(self) -> bytes:
        return chain.hashes(chain.START, self.bodies)[-1]


@pytest.fixture
def url(place: Place) -> Iterator[str]:
    """The same hub once more, with several workers."""
    port = free_port()
    server = place.hub.start("serve", "--port", str(port), "--workers", str(WORKERS))
    url = f"http://127.0.0.1:{port}"
    eventually(lambda: not server.runs or _is_ready(url), "the hub to be ready")
    assert server.runs, server.log.read_text("utf-8")
    yield url
    server.kill()


def _is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=5).status_code == 200
    except requests.RequestException:
        return False


@pytest.fixture
def who(place: Place) -> list[UUID]:
    """Some students, as the hub calls them."""
    engine = connect(place.hub.told["HUB_DATABASE_URL"])
    with reading(engine) as conn:
        active = sa.select(students.c.id).where(~students.c.disabled).order_by(students.c.id).limit(FACTS)
        found = list(conn.execute(active).scalars())
    engine.dispose()
    assert len(found) == FACTS
    return found


def all_at_once(calls: Sequence[Callable[[], requests.Response]]) -> list[requests.Response]:
    with ThreadPoolExecutor(THREADS) as pool:
        return [each.result() for each in [pool.submit(answered, call) for call in calls]]


def answered(call: Callable[[], requests.Response]) -> requests.Response:
    """A connection that was cut says nothing: as a kiosk does, send the same again."""
    found: list[requests.Response] = []

    def is_answered() -> bool:
        with suppress(requests.ConnectionError):
            found.append(call())
        return bool(found)

    eventually(is_answered, "an answer")
    return found[0]


def in_the_end(stream: Stream, url: str) -> PushAnswer:
    """The answer to all of the stream; a hub that is busy is asked again."""
    answers: list[requests.Response] = []

    def is_answered() -> bool:
        answers.append(answered(lambda: stream.push(url, 1, FACTS)))
        return answers[-1].status_code != 503

    eventually(is_answered, "an answer")
    assert answers[-1].status_code == 200, answers[-1].text
    return msgspec.json.decode(answers[-1].content, type=PushAnswer)


def problem(response: requests.Response) -> str:
    return f"{response.status_code} {response.json()['code']}"


def is_held_once(place: Place, stream: Stream) -> bool:
    """Whether the hub has every fact of the stream, and nothing else of it."""
    rows = [row for row in place.hub.facts(place.session) if row["stream_id"] == stream.stream_id]
    return sorted((row["seq"], row["body"]) for row in rows) == list(enumerate(stream.bodies, 1))


def mark(place: Place, stream: Stream) -> tuple[int, bytes]:
    engine = connect(place.hub.told["HUB_DATABASE_URL"])
    with reading(engine) as conn:
        columns = (streams.c.acked_seq, streams.c.acked_hash)
        found = conn.execute(sa.select(*columns).where(streams.c.id == stream.stream_id)).one()
    engine.dispose()
    return found.acked_seq, found.acked_hash


def test_the_same_push_by_everybody_at_once_is_kept_once(place: Place, url: str, who: list[UUID]) -> None:
    stream = Stream.of_a_new_kiosk(place.hub, place.session, who)

    responses = all_at_once([lambda: stream.push(url, 1, FACTS)] * (2 * THREADS))

    good = [msgspec.json.decode(each.content, type=PushAnswer) for each in responses if each.status_code == 200]
    assert good != []
    assert {problem(each) for each in responses if each.status_code != 200} <= {"503 busy"}
    assert {(each.stream.acked_seq, each.stream.acked_hash) for each in good} == {(FACTS, stream.last_hash)}
    assert {receipt.verdict for each in good for receipt in each.receipts} == {"counted"}
    assert is_held_once(place, stream)
    assert mark(place, stream) == (FACTS, stream.last_hash)
    assert place.count() == (FACTS, 0)


def test_pieces_of_a_stream_that_overlap_and_overtake_each_other_are_kept_once(
    place: Place, url: str, who: list[UUID]
) -> None:
    stream = Stream.of_a_new_kiosk(place.hub, place.session, who)
    pieces = [(1, 5), (1, 10), (4, 12), (6, FACTS), (11, FACTS), (1, FACTS)]

    responses = all_at_once([lambda piece=piece: stream.push(url, *piece) for piece in pieces * 4])  # type: ignore[misc]

    assert {problem(each) for each in responses if each.status_code != 200} <= {"503 busy", "409 gap"}
    good = [msgspec.json.decode(each.content, type=PushAnswer) for each in responses if each.status_code == 200]
    assert mark(place, stream)[0] == max(each.stream.acked_seq for each in good), "no mark ever goes back"
    assert in_the_end(stream, url).stream.acked_seq == FACTS
    assert is_held_once(place, stream)
    assert mark(place, stream) == (FACTS, stream.last_hash)
    assert place.count() == (FACTS, 0)


def test_the_same_people_by_many_kiosks_at_once_count_once(place: Place, url: str, who: list[UUID]) -> None:
    kiosks = [Stream.of_a_new_kiosk(place.hub, place.session, who) for _ in range(6)]

    responses = all_at_once([lambda each=each: each.push(url, 1, FACTS) for each in kiosks * 3])  # type: ignore[misc]

    assert {problem(each) for each in responses if each.status_code != 200} <= {"503 busy"}
    for each in kiosks:
        assert in_the_end(each, url).stream.acked_seq == FACTS
        assert is_held_once(place, each)
        assert mark(place, each) == (FACTS, each.last_hash)
    assert place.count() == (FACTS, 0)
