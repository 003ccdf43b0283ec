"""The examples in docs/wire.md are what the programs say: each is read into the message it names."""

import json
import re
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from sync import chain, directory, messages
from sync.directory import Line
from sync.messages import FACT, FeedPage, Person, Push, PushAnswer, Settings, encode
from sync.seals import open_directory_line, unlock

WIRE = Path(__file__).parents[2] / "docs" / "wire.md"
MARKED = re.compile(r"^<!-- message: (\w+) -->\n+```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    name: str
    text: str

    @property
    def kind(self) -> type[msgspec.Struct]:
        kind: type[msgspec.Struct] = getattr(messages, self.name)
        assert issubclass(kind, msgspec.Struct)
        return kind


def examples() -> list[Example]:
    return [Example(*found) for found in MARKED.findall(WIRE.read_text("utf-8"))]


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_an_example_is_a_message_with_no_field_too_many_or_too_few(example: Example) -> None:
    message = msgspec.json.decode(example.text, type=example.kind, strict=True)
    assert json.loads(encode(message)) == json.loads(example.text)


def test_every_json_block_names_its_message() -> None:
    assert WIRE.read_text("utf-8").count("```json") == len(examples())


@pytest.mark.parametrize(
    "name",
    ["CheckIn", "Undo", "CheckOut", "Rehearsal", "Push", "PushAnswer", "FeedPage", "Enrolment", "Enrolled", "Problem"],
)
def test_every_message_that_travels_by_itself_has_an_example(name: str) -> None:
    assert name in {example.name for example in examples()}


def test_the_facts_in_the_examples_can_be_read() -> None:
    pushes = [msgspec.json.decode(each.text, type=Push) for each in examples() if each.kind is Push]
    read = [FACT.decode(fact) for push in pushes for fact in push.facts]
    assert {type(fact).__name__ for fact in read} == {"CheckIn", "Undo"}


def test_the_pin_in_the_example_opens_the_directory_in_it() -> None:
    page = next(msgspec.json.decode(each.text, type=FeedPage) for each in examples() if each.kind is FeedPage)
    lock = next(entry.desk_lock for entry in page.entries if isinstance(entry, Settings))
    assert lock is not None
    key = unlock(lock, "483921")
    assert key is not None
    people = [entry for entry in page.entries if isinstance(entry, Person) and entry.directory is not None]
    lines = [open_directory_line(key, each.directory or b"", page.epoch, each.position) for each in people]
    assert [directory.read(line or b"") for line in lines] == [
        Line("Ada Lovelace", "King", "Senior", "au…da@students.example.edu"),
        Line("Bo Lind"),
    ]


def test_the_hashes_in_the_examples_are_the_hashes_of_their_facts() -> None:
    first, heartbeat = (msgspec.json.decode(each.text, type=Push) for each in examples() if each.kind is Push)
    answer = next(msgspec.json.decode(each.text, type=PushAnswer) for each in examples() if each.kind is PushAnswer)
    after = chain.hashes(first.prev_hash, (bytes(fact) for fact in first.facts))[-1]
    assert after == answer.stream.acked_hash == heartbeat.prev_hash
    assert answer.stream.acked_seq == first.from_seq + len(first.facts) - 1 == heartbeat.from_seq - 1


def test_the_limits_on_the_page_are_the_limits_in_the_code() -> None:
    page = WIRE.read_text("utf-8")
    assert f"At most {messages.MAX_FACTS} facts and {messages.MAX_PUSH_BYTES // 1024} KiB" in page
    assert f"At most {messages.MAX_FACT_BYTES // 1024} KiB" in page
    assert f"pages of at most {messages.PAGE:,} entries" in page
