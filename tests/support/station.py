"""A charging station for tests: OCPP 1.6 over a real websocket, in the words of a story, with verbs for misfortune.

The station that behaves by itself is `appliance.simulator`; this one does what the test says. It keeps each start, reading and
stop until it is acknowledged, over lost connections, as chargers do. Nothing is asserted here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from appliance.domain.clock import Clock, system_clock
from appliance.domain.units import rfc3339
from tests.support.station_line import CallError, Offline, Payload, RawStation

__all__ = ["CallError", "Connector", "Offline", "Payload", "Station", "Transaction"]


@dataclass(slots=True)
class Transaction:
    """A transaction as the station knows it; `id` is -1 until the start has been acknowledged."""

    connector: int
    card: str
    id: int = -1
    status: str = ""
    """Status of the card in the answer to the start."""
    stop_status: str = ""


@dataclass(slots=True)
class Kept:
    """A transaction message that is kept until it is acknowledged; its payload is made when it is sent."""

    action: str
    message_id: str
    payload: Callable[[], Payload]
    acknowledged: Callable[[Payload], None]


@dataclass(slots=True)
class Connector:
    """What is plugged in and what the meter says."""

    register_wh: int = 0
    plugged: bool = False
    card: str | None = None
    transaction: Transaction | None = None


class Station(RawStation):
    """See the module. `behind_s`: how far its clock begins behind real time; `meter_wh`: where its meters begin."""

    def __init__(
        self,
        url: str,
        identity: str,
        *,
        connectors: int = 1,
        power_w: int = 7400,
        meter_wh: int = 1000,
        clock: Clock = system_clock,
        behind_s: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(url, identity, **options)
        self.power_w = power_w
        self.connectors = {number: Connector(register_wh=meter_wh) for number in range(1, connectors + 1)}
        self.unacknowledged: list[Kept] = []
        self._clock = clock
        self._ahead_ms = -behind_s * 1000
        self._last_ms = 0
        self._frozen_ms: int | None = None

    async def come_back(self) -> None:
        """Reconnect and send what was not acknowledged, without a new boot."""
        await self.connect()
        await self.replay()

    # The story.

    async def boot(self, **fields: Any) -> Payload:
        """BootNotification, and when it is accepted the status of all connectors; the answer to the boot."""
        model = {
            "chargePointVendor": "Forecourt",
            "chargePointModel": "Story",
            "chargePointSerialNumber": self.identity,
        }
        answer = await self.call("BootNotification", model | fields)
        if answer.get("status") == "Accepted":
            await self.status("Available", connector=0)
            for number, connector in self.connectors.items():
                await self.status(
                    "Charging" if connector.transaction else "Preparing" if connector.plugged else "Available",
                    connector=number,
                )
        return answer

    async def status(self, status: str, *, connector: int = 1, error_code: str = "NoError") -> None:
        """StatusNotification; lost when offline, as its time is over when the line is back."""
        if self.online:
            payload = {
                "connectorId": connector,
                "errorCode": error_code,
                "status": status,
                "timestamp": self.timestamp(),
            }
            await self.call("StatusNotification", payload)

    async def plug_in(self, *, connector: int = 1) -> None:
        """A car is connected; a card presented before starts the transaction now."""
        place = self.connectors[connector]
        place.plugged = True
        await self.status("Preparing", connector=connector)
        if place.card is not None and place.transaction is None:
            await self.start_transaction(place.card, connector=connector)

    async def present_card(self, card: str, *, connector: int = 1) -> str:
        """A card at the reader: ends the transaction it began, otherwise Authorize and, with a car there, StartTransaction.

        Returns the status the server gave the card last (offline: `Offline`, and the transaction starts all the same).
        """
        place = self.connectors[connector]
        if place.transaction is not None and place.transaction.card == card:
            transaction = place.transaction
            await self.stop_transaction(connector=connector)
            return transaction.stop_status or "Accepted"
        status = "Offline"
        if self.online:
            status = str((await self.call("Authorize", {"idTag": card}))["idTagInfo"]["status"])
        if status not in {"Accepted", "Offline"}:
            return status
        place.card = card
        if not place.plugged or place.transaction is not None:
            return status
        transaction = await self.start_transaction(card, connector=connector)
        return transaction.status or status

    async def start_transaction(self, card: str, *, connector: int = 1, **fields: Any) -> Transaction:
        """StartTransaction, whatever went before; the transaction with its id and the card's status if it was answered."""
        place = self.connectors[connector]
        transaction = place.transaction = Transaction(connector, card)
        payload = {
            "connectorId": connector,
            "idTag": card,
            "meterStart": place.register_wh,
            "timestamp": self.timestamp(),
        }
        payload |= fields

        def acknowledged(answer: Payload) -> None:
            transaction.id = answer["transactionId"]
            transaction.status = answer["idTagInfo"]["status"]

        await self._tell("StartTransaction", lambda: payload, acknowledged)
        await self.status("Charging", connector=connector)
        return transaction

    async def charge(
        self, energy_wh: int, *, connector: int = 1, duration_s: int | None = None, samples: int = 3
    ) -> None:
        """Deliver energy and tell it in `samples` readings; the station's clock moves by what that takes at `power_w`."""
        place = self.connectors[connector]
        duration_ms = energy_wh * 3_600_000 // self.power_w if duration_s is None else duration_s * 1000
        begin_wh = place.register_wh
        for number in range(1, samples + 1):
            place.register_wh = begin_wh + energy_wh * number // samples
            self.wait(milliseconds=duration_ms * number // samples - duration_ms * (number - 1) // samples)
            await self.meter_values(connector=connector)
        place.register_wh = begin_wh + energy_wh

    async def meter_values(self, *, connector: int = 1) -> None:
        """One reading of energy, power, current, voltage and state of charge."""
        place = self.connectors[connector]
        transaction = place.transaction
        sampled = [
            {"value": str(place.register_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
            {"value": str(self.power_w), "measurand": "Power.Active.Import", "unit": "W"},
            {"value": f"{self.power_w / 230:.1f}", "measurand": "Current.Import", "unit": "A"},
            {"value": "230.0", "measurand": "Voltage", "unit": "V"},
            {"value": "50", "measurand": "SoC", "unit": "Percent"},
        ]
        reading = [{"timestamp": self.timestamp(), "sampledValue": sampled}]

        def payload() -> Payload:
            return {"connectorId": connector, "meterValue": reading} | (
                {"transactionId": transaction.id} if transaction else {}
            )

        await self._tell("MeterValues", payload)

    async def stop_transaction(self, *, connector: int = 1, reason: str | None = "Local", **fields: Any) -> None:
        """StopTransaction for the one that runs, then Finishing (or Available without a car)."""
        place = self.connectors[connector]
        transaction = place.transaction
        if transaction is None:
            return
        place.transaction, place.card = None, None
        fixed: Payload = {"meterStop": place.register_wh, "timestamp": self.timestamp()}
        if reason in {None, "Local"}:
            fixed["idTag"] = transaction.card
        if reason is not None:
            fixed["reason"] = reason
        fixed |= fields

        def acknowledged(answer: Payload) -> None:
            transaction.stop_status = answer.get("idTagInfo", {}).get("status", "")

        await self._tell("StopTransaction", lambda: {"transactionId": transaction.id} | fixed, acknowledged)
        await self.status("Finishing" if place.plugged else "Available", connector=connector)

    async def unplug(self, *, connector: int = 1) -> None:
        """The car goes; a running transaction ends with it."""
        place = self.connectors[connector]
        place.plugged, place.card = False, None
        if place.transaction is not None:
            await self.stop_transaction(connector=connector, reason="EVDisconnected")
        else:
            await self.status("Available", connector=connector)

    async def replay(self, *, new_ids: bool = False) -> None:
        """Send what was not acknowledged again, in order, until all is or the line is lost again."""
        while self.unacknowledged and self.online:
            kept = self.unacknowledged[0]
            if new_ids:
                kept.message_id = self._message_id()
            try:
                answer = await self._exchange([2, kept.message_id, kept.action, kept.payload()])
            except Offline:
                return
            kept.acknowledged(answer)
            self.unacknowledged.pop(0)

    # Time.

    def wait(self, *, seconds: int = 0, milliseconds: int = 0) -> None:
        """Let time pass on the station's clock, and only there."""
        self._ahead_ms += seconds * 1000 + milliseconds

    def set_clock(self, *, behind_s: int = 0, frozen_ms: int | None = None) -> None:
        """Its clock is set, or stands still from now on."""
        self._ahead_ms, self._last_ms, self._frozen_ms = -behind_s * 1000, 0, frozen_ms

    def timestamp(self) -> str:
        """The station's time, later than all it has told since its clock was set, unless that stands still."""
        if self._frozen_ms is not None:
            return rfc3339(self._frozen_ms)
        self._last_ms = max(self._last_ms + 1, self._clock() + self._ahead_ms)
        return rfc3339(self._last_ms)

    # Helpers.

    async def _tell(
        self, action: str, payload: Callable[[], Payload], acknowledged: Callable[[Payload], None] = lambda _: None
    ) -> None:
        self.unacknowledged.append(Kept(action, self._message_id(), payload, acknowledged))
        await self.replay()
