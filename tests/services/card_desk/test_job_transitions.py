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
from tests.support.desk_bench import Bench
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

    def __init__(self, bench: Bench, *, stack: bool) -> None:
        self.bench = bench
        self.stack = stack
        self.chip = Chip("04A1B2C3D4E580")
        self.others = (Chip("04A1B2C3D4E581"), Chip("04A1B2C3D4E582"))

    # --- how a job comes into each state; its number

    def none(self) -> int:
        return 0

    def asked(self) -> int:
        if self.stack:
            return self.bench.begin(jobs.begin_batch, 3, group=self.bench.books.group())
        return self.bench.issue(topup_minor=5_000)

    def waiting(self) -> int:
        job = self.asked()
        if self.stack:
            self.bench.lay(self.others[0])
        return job

    def writing(self) -> int:
        job = self.waiting()
        self.bench.tap(self.chip)
        return job

    def torn(self) -> int:
        job = self.waiting()
        self.bench.lay(self.chip, Trouble.TORN)
        return job

    def done(self) -> int:
        job = self.waiting()
        self.bench.lay(self.chip)
        if self.stack:
            self.bench.lay(self.others[1])
        return job

    def failed(self) -> int:
        job = self.asked()
        self.bench.cancel(job)
        return job

    # --- what may happen

    def agree(self, job: int) -> None:
        found = self.bench.job(job)
        if found.state is DeskJobState.TORN:
            self.bench.accept(job)
        elif found.card_id is not None:
            taps.written(self.bench.db, found.card_id, self.bench.books.now_ms)

    def miss(self, job: int) -> None:
        found = self.bench.job(job)
        if found.card_id is not None:
            self.bench.fail(found.card_id, Trouble.GONE)

    def happen(self, job: int, event: DeskJobEvent) -> None:
        bench = self.bench
        actions: dict[DeskJobEvent, Callable[[], object]] = {
            DeskJobEvent.ASKED: self.asked,
            DeskJobEvent.OBJECTED: lambda: bench.tap(Chip("08A1B2C3", random=True)),
            DeskJobEvent.BOOKED: lambda: bench.tap(self.chip),
            DeskJobEvent.RETURNED: lambda: bench.tap(self.chip),
            DeskJobEvent.MISSED: lambda: self.miss(job),
            DeskJobEvent.AGREED: lambda: self.agree(job),
            DeskJobEvent.NEXT: lambda: bench.lay(self.chip),
            DeskJobEvent.ANSWERED: lambda: bench.cancel(job),
            DeskJobEvent.CANCELLED: lambda: bench.cancel(job),
            DeskJobEvent.UNDONE: lambda: bench.undo(job),
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
    bench: Bench, state: DeskJobState, event: DeskJobEvent
) -> None:
    story = Story(bench, stack=event in BATCH)
    job = getattr(story, state)()
    assert bench.job(job).state is state

    story.happen(job, event)

    assert bench.job(job).state is (TRANSITIONS.get((state, event)) or OTHERWISE.get((state, event), state))
    if bench.job(job).state is DeskJobState.WRITING:
        bench.lay(story.chip)  # What is reported while a card is torn is cleared when it has been written.


def test_a_new_job_waits(bench: Bench) -> None:
    assert bench.job(bench.issue()).state is TRANSITIONS[None, DeskJobEvent.ASKED]
