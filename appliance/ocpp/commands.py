"""The charging stations as services command them (services/ports/stations.py): finds the link and says it in the link's version."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from appliance.domain.id_token import IdToken
from appliance.domain.identifiers import StationId
from appliance.domain.transaction import TransactionRef
from appliance.ocpp.connection.connection import Link
from appliance.ocpp.connection.registry import Links
from appliance.ocpp.version import Dialect
from appliance.services.ports.stations import CommandAnswer, CommandFailed, SpokenVersion, Variable, VariableName


class StationCommands:
    """The body of `services.ports.Stations`."""

    def __init__(self, links: Links, spoken: Iterable[Dialect]) -> None:
        self._links = links
        self._versions = tuple(
            SpokenVersion(one.version, one.subprotocol, one.messages, one.triggers) for one in spoken
        )

    def versions(self) -> tuple[SpokenVersion, ...]:
        """The versions of OCPP that stations may speak, the oldest first."""
        return self._versions

    def is_online(self, station: StationId) -> bool:
        """Whether it has a connection now, and was let in."""
        link = self._links.of(station)
        return link is not None and link.station.accepted

    def online(self) -> frozenset[StationId]:
        """All stations with a connection."""
        return self._links.online()

    async def remote_start(self, station: StationId, evse: int, id_token: IdToken) -> CommandAnswer:
        """Start a transaction for `id_token`; `evse` 0 lets the station choose."""
        link = self._link(station)
        return await link.dialect.outgoing.remote_start(link.calls.call, evse, id_token)

    async def remote_stop(self, station: StationId, ref: TransactionRef) -> CommandAnswer:
        """End a transaction."""
        link = self._link(station)
        return await link.dialect.outgoing.remote_stop(link.calls.call, ref)

    async def unlock(self, station: StationId, evse: int, connector: int) -> CommandAnswer:
        """Let go of the cable."""
        link = self._link(station)
        return await link.dialect.outgoing.unlock(link.calls.call, evse, connector)

    async def reset(self, station: StationId, *, hard: bool) -> CommandAnswer:
        """Restart the station."""
        link = self._link(station)
        return await link.dialect.outgoing.reset(link.calls.call, hard=hard)

    async def set_operative(self, station: StationId, evse: int, operative: bool) -> CommandAnswer:
        """Put an EVSE, or with 0 the station, into or out of service."""
        link = self._link(station)
        return await link.dialect.outgoing.set_operative(link.calls.call, evse, operative)

    async def clear_cache(self, station: StationId) -> CommandAnswer:
        """Forget which id tokens were accepted before."""
        link = self._link(station)
        return await link.dialect.outgoing.clear_cache(link.calls.call)

    async def trigger(self, station: StationId, message: str, evse: int | None = None) -> CommandAnswer:
        """Send a message now."""
        link = self._link(station)
        return await link.dialect.outgoing.trigger(link.calls.call, message, evse)

    async def get_variables(self, station: StationId, names: list[VariableName]) -> list[Variable]:
        """The settings named, or all."""
        link = self._link(station)
        return await link.dialect.outgoing.get_variables(link.calls.call, names)

    async def set_variable(self, station: StationId, name: VariableName, value: str) -> CommandAnswer:
        """Change a setting."""
        link = self._link(station)
        return await link.dialect.outgoing.set_variable(link.calls.call, name, value)

    async def raw_call(self, station: StationId, action: str, payload: Any) -> Any:
        """Send any call as it is, unvalidated; the payload of the answer."""
        return await self._link(station).calls.call(action, payload)

    async def forget_card(self, station: StationId, tokens: tuple[str, ...]) -> CommandAnswer:
        """Forget cards that must not charge any more: the cache is cleared, and a local list, if there is one, corrected."""
        link = self._link(station)
        return await link.dialect.outgoing.forget_card(link.calls.call, tokens)

    def _link(self, station: StationId) -> Link:
        link = self._links.of(station)
        if link is None:
            raise CommandFailed("offline", "the station is offline")
        if not link.station.accepted:
            # J 1.6, 4.2: a station that was told to wait is sent nothing to charge with.
            raise CommandFailed("offline", "the station has not been let in")
        return link
