"""What is decided, without a disk or a screen."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import pytest

from kiosk import rules
from kiosk.rules import AlreadyIn, Noted, NotRecognised, SeeStaff, Welcome
from sync.identifiers import Card, Identifier, read_email
from tests.kiosk import builders as b

NEW = uuid4()
EMAIL = read_email(b.ADA_SCHOOL)
CARD = Card(b.ADA_CARD)


@dataclass
class Known:
    state: str = "active"
    greeting: str = "Ada"


@dataclass
class Earlier:
    id: UUID = b.FAIR
    since: datetime = b.NOON


@pytest.mark.parametrize("who", [EMAIL, CARD])
def test_somebody_known_is_welcome_once(who: Identifier) -> None:
    assert rules.decide(who, Known(), None, NEW) == Welcome("Ada", NEW)
    assert rules.decide(who, Known(), Earlier(), NEW) == AlreadyIn("Ada", b.FAIR, b.NOON)


def test_an_unknown_address_is_noted_and_an_unknown_card_is_not() -> None:
    assert rules.decide(EMAIL, None, None, NEW) == Noted(NEW)
    assert rules.decide(EMAIL, None, Earlier(), NEW) == AlreadyIn(None, b.FAIR, b.NOON)
    assert rules.decide(CARD, None, None, NEW) == NotRecognised("unknown_card")


@pytest.mark.parametrize("earlier", [None, Earlier()])
def test_a_disabled_student_is_for_staff_whatever_was_before(earlier: Earlier | None) -> None:
    assert rules.decide(EMAIL, Known("disabled"), earlier, NEW) == SeeStaff("disabled")


def test_the_same_form_again_gets_the_same_answer() -> None:
    assert rules.again(Known(), Earlier()) == Welcome("Ada", b.FAIR)
    assert rules.again(None, Earlier()) == Noted(b.FAIR)


def test_a_name_nobody_gave_is_still_a_person() -> None:
    assert rules.decide(EMAIL, Known(greeting=""), None, NEW) == Welcome("", NEW)
