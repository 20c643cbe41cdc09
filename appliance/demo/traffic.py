"""Cars that come and go at simulated stations, for the demo site: now and then, for ever, the same for the same seed.

The demo's server is reached like any other, over websockets; which stations and cards it knows is told by whoever calls.
Whoever plays with the demo may come with a car of their own and hold a card to a station (`driver`).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.demo.driver import DemoDriver
from appliance.domain.clock import Clock, system_clock
from appliance.services.ports.demo import DemoConnector
from appliance.simulator.charger import Place
from appliance.simulator.station import Battery, Station
from appliance.simulator.v16.charge_point import ChargePoint, Options

UNKNOWN_CARD: Final = "04DEADBEEF"
UNKNOWN_CARD_EVERY: Final = 12
"""One visitor in so many presents a card nobody knows."""


@dataclass(frozen=True, slots=True)
class DemoStation:
    """A station of the demo site."""

    identity: str
    power_w: int = 7400
    connectors: int = 1
    meter_wh: int = 0
    """Where its meters stand, so that a restart does not run them backwards."""
    model: str = "Simulated station"
    kept_free: int = 0
    """So many of its connectors, the last ones, are left to whoever plays with the demo: no car comes there by itself."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How long things take, in real seconds: each a range from which chance picks."""

    empty_s: tuple[float, float] = (10, 60)
    card_s: tuple[float, float] = (2, 6)
    charge_s: tuple[float, float] = (60, 240)
    linger_s: tuple[float, float] = (5, 30)


class DemoTraffic:
    """All stations of a demo site with their visitors. A visitor's card is used at one place at a time."""

    def __init__(
        self,
        url: str,
        stations: Sequence[DemoStation],
        cards: Sequence[str],
        *,
        seed: int = 1,
        speed: int = 1,
        rhythm: Rhythm | None = None,
        sample_interval_s: int = 10,
        clock: Clock = system_clock,
    ) -> None:
        self._random = random.Random(seed)
        self._rhythm = rhythm or Rhythm()
        self._free_cards = list(cards)
        self._kept_free = {station.identity: station.connectors - station.kept_free for station in stations}
        self.charge_points = [
            ChargePoint(
                Station.of(
                    clock,
                    connectors=station.connectors,
                    power_w=station.power_w,
                    speed=speed,
                    meter_wh=station.meter_wh,
                    serial=station.identity,
                    model=station.model,
                ),
                Options(url, station.identity, sample_interval_s=sample_interval_s, seed=seed + number),
            )
            for number, station in enumerate(stations)
        ]
        self._driver = DemoDriver(self.charge_points)

    def connectors(self) -> list[DemoConnector]:
        """All connectors, as whoever plays with the demo sees them."""
        return self._driver.connectors()

    async def hold(self, uid: str, station: str, evse: int) -> str:
        """Whoever plays with the demo holds a card to a station; see `DemoChargers`."""
        return await self._driver.hold(uid, station, evse)

    async def run(self) -> None:
        """Connect all stations and let cars come and go, until cancelled. A server that is away only makes them wait."""
        async with asyncio.TaskGroup() as group:
            for charge_point in self.charge_points:
                group.create_task(charge_point.run(), name=f"demo station {charge_point.options.identity}")
                for place in charge_point.charger.places:
                    kept = place.evse.number > self._kept_free[charge_point.options.identity]
                    coming = self._on_demand if kept else self._visitors
                    group.create_task(coming(charge_point, place), name="demo visitors")

    async def _on_demand(self, charge_point: ChargePoint, place: Place) -> None:
        """Where no car comes by itself: one comes for whoever started from afar, and goes when it has charged."""
        while True:
            await charge_point.until(lambda: place.evse.battery is not None or place.token is not None)
            if place.evse.battery is None:
                await self._pause(self._rhythm.card_s)
                charge_point.charger.plug_in(place.evse.number)
            await self._see_off(charge_point, place)

    async def _visitors(self, charge_point: ChargePoint, place: Place) -> None:
        while True:
            await charge_point.registered.wait()
            await self._pause(self._rhythm.empty_s)
            if place.evse.battery is not None:
                await self._see_off(charge_point, place)
                continue
            stranger = self._random.randrange(UNKNOWN_CARD_EVERY) == 0
            if not stranger and not self._free_cards:
                continue
            card = UNKNOWN_CARD if stranger else self._take_card()
            try:
                await self._visit(charge_point, place, card)
            finally:
                if not stranger:
                    self._free_cards.append(card)

    async def _visit(self, charge_point: ChargePoint, place: Place, card: str) -> None:
        """One car: in, card, charge, card, out. A card that is refused drives away again."""
        charger, number, rhythm = charge_point.charger, place.evse.number, self._rhythm
        battery = Battery.charged(self._random.randint(15, 70), self._random.choice((40_000, 60_000, 77_000)))
        charger.plug_in(number, battery)
        await self._pause(rhythm.card_s)
        await charger.present_card(card, number)
        transaction = place.transaction
        if transaction is not None and transaction.token == card:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._random.uniform(*rhythm.charge_s)):
                    await charge_point.until(lambda: transaction.end is not None)
            if transaction.end is None:
                await charger.present_card(card, number)
        await self._pause(rhythm.linger_s)
        charger.unplug(number)
        # The card is free again when the server knows so: it would refuse the same card at two places.
        await charge_point.outbox.emptied()

    async def _see_off(self, charge_point: ChargePoint, place: Place) -> None:
        """Wait until the car that is there has charged and lingered, and let it go, unless it has gone or charges again."""
        battery = place.evse.battery
        await charge_point.until(lambda: place.transaction is None)
        await self._pause(self._rhythm.linger_s)
        if place.evse.battery is battery and place.transaction is None:
            charge_point.charger.unplug(place.evse.number)

    def _take_card(self) -> str:
        return self._free_cards.pop(self._random.randrange(len(self._free_cards)))

    async def _pause(self, between_s: tuple[float, float]) -> None:
        await asyncio.sleep(self._random.uniform(*between_s))
