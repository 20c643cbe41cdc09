"""Charging stations, and what their connectors are doing: the status of a connector, and the charging state beside it.

A connector is `Occupied` from the cable's coming to its going. What happens meanwhile is told by the charging state, which it
has from the first transaction on: without one, a car waits for its driver; `EVConnected` without energy is a car that is done.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol, TypeVar

EVSE_MAX = 1000
"""More than this no station has."""


class StationState(StrEnum):
    """Who let it in."""

    KNOCKING = "knocking"
    APPROVED = "approved"
    RETIRED = "retired"


WITH_PASSWORD = 1
"""The security profile of stations that show a password, over whatever line."""
WITH_CERTIFICATE = 3
"""The security profile of stations that prove who they are by a certificate of their own."""


class ConnectorStatus(StrEnum):
    """Whether a connector can be had (OCPP 2.x, ConnectorStatusEnum)."""

    AVAILABLE = "Available"
    OCCUPIED = "Occupied"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"
    UNKNOWN = ""
    """None of these: what the station said is its finer word."""


OCCUPIED, AVAILABLE, FAULTED = ConnectorStatus.OCCUPIED, ConnectorStatus.AVAILABLE, ConnectorStatus.FAULTED
"""By names of their own, for each status asks for them, and a member of an enum takes longer to look up than to compare."""


class ChargingState(StrEnum):
    """What a transaction does at an occupied connector (OCPP 2.x, ChargingStateEnum)."""

    CHARGING = "Charging"
    EV_CONNECTED = "EVConnected"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    IDLE = "Idle"
    """The cable is not in the car."""
    NONE = ""
    """No transaction has told of one since the cable came."""


TAKES_THE_PLACE = frozenset({ChargingState.SUSPENDED_EV, ChargingState.EV_CONNECTED})


def cable_is_in(status: str, charging_state: str) -> bool:
    """Whether a car hangs at the connector."""
    return status == ConnectorStatus.OCCUPIED and charging_state != ChargingState.IDLE


def takes_the_place(charging_state: str) -> bool:
    """Whether the car is full, done or has paused by itself, and stays. SuspendedEVSE is the site's doing: never the car's."""
    return charging_state in TAKES_THE_PLACE


def is_paused(charging_state: str) -> bool:
    """Whether the station, or the site, gives the car nothing."""
    return charging_state == ChargingState.SUSPENDED_EVSE


def may_start(status: str, charging_state: str) -> bool:
    """Whether somebody may begin to charge here: it is free, or the car has waited since it came."""
    return status == ConnectorStatus.AVAILABLE or waits_for_driver(status, charging_state)


def waits_for_driver(status: str, charging_state: str) -> bool:
    """Whether a cable came, and no transaction has followed yet."""
    return status == ConnectorStatus.OCCUPIED and charging_state == ChargingState.NONE


def is_faulted(status: str) -> bool:
    """Whether it reports a fault."""
    return status == FAULTED


def status_word(status: str, finer: str) -> str:
    """The status as programs are told it: in the station's finer word, where it has one."""
    return finer or status


def is_parked(status: str, charging_state: str, finer: str, *, changed_at_ms: int, ended_at_ms: int) -> bool:
    """Whether the car of a session that ended there last, at `ended_at_ms`, hangs at the connector still.

    Stations without finer words leave the charging state as it was, or never tell one; then it is the car that was there
    before the end.
    """
    if not cable_is_in(status, charging_state):
        return False
    if charging_state == ChargingState.EV_CONNECTED:
        return True
    return not finer and (charging_state != ChargingState.NONE or changed_at_ms <= ended_at_ms)


class HasStatus(Protocol):
    """A connector as some layer keeps it."""

    @property
    def connector(self) -> int: ...

    @property
    def status(self) -> str: ...

    @property
    def charging_state(self) -> str: ...


OneConnector = TypeVar("OneConnector", bound=HasStatus)


def connector_in_use(connectors: Iterable[OneConnector]) -> OneConnector:
    """Of an EVSE's connectors the one at which the car hangs; without a car one that is free, or else the first."""
    return min(
        connectors,
        key=lambda one: (
            not cable_is_in(one.status, one.charging_state),
            one.status != ConnectorStatus.AVAILABLE,
            one.connector,
        ),
    )
