"""What was typed or swiped, and whom it means."""

import unicodedata

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import assume, given
from hypothesis import strategies as st

from sync.errors import BadPattern, Unreadable
from sync.identifiers import (
    MAX_EMAIL,
    MAX_FORMATS,
    MAX_INPUT,
    MAX_PATTERN,
    PASS_PREFIX,
    Card,
    CompiledFormat,
    Email,
    Pass,
    compile_format,
    compile_formats,
    read,
    read_domain,
    read_email,
)
from sync.messages import CardFormat

SCHOOL = CardFormat(whole=r"^!\d{13}==\d{3};$", extract=r"^!\d{2}(\d{6})\d{5}==\d{3};$")
LIBRARY = CardFormat(whole=r"^;\d{12};:$", extract=r"^;\d{2}(\d{7})\d{3};:$")
SHORT = CardFormat(whole=r"^;\d{10};$", extract=r"\d{10}")


def formats(*card_formats: CardFormat) -> tuple[CompiledFormat, ...]:
    return compile_formats(card_formats)


def reason(text: str, *card_formats: CardFormat) -> str:
    with pytest.raises(Unreadable) as refused:
        read(text, formats(*card_formats))
    return refused.value.reason


# --- the same person -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "ada@school.example",
        "  ada@school.example\r\n",
        "\u00a0ada@school.example\u3000",
        "Ada@School.Example",
        "ADA@SCHOOL.EXAMPLE",
    ],
)
def test_blanks_around_an_address_and_its_case_do_not_matter_rule_36(typed: str) -> None:
    assert read_email(typed).key == "ada@school.example"


def test_an_accent_typed_as_one_letter_or_as_two_is_the_same_address() -> None:
    composed, decomposed = "ren\u00e9@school.example", "rene\u0301@school.example"
    assert composed != decomposed
    assert read_email(composed).key == read_email(decomposed).key


def test_the_case_of_an_accented_letter_does_not_matter() -> None:
    assert read_email("\u00c9lise@school.example").key == read_email("\u00e9lise@school.example").key


@pytest.mark.parametrize(
    "typed",
    [
        "dita@bücher.example",
        "dita@BÜCHER.example",
        "dita@bu\u0308cher.example",
        "dita@xn--bcher-kva.example",
        "dita@XN--BCHER-KVA.Example",
        "dita@bücher\u3002example",
    ],
)
def test_a_domain_is_the_same_however_it_is_spelt(typed: str) -> None:
    assert read_email(typed).key == "dita@xn--bcher-kva.example"
    assert read_email(typed).domain == "xn--bcher-kva.example"


def test_what_was_typed_is_kept_for_staff_to_read() -> None:
    assert read_email(" Ada@School.Example ").typed == "Ada@School.Example"


@pytest.mark.parametrize("typed", ["school.example", "@School.example", " SCHOOL.EXAMPLE "])
def test_a_domain_is_read_with_or_without_its_at_sign(typed: str) -> None:
    assert read_domain(typed) == "school.example"


