"""Cards that are revoked are so at every charger within a second: each is told to forget them, at once or when it is back.

The server itself refuses them anyway; this is for what stations decide alone, from their cache and their local list.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from appliance.db.cards import aliases, cards
from appliance.db.cards import revocation as rows
from appliance.db.cards.cards import Card
from appliance.db.engine.memory import Slot
from appliance.db.engine.store import Store
from appliance.db.engine.unit import Database
from appliance.db.sessions import sessions
from appliance.domain.clock import Clock
from appliance.domain.id_token import reversed_form
from appliance.domain.identifiers import StationId
from appliance.domain.session import SessionState
from appliance.services.announce import Announcement, CardRevoked, Hub, StationChanged
from appliance.services.ports.stations import CommandFailed, Stations
from appliance.services.sessions import billing, start_requests
from appliance.services.tasks import Tasks

log = logging.getLogger(__name__)

AT_ONCE_MAX = 64
"""Stations that are told at a time."""
TOGETHER_S = 0.3
"""Stations that come back within so long are looked up together: each look goes through all cards."""
COMMIT_MS_MAX = 10_000
"""How much later than the moment it bears a revocation may be announced."""
LOOK_BACK_MS = 120_000
"""How far `announce_expired` looks back when it does not know when it looked last."""
EXPIRED_UNTIL = Slot[int]()
"""Until when `announce_expired` has looked, in ms."""


class Revocation:
    """Listens for cards that are revoked and for stations that come back. Made and opened before stations may connect."""

    def __init__(self, store: Store, stations: Stations, hub: Hub, clock: Clock) -> None:
        self._store = store
        self._stations = stations
        self._clock = clock
        self._told_until_ms: dict[StationId, int] = {}
        self._up: set[StationId] = set()
        self._returned: list[StationId] = []
        """Back, and not yet looked up."""
        self._turns = asyncio.Semaphore(AT_ONCE_MAX)
        self._tasks = Tasks()
        self._silence: Callable[[], None] = hub.listen(self._on_announcements, CardRevoked, StationChanged)

    async def open(self) -> None:
        """Learn until when each station was last in touch: what was revoked after that it has not heard of."""
        self._told_until_ms = await self._store.read(rows.last_contacts) | self._told_until_ms

    async def close(self) -> None:
        """Listen no more. Who has not been told is told at the next start."""
        self._silence()
        await self._tasks.cancel()

    async def settled(self) -> None:
        """Return when everybody who is to be told has been."""
        await self._tasks.settled()

    def _on_announcements(self, announcements: list[Announcement]) -> None:
        tokens: dict[str, None] = {}
        for one in announcements:
            if isinstance(one, CardRevoked):
                tokens |= dict.fromkeys(names(one.tokens))
            elif isinstance(one, StationChanged) and not one.evse:  # A connector tells of no connection.
                self._look_at(StationId(one.station))
        if tokens:
            # What was revoked later than this is announced later, too.
            at_ms = self._clock()
            for station in self._stations.online():
                self._tasks.start(self._tell(station, tuple(tokens), at_ms), "revocation")

    def _look_at(self, station: StationId) -> None:
        """Notice that a station has gone, or is back and may have missed something."""
        if not self._stations.is_online(station):
            self._up.discard(station)
        elif station not in self._up:
            self._up.add(station)
            if not self._returned:
                self._tasks.start(self._catch_up(), "revocation")
            self._returned.append(station)

    async def _catch_up(self) -> None:
        """Tell stations that came back what was revoked while they were away. After a power cut all come at once: they are looked up together."""
        await asyncio.sleep(TOGETHER_S)
        now_ms = self._clock()
        returned, self._returned = self._returned, []
        # One that was never here has nothing to forget.
        since_ms = {station: self._told_until_ms.get(station, now_ms) - COMMIT_MS_MAX for station in returned}
        revoked = await self._store.read(rows.revoked_since, min(since_ms.values()), now_ms)
        for station in returned:
            tokens = tuple(token for token, at_ms in revoked if at_ms >= since_ms[station])
            if tokens:
                self._tasks.start(self._tell(station, names(tokens), now_ms), "revocation")
            else:
                self._told_until_ms[station] = now_ms

    async def _tell(self, station: StationId, tokens: tuple[str, ...], at_ms: int) -> None:
        async with self._turns:
            try:
                answer = await self._stations.forget_card(station, tokens)
            except CommandFailed as failure:
                # Its next sign of life is taken for its return, and then all that it has missed is told.
                self._up.discard(station)
                self._told_until_ms[station] = min(at_ms, self._told_until_ms.get(station, at_ms))
                log.warning(
                    "cards not forgotten", extra={"station": station, "cards": len(tokens), "why": failure.kind}
                )
                return
        if station in self._up:
            self._told_until_ms[station] = max(at_ms, self._told_until_ms.get(station, 0))
        log.info("cards forgotten", extra={"station": station, "cards": len(tokens), "answer": answer.status})


def announce_expired(db: Database, now_ms: int) -> None:
    """By the clock: cards whose time has run out since this looked last are revoked."""
    since_ms = EXPIRED_UNTIL.get(db) or now_ms - LOOK_BACK_MS
    for card, tokens in rows.expired_between(db, since_ms, now_ms):
        db.announce(CardRevoked(card, tokens))
    EXPIRED_UNTIL.keep(db, now_ms)


def names(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """What stations may have noted the cards as: also with their bytes backwards."""
    backwards = (reversed_form(token) for token in tokens)
    return tuple(dict.fromkeys([*tokens, *(one for one in backwards if one is not None)]))


def revoke(db: Database, card: Card, now_ms: int) -> None:
    """It charges nowhere any more: what runs on it is stopped, and stations that remember it are told to forget it."""
    stop_sessions_of(db, card, now_ms)
    announce_revoked(db, card)


def announce_revoked(db: Database, card: Card) -> None:
    """Stations that remember the card are told to forget it; what runs goes on."""
    db.announce(CardRevoked(int(card.id), (card.uid, *aliases.of_card(db, card.id))))


def stop_sessions_of(db: Database, card: Card, now_ms: int) -> None:
    """Want all stopped that runs on a card, and take back what was wished for."""
    for number in cards.running_on_card(db, card.uid):
        running = sessions.find_open(db, number)
        if running is not None and running.state is SessionState.RUNNING:
            billing.want_stop(db, running, "blocked")
        else:
            start_requests.cancel(db, number, "cancelled", now_ms)
