"""Somebody who plays with the demo, stands before a simulated station with a card, and has a car for every place.

The stations speak with the server as ever; here is only what a driver does with their hands. It is the body of `DemoChargers` in
services/ports/demo.py, and none of it exists on a real site.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from appliance.services.ports.demo import DemoConnector
from appliance.simulator.charger import Place
from appliance.simulator.station import Battery
from appliance.simulator.v16.charge_point import ChargePoint

ACCEPTED: Final = "Accepted"
STOPPED: Final = "Stopped"
OFFLINE: Final = "offline"
OCCUPIED: Final = "Occupied"
TOLD_S_MAX: Final = 5.0
"""For so long the server is waited for, before a display says what the station knows by itself."""
BATTERY_PERCENT: Final = 30


class DemoDriver:
    """See the module. All is done in the event loop that the stations run in."""

    def __init__(self, charge_points: Sequence[ChargePoint]) -> None:
        self._places = {
            (one.options.identity, place.evse.number): (one, place)
            for one in charge_points
            for place in one.charger.places
        }
        self._with_car: dict[tuple[str, int], Battery] = {}
        self._said: dict[tuple[str, int], tuple[str, str]] = {}

    def connectors(self) -> list[DemoConnector]:
        """All connectors as they are now."""
        return [self._connector(key, charge_point, place) for key, (charge_point, place) in self._places.items()]

    async def hold(self, uid: str, station: str, evse: int) -> str:
        """See `DemoChargers.hold`."""
        key = (station, evse)
        charge_point, place = self._places[key]
        said = await self._hold(key, charge_point, place, uid)
        self._said[key] = (said, uid)
        return said

    async def _hold(self, key: tuple[str, int], charge_point: ChargePoint, place: Place, uid: str) -> str:
        charger, number = charge_point.charger, place.evse.number
        if not charge_point.registered.is_set():
            return OFFLINE
        if (running := place.transaction) is not None:
            answer = await charger.present_card(uid, number)
            if running.end is None or running.end_token is None:
                return OCCUPIED if answer.accepted else answer.status
            if self._is_ours(key, place):
                charger.unplug(number)
            await self._until_sent(charge_point)
            return STOPPED
        if place.evse.battery is not None and not self._is_ours(key, place):
            return OCCUPIED
        charger.unplug(number)
        self._with_car[key] = battery = Battery.charged(BATTERY_PERCENT)
        charger.plug_in(number, battery)
        answer = await charger.present_card(uid, number)
        await self._until_sent(charge_point)
        status = answer.status
        if (begun := place.transaction) is None or begun.refused:
            # It was accepted, and refused as soon as it began: the server's last word on the card says why.
            known = charge_point.tokens.cached.get(uid.casefold())
            status = known.status if answer.accepted and known is not None else answer.status
            charger.unplug(number)
        return status

    def _is_ours(self, key: tuple[str, int], place: Place) -> bool:
        return place.evse.battery is not None and place.evse.battery is self._with_car.get(key)

    async def _until_sent(self, charge_point: ChargePoint) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(TOLD_S_MAX):
                await charge_point.outbox.emptied()

    def _connector(self, key: tuple[str, int], charge_point: ChargePoint, place: Place) -> DemoConnector:
        if not charge_point.registered.is_set():
            state = OFFLINE
        elif self._is_ours(key, place):
            state = "yours"
        else:
            state = "free" if place.evse.battery is None else "taken"
        running = place.transaction
        energy_wh = place.evse.register_wh - running.begin.register_wh if running is not None else 0
        said, card = self._said.get(key, ("", ""))
        if said == ACCEPTED and running is None:
            # The money ran out, or the staff ended it: the display thanks all the same.
            said = STOPPED
        return DemoConnector(*key, state, energy_wh, said, card)
