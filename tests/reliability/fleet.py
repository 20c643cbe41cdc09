"""A fleet of stations that charge without end, keep what was not acknowledged, and remember all that was."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
import orjson

from appliance.domain.clock import system_clock
from appliance.domain.identifiers import PersonId
from appliance.domain.units import rfc3339
from tests.support.books import Books

PAID_IN_MINOR = 50_000_000
PRICE_MINOR_PER_KWH = 2_000
ANSWER_S = 30.0
RETRY_S = (0.05, 0.25)
READINGS = 3
STATIONS = 100


class LineLost(Exception):
    """The connection went before the answer came."""


@dataclass(slots=True)
class Acknowledged:
    """What the server has confirmed to one station."""

    starts: dict[str, int] = field(default_factory=dict)
    """Transaction by the timestamp of its start."""
    stops: dict[int, int] = field(default_factory=dict)
    """Energy by transaction."""
    readings: set[tuple[int, int]] = field(default_factory=set)
    """Transaction and time."""
    messages: int = 0


def card(number: int) -> str:
    """The card that is swiped at a station."""
    return f"04{number:06X}"


def fill(books: Books, stations: int = STATIONS) -> list[PersonId]:
    """Stations and their drivers; no limit on how fast they talk."""
    books.tariff(energy=PRICE_MINOR_PER_KWH * 1_000)
    books.db.execute("INSERT INTO setting (name, value) VALUES ('messages_per_s', '0')")
    group = books.group("prepaid")
    people = []
    for number in range(stations):
        person = books.person(f"Driver {number}", group=group, paid_in=PAID_IN_MINOR)
        books.card(card(number), person)
        books.station(f"CS-{number:03}", evses=1)
        people.append(person)
    return people


class FleetStation:
    """One station: it boots once for each connection, and sends each message until it is answered."""

    def __init__(self, number: int, fleet: Fleet) -> None:
        self.number = number
        self.identity = f"CS-{number:03}"
        self.fleet = fleet
        self.known = Acknowledged()
        self.chance = random.Random(number)
        self.register_wh = 1_000
        self.clock_ms = 0
        self.sent = 0
        self.socket: aiohttp.ClientWebSocketResponse | None = None

    async def run(self) -> None:
        """Charge until the fleet has had enough; what was begun is ended."""
        while not self.fleet.enough.is_set():
            await self.charge()

    async def charge(self) -> None:
        """One transaction, from the start to the acknowledged stop."""
        stamp = self.stamp()
        began_wh = self.register_wh
        fields = {"connectorId": 1, "idTag": card(self.number), "meterStart": began_wh, "timestamp": stamp}
        answer = await self.tell("StartTransaction", fields)
        transaction = int(answer["transactionId"])
        self.known.starts[stamp] = transaction
        assert answer["idTagInfo"]["status"] == "Accepted", answer
        for _ in range(READINGS):
            self.register_wh += self.chance.randrange(100, 200)
            await self.read(transaction)
            if self.fleet.enough.is_set():
                break
        stop = {"transactionId": transaction, "meterStop": self.register_wh, "timestamp": self.stamp()}
        await self.tell("StopTransaction", stop)
        self.known.stops[transaction] = self.register_wh - began_wh

    async def read(self, transaction: int) -> None:
        """MeterValues."""
        stamp = self.stamp()
        sample = {"value": str(self.register_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
        meter = [{"timestamp": stamp, "sampledValue": [sample]}]
        await self.tell("MeterValues", {"connectorId": 1, "transactionId": transaction, "meterValue": meter})
        self.known.readings.add((transaction, self.register_wh))

    def stamp(self) -> str:
        """This moment; no two are the same."""
        self.clock_ms = max(self.clock_ms + 1, system_clock())
        return rfc3339(self.clock_ms)

    async def tell(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Send one message until it is answered: the same frame, over as many connections as it takes.

        Now and then it is sent once more although it was answered, as it is or under another message id.
        """
        self.sent += 1
        frame = orjson.dumps([2, f"{self.identity}-{self.sent}", action, payload]).decode()
        answer = await self.send_until_answered(frame)
        if self.chance.random() < 0.02:
            again = orjson.dumps([2, f"{self.identity}-{self.sent}-again", action, payload]).decode()
            repeated = await self.send_until_answered(self.chance.choice([frame, again]))
            assert repeated.get("transactionId") == answer.get("transactionId")
        return answer

    async def send_until_answered(self, frame: str) -> dict[str, Any]:
        while True:
            try:
                if self.socket is None:
                    await self.connect()
                answer = await self.exchange(frame)
            except (LineLost, aiohttp.ClientError, ConnectionError):
                await self.hang_up()
                await asyncio.sleep(self.chance.uniform(*RETRY_S))
                continue
            self.known.messages += 1
            return answer

    async def connect(self) -> None:
        """Connect and boot."""
        url = f"{self.fleet.url}{self.identity}"
        self.socket = await self.fleet.session.ws_connect(url, protocols=("ocpp1.6",), compress=0, autoping=True)
        self.sent += 1
        model = {"chargePointVendor": "Forecourt", "chargePointModel": "Fleet"}
        boot = orjson.dumps([2, f"{self.identity}-{self.sent}", "BootNotification", model]).decode()
        answer = await self.exchange(boot)
        assert answer["status"] == "Accepted", answer
        self.fleet.booted.set()

    async def exchange(self, frame: str) -> dict[str, Any]:
        """A frame and its answer on the connection there is."""
        assert self.socket is not None
        await self.socket.send_str(frame)
        async with asyncio.timeout(ANSWER_S):
            while True:
                message = await self.socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    raise LineLost
                answer = orjson.loads(message.data)
                if answer[0] == 2:
                    await self.socket.send_str(orjson.dumps([3, answer[1], {"status": "Accepted"}]).decode())
                    continue
                assert answer[0] == 3, f"{frame} was answered {answer}"
                if answer[1] == orjson.loads(frame)[1]:
                    payload: dict[str, Any] = answer[2]
                    return payload

    async def hang_up(self) -> None:
        """Let go of the connection."""
        socket, self.socket = self.socket, None
        if socket is not None:
            await socket.close()


class Fleet:
    """All stations, and what is common to them."""

    def __init__(self, url: str, stations: int = STATIONS) -> None:
        self.url = url
        self.enough = asyncio.Event()
        self.booted = asyncio.Event()
        """A station was accepted since this was last cleared."""
        self.stations = [FleetStation(number, self) for number in range(stations)]
        self.tasks: list[asyncio.Task[None]] = []
        self.session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self.tasks = [asyncio.create_task(station.run()) for station in self.stations]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for station in self.stations:
            await station.hang_up()
        await self.session.close()

    @property
    def messages(self) -> int:
        """How many were acknowledged so far."""
        return sum(station.known.messages for station in self.stations)

    async def finish(self, timeout_s: float) -> None:
        """Let all end what they have begun. A station that failed raises here."""
        self.enough.set()
        async with asyncio.timeout(timeout_s):
            await asyncio.gather(*self.tasks)
