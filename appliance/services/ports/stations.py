"""What services ask of the edges: small protocols, to which `server.py` hands the bodies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from appliance.domain.cards.tag import ReaderState, Seen
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
class SpokenVersion:
    """A version of OCPP that stations may speak here."""

    version: str
    subprotocol: str
    messages: tuple[str, ...]
    """To be looked for in the message log."""
    triggers: tuple[str, ...]
    """What a station may be asked to send."""


class CommandFailed(Exception):
    """No answer to a command. `kind` is `offline`, `not_sent`, `timeout`, `lost`, `busy`, `refused` or `unsupported`.

    After `timeout` and `lost` nobody knows whether the station has obeyed; after the others it has not.
    """

    def __init__(self, kind: str, description: str, code: str = "") -> None:
        super().__init__(description)
        self.kind = kind
        self.description = description
        self.code = code
        """The OCPP error code of a CALLERROR, with `kind` "refused"."""

    @property
    def outcome_unknown(self) -> bool:
        """Whether the station may have obeyed all the same."""
        return self.kind in ("timeout", "lost")


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

    async def raw_call(self, station: StationId, action: str, payload: Any) -> Any:
        """Send any call as it is, unvalidated; the payload of the answer."""

    async def forget_card(self, station: StationId, tokens: tuple[str, ...]) -> CommandAnswer:
        """Forget cards that must not charge any more: the cache is cleared, and a local list, if there is one, corrected."""


class CannotOpen(Exception):
    """What was sealed is of another key or another purpose, or was changed."""


class Vault(Protocol):
    """Seals what the site keeps secret for others. Where its key is lost there is no vault."""

    def seal(self, purpose: str, plain: bytes) -> bytes:
        """Something that only the same vault opens, and only for the same purpose."""

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """What was sealed; CannotOpen otherwise."""


@dataclass(frozen=True, slots=True)
class DeskView:
    """A card desk as it is now."""

    id: str
    """What it is called in addresses: `ttyUSB0`, `pts-3`, `office` …"""
    name: str
    """What people call it."""
    remote: bool
    reader: ReaderState
    seen: Seen | None
    """The card that lies there."""


class Channel(Protocol):
    """A connection to a desk on another computer: texts in both directions, in order."""

    async def send(self, text: str) -> None:
        """Send one text; ConnectionError when it is closed."""

    async def receive(self) -> str | None:
        """The next text; None when it is closed."""


class Desks(Protocol):
    """The card desks. What they are to do is in the books (services/card_desk/taps.py); they hear of it by themselves."""

    def all(self) -> list[DeskView]:
        """All desks, those of this box first."""

    def find(self, desk: str) -> DeskView | None:
        """One desk."""

    async def join(self, name: str, channel: Channel) -> None:
        """A reader on another computer joins; returns when it has gone.

        Raises:
            Refusal: A desk of this name is joined already.
        """


@dataclass(frozen=True, slots=True)
class ToyCard:
    """A card of the demo's simulated reader."""

    id: int
    name: str
    """What stands on it: `New NTAG213`, `Rahima's card` …"""
    kind: str
    uid: str
    on_reader: bool


class ToyReader(Protocol):
    """The demo's reader without hardware. None of this exists on a real site."""

    def cards(self) -> list[ToyCard]:
        """All cards in the drawer and on the reader."""

    def lay(self, card: int) -> None:
        """Put a card on the reader, instead of what lies there; KeyError if there is none."""

    def take(self) -> None:
        """Take the card off."""

    def tear(self, card: int) -> None:
        """Lay it, and pull it away in the middle of the next write."""

    def set_plugged(self, plugged: bool) -> None:
        """Pull the reader's lead, or put it back."""

    def new_card(self, kind: str) -> ToyCard:
        """A blank card of a kind out of the box."""


@dataclass(frozen=True, slots=True)
class ToyPlace:
    """An EVSE of the demo's simulated stations, as somebody sees it who stands before it with a card."""

    station: str
    """Its identity."""
    evse: int
    state: str
    """`free`; `yours`: the car of whoever plays with the demo; `taken`: another car; `offline`: it has no connection."""
    energy_wh: int
    """What the car that charges there has got so far."""
    said: str
    """What it answered to the card that was held to it last: a status of OCPP 1.6, `Stopped`, or "" when none was."""
    card: str
    """The UID of that card, or ""."""


class ToyChargers(Protocol):
    """The demo's simulated stations, where somebody may hold a card without hardware. None of this exists on a real site."""

    def places(self) -> list[ToyPlace]:
        """All places; none before the stations are there."""

    async def hold(self, uid: str, station: str, evse: int) -> str:
        """Come with a car and hold a card there, or end with the same card what it began; what the charger says (see `ToyPlace.said`).

        Raises:
            KeyError: There is no such place.
        """
