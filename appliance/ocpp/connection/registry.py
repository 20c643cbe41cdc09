"""All stations that are known and their connections: at most one for each station, the newest.

Who may connect is decided by the endpoint. What is known of stations is read at start and again whenever the rest of the
program announces that a station has changed.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Iterable
from contextlib import suppress

import orjson
from aiohttp import WSCloseCode

from appliance.db.stations import message_log
from appliance.db.stations import stations as rows
from appliance.db.stations.stations import KnownStation
from appliance.domain.identifiers import StationId
from appliance.domain.network import home_of
from appliance.domain.problem import ProblemKind
from appliance.domain.station import StationState
from appliance.ocpp.connection.connection import Connection
from appliance.ocpp.connection.context import Context
from appliance.ocpp.connection.frames import CALL_RESULT
from appliance.ocpp.connection.refused_cards import CARDS_MAX, RefusedThere
from appliance.ocpp.connection.station import Station
from appliance.ocpp.reading.quirks import quirks_of
from appliance.services.announce import AdmissionChanged, Announcement, CardRefused
from appliance.services.ports.stations import CommandFailed
from appliance.services.stations import admission, status
from appliance.services.tasks import Tasks

log = logging.getLogger(__name__)

PING_S = 60.0
ALIVE_S = 3.0
"""In which a connection answers when somebody else says its name."""
ROUND_S_MAX = 20.0
CLOSING_S_MAX = 5.0
MISSES_MAX = 2
"""Of a station that has ever answered a ping."""
SWAPS_MAX = 4
SWAP_WINDOW_MS = 120_000
ANSWERS_READ_BACK = 4_000


class Registry:
    """One for the whole program."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._by_identity: dict[str, Station] = {}
        self._by_id: dict[StationId, Station] = {}
        self._connections: dict[Station, Connection] = {}
        self._stale: dict[StationId, int] = {}
        """Of which stations news was announced that is not read yet, and the number of the last."""
        self._news = itertools.count()
        self._refused_there = RefusedThere()
        self._tasks = Tasks()
        self._closing = False

    async def load(self, answers_of: frozenset[str]) -> None:
        """Read all stations, each with the last answers it was given: a frame that is sent again after a restart finds its own.

        `answers_of` names the actions whose answers are worth it.
        """
        for known in await self._context.store.read(admission.known):
            self.learn(known)
        heard = await self._context.store.read(rows.heard_since)
        self._context.store.write_unheard(status.begun)
        for row in await self._context.store.read(rows.all_stations):
            station = self._by_id[row.id]
            # It may come back without a boot, and with a clock that has been set since.
            station.quirks = quirks_of(row.vendor, row.model)
            station.address = row.remote_address
            station.dating.skew.reported_ms = row.clock_skew_ms
            station.dating.alive_until_ms = heard.get(row.id, row.seen_at_ms)
            station.status_at_ms = {(one.evse, one.connector): one.changed_at_ms for one in row.connectors}
        recent = await self._context.store.read(message_log.recent_answers, answers_of, ANSWERS_READ_BACK)
        for station_id, request, answer in recent:
            answered = self._by_id.get(station_id)
            frame = orjson.loads(answer)
            if answered is not None and frame[0] == CALL_RESULT:
                answered.remember(frame[1], request, answer.encode())

    def learn(self, known: KnownStation) -> Station:
        """Bring what is kept of a station up to date."""
        station = self._by_id.get(known.id)
        if station is not None and station.identity != known.identity:
            # Its row is another's by now (db/stations/stations.py, dismiss).
            self._forget(known.id)
            station = None
        if station is None:
            station = Station(known.id, known.identity, accepted=False)
            self._by_id[known.id] = station
            self._by_identity[known.identity] = station
        was_accepted, station.accepted = station.accepted, known.state is StationState.APPROVED
        station.retired = known.state is StationState.RETIRED
        moved = station.bound_to not in ("", known.bound_to)
        station.bound_to, station.next_password_hash = known.bound_to, known.next_password_hash
        asked = (station.security_profile, station.password_hash)
        station.security_profile, station.password_hash = known.security_profile, known.password_hash
        connection = self._connections.get(station)
        if connection is None:
            return station
        if station.accepted and not was_accepted:
            station.dating.connected(self._context.clock())  # What it had to tell so far it has kept.
        if station.retired:
            self._tasks.start(connection.close(WSCloseCode.POLICY_VIOLATION, b"retired"), "close: retired")
        elif station.is_secured and asked != (known.security_profile, known.password_hash):
            self._tasks.start(
                connection.close(WSCloseCode.POLICY_VIOLATION, b"must come back with its password"), "close: secured"
            )
        elif moved and not station.is_secured:
            self._tasks.start(
                connection.close(WSCloseCode.POLICY_VIOLATION, b"another device is this station"), "close: moved"
            )
        elif station.accepted and not was_accepted:
            self._tasks.start(self._ask_who_it_is(connection), "let in")
        return station

    async def find(self, identity: str) -> Station | None:
        """The station of this name, as it is in the database now."""
        station = self._by_identity.get(identity)
        if station is not None:
            await self._refresh(station.id)
        if identity not in self._by_identity:
            # One that was registered a moment ago may still be on its way here.
            await asyncio.gather(*(self._refresh(number) for number in self._stale if number not in self._by_id))
        return self._by_identity.get(identity)

    def of(self, station: StationId) -> Connection | None:
        """The connection of a station."""
        found = self._by_id.get(station)
        return self._connections.get(found) if found is not None else None

    def online(self) -> frozenset[StationId]:
        """Stations with a connection that were let in."""
        return frozenset(station.id for station in self._connections if station.accepted)

    def knocking(self) -> frozenset[StationId]:
        """Stations with a connection that nobody has let in."""
        return frozenset(station.id for station in self._connections if not station.accepted)

    async def keeps_out(self, station: Station, address: str) -> bool:
        """Whether the connection of a station that proves nothing stands, so that another from `address` is not let in.

        From its own address it comes anew and takes its own place, unless others come from there, too (a router or a proxy
        stands before them): then, as from elsewhere, the one that is there is asked first.
        """
        standing = self._connections.get(station)
        if standing is None or (standing.address == address and not self._is_shared(address, station)):
            return False
        return await standing.is_alive(ALIVE_S)

    def _is_shared(self, address: str, station: Station) -> bool:
        return any(one.address == address for other, one in self._connections.items() if other is not station)

    def __len__(self) -> int:
        return len(self._connections)

    async def run(self, connection: Connection) -> None:
        """Make `connection` the one of its station and read it until it ends. The one before is closed."""
        station, context = connection.station, self._context
        older = self._connections.get(station)
        self._connections[station] = connection
        if station.id in self._stale:
            self._tasks.start(self._refresh(station.id), f"refresh station {station.id}")
        if older is not None:
            self._note_swap(connection, older)
            older.calls.lost()
            self._tasks.start(older.close(WSCloseCode.POLICY_VIOLATION, b"superseded"), f"supersede {station.identity}")
        version, now_ms = connection.version.name, context.clock()
        station.dating.connected(now_ms)
        self._slow_down(station)
        station.lasting_answers.clear()
        context.store.write_unheard(status.connected, station.id, version, connection.address, now_ms)
        log.info(
            "station connected", extra={"station": station.identity, "version": version, "address": connection.address}
        )
        try:
            if self._closing:
                await connection.close(WSCloseCode.GOING_AWAY, b"the server stops")
            # A task of its own is resumed without the eight coroutines of the request around it, twice for each message.
            await asyncio.create_task(connection.read(), name=f"read {station.identity}")
        finally:
            connection.calls.lost()
            if self._connections.get(station) is connection:
                del self._connections[station]
                if not connection.pings_missed:
                    station.dating.alive_until_ms = context.clock()
                context.store.write_unheard(status.disconnected, station.id, context.clock())
                log.info("station disconnected", extra={"station": station.identity})

    async def keep_alive(self) -> None:
        """Ping all stations, forever. One task for all is cheaper than a timer for each that every frame moves."""
        while True:
            await asyncio.sleep(PING_S)
            await self.ping_all()

    async def ping_all(self) -> None:
        """One round: close what is silent, and look at the clocks."""
        # A station that never answers a ping is still alive as long as it sends its heartbeats.
        patience = MISSES_MAX + int(2 * self._context.settings.heartbeat_interval_s / PING_S)
        connections = list(self._connections.values())
        pings = (connection.ping(MISSES_MAX if connection.ponged else patience) for connection in connections)
        # A peer that takes nothing off its socket must not keep the others waiting.
        with suppress(TimeoutError):
            async with asyncio.timeout(ROUND_S_MAX):
                await asyncio.gather(*pings, return_exceptions=True)
        for connection in connections:
            self._report_skew(connection.station)
            if self._may_be_two(connection.station):
                self._tasks.start(self._ask_who_it_is(connection), f"ask {connection.station.identity} who it is")

    async def close(self) -> None:
        """Close all connections, for the end of the program, and let none begin."""
        self._closing = True
        connections = list(self._connections.values())
        closing = (connection.close(WSCloseCode.GOING_AWAY, b"the server stops") for connection in connections)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_S_MAX):
                await asyncio.gather(*closing, return_exceptions=True)
        await self._tasks.cancel()

    def admission_changed(self, announcements: Iterable[Announcement]) -> None:
        """Listens to the hub. Of a station that is connected, or is not let in yet, the news is read at once."""
        for announcement in announcements:
            if type(announcement) is CardRefused:
                self._note_refused_card(announcement)
            if type(announcement) is AdmissionChanged and not self._closing:
                number = StationId(announcement.station)
                station = self._by_id.get(number)
                fresh = number not in self._stale
                self._stale[number] = next(self._news)
                if fresh and (station is None or not station.accepted or station in self._connections):
                    self._tasks.start(self._refresh(number), f"refresh station {number}")

    # Helpers.

    async def _refresh(self, number: StationId) -> None:
        """Read a station again unless nothing is new; what was read before the last of its news is not believed."""
        while (news := self._stale.get(number)) is not None:
            known = await self._context.store.read(rows.find_known, number)
            if self._stale.get(number) != news:
                continue
            del self._stale[number]
            if known is not None:
                self.learn(known)
            else:
                self._forget(number)

    def _forget(self, number: StationId) -> None:
        station = self._by_id.pop(number, None)
        if station is None:
            return
        if self._by_identity.get(station.identity) is station:
            del self._by_identity[station.identity]
        connection = self._connections.get(station)
        if connection is not None:
            self._tasks.start(connection.close(WSCloseCode.POLICY_VIOLATION, b"turned away"), "close: turned away")

    async def _ask_who_it_is(self, connection: Connection) -> None:
        """For a boot now: of a station that was told to wait, or of two that seem to share a name and an address."""
        try:
            await connection.version.outgoing.trigger(connection.calls.call, connection.version.boot, None)
        except CommandFailed as failure:
            log.info("trigger of a boot failed", extra={"station": connection.station.identity, "why": failure.kind})

    def _note_swap(self, connection: Connection, older: Connection) -> None:
        """Two boxes under one name push each other out again and again; one box that reconnects comes from one address."""
        station, now_ms = connection.station, self._context.clock()
        station.swaps = [(at_ms, where) for at_ms, where in station.swaps if now_ms - at_ms < SWAP_WINDOW_MS]
        station.swaps.append((now_ms, connection.address))
        addresses = sorted({where for _, where in station.swaps} | {older.address})
        log.info("connection superseded", extra={"station": station.identity, "addresses": addresses})
        if len(station.swaps) >= SWAPS_MAX and len(addresses) > 1:
            found = {"identity": station.identity, "addresses": ", ".join(addresses)}
            self._context.report_station(station, ProblemKind.DUPLICATE_IDENTITY, **found)

    def _may_be_two(self, station: Station) -> bool:
        """Whether its connections push each other out. Behind a router or a proxy two boxes look like one that is restless: what
        they boot as tells them apart (`domain/rivals.py`)."""
        now_ms = self._context.clock()
        return station.accepted and sum(now_ms - at_ms < SWAP_WINDOW_MS for at_ms, _ in station.swaps) >= SWAPS_MAX

    def _note_refused_card(self, refused: CardRefused) -> None:
        station, now_ms = self._by_id.get(StationId(refused.station)), self._context.clock()
        if station is None:
            return
        tried_out = station.refused_cards.note(refused.token, now_ms)
        if not station.is_secured:
            here = [one for one in self._connections if self._shares_address(one, station)]
            tried_out |= self._refused_there.note(station.address, refused.token, now_ms, len(here))
            for one in here:
                self._slow_down(one)
        self._slow_down(station)
        if tried_out:
            log.warning("cards are tried out", extra={"station": station.identity, "address": station.address})
            self._context.report_station(station, ProblemKind.CARDS_TRIED, cards=CARDS_MAX)

    def _shares_address(self, one: Station, other: Station) -> bool:
        """Whether two stations come from one place, and neither proves who it is."""
        return one.accepted and not one.is_secured and home_of(one.address) == home_of(other.address)

    def _slow_down(self, station: Station) -> None:
        """Where cards are tried out, under its name or at its address, it is told slowly, over whatever connection."""
        there_ms = 0 if station.is_secured else self._refused_there.slow_until_ms(station.address)
        station.slow_until_ms = max(station.refused_cards.slow_until_ms, there_ms)

    def _report_skew(self, station: Station) -> None:
        skew_ms = station.dating.skew.changed()
        if skew_ms is not None:
            self._context.store.write_unheard(status.clock_skew, station.id, skew_ms, self._context.clock())
