"""What is decided, without a disk or a screen."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import pytest

from kiosk.rules import verdicts
from kiosk.rules.verdicts import AlreadyIn, Noted, NotRecognised, Occasion, SeeStaff, Welcome
from sync.identifiers import Card, Identifier, read_email
from tests.kiosk import builders as b

NEW = uuid4()
EMAIL = read_email(b.ADA_SCHOOL)
CARD = Card(b.ADA_CARD)
OPEN = Occasion(b.session(), (), b.NOON)


@dataclass
class Known:
    state: str = "active"
    greeting: str = "Ada"
    registered: tuple[UUID, ...] = ()


@dataclass
class Earlier:
    id: UUID = b.FAIR
    since: datetime = b.NOON


@pytest.mark.parametrize("who", [EMAIL, CARD])
def test_somebody_known_is_welcome_once(who: Identifier) -> None:
    assert verdicts.decide(who, Known(), None, OPEN, NEW) == Welcome("Ada", NEW)
    assert verdicts.decide(who, Known(), Earlier(), OPEN, NEW) == AlreadyIn("Ada", b.FAIR, b.NOON)


def test_an_unknown_address_is_noted_and_an_unknown_card_is_not() -> None:
    assert verdicts.decide(EMAIL, None, None, OPEN, NEW) == Noted(NEW)
    assert verdicts.decide(EMAIL, None, Earlier(), OPEN, NEW) == AlreadyIn(None, b.FAIR, b.NOON)
    assert verdicts.decide(CARD, None, None, OPEN, NEW) == NotRecognised("unknown_card")


@pytest.mark.parametrize("earlier", [None, Earlier()])
def test_a_disabled_student_is_for_staff_whatever_was_before(earlier: Earlier | None) -> None:
    assert verdicts.decide(EMAIL, Known("disabled"), earlier, OPEN, NEW) == SeeStaff("disabled")


def test_the_same_form_again_gets_the_same_answer() -> None:
    assert verdicts.again(Known(), Earlier(), leaving=False) == Welcome("Ada", b.FAIR)
    assert verdicts.again(None, Earlier(), leaving=False) == Noted(b.FAIR)


def test_a_name_nobody_gave_is_still_a_person() -> None:
    assert verdicts.decide(EMAIL, Known(greeting=""), None, OPEN, NEW) == Welcome("", NEW)
