"""A file of facts: what went in comes out, and what happened to it on the way is known by its line."""

from io import BytesIO
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import chain
from sync.facts_file import LONGEST_LINE, DamagedFile, FactsFile, Header, lines, read

FACTS = [b'{"kind":"check_in","id":1}', b'{"kind":"undo"}', b"\xff\x00 no text", '{"kind":"é"}'.encode(), b"{\n}"]
START = b"s" * 32


def header(facts: list[bytes], start: bytes = START) -> Header:
    return Header(
        hub_id=UUID(int=1),
        kiosk_id=UUID(int=2),
        stream_id=UUID(int=3),
        from_seq=5,
        prev_hash=start,
        count=len(facts),
        last_hash=([start, *chain.hashes(start, facts)])[-1],
    )


def written(facts: list[bytes]) -> list[bytes]:
    return list(lines(header(facts), facts))


def damage(found: list[bytes]) -> tuple[str, int]:
    with pytest.raises(DamagedFile) as raised:
        read(found)
    return raised.value.reason, raised.value.line


@given(st.lists(st.binary(max_size=200)))
def test_what_is_written_can_be_read(facts: list[bytes]) -> None:
    found = written(facts)
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in found)
    assert read(found) == FactsFile(header(facts), facts)


def test_a_fact_is_there_as_it_was_first_written() -> None:
    found = written(FACTS)
    assert found[1].endswith(b" " + FACTS[0] + b"\n")
    assert found[0].partition(b" ")[2].startswith(b'{"format":"kiosk-facts","version":1,')


@given(st.data())
def test_a_byte_that_changed_is_known_by_its_line(data: st.DataObject) -> None:
    text = b"".join(written(FACTS))
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != text[place]))
    changed = text[:place] + bytes([other]) + text[place + 1 :]
    line = text[:place].count(b"\n") + 1
    try:
        found = read(BytesIO(changed))
    except DamagedFile as error:
        named = error.line
    else:
        assert found == FactsFile(header(FACTS), FACTS), "only how a hash is spelt or a line is broken"
        named = line
    assert named in (line, line + 1)


@pytest.mark.parametrize("line", range(2, 7))
def test_a_line_that_is_missing_doubled_or_elsewhere_is_named(line: int) -> None:
    found = written(FACTS)
    assert damage(found[: line - 1] + found[line:]) == (("cut", 6) if line == 6 else ("altered", line))
    assert damage([*found[:line], found[line - 1], *found[line:]]) == ("altered", line + 1)
    if line < 6:
        assert damage([*found[: line - 1], found[line], found[line - 1], *found[line + 1 :]]) == ("altered", line)


def test_a_file_that_ends_too_early_is_cut() -> None:
    text = b"".join(written(FACTS))
    assert damage(text[:-1].splitlines(keepends=True)) == ("cut", 6)
    assert damage(written(FACTS)[:1]) == ("cut", 2)


def test_lines_of_another_file_do_not_pass_under_this_header() -> None:
    mine, other = written(FACTS), [FACTS[1], FACTS[0]]
    theirs = list(lines(header(other, b"t" * 32), other))
    assert damage([theirs[0], *mine[1:3]]) == ("altered", 2)


@pytest.mark.parametrize("start", [[], [b"\n"], [b"username,first_name\n"], [b"\xff\xfe\n"], [b"x" * 70 + b"\n"]])
def test_what_is_no_file_of_facts_says_so(start: list[bytes]) -> None:
    assert damage(start) == ("no_facts_file", 1)


def test_a_file_of_a_newer_version_says_so_whatever_it_looks_like() -> None:
    assert damage([b"0" * 64 + b' {"format":"kiosk-facts","version":2}\n']) == ("newer_version", 1)


def test_a_line_that_is_too_long_is_not_taken() -> None:
    assert damage([*written(FACTS)[:2], b"x" * (LONGEST_LINE + 1)]) == ("too_long", 3)


def test_line_breaks_of_another_system_say_nothing() -> None:
    assert read([line[:-1] + b"\r\n" for line in written(FACTS)]).facts == FACTS
