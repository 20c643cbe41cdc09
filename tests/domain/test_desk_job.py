"""The rules of desk jobs: their transitions."""

from __future__ import annotations

from itertools import product

import pytest

from appliance.domain.desk_job import OPEN, TRANSITIONS, DeskJobEvent, DeskJobState, after
from appliance.domain.transitions import ImpossibleTransition


@pytest.mark.parametrize(("state", "event"), list(product([None, *DeskJobState], DeskJobEvent)))
def test_what_is_not_in_the_table_cannot_happen(state: DeskJobState | None, event: DeskJobEvent) -> None:
    if (state, event) in TRANSITIONS:
        assert after(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(ImpossibleTransition):
            after(state, event)


def test_every_state_is_reached_and_every_event_moves_something() -> None:
    assert set(TRANSITIONS.values()) == set(DeskJobState)
    assert {event for _, event in TRANSITIONS} == set(DeskJobEvent)


def test_what_is_over_stays_over_and_what_is_booked_is_never_given_up() -> None:
    for (state, event), then in TRANSITIONS.items():
        assert state is None or state in OPEN or then is state
        assert event is not DeskJobEvent.CANCELLED or state is DeskJobState.WAITING
