"""One printed code teaches the desk what a scanner means."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.rules.scanner import CODE, NEEDED, Echo, Problem, ScannerMap, corrected, echo, learn
from sync.messages import CardFormat
from tests.kiosk import builders as b
from tests.kiosk.layouts import AZERTY, LAYOUTS, QWERTY, typed


def learned(received: str) -> ScannerMap:
    found = learn(received)
    assert isinstance(found, ScannerMap), found
    return found


@pytest.mark.parametrize(
    ("name", "layout", "lost"),
    [("AZERTY", "AZERTY", ""), ("Belgian", "AZERTY", ""), ("QWERTZ", "QWERTZ", "=+"), ("QWERTY", "QWERTY", "")],
)
def test_a_layout_is_recognised_and_what_it_cannot_send_is_named(name: str, layout: str, lost: str) -> None:
    found = learned(typed(CODE, LAYOUTS[name]))
    assert (found.layout, found.lost) == (layout, lost)


def test_a_scanner_that_types_as_this_device_reads_needs_no_correction() -> None:
    assert learned(CODE) == ScannerMap("QWERTY", {}, "")


@given(text=st.text(NEEDED, min_size=1, max_size=80), name=st.sampled_from(sorted(LAYOUTS)))
def test_what_was_meant_survives_a_wrong_layout(text: str, name: str) -> None:
    found = learned(typed(CODE, LAYOUTS[name]))
    sent = "".join(char for char in text if char not in found.lost)
    assert corrected(typed(sent, LAYOUTS[name]), found.changes) == sent


def test_a_french_scanner_at_an_english_desk_is_refused_for_the_sign_it_cannot_send() -> None:
    assert learn(typed(CODE, QWERTY, scanner=AZERTY)) == Problem("lost", "@")


@pytest.mark.parametrize("text", [b.ADA_SWIPE, b.ADA_SCHOOL, b.ADA_HOME, b.ADA_PASS])
def test_an_azerty_device_reads_the_cast_again(text: str) -> None:
    found = learned(typed(CODE, AZERTY))
    garbled = typed(text, AZERTY)
    assert garbled != text
    assert corrected(garbled, found.changes) == text


@pytest.mark.parametrize("suffix", ["", "\r", "\n", "\r\n", "\t"])
def test_how_a_scan_ends_does_not_matter(suffix: str) -> None:
    assert learned(CODE + suffix).changes == {}


@pytest.mark.parametrize(
    ("received", "problem"),
    [
        ("", Problem("nothing")),
        ("  \r\n", Problem("nothing")),
        (b.ADA_SWIPE, Problem("incomplete")),
        (CODE[:100], Problem("incomplete")),
        (CODE[100:], Problem("incomplete")),
        (CODE.replace("k  ", "", 1), Problem("incomplete")),
        (CODE.replace("k  ", "k  k  ", 1), Problem("incomplete")),
        (CODE.replace("  ", " "), Problem("incomplete")),
        ("]Q1" + CODE, Problem("prefix", "]Q1")),
        (CODE + ";;", Problem("suffix", ";;")),
        (CODE.replace("@", ""), Problem("lost", "@")),
        (CODE.replace("@ ", "´"), Problem("lost", "@")),
        (CODE.upper(), Problem("one_case")),
        (CODE.lower(), Problem("one_case")),
        (CODE.replace("!", "?"), Problem("same", "!?")),
        (CODE.swapcase(), Problem("caps_lock")),
        (typed(CODE, AZERTY).swapcase(), Problem("caps_lock")),
    ],
)
def test_what_teaches_nothing_is_refused_with_its_reason(received: str, problem: Problem) -> None:
    assert learn(received) == problem


def test_signs_that_never_arrive_are_named_and_the_rest_is_learned() -> None:
    found = learned(CODE.replace("%", ""))
    assert (found.lost, dict(found.changes)) == ("%", {})


@given(st.text(max_size=400))
def test_anything_may_be_scanned(received: str) -> None:
    assert isinstance(learn(received), ScannerMap | Problem)


@given(st.lists(st.sampled_from([*string.ascii_letters, " ", "  ", "aaa"]), max_size=120))
def test_halves_of_codes_never_break_it(pieces: list[str]) -> None:
    assert isinstance(learn("aaa  " + "".join(pieces) + "  aaa"), ScannerMap | Problem)


@pytest.mark.parametrize(
    ("text", "taken_for"),
    [
        (b.ADA_SWIPE, Echo("card", 1)),
        (b.ADA_PASS.lower() + "\r\n", Echo("pass")),
        (b.DITA, Echo("address")),
        ("", Echo("nothing", reason="empty")),
        ("!92347", Echo("nothing", reason="not_an_address")),
        ("x" * 2000, Echo("nothing", reason="too_long")),
        ("\x00\x01", Echo("nothing", reason="control_characters")),
    ],
)
def test_an_echo_says_what_it_would_be_taken_for(text: str, taken_for: Echo) -> None:
    assert echo(text, [b.CARD_FORMAT]) == taken_for


def test_the_echo_counts_formats_as_the_office_lists_them() -> None:
    unusable, other = CardFormat(whole="(?=x)"), CardFormat(whole=r"\d{8}")
    assert echo(b.ADA_SWIPE, [unusable, other, b.CARD_FORMAT]) == Echo("card", 3)
