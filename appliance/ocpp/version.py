"""What a version of OCPP brings along: its schemas, what to do with each message, and how its commands are written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from appliance.domain.id_token import IdToken
from appliance.domain.transaction import TransactionRef
from appliance.ocpp.connection.station import Station
from appliance.ocpp.reading.cleaning import plain_name
from appliance.ocpp.reading.normalise import Leniency
from appliance.ocpp.reading.schemas import Payload, Schemas
from appliance.services.ports.stations import CommandAnswer, Sampling, Variable, VariableName

Unit = Callable[..., Payload]
"""(connection, station's number, arguments …) -> the payload of the answer; a short unit of work."""
Call = Callable[[str, Payload], Awaitable[Payload]]
"""(action, payload) -> the payload of the answer; raises CommandFailed."""


class Unreadable(Exception):
    """What the site must know is not in the message."""


class Refused(Exception):
    """A message that does not fit its schema, with the error code for it."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class Work(NamedTuple):
    """What a message asks for, once it is read."""

    unit: Unit
    arguments: tuple[Any, ...]
    note: str | None = None
    """What was wrong with the message."""
    answered_before_commit: Payload | None = None
    """The answer of a message of which nothing but the message log remains: its unit need not run, and nobody waits for it."""


class Torn(NamedTuple):
    """A message that cannot be read, or not wholly."""

    payload: Payload
    """What could be read of it, each field in the type of the schema; of messages without money nothing."""
    why: str
    fingerprint: int
    """The same for the same message, under whatever id it comes, while the server runs."""
    text: str
    """The frame as it came, as much of it as staff are shown."""


Read = Callable[[Station, Payload, int], Work]
"""(station, payload, received at) -> what is to be done; may raise Unreadable."""
ReadUnreadable = Callable[[Station, Torn, int], Work]
"""(station, what could be read, received at) -> what is to be done all the same."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message that stations send."""

    read: Read
    unreadable: ReadUnreadable | None = None
    """For messages that are never refused for their form."""
    replayed: bool = False
    """Whether the same frame again gets the stored answer: for messages with a time in them, so that the same frame cannot
    mean something new. They tell of transactions, so of one that is torn is read what can be."""
    kept_whole: bool = False
    """Whether the message log keeps such a message whatever its length, and even unredacted: it is evidence of what was billed."""
    texts: frozenset[str] | None = None
    """The fields that have room for a secret, where it fits its schema: without any of them the message log need not search it for
    one. None: any field may have."""
    tells_of_cards: bool = False
    """Whether its answer says if a card may charge: it waits where cards are tried out."""


class Outgoing(Protocol):
    """The commands of services/ports/stations.py in one version of OCPP."""

    async def remote_start(self, call: Call, evse: int, id_token: IdToken) -> CommandAnswer: ...

    async def remote_stop(self, call: Call, ref: TransactionRef) -> CommandAnswer: ...

    async def unlock(self, call: Call, evse: int, connector: int) -> CommandAnswer: ...

    async def reset(self, call: Call, *, hard: bool) -> CommandAnswer: ...

    async def set_operative(self, call: Call, evse: int, operative: bool) -> CommandAnswer: ...

    async def clear_cache(self, call: Call) -> CommandAnswer: ...

    async def forget_card(self, call: Call, tokens: tuple[str, ...]) -> CommandAnswer: ...

    async def trigger(self, call: Call, message: str, evse: int | None) -> CommandAnswer: ...

    async def get_variables(self, call: Call, names: list[VariableName]) -> list[Variable]: ...

    async def set_variable(self, call: Call, name: VariableName, value: str) -> CommandAnswer: ...

    async def set_password(self, call: Call, password: str) -> CommandAnswer: ...

    async def read_sampling(self, call: Call) -> Sampling: ...

    async def set_sampling(self, call: Call, interval_s: int) -> Sampling: ...

    async def read_power(self, call: Call) -> int | None: ...

    async def count_evses(self, call: Call) -> int | None: ...


class Foreign(NamedTuple):
    """By what messages of other versions are known, which a station sends that was set to one and speaks another."""

    actions: frozenset[str]
    fields: frozenset[str]


@dataclass(frozen=True, slots=True)
class Version:
    """One version of OCPP-J."""

    name: str
    """As people and programs know it."""
    subprotocol: str
    schemas: Schemas
    inbound: Mapping[str, Inbound]
    outgoing: Outgoing
    leniency: Leniency
    foreign: Foreign
    malformed: str
    """The error code of a frame or payload that has not the right shape."""
    messages: tuple[str, ...]
    """To be looked for in the message log."""
    triggers: tuple[str, ...]
    """What a station may be asked to send."""
    boot: str = "BootNotification"
    """The only message of a station that is not accepted yet."""

    def action_meant(self, action: str) -> str | None:
        """The message that is called nearly so."""
        plain = plain_name(action)
        names = {plain, plain.removesuffix("req"), plain.removesuffix("request")}
        return next((name for name in self.inbound if name.casefold() in names), None)
