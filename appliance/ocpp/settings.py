"""What the stations' side may be told to do otherwise; the composition hands in an object whose attributes are read at use."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol


class Settings(Protocol):
    """Every attribute may change while the server runs."""

    @property
    def heartbeat_interval_s(self) -> int:
        """Told to stations in the answer to BootNotification."""

    @property
    def accept_unknown(self) -> bool:
        """Whether a station nobody knows may knock; False: 404."""

    @property
    def call_timeout_s(self) -> float:
        """How long a station may take to answer a call of ours."""

    @property
    def strict_stations(self) -> Collection[str]:
        """Identities whose messages are not mended before they are checked, as conformance tools want it."""

    @property
    def assume_version(self) -> str:
        """The subprotocol of stations that name none; "": they are turned away."""

    @property
    def upgrade_always(self) -> bool:
        """Whether the handshake of a station is completed, and then closed, that speaks no version that is spoken here; False: 400."""

    @property
    def messages_per_s(self) -> int:
        """How many messages a station may send for long; the rest waits. 0: any number."""

    @property
    def logs_messages(self) -> bool:
        """Whether there is room for a message log."""

    @property
    def host_names(self) -> Collection[str]:
        """The names of this box that a web page cannot have for itself."""

    @property
    def connections_max(self) -> int:
        """More are answered 503."""


@dataclass(slots=True)
class StationSettings:
    """The settings as plain values."""

    heartbeat_interval_s: int = 300
    accept_unknown: bool = True
    call_timeout_s: float = 30
    strict_stations: Collection[str] = ()
    assume_version: str = ""
    upgrade_always: bool = False
    messages_per_s: int = 50
    logs_messages: bool = True
    connections_max: int = 4096
    host_names: Collection[str] = ()
