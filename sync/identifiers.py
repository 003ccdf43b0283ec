"""What was typed, scanned or swiped, and which `Email`, `Card` or `Pass` it is. The only place that knows. Pure.

Two addresses are the same when their `key` is the same. The key folds only what cannot make two people one:
surrounding blanks, Unicode composition (NFC), the case of the local part and the spelling of the domain
(IDNA, lower case). A full-width @, Cyrillic letters, ß, dots and plus tags stay what they are.

Card patterns run on RE2, whose matching time grows linearly with the input whatever the pattern: one that would
need back-tracking (back-references, look-around) cannot be compiled, and so is refused when it is set.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import re2

from sync.errors import BadPattern, Unreadable
from sync.messages import CardFormat

MAX_EMAIL = 254
"""The longest address that can travel through SMTP (RFC 5321, erratum 1690), in characters."""
MAX_INPUT = 1024
"""No card reader we know sends more characters than this in one swipe."""
MAX_PATTERN = 500
MAX_FORMATS = 20
PASS_PREFIX = "CHK1:"  # noqa: S105 - a mark, no secret
"""What a QR pass begins with; capital letters and digits only, which makes the smallest code."""

BLANKS = " \t\r\n\u00a0\u2007\u202f\u3000"
_PASS = re.compile(r"CHK1:([0-9A-F]{32})", re.ASCII)
_PLAIN = re.compile(
    r"(?=[^@]{1,64}@)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?!xn--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.(?!xn--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Email:
    """An address: `typed` as it was given (blanks stripped), `key` for look-up and comparison only."""

    typed: str
    key: str

    @property
    def domain(self) -> str:
        """The domain in its ASCII (IDNA) form, lower case."""
        return self.key.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Card:
    """A card id, compared as text: leading zeros count, nothing is ever padded (RULE-29, RULE-30)."""

    id: str


@dataclass(frozen=True, slots=True)
class Pass:
    """A pass that the hub issued, shown as a QR code: 32 hexadecimal digits, upper case."""

    id: str

    @property
    def payload(self) -> str:
        """What its code says."""
        return PASS_PREFIX + self.id


Identifier = Email | Card | Pass


@dataclass(frozen=True, slots=True)
class CompiledFormat:
    """A card format ready for use. Made by `compile_format`, which refuses what cannot be used."""

    whole: "re2._Regexp[str]"
    extract: "re2._Regexp[str] | None"

    def card_id(self, swipe: str) -> str | None:
        """The card id in `swipe`, or None when the swipe is not of this format.

        Without an extracting pattern the whole swipe is the id (RULE-26); with one, only its first match counts
        (RULE-27): the first group if the pattern has groups, else the whole match.
        """
        if self.whole.fullmatch(swipe) is None:
            return None
        if self.extract is None:
            return swipe
        match = self.extract.search(swipe)
        if match is None:
            return None
        return (match.group(1) if self.extract.groups else match.group(0)) or None


def compile_format(card_format: CardFormat) -> CompiledFormat:
    """The format ready for use.

    Raises `BadPattern` naming the pattern when one cannot be compiled or would need back-tracking (RULE-34).
    """
    extract = card_format.extract
    return CompiledFormat(
        whole=_compile("whole", card_format.whole),
        extract=None if extract is None else _compile("extract", extract),
    )


def compile_formats(card_formats: Iterable[CardFormat]) -> tuple[CompiledFormat, ...]:
    """All formats of an institution ready for use, in order. Raises `BadPattern`."""
    compiled = tuple(compile_format(each) for each in card_formats)
    if len(compiled) > MAX_FORMATS:
        raise BadPattern(f"at most {MAX_FORMATS} card formats")
    return compiled


def read(text: str, formats: Iterable[CompiledFormat]) -> Identifier:
    """Which identifier `text` is: a pass if it is one of ours, a card if any format matches all of it, else an address
    (RULE-24).

    The first format that matches decides. Raises `Unreadable` with reason `empty`, `too_long`, `control_characters`
    or `not_an_address`.
    """
    if len(text) > MAX_INPUT:
        raise Unreadable("too_long")
    if not _is_text(text):
        raise Unreadable("control_characters")
    a_pass = _PASS.fullmatch(text.strip(BLANKS).upper())
    if a_pass is not None:
        return Pass(a_pass.group(1))
    swipe = text.strip("\r\n")
    for each in formats:
        card_id = each.card_id(swipe)
        if card_id is not None:
            return Card(card_id)
    return read_email(text)


def read_email(text: str) -> Email:
    """The address in `text`.

    Raises `Unreadable` with reason `empty`, `too_long`, `control_characters` or `not_an_address`.
    """
    typed = text.strip(BLANKS)
    if not typed:
        raise Unreadable("empty")
    if len(typed) > MAX_EMAIL:
        raise Unreadable("too_long")
    if _PLAIN.fullmatch(typed):
        return Email(typed, typed.lower())
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in typed):
        raise Unreadable("control_characters")
    return _read_unusual(unicodedata.normalize("NFC", typed))


def read_domain(text: str) -> str:
    """A mail domain in its ASCII (IDNA), lower-case form. Raises `Unreadable("not_a_domain")`."""
    try:
        return read_email(f"postmaster@{text.strip(BLANKS).lstrip('@')}").domain
    except Unreadable as error:
        raise Unreadable("not_a_domain") from error


def _is_text(text: str) -> bool:
    # Half a surrogate pair is no letter: it cannot be matched, hashed or sent.
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _read_unusual(typed: str) -> Email:
    # Imported when first needed: a kiosk's start should not wait for what few addresses need.
    from email_validator import EmailNotValidError, validate_email

    try:
        parsed = validate_email(typed, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise Unreadable("not_an_address") from error
    domain = parsed.ascii_domain or parsed.domain
    return Email(typed, f"{_fold(parsed.local_part)}@{domain.lower()}")


def _fold(local: str) -> str:
    # Letter by letter, because str.casefold would make ß equal to ss, and str.lower of a whole word
    # turns its last sigma into another letter.
    return unicodedata.normalize("NFC", "".join(char.lower() for char in local))


def _compile(which: str, pattern: str) -> "re2._Regexp[str]":
    if not pattern or len(pattern) > MAX_PATTERN:
        raise BadPattern(f"{which}: a pattern has 1 to {MAX_PATTERN} characters")
    if not _is_text(pattern):
        raise BadPattern(f"{which}: half a surrogate pair is no letter")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0]
        said = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise BadPattern(f"{which}: {said}") from error
