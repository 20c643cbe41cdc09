"""What services ask of charging stations."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from appliance.domain.id_token import IdToken
from appliance.domain.identifiers import StationId
from appliance.domain.transaction import TransactionRef


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """What a station said to a command. Accepted means that it will try, not that it has happened."""

    accepted: bool
    status: str
    """The station's word: Accepted, Rejected, Scheduled, RebootRequired, Unlocked, UnlockFailed, NotSupported …"""


class VariableName(NamedTuple):
    """What a setting inside a station is called: component and variable in 2.x, a key of no component before."""

    variable: str
    component: str = ""

    def __str__(self) -> str:
        return f"{self.component}.{self.variable}" if self.component else self.variable


@dataclass(frozen=True, slots=True)
class Variable:
    """A setting inside a station."""

    name: VariableName
    value: str | None
    """None: it has no value, or does not tell; and always of a secret."""
    readonly: bool


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a station measures while it charges, as far as it says."""

    interval_s: int | None
    """None: it does not say; 0: never."""
    tells_register: bool | None
    """Whether its readings tell what its meter says, or what was taken since the one before; None: it does not say."""


@dataclass(frozen=True, slots=True)
class SpokenVersion:
    """A version of OCPP that stations may speak here."""

    version: str
    subprotocol: str
    messages: tuple[str, ...]
    """To be looked for in the message log."""
    triggers: tuple[str, ...]
    """What a station may be asked to send."""


class FailureKind(StrEnum):
    """Why there is no answer to a command. After `TIMEOUT`, `LOST` and `UNREADABLE` nobody knows whether the station has obeyed;
    after the others it has not.
    """

    OFFLINE = "offline"
    NOT_SENT = "not_sent"
    TIMEOUT = "timeout"
    LOST = "lost"
    """The connection, after the command was sent."""
    UNREADABLE = "unreadable"
    """It answered, but nobody can read what."""
    BUSY = "busy"
    REFUSED = "refused"
    UNSUPPORTED = "unsupported"


class CommandFailed(Exception):
    """No answer to a command."""

    def __init__(self, kind: FailureKind, description: str, code: str = "") -> None:
        super().__init__(description)
        self.kind = kind
        self.description = description
        self.code = code
        """The OCPP error code of a CALLERROR, when it was refused."""

    @property
    def outcome_unknown(self) -> bool:
        """Whether the station may have obeyed all the same."""
        return self.kind in (FailureKind.TIMEOUT, FailureKind.LOST, FailureKind.UNREADABLE)


class Stations(Protocol):
    """The charging stations, as commands reach them. Every command may raise CommandFailed."""

    def is_online(self, station: StationId) -> bool:
        """Whether it has a connection now."""

    def online(self) -> frozenset[StationId]:
        """All stations with a connection."""

    def versions(self) -> tuple[SpokenVersion, ...]:
        """The versions of OCPP that stations may speak, the oldest first."""

    async def remote_start(self, station: StationId, evse: int, id_token: IdToken) -> CommandAnswer:
        """Start a transaction for `id_token`; `evse` 0 lets the station choose."""

    async def remote_stop(self, station: StationId, ref: TransactionRef) -> CommandAnswer:
        """End a transaction."""

    async def unlock(self, station: StationId, evse: int, connector: int) -> CommandAnswer:
        """Let go of the cable."""

    async def reset(self, station: StationId, *, hard: bool) -> CommandAnswer:
        """Restart the station."""

    async def set_operative(self, station: StationId, evse: int, operative: bool) -> CommandAnswer:
        """Put an EVSE, or with 0 the station, into or out of service."""

    async def clear_cache(self, station: StationId) -> CommandAnswer:
        """Forget which id tokens were accepted before."""

    async def trigger(self, station: StationId, message: str, evse: int | None = None) -> CommandAnswer:
        """Send a message now: one of the `triggers` of its version."""

    async def get_variables(self, station: StationId, names: list[VariableName]) -> list[Variable]:
        """The settings named, or all."""

    async def set_variable(self, station: StationId, name: VariableName, value: str) -> CommandAnswer:
        """Change a setting."""

    async def set_password(self, station: StationId, password: str) -> CommandAnswer:
        """Have it prove itself by this password from its next connection on: 40 hexadecimal digits, which stations
        take for text or for 20 bytes.
        """

    async def read_sampling(self, station: StationId) -> Sampling:
        """How it measures while it charges."""

    async def set_sampling(self, station: StationId, interval_s: int) -> Sampling:
        """Let it measure so often at least, and tell its meter's register; nothing else is changed. How it measures then."""

    async def read_power(self, station: StationId) -> int | None:
        """The most that any of its connectors can give (W), by its own settings; None: they do not say."""

    async def count_evses(self, station: StationId) -> int | None:
        """How many EVSEs it has, by its own settings; None: it does not say."""

    async def raw_call(self, station: StationId, action: str, payload: Any) -> Any:
        """Send any call as it is, unvalidated; the payload of the answer."""

    async def forget_card(self, station: StationId, tokens: tuple[str, ...]) -> CommandAnswer:
        """Forget cards that must not charge any more: the cache is cleared, and a local list, if there is one, corrected."""
