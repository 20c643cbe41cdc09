"""What charging stations tell, whatever version of OCPP they tell it in. Edges translate to these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from appliance.domain.id_token import IdTokenType
from appliance.domain.meter import Reading
from appliance.domain.moments import Source
from appliance.domain.station import ChargingState, ConnectorStatus
from appliance.domain.transaction import TransactionRef


@dataclass(slots=True)
class StationBooted:
    """It says who it is after a start."""

    vendor: str
    model: str
    serial: str
    firmware: str
    received_at_ms: int
    part: str = ""
    """The serial number of a part, its SIM or its meter, which tells it from others where it has none of its own."""


@dataclass(slots=True)
class StatusChanged:
    """A connector, or with `evse` 0 the whole station, is in another state."""

    evse: int
    connector: int
    status: ConnectorStatus
    error_code: str
    info: str
    at_ms: int
    """The station's word where it can be believed, else when we heard of it."""
    received_at_ms: int
    charging_state: ChargingState = ChargingState.NONE
    """NONE without a finer word: it is told with the transaction (ChargingStateChanged), and stays while the cable does."""
    finer: str = ""
    """The station's own word, where its version of OCPP has finer ones, or where it is no word that we know."""
    superseded: bool = False
    """It waited in the station's queue, and what holds now was told before."""


@dataclass(slots=True)
class ChargingStateChanged:
    """A transaction tells whether energy flows at its EVSE."""

    evse: int
    charging_state: ChargingState
    at_ms: int
    received_at_ms: int


@dataclass(slots=True)
class TransactionStarted:
    """Energy may flow. In 1.6 it has no name yet: the answer gives it one."""

    evse: int
    id_token: str
    """In normal form."""
    meter_start_wh: int
    at_ms: int
    """When it began, as far as is known."""
    received_at_ms: int
    id_token_type: IdTokenType = IdTokenType.UNKNOWN
    stamp_ms: int | None = None
    """What the station's clock showed, which makes it this start when it comes again; None: `at_ms`."""
    source: Source = Source.QUEUE
    connected_at_ms: int = 0
    """Since when its station is connected."""
    meter_start_mwh: int | None = None
    """The register in thousandths of Wh, where it was told with a fraction; `meter_start_wh` is rounded."""


@dataclass(slots=True)
class TransactionStartedInPart:
    """Energy may flow, but the message says not all that a start says."""

    evse: int
    """0: it does not say."""
    id_token: str
    """In normal form; "": it does not say."""
    meter_start_wh: int | None
    at_ms: int
    received_at_ms: int


@dataclass(slots=True)
class MeterRead:
    """Readings, of a transaction or (`ref` None) of an EVSE."""

    ref: TransactionRef | None
    evse: int
    readings: Sequence[Reading]
    received_at_ms: int
    source: Source = Source.QUEUE


@dataclass(slots=True)
class TransactionEnded:
    """It is over."""

    ref: TransactionRef
    id_token: str | None
    """Who stopped it, in normal form; None when nobody did."""
    meter_stop_wh: int | None
    """None: unreadable; then the session's readings decide."""
    at_ms: int
    reason: str
    readings: Sequence[Reading]
    received_at_ms: int
    id_token_type: IdTokenType = IdTokenType.UNKNOWN
    stamp_ms: int | None = None
    """What the station's clock showed; None: `at_ms`."""
    source: Source = Source.QUEUE
    meter_stop_mwh: int | None = None
    """As that of a start."""
    away: tuple[int, int] | None = None
    """From when to when its station was not there before it told this; from 0: it was never there before. None: not known."""


class Stage(StrEnum):
    """Where in a transaction a message stands."""

    STARTED = "started"
    UPDATED = "updated"
    ENDED = "ended"


@dataclass(slots=True)
class TransactionEvent:
    """A message of a transaction that its station names itself (OCPP 2.x): its start, something that happened, or its end."""

    ref: str
    seq_no: int | None
    """Messages of a transaction are numbered from 0; None: the station does not."""
    stage: Stage
    evse: int
    """0: it does not say."""
    id_token: str
    """The card that was shown, in normal form; "": none was."""
    register_wh: int | None
    """The main register at the start or the end, if it is one of these and says so."""
    at_ms: int
    reason: str
    """Of an end."""
    readings: Sequence[Reading]
    received_at_ms: int
    id_token_type: IdTokenType = IdTokenType.UNKNOWN
