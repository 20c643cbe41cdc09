"""All stations that are known and their links: at most one link for each station, the newest.

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
from appliance.domain.station import StationState
from appliance.ocpp.connection.connection import Context, Link, report
from appliance.ocpp.connection.station import Station
from appliance.ocpp.reading.quirks import quirks_of
from appliance.services.announce import AdmissionChanged, Announcement
from appliance.services.ports.stations import CommandFailed
from appliance.services.stations import admission, status
from appliance.services.tasks import Tasks

log = logging.getLogger(__name__)

PING_S = 60.0
ROUND_S_MAX = 20.0
CLOSING_S_MAX = 5.0
MISSES_MAX = 2
"""Of a station that has ever answered a ping."""
SWAPS_MAX = 4
SWAP_WINDOW_MS = 120_000
ANSWERS_READ_BACK = 4_000


class Links:
    """The registry."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._by_identity: dict[str, Station] = {}
        self._by_id: dict[StationId, Station] = {}
        self._stale: dict[StationId, int] = {}
        """Of which stations news was announced that is not read yet, and the number of the last."""
        self._news = itertools.count()
        self._tasks = Tasks()
        self._closing = False

    async def load(self, answers_of: frozenset[str]) -> None:
        """Read all stations, each with the last answers it was given: a frame that is sent again after a restart finds its own.

        `answers_of` names the actions whose answers are worth it.
        """
        for known in await self._context.store.read(admission.known):
            self.learn(known)
        for row in await self._context.store.read(rows.all_stations):
            # It may come back without a boot.
            self._by_id[row.id].quirks = quirks_of(row.vendor, row.model)
        recent = await self._context.store.read(message_log.recent_answers, answers_of, ANSWERS_READ_BACK)
        for station_id, request, answer in recent:
            station = self._by_id.get(station_id)
            frame = orjson.loads(answer)
            if station is not None and frame[0] == 3:
                station.remember(frame[1], hash(request), answer.encode())

    def learn(self, known: KnownStation) -> Station:
        """Bring what is kept of a station up to date."""
        station = self._by_id.get(known.id)
        if station is None:
            station = Station(known.id, known.identity, accepted=False)
            self._by_id[known.id] = station
            self._by_identity[known.identity] = station
        was_accepted, station.accepted = station.accepted, known.state is StationState.APPROVED
        station.retired = known.state is StationState.RETIRED
        asked = (station.security_profile, station.password_hash)
        station.security_profile, station.password_hash = known.security_profile, known.password_hash
        link = station.link
        if link is None:
            return station
        if station.retired:
            self._tasks.start(link.close(WSCloseCode.POLICY_VIOLATION, b"retired"), "close: retired")
        elif station.is_secured and asked != (known.security_profile, known.password_hash):
            self._tasks.start(
                link.close(WSCloseCode.POLICY_VIOLATION, b"must come back with its password"), "close: secured"
            )
        elif station.accepted and not was_accepted:
            self._tasks.start(self._let_in(link), "let in")
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

    def of(self, station: StationId) -> Link | None:
        """The link of a station."""
        found = self._by_id.get(station)
        return found.link if found is not None else None

    def online(self) -> frozenset[StationId]:
        """Stations with a link that were let in."""
        return frozenset(one.id for one in self._by_id.values() if one.link is not None and one.accepted)

    def __len__(self) -> int:
        return sum(station.link is not None for station in self._by_id.values())

    async def run(self, link: Link) -> None:
        """Make `link` the one of its station and read it until it ends. The one before is closed."""
        station, context = link.station, self._context
        older, station.link = station.link, link
        if station.id in self._stale:
            self._tasks.start(self._refresh(station.id), f"refresh station {station.id}")
        if older is not None:
            self._note_swap(link, older)
            older.calls.lost()
            self._tasks.start(older.close(WSCloseCode.POLICY_VIOLATION, b"superseded"), f"supersede {station.identity}")
        version, now_ms = link.dialect.version, context.clock()
        context.store.write_unheard(status.connected, station.id, version, link.address, now_ms)
        log.info("station connected", extra={"station": station.identity, "version": version, "address": link.address})
        try:
            if self._closing:
                await link.close(WSCloseCode.GOING_AWAY, b"the server stops")
            # A task of its own is resumed without the eight coroutines of the request around it, twice for each message.
            await asyncio.create_task(link.read(), name=f"read {station.identity}")
        finally:
            link.calls.lost()
            if station.link is link:
                station.link = None
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
        links = [station.link for station in self._by_id.values() if station.link is not None]
        pings = (link.ping(MISSES_MAX if link.ponged else patience) for link in links)
        # A peer that takes nothing off its socket must not keep the others waiting.
        with suppress(TimeoutError):
            async with asyncio.timeout(ROUND_S_MAX):
                await asyncio.gather(*pings, return_exceptions=True)
        for link in links:
            self._report_skew(link.station)

    async def close(self) -> None:
        """Close all links, for the end of the program, and let none begin."""
        self._closing = True
        links = [station.link for station in self._by_id.values() if station.link is not None]
        closing = (link.close(WSCloseCode.GOING_AWAY, b"the server stops") for link in links)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_S_MAX):
                await asyncio.gather(*closing, return_exceptions=True)
        await self._tasks.cancel()

    def admission_changed(self, announcements: Iterable[Announcement]) -> None:
        """Listens to the hub. Of a station that is connected, or is not let in yet, the news is read at once."""
        for announcement in announcements:
            if type(announcement) is AdmissionChanged and not self._closing:
                number = StationId(announcement.station)
                station = self._by_id.get(number)
                fresh = number not in self._stale
                self._stale[number] = next(self._news)
                if fresh and (station is None or not station.accepted or station.link is not None):
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
                await self._forget(number)

    async def _forget(self, number: StationId) -> None:
        station = self._by_id.pop(number, None)
        if station is None:
            return
        if self._by_identity.get(station.identity) is station:
            del self._by_identity[station.identity]
        if station.link is not None:
            await station.link.close(WSCloseCode.POLICY_VIOLATION, b"turned away")

    async def _let_in(self, link: Link) -> None:
        """Tell a station that was told to wait: it need not wait for its next boot."""
        try:
            await link.dialect.outgoing.trigger(link.calls.call, link.dialect.boot, None)
        except CommandFailed as failure:
            log.info("trigger of a boot failed", extra={"station": link.station.identity, "why": failure.kind})

    def _note_swap(self, link: Link, older: Link) -> None:
        """Two boxes under one name push each other out again and again; one box that reconnects comes from one address."""
        station, now_ms = link.station, self._context.clock()
        station.swaps = [(at_ms, where) for at_ms, where in station.swaps if now_ms - at_ms < SWAP_WINDOW_MS]
        station.swaps.append((now_ms, link.address))
        addresses = sorted({where for _, where in station.swaps} | {older.address})
        log.info("connection superseded", extra={"station": station.identity, "addresses": addresses})
        if len(station.swaps) >= SWAPS_MAX and len(addresses) > 1:
            details = {"station": int(station.id), "identity": station.identity, "addresses": ", ".join(addresses)}
            subject = f"station:{station.id}"
            self._context.store.write_unheard(report, "duplicate_identity", subject, now_ms, details)

    def _report_skew(self, station: Station) -> None:
        skew_ms = station.skew.changed()
        if skew_ms is not None:
            self._context.store.write_unheard(status.clock_skew, station.id, skew_ms, self._context.clock())
