"""Charging stations and the status of their connectors."""

from __future__ import annotations

from enum import StrEnum

EVSE_MAX = 1000
"""More than this no station has."""


class StationState(StrEnum):
    """Who let it in."""

    KNOCKING = "knocking"
    APPROVED = "approved"
    RETIRED = "retired"


class ConnectorStatus(StrEnum):
    """What a connector is doing. OCPP 2.x tells some of these apart through the transaction's charging state."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


IDLE = frozenset({ConnectorStatus.SUSPENDED_EV, ConnectorStatus.FINISHING})
"""The car is full or has paused by itself, and still takes the place. SuspendedEVSE is the site's doing: never idle."""

CABLE_IN = IDLE | {ConnectorStatus.PREPARING, ConnectorStatus.CHARGING, ConnectorStatus.SUSPENDED_EVSE}
