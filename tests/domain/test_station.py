"""What a connector's status and charging state mean."""

from __future__ import annotations

import pytest

from appliance.domain.station import (
    ChargingState,
    ConnectorStatus,
    cable_is_in,
    is_parked,
    may_start,
    status_word,
    takes_the_place,
)

OCCUPIED = ConnectorStatus.OCCUPIED


@pytest.mark.parametrize("status", ConnectorStatus)
@pytest.mark.parametrize("state", ChargingState)
def test_a_car_hangs_where_it_is_occupied_and_the_cable_is_in_the_car(
    status: ConnectorStatus, state: ChargingState
) -> None:
    assert cable_is_in(status, state) == (status is OCCUPIED and state is not ChargingState.IDLE)


def test_only_a_car_that_is_done_or_paused_by_itself_takes_the_place() -> None:
    assert {state for state in ChargingState if takes_the_place(state)} == {
        ChargingState.SUSPENDED_EV, ChargingState.EV_CONNECTED
    }  # fmt: skip


def test_one_may_start_where_it_is_free_or_a_car_waits_since_it_came() -> None:
    startable = {
        (status, state) for status in ConnectorStatus for state in ChargingState if may_start(status, state)
    } - {(ConnectorStatus.AVAILABLE, state) for state in ChargingState}  # fmt: skip

    assert startable == {(OCCUPIED, ChargingState.NONE)}


@pytest.mark.parametrize(
    ("status", "state", "finer", "changed_at_ms", "parked"),
    [
        ("Occupied", "EVConnected", "Finishing", 500, True),
        ("Occupied", "", "Preparing", 50, False),
        ("Occupied", "Charging", "Charging", 50, False),
        ("Available", "", "", 50, False),
        ("Occupied", "EVConnected", "", 50, True),
        ("Occupied", "SuspendedEV", "", 500, True),
        ("Occupied", "Idle", "", 50, False),
        ("Occupied", "", "", 50, True),
        ("Occupied", "", "", 500, False),
    ],
)
def test_a_car_is_parked_if_it_is_the_one_of_the_session_that_ended(
    status: str, state: str, finer: str, changed_at_ms: int, parked: bool
) -> None:
    assert is_parked(status, state, finer, changed_at_ms=changed_at_ms, ended_at_ms=100) is parked


def test_programs_are_told_the_finer_word_where_there_is_one() -> None:
    assert (status_word("Occupied", "Preparing"), status_word("Occupied", "")) == ("Preparing", "Occupied")
