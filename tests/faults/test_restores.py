"""A hub may be set back to any earlier moment; and a way to speak to it that forgets why is found out."""

from uuid import UUID

import pytest

from sync.errors import Gap, HubBusy
from sync.messages import FeedPage, Push, PushAnswer
from tests.faults.outcome import Effort
from tests.faults.restores import InProcess, attempt, restores

A_LITTLE = Effort(seed=1, scale=0.01)


def test_a_hub_that_is_set_back_loses_nothing_and_nobody_has_to_do_anything() -> None:
    outcome = restores(A_LITTLE)

    assert outcome.well, outcome


class OnlyPositions(InProcess):
    """A kiosk that names its position, and not the change that it stands at."""

    def pull(self, epoch: UUID | None, after: int, mark: UUID | None) -> FeedPage | None:
        return super().pull(epoch, after, None)


class NoGap(InProcess):
    """A hub that does not say how far it holds a stream."""

    def push(self, stream_id: UUID, push: Push) -> PushAnswer:
        try:
            return super().push(stream_id, push)
        except Gap as error:
            raise HubBusy() from error


@pytest.mark.parametrize(("broken", "symptom"), [(OnlyPositions, "diverged"), (NoGap, "lost")])
def test_what_forgets_why_is_found_out(broken: type[InProcess], symptom: str) -> None:
    outcome = attempt(A_LITTLE, broken)

    assert outcome.wrong[symptom] > 0, outcome
