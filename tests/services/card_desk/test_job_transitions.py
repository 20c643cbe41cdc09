"""What can happen to a desk job in each of its states: the table of the domain against what the desk really does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import product

import pytest

from appliance.domain.cards.tag import Trouble
from appliance.domain.desk_job import TRANSITIONS, DeskJobEvent, DeskJobState
from appliance.domain.errors import Refusal
from appliance.services.card_desk import jobs, taps
from tests.support.desk_fixture import DeskFixture
from tests.support.one_desk import Chip

BATCH = frozenset({DeskJobEvent.NEXT, DeskJobEvent.ANSWERED})
"""What happens to stacks of cards; all else is tried with one card for somebody."""
OTHERWISE = {
    (DeskJobState.WAITING, DeskJobEvent.ASKED): DeskJobState.FAILED,  # Nobody can mean both.
    (DeskJobState.WAITING, DeskJobEvent.RETURNED): DeskJobState.WRITING,  # It is laid for the first time.
    (DeskJobState.WRITING, DeskJobEvent.BOOKED): DeskJobState.WRITING,
}
"""What is done is another event in these states."""


class Story:
    """One job, and the card it is about."""

    def __init__(self, desk: DeskFixture, *, stack: bool) -> None:
        self.desk = desk
        self.stack = stack
        self.chip = Chip("04A1B2C3D4E580")
        self.others = (Chip("04A1B2C3D4E581"), Chip("04A1B2C3D4E582"))

    # --- how a job comes into each state; its number

    def none(self) -> int:
        return 0

    def asked(self) -> int:
        if self.stack:
            return self.desk.begin(jobs.begin_batch, 3, group=self.desk.books.group())
        return self.desk.issue(topup_minor=5_000)

    def waiting(self) -> int:
        job = self.asked()
        if self.stack:
            self.desk.lay(self.others[0])
        return job

    def writing(self) -> int:
        job = self.waiting()
        self.desk.tap(self.chip)
        return job

    def torn(self) -> int:
        job = self.waiting()
        self.desk.lay(self.chip, Trouble.TORN)
        return job

    def done(self) -> int:
        job = self.waiting()
        self.desk.lay(self.chip)
        if self.stack:
            self.desk.lay(self.others[1])
        return job

    def failed(self) -> int:
        job = self.asked()
        self.desk.cancel(job)
        return job

    # --- what may happen

    def agree(self, job: int) -> None:
        found = self.desk.job(job)
        if found.state is DeskJobState.TORN:
            self.desk.accept(job)
        elif found.card_id is not None:
            taps.written(self.desk.db, found.card_id, self.desk.books.now_ms)

    def miss(self, job: int) -> None:
        found = self.desk.job(job)
        if found.card_id is not None:
            self.desk.fail(found.card_id, Trouble.GONE)

    def happen(self, job: int, event: DeskJobEvent) -> None:
        desk = self.desk
        actions: dict[DeskJobEvent, Callable[[], object]] = {
            DeskJobEvent.ASKED: self.asked,
            DeskJobEvent.OBJECTED: lambda: desk.tap(Chip("08A1B2C3", random=True)),
            DeskJobEvent.BOOKED: lambda: desk.tap(self.chip),
            DeskJobEvent.RETURNED: lambda: desk.tap(self.chip),
            DeskJobEvent.MISSED: lambda: self.miss(job),
            DeskJobEvent.AGREED: lambda: self.agree(job),
            DeskJobEvent.NEXT: lambda: desk.lay(self.chip),
            DeskJobEvent.ANSWERED: lambda: desk.cancel(job),
            DeskJobEvent.CANCELLED: lambda: desk.cancel(job),
            DeskJobEvent.UNDONE: lambda: desk.undo(job),
        }
        with suppress(Refusal):
            actions[event]()


PAIRS = [
    (state, event)
    for state, event in product(DeskJobState, DeskJobEvent)
    if (state, event) != (DeskJobState.TORN, DeskJobEvent.BOOKED)  # It is the same tap as RETURNED.
]


@pytest.mark.parametrize(("state", "event"), PAIRS)
def test_what_happens_is_what_the_table_says_and_what_it_does_not_say_changes_nothing(
    desk: DeskFixture, state: DeskJobState, event: DeskJobEvent
) -> None:
    story = Story(desk, stack=event in BATCH)
    job = getattr(story, state)()
    assert desk.job(job).state is state

    story.happen(job, event)

    assert desk.job(job).state is (TRANSITIONS.get((state, event)) or OTHERWISE.get((state, event), state))
    if desk.job(job).state is DeskJobState.WRITING:
        desk.lay(story.chip)  # What is reported while a card is torn is cleared when it has been written.


def test_a_new_job_waits(desk: DeskFixture) -> None:
    assert desk.job(desk.issue()).state is TRANSITIONS[None, DeskJobEvent.ASKED]
