"""Every code that a file, a row or an import can end with has a sentence for people, in both languages."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import get_args
from uuid import UUID, uuid4

import pytest
from flask import Flask

from hub.readers import reading
from hub.rules import attendee_file
from hub.rules.attendee_file.occasions import Occasion, listed, session_of
from hub.rules.attendee_file.rows import EVENT, FAIR_SESSION, FileRow
from hub.rules.student_file import codes as student_file
from hub.store.imports import Kind, State
from hub.views import words
from hub.views.sentences import (
    FLAGS,
    KEPT,
    PROBLEMS,
    PROBLEMS_OF,
    REASONS,
    WARNINGS,
    WARNINGS_OF,
    Sentences,
    sentence,
)
from ui.language import LANGUAGES, init_language

OFFERED = {"meant", "use"}
"""What `about` holds of an attendee file's rows only when there is something to offer."""
NO_SENTENCE = "no sentence"


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    app = Flask("hub", root_path=str(reading._ROOT / "hub"))
    init_language(app)
    with app.test_request_context(f"/?lang={request.param}"):
        yield request.param


def of_the_reader() -> dict[str, tuple[str, ...]]:
    """What the readers' own list says: each reason, and what its `about` holds."""
    listed = (reading.__doc__ or "").partition("language:")[2]
    return {
        reason: tuple(re.findall(r"`(\w+)`", about))
        for reason, about in re.findall(r"`(\w+)`(?: \(([^)]*)\))?", listed)
    }


def cases() -> Iterator[tuple[Sentences, str, tuple[str, ...]]]:
    for codes in (student_file.CODES, attendee_file.CODES):
        yield from ((PROBLEMS, code, about) for code, about in codes.items())
    for code, about in attendee_file.CODES.items():
        yield PROBLEMS, code, tuple(key for key in about if key not in OFFERED)
    for reasons in (student_file.REASONS, attendee_file.REASONS, of_the_reader()):
        yield from ((REASONS, code, about) for code, about in reasons.items())
    for flags in (student_file.FLAGS, attendee_file.FLAGS):
        yield from ((FLAGS, code, ()) for code in flags)
    for kept in (student_file.KEPT, attendee_file.KEPT):
        yield from ((KEPT, code, ()) for code in kept)
    fields = ("header", "did_you_mean", "domain", "encoding", "rows")
    for warnings in (student_file.WARNINGS, attendee_file.WARNINGS):
        yield from ((WARNINGS, code, fields) for code in warnings)


def values(keys: tuple[str, ...]) -> Mapping[str, str | int]:
    return {key: f"<{key}>" for key in keys}


def test_the_readers_own_list_is_understood() -> None:
    assert of_the_reader()["not_in_encoding"] == ("line", "encoding")
    assert len(of_the_reader()) > 25


def test_every_code_has_a_sentence_that_fits_what_is_known_about_it(language: str) -> None:
    for sentences, code, about in cases():
        said = sentence(sentences, code, values(about), NO_SENTENCE)
        assert said != NO_SENTENCE, (code, about)
        assert "%(" not in said


def test_every_sentence_is_another_in_french(language: str) -> None:
    if language == "en":
        return
    for sentences in (*PROBLEMS_OF.values(), REASONS, FLAGS, KEPT, *WARNINGS_OF.values()):
        for code, each in sentences.items():
            for text in each:
                assert str(text) != text._args[0], code


def test_what_is_offered_is_in_the_sentence(language: str) -> None:
    said = sentence(PROBLEMS, "not_a_school_address", {"use": "ada@example.edu"}, NO_SENTENCE)
    assert "ada@example.edu" in said
    assert "12" in sentence(REASONS, "unclosed_quote", {"line": 12}, NO_SENTENCE)


TALK, SHOW, FAIR, SMALL_FAIR = (
    [Occasion(uuid4(), None, event_id, None, kind, datetime(2026, 3, 2, tzinfo=UTC)) for _ in range(sessions)]
    for event_id, kind, sessions in (
        (uuid4(), "event", 1),
        (uuid4(), "event", 2),
        (uuid4(), "career_fair", 2),
        (uuid4(), "career_fair", 1),
    )
)


@pytest.mark.parametrize("language", ["en"], indirect=True)
@pytest.mark.parametrize("named", ["event", "session"])
@pytest.mark.parametrize("kind", [EVENT, FAIR_SESSION])
@pytest.mark.parametrize("its", [TALK, SHOW, FAIR, SMALL_FAIR], ids=["talk", "show", "fair", "small fair"])
def test_whoever_does_what_is_said_of_an_event_is_not_told_something_else_next(
    language: str, its: list[Occasion], kind: str, named: str
) -> None:
    occasions = listed([*TALK, *SHOW, *FAIR, *SMALL_FAIR])
    first = its[0]
    row = FileRow(2, type=kind, id=first.event_name if named == "event" else first.name)
    found = session_of(row, occasions, None)
    if isinstance(found, UUID) or found.code == "several_sessions":
        return
    said = sentence(PROBLEMS, found.code, found.about, NO_SENTENCE)
    kind_said = re.search(r"Write (\w+) in identifiable_type", said)
    row.type = kind_said.group(1) if kind_said else row.type
    if "use" in found.about:
        row.id = str(found.about["use"])
        assert row.id in said
    else:
        assert "of the session" in said or "of one of its sessions" in said
        row.id = first.name
    after = session_of(row, occasions, None)
    assert after == first.session_id or (its is SHOW and getattr(after, "code", "") == "several_sessions")


def test_only_a_student_file_brings_new_students(language: str) -> None:
    students, attendees = (sentence(PROBLEMS_OF[kind], "blank", {}, NO_SENTENCE) for kind in get_args(Kind))
    assert students != attendees


def test_a_code_that_nobody_wrote_a_sentence_for_keeps_its_own_text(language: str) -> None:
    assert sentence(PROBLEMS, "invented", {}, "is invented") == "is invented"


def test_every_state_of_an_import_has_words(language: str) -> None:
    for state in State.__args__:  # type: ignore[attr-defined]
        assert words.state_in_words(state)
