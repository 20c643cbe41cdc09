"""The charging stations as services command them (services/ports/stations.py): finds the connection, and speaks its version."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from appliance.domain.id_token import IdToken
from appliance.domain.identifiers import StationId
from appliance.domain.transaction import TransactionRef
from appliance.ocpp.connection.registry import Registry
from appliance.ocpp.reading.redact import redacted
from appliance.ocpp.version import Call, Outgoing, Version
from appliance.services.ports.stations import (
    CommandAnswer,
    CommandFailed,
    FailureKind,
    Sampling,
    SpokenVersion,
    Variable,
    VariableName,
)


class StationCommands:
    """The body of `services.ports.Stations`."""

    def __init__(self, registry: Registry, spoken: Iterable[Version]) -> None:
        self._registry = registry
        self._versions = tuple(SpokenVersion(one.name, one.subprotocol, one.messages, one.triggers) for one in spoken)

    def versions(self) -> tuple[SpokenVersion, ...]:
        """The versions of OCPP that stations may speak, the oldest first."""
        return self._versions

    def is_online(self, station: StationId) -> bool:
        """Whether it has a connection now, and was let in."""
        connection = self._registry.of(station)
        return connection is not None and connection.station.accepted

    def online(self) -> frozenset[StationId]:
        """All stations with a connection."""
        return self._registry.online()

    async def remote_start(self, station: StationId, evse: int, id_token: IdToken) -> CommandAnswer:
        """Start a transaction for `id_token`; `evse` 0 lets the station choose."""
        outgoing, call = self._reach(station)
        return await outgoing.remote_start(call, evse, id_token)

    async def remote_stop(self, station: StationId, ref: TransactionRef) -> CommandAnswer:
        """End a transaction."""
        outgoing, call = self._reach(station)
        return await outgoing.remote_stop(call, ref)

    async def unlock(self, station: StationId, evse: int, connector: int) -> CommandAnswer:
        """Let go of the cable."""
        outgoing, call = self._reach(station)
        return await outgoing.unlock(call, evse, connector)

    async def reset(self, station: StationId, *, hard: bool) -> CommandAnswer:
        """Restart the station. Some drop the line instead of answering, and boot: they have obeyed."""
        outgoing, call = self._reach(station)
        try:
            return await outgoing.reset(call, hard=hard)
        except CommandFailed as failure:
            if failure.kind is not FailureKind.LOST:
                raise
            return CommandAnswer(True, "Accepted")

    async def set_operative(self, station: StationId, evse: int, operative: bool) -> CommandAnswer:
        """Put an EVSE, or with 0 the station, into or out of service."""
        outgoing, call = self._reach(station)
        return await outgoing.set_operative(call, evse, operative)

    async def clear_cache(self, station: StationId) -> CommandAnswer:
        """Forget which id tokens were accepted before."""
        outgoing, call = self._reach(station)
        return await outgoing.clear_cache(call)

    async def trigger(self, station: StationId, message: str, evse: int | None = None) -> CommandAnswer:
        """Send a message now."""
        outgoing, call = self._reach(station)
        return await outgoing.trigger(call, message, evse)

    async def get_variables(self, station: StationId, names: list[VariableName]) -> list[Variable]:
        """The settings named, or all."""
        outgoing, call = self._reach(station)
        return await outgoing.get_variables(call, names)

    async def set_variable(self, station: StationId, name: VariableName, value: str) -> CommandAnswer:
        """Change a setting."""
        outgoing, call = self._reach(station)
        return await outgoing.set_variable(call, name, value)

    async def set_password(self, station: StationId, password: str) -> CommandAnswer:
        """Have it prove itself by this password from its next connection on."""
        outgoing, call = self._reach(station)
        return await outgoing.set_password(call, password)

    async def read_sampling(self, station: StationId) -> Sampling:
        """How it measures while it charges."""
        outgoing, call = self._reach(station)
        return await outgoing.read_sampling(call)

    async def set_sampling(self, station: StationId, interval_s: int) -> Sampling:
        """Let it measure so often at least, and tell its meter's register."""
        outgoing, call = self._reach(station)
        return await outgoing.set_sampling(call, interval_s)

    async def read_power(self, station: StationId) -> int | None:
        """The most that any of its connectors can give, by its own settings."""
        outgoing, call = self._reach(station)
        return await outgoing.read_power(call)

    async def count_evses(self, station: StationId) -> int | None:
        """How many EVSEs it has, by its own settings."""
        outgoing, call = self._reach(station)
        return await outgoing.count_evses(call)

    async def raw_call(self, station: StationId, action: str, payload: Any) -> Any:
        """Send any call as it is, unvalidated; the payload of the answer, less its secrets."""
        _, call = self._reach(station)
        return redacted(await call(action, payload))

    async def forget_card(self, station: StationId, tokens: tuple[str, ...]) -> CommandAnswer:
        """Forget cards that must not charge any more: the cache is cleared, and a local list, if there is one, corrected."""
        outgoing, call = self._reach(station)
        return await outgoing.forget_card(call, tokens)

    def _reach(self, station: StationId) -> tuple[Outgoing, Call]:
        """The commands in the version of a station, and its connection to send them on.

        Raises:
            CommandFailed: offline.
        """
        connection = self._registry.of(station)
        if connection is None:
            raise CommandFailed(FailureKind.OFFLINE, "the station is offline")
        if not connection.station.accepted:
            # J 1.6, 4.2: a station that was told to wait is sent nothing to charge with.
            raise CommandFailed(FailureKind.OFFLINE, "the station has not been let in")
        return connection.version.outgoing, connection.calls.call