@pytest.mark.parametrize("typed", ["", "localhost", "ada@school.example", "school..example"])
def test_what_is_no_domain_is_refused(typed: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_domain(typed)
    assert refused.value.reason == "not_a_domain"


# --- never the same person -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("ada@school.example", "\u0430da@school.example", id="Cyrillic a"),
        pytest.param("strauß@school.example", "strauss@school.example", id="sharp s"),
        pytest.param("dita@straße.example", "dita@strasse.example", id="sharp s in a domain"),
        pytest.param("a.da@school.example", "ada@school.example", id="dots"),
        pytest.param("ada+fair@school.example", "ada@school.example", id="plus tags"),
        pytest.param("\u0131da@school.example", "ida@school.example", id="dotless i"),
        pytest.param("\u0130da@school.example", "ida@school.example", id="dotted capital I"),
        pytest.param("\ufb01n@school.example", "fin@school.example", id="ligature"),
        pytest.param("\uff41da@school.example", "ada@school.example", id="full-width letter"),
        pytest.param("ren\u00e9@school.example", "rene@school.example", id="accent"),
    ],
)
def test_two_addresses_that_look_alike_stay_two(one: str, other: str) -> None:
    assert read_email(one).key != read_email(other).key


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("ada\uff20school.example", id="full-width @"),
        pytest.param("ada", id="no @"),
        pytest.param("ada@bo@school.example", id="two @"),
        pytest.param("@school.example", id="nobody"),
        pytest.param("ada@", id="nowhere"),
        pytest.param("ada@localhost", id="no dot"),
        pytest.param("ada@school.example.", id="trailing dot"),
        pytest.param(".ada@school.example", id="leading dot"),
        pytest.param("ad a@school.example", id="blank inside"),
        pytest.param("Ada <ada@school.example>", id="with a name"),
        pytest.param('"ada"@school.example', id="quoted"),
        pytest.param("a\u200bda@school.example", id="zero-width space"),
        pytest.param("\u202eada@school.example", id="right-to-left override"),
        pytest.param("ada@xn--a.example", id="xn-- that says nothing"),
    ],
)
def test_what_is_not_an_address_is_refused(typed: str) -> None:
    assert reason(typed) == "not_an_address"


# --- promises ------------------------------------------------------------------------------------

WORD = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789", min_size=1, max_size=20)
PLAIN = st.builds(
    "{}@{}.example".format,
    st.lists(WORD, min_size=1, max_size=3).map(".".join),
    WORD,
)
LETTERS = st.characters(categories=["Lu", "Ll", "Lt", "Lo", "Mn", "Nd"])
ANY_SCRIPT = st.builds("{}@{}.example".format, st.text(LETTERS, min_size=1, max_size=12), WORD)


@given(PLAIN | ANY_SCRIPT)
def test_a_key_read_again_is_the_same_key(typed: str) -> None:
    try:
        key = read_email(typed).key
    except Unreadable:
        assume(False)
    assert read_email(key).key == key


@given(PLAIN, st.sampled_from([" ", "\t", "\u00a0", "\r\n", ""]))
def test_blanks_and_case_never_make_a_second_person(typed: str, blank: str) -> None:
    assert read_email(blank + typed.swapcase() + blank).key == read_email(typed).key


@given(ANY_SCRIPT)
def test_composed_and_decomposed_spellings_are_one_person(typed: str) -> None:
    try:
        key = read_email(typed).key
    except Unreadable:
        assume(False)
    assert read_email(unicodedata.normalize("NFD", typed)).key == key


@given(PLAIN, PLAIN)
def test_two_plain_addresses_are_one_person_only_if_they_differ_in_case_alone(one: str, other: str) -> None:
    assert (read_email(one).key == read_email(other).key) == (one.lower() == other.lower())


