"""What the server asks of charging stations by itself: a reading that is overdue, how they measure, how much they can give, and which
connectors they have.

All of it by the clock (`look`), a step at a time, and nothing that they refuse is insisted on.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from appliance.db.engine.store import Store
from appliance.domain.by import By
from appliance.domain.clock import Clock
from appliance.domain.identifiers import StationId
from appliance.services import audit, settings
from appliance.services.announce import Announcement, BootHeard, Hub
from appliance.services.ports.stations import CommandFailed, FailureKind, Sampling, Stations
from appliance.services.sessions import guard
from appliance.services.stations import introduction, power
from appliance.services.stations.introduction import Step
from appliance.services.tasks import Tasks

log = logging.getLogger(__name__)

STEP_MS = 15_000
"""So long has a station to do what it was asked for, before it is asked for something else."""
ASK_AGAIN_MS = 60_000
"""A station that said that it will send a reading, and does not, is asked again after this."""
DEAF_MS = 600_000
"""One that refused is asked again after this."""
READINGS, BOOT, STATUS = "MeterValues", "BootNotification", "StatusNotification"
BY_CLOCK = "clock"


@dataclass(slots=True)
class Introduction:
    """How far we are with a station that has not told of its connectors."""

    at_ms: int
    """Of the last step."""
    tried: list[Step]


class Upkeep:
    """One for the whole program."""

    def __init__(self, store: Store, stations: Stations, hub: Hub, clock: Clock) -> None:
        self._store = store
        self._stations = stations
        self._clock = clock
        self._tasks = Tasks()
        self._booted: set[StationId] = set()
        self._busy: set[tuple[str, StationId]] = set()
        self._not_before: dict[tuple[StationId, int], int] = {}
        """When an EVSE may be asked for a reading again."""
        self._introductions: dict[StationId, Introduction] = {}
        self._silence: Callable[[], None] = hub.listen(self._on_announcements, BootHeard)

    async def close(self) -> None:
        """Listen no more, and end what is under way."""
        self._silence()
        await self._tasks.cancel()

    async def settled(self) -> None:
        """Wait for the answers to what was asked."""
        await self._tasks.settled()

    async def look(self) -> None:
        """Ask for what is due now; the answers are not waited for."""
        online, now_ms = self._stations.online(), self._clock()
        for one in await self._store.write(guard.overdue, online, now_ms):
            if self._not_before.get((one.station, one.evse), 0) <= now_ms:
                self._ask(f"reading of {one.evse}", self._ask_for_reading, one.station, one.evse)
        for station in self._booted & online:
            self._booted.discard(station)
            self._ask("sampling", self.see_to_sampling, station)
            self._ask("power", self._ask_for_power, station)
        silent = set(await self._store.write(introduction.silent, now_ms)) & online
        self._introductions = {one: self._introductions[one] for one in self._introductions.keys() & silent}
        for station in silent:
            known = self._introductions.setdefault(station, Introduction(now_ms, []))
            if now_ms - known.at_ms >= STEP_MS:
                known.at_ms = now_ms
                self._ask("introduction", self._introduce, station, known)

    def _on_announcements(self, announcements: list[Announcement]) -> None:
        self._booted.update(StationId(one.station) for one in announcements if isinstance(one, BootHeard))

    def _ask(self, what: str, asking: Callable[..., Awaitable[None]], station: StationId, *more: object) -> None:
        """In a task of its own, one of a kind for each station: some take half a minute to answer."""
        key = what, station

        async def ask() -> None:
            try:
                await asking(station, *more)
            except CommandFailed as failure:
                log.info("upkeep failed", extra={"station": station, "what": what, "why": failure.kind})
            finally:
                self._busy.discard(key)

        if key not in self._busy:
            self._busy.add(key)
            self._tasks.start(ask(), what)

    # --- readings

    async def _ask_for_reading(self, station: StationId, evse: int) -> None:
        try:
            heard = (await self._stations.trigger(station, READINGS, evse or None)).accepted
        except CommandFailed as failure:
            heard = failure.kind not in (FailureKind.UNSUPPORTED, FailureKind.REFUSED)
        self._not_before[station, evse] = self._clock() + (ASK_AGAIN_MS if heard else DEAF_MS)

    # --- how it measures

    async def see_to_sampling(self, station: StationId) -> None:
        """Read how it measures, put that right where the site wants it, and say so if it cannot be watched all the same.

        Raises:
            CommandFailed: It does not say.
        """
        found = await self._stations.read_sampling(station)
        values = await self._store.read(settings.load)
        if values.set_sampling and is_wanting(found, values.sample_interval_s):
            await self._store.write(
                audit.record,
                By(BY_CLOCK, self._clock()),
                "station.set_sampling",
                f"station:{station}",
                interval_s=values.sample_interval_s,
                before_s=found.interval_s,
                told_register=found.tells_register,
            )
            found = await self._stations.set_sampling(station, values.sample_interval_s)
        await self._store.write(guard.sampling_told, station, found.interval_s, found.tells_register, self._clock())

    async def _ask_for_power(self, station: StationId) -> None:
        """How much it can give, by its own settings."""
        power_w = await self._stations.read_power(station)
        if power_w is not None:
            await self._store.write(power.learn, station, power_w, self._clock())

    # --- which connectors it has

    async def _introduce(self, station: StationId, known: Introduction) -> None:
        """The next step with a station that has told of no connector."""
        if Step.BOOT not in known.tried:
            known.tried.append(Step.BOOT)
            await self._stations.trigger(station, BOOT)
        elif Step.STATUS not in known.tried:
            known.tried.append(Step.STATUS)
            await self._stations.trigger(station, STATUS)
        elif Step.COUNT not in known.tried:
            known.tried.append(Step.COUNT)
            await self._ask_each(station)
        else:
            evses = await self._count(station)
            await self._store.write(introduction.without_word, station, evses, tuple(known.tried), self._clock())
            await self.see_to_sampling(station)

    async def _ask_each(self, station: StationId) -> None:
        """Some tell their status only when they are asked for one connector."""
        for evse in range(1, await self._count(station) + 1):
            await self._stations.trigger(station, STATUS, evse)

    async def _count(self, station: StationId) -> int:
        """How many it has, by its own settings; one it has in any case."""
        try:
            return await self._stations.count_evses(station) or 1
        except CommandFailed:
            return 1


def is_wanting(sampling: Sampling, interval_s: int) -> bool:
    """Whether it says that it measures too seldom, or does not tell its register."""
    too_seldom = sampling.interval_s is not None and not 0 < sampling.interval_s <= interval_s
    return too_seldom or sampling.tells_register is False