@given(PLAIN)
def test_the_short_way_for_plain_addresses_agrees_with_the_long_one(typed: str) -> None:
    try:
        parsed = validate_email(typed, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        assume(False)
    assert read_email(typed).key == parsed.normalized.lower()


REASONS = {"empty", "too_long", "control_characters", "not_an_address"}


@given(st.text(max_size=60) | st.text(st.characters(categories=["Cs", "Cc", "Ll"]), max_size=8))
def test_whatever_is_typed_is_a_pass_a_card_an_address_or_unreadable(text: str) -> None:
    try:
        found: Email | Card | Pass | Unreadable = read(text, formats(SCHOOL, LIBRARY))
    except Unreadable as refused:
        found = refused
    assert isinstance(found, Email | Card | Pass) or found.reason in REASONS


# --- lengths and noise ---------------------------------------------------------------------------


def long_address(length: int) -> str:
    domain = ".".join(["d" * 60] * 4)
    return "a" * (length - len(domain) - 1) + "@" + domain[: length - 2]


def test_an_address_of_254_characters_is_read_and_one_of_255_is_too_long() -> None:
    longest = long_address(MAX_EMAIL)
    assert len(longest) == 254
    assert read_email(longest).key == longest
    assert reason("a" + longest) == "too_long"


def test_blanks_around_an_address_do_not_count_as_its_length() -> None:
    assert read_email(f"   {long_address(MAX_EMAIL)}   ").key == long_address(MAX_EMAIL)


@pytest.mark.parametrize("text", ["", " ", "\r\n", "\u00a0\u3000"])
def test_nothing_typed_is_said_to_be_empty(text: str) -> None:
    assert reason(text, SCHOOL) == "empty"


@pytest.mark.parametrize("text", ["a\x00da@school.example", "ada\x1b[2J@school.example", "a\nda@school.example"])
def test_control_characters_inside_an_address_are_refused(text: str) -> None:
    assert reason(text) == "control_characters"


@pytest.mark.parametrize("text", ["\ud800", "a\udfffda@school.example", "!\ud800;"])
def test_half_a_surrogate_pair_is_refused_with_and_without_card_formats(text: str) -> None:
    assert reason(text) == "control_characters"
    assert reason(text, CardFormat(whole=".*")) == "control_characters"


def test_a_swipe_of_ten_kilobytes_is_too_long_even_if_a_format_would_match_it() -> None:
    assert reason("9" * 10_240, CardFormat(whole=r"\d+")) == "too_long"
    assert read("9" * MAX_INPUT, formats(CardFormat(whole=r"\d+"))) == Card("9" * MAX_INPUT)


def test_a_nested_quantifier_is_harmless_on_a_long_input_that_does_not_match() -> None:
    # A back-tracking engine would still be at it when the sun goes out.
    assert reason("a" * (MAX_INPUT - 1) + "!", CardFormat(whole="^(a+)+$")) == "too_long"


# --- cards ---------------------------------------------------------------------------------------


def test_what_matches_a_card_format_is_a_card_and_never_an_address_rule_24() -> None:
    greedy = CardFormat(whole=r".+@.+")
    assert read("ada@school.example", formats(greedy)) == Card("ada@school.example")


def test_what_matches_no_card_format_is_a_typed_identifier_rule_24() -> None:
    found = read("ada@school.example", formats(SCHOOL))
    assert found == Email(typed="ada@school.example", key="ada@school.example")


def test_a_format_has_to_match_the_whole_swipe_rule_24() -> None:
    assert reason("x1234567890x", CardFormat(whole=r"\d{10}")) == "not_an_address"


def test_the_card_id_is_picked_out_of_the_swipe_rule_25() -> None:
    assert read("!9234708294300==124;", formats(SCHOOL)) == Card("347082")


@pytest.mark.parametrize("ending", ["\r", "\n", "\r\n"])
def test_the_enter_that_a_reader_sends_is_not_part_of_the_swipe_rule_25(ending: str) -> None:
    assert read("!9234708294300==124;" + ending, formats(SCHOOL)) == Card("347082")


def test_without_an_extracting_pattern_the_whole_swipe_is_the_card_id_rule_26() -> None:
    whole = CardFormat(whole=SCHOOL.whole)
    assert read("!9234708294300==124;", formats(whole)) == Card("!9234708294300==124;")


def test_only_the_first_match_of_the_extracting_pattern_counts_rule_27() -> None:
    twice = CardFormat(whole=r"^;\d+=\d+;$", extract=r"\d+")
    assert read(";347082=124;", formats(twice)) == Card("347082")


def test_only_the_first_group_of_the_extracting_pattern_counts_rule_27() -> None:
    groups = CardFormat(whole=r"^;\d+=\d+;$", extract=r"(\d+)=(\d+)")
    assert read(";347082=124;", formats(groups)) == Card("347082")


def test_extra_characters_of_a_swipe_may_be_cut_away_rule_28() -> None:
    assert read(";001234123400;:", formats(LIBRARY)) == Card("1234123")


def test_a_swipe_is_never_padded_to_meet_a_card_on_record_rule_29() -> None:
    on_record = Card("0012341234")
    assert read(";1234123400;", formats(SHORT)) != on_record


def test_leading_zeros_are_part_of_a_card_id_rule_30() -> None:
    assert read(";0012341234;", formats(SHORT)) == Card("0012341234")
    assert Card("0012341234") != Card("12341234")


def test_an_unknown_card_is_still_a_card_so_that_no_address_is_made_of_it_rule_31() -> None:
    assert read("!9999999999999==124;", formats(SCHOOL)) == Card("999999")


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("(unclosed", id="uncompilable"),
        pytest.param("[[:nothing:]]", id="no such class"),
        pytest.param(r"(\d)\1", id="back-reference"),
        pytest.param(r"\d+(?=;)", id="look-ahead"),
        pytest.param(r"(?<=;)\d+", id="look-behind"),
        pytest.param("((a{100}){100}){100}", id="explosive repetition"),
        pytest.param("", id="empty"),
        pytest.param("a" * (MAX_PATTERN + 1), id="too long"),
        pytest.param("\ud800", id="half a surrogate pair"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_when_it_is_set_rule_34(pattern: str) -> None:
    with pytest.raises(BadPattern, match="whole: "):
        compile_format(CardFormat(whole=pattern))
    with pytest.raises(BadPattern, match="extract: "):
        compile_format(CardFormat(whole=".*", extract=pattern))


def test_the_first_of_several_formats_that_matches_decides() -> None:
    loose = CardFormat(whole=r"^[;!].*$", extract=r"\d{3}")
    assert read("!9234708294300==124;", formats(SCHOOL, loose)) == Card("347082")
    assert read("!9234708294300==124;", formats(loose, SCHOOL)) == Card("923")
    assert read(";001234123400;:", formats(SCHOOL, LIBRARY)) == Card("1234123")


def test_a_format_whose_extracting_pattern_finds_nothing_lets_the_next_one_try() -> None:
    hopeless = CardFormat(whole=SCHOOL.whole, extract=r"(\d{20})")
    blank = CardFormat(whole=SCHOOL.whole, extract="(x)?")
    assert read("!9234708294300==124;", formats(hopeless, blank, SCHOOL)) == Card("347082")


def test_an_institution_has_a_limited_number_of_card_formats() -> None:
    compile_formats([SCHOOL] * MAX_FORMATS)
    with pytest.raises(BadPattern):
        compile_formats([SCHOOL] * (MAX_FORMATS + 1))


# --- passes --------------------------------------------------------------------------------------

ID = "0123456789ABCDEF0123456789ABCDEF"
ANYTHING = CardFormat(whole=r"(?s)^.*$")


@pytest.mark.parametrize(
    "text",
    [
        f"CHK1:{ID}",
        f"chk1:{ID.lower()}",
        f"Chk1:{ID}",
        f"  CHK1:{ID}\r\n",
        f"\u00a0CHK1:{ID}\t",
    ],
)
def test_a_pass_is_read_in_either_case_and_with_blanks_around_it(text: str) -> None:
    assert read(text, ()) == Pass(ID)


def test_a_pass_is_a_pass_even_where_a_card_format_would_match_it() -> None:
    assert read(f"CHK1:{ID}", formats(ANYTHING)) == Pass(ID)


def test_what_a_pass_shows_is_read_as_that_pass() -> None:
    assert Pass(ID).payload == f"{PASS_PREFIX}{ID}"
    assert read(Pass(ID).payload, ()) == Pass(ID)


@pytest.mark.parametrize(
    "text",
    [
        f"CHK1:{ID[:-1]}",
        f"CHK1:{ID}0",
        f"CHK1:{ID[:-1]}G",
        f"CHK2:{ID}",
        f"CHK1: {ID}",
        f"CHK1{ID}",
        f"CHK1:{ID[:16]} {ID[16:]}",
        f"xCHK1:{ID}",
        f"CHK1:{ID[:-1]}\u0663",
        ID,
        "CHK1:",
    ],
)
def test_a_near_miss_of_a_pass_is_none(text: str) -> None:
    assert reason(text) == "not_an_address"
    assert isinstance(read(text, formats(ANYTHING)), Card)
