"""The stations' side on a real socket and a real database, and a websocket client that sends exactly what it is told."""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from appliance.db import site as sites
from appliance.db.engine.store import Store
from appliance.db.engine.unit import Database
from appliance.db.stations import message_log
from appliance.db.stations.message_log import Message
from appliance.domain.by import By
from appliance.domain.clock import system_clock
from appliance.domain.identifiers import StationId
from appliance.domain.site import Site
from appliance.domain.tariff import Tariff
from appliance.domain.units import rfc3339
from appliance.host.addresses import Address
from appliance.host.listeners import Listeners, listen
from appliance.ocpp.admission.endpoint import StationsListener, open_stations
from appliance.ocpp.settings import StationSettings
from appliance.services import tariffs
from appliance.services.announce import Announcement, Hub
from appliance.services.cards import cards
from appliance.services.people import groups, people
from appliance.services.stations import admission
from appliance.services.wallets import wallets
from tests.support.schema import prepare

Payload = dict[str, Any]

SITE_KEY = b"k" * 32
TIMEOUT_S = 20.0
CARD = "04A1B2C3"


class Server:
    """The part of the program that stations see, with the store behind it."""

    def __init__(self, path: Path, settings: StationSettings) -> None:
        self.path = path
        self.settings = settings
        self.hub = Hub()
        self.announced = asyncio.Event()
        self.now_ms = system_clock
        self.neighbours = ""
        """As the text of /proc/net/arp."""
        self.store: Store
        self.listener: StationsListener
        self.url = ""
        self._stack = AsyncExitStack()

    async def start(self) -> None:
        """Open the store and listen."""
        prepare(self.path)
        self.store = Store(self.path, announce=self._announce)
        await self.store.open()
        self._stack.push_async_callback(self.store.close)
        await self.store.write(fill)
        self.listener = await self._stack.enter_async_context(
            open_stations(self.store, self.hub, self.settings, SITE_KEY, self.clock, neighbours=lambda: self.neighbours)
        )
        listeners = Listeners()
        await listen(self._stack, listeners, "stations", self.listener.application, Address("127.0.0.1", 0), None)
        self.url = f"http://127.0.0.1:{listeners.ports['stations']}"

    async def stop(self) -> None:
        """As the program ends: connections first, the store last."""
        await self._stack.aclose()
        self._stack = AsyncExitStack()

    def clock(self) -> int:
        """The time that tests may set."""
        return self.now_ms()

    async def restart(self) -> None:
        """All memory is lost; what was committed is there."""
        await self.stop()
        await self.start()

    async def register(self, identity: str, profile: int = 0, password: str | None = None) -> StationId:
        """A station that staff entered."""
        hashed = hash_password(SITE_KEY, password.encode()) if password is not None else None
        return await self.store.write(
            admission.register, identity, identity, profile, hashed, By("operator:1", self.now_ms())
        )

    async def log_of(self, station: int, **filters: Any) -> list[Message]:
        """The message log of a station, oldest first, once all that was queued is written."""
        await self.store.write(nothing)
        page = await self.store.read(message_log.page, StationId(station), None, 1000, **filters)
        return page.messages[::-1]

    async def rows(self, sql: str, *parameters: object) -> list[Any]:
        """What is in the database, once all that was queued is written."""
        await self.store.write(nothing)
        return await self.store.read(lambda db: db.execute(sql, parameters).fetchall())

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that an announcement brings about."""
        async with asyncio.timeout(TIMEOUT_S):
            while not condition():
                self.announced.clear()
                await self.store.write(nothing)
                await asyncio.sleep(0)

    def _announce(self, announcements: list[Announcement]) -> None:
        self.hub.announce(announcements)
        self.announced.set()


class Client:
    """A websocket that speaks when it is told to."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self._number = 0

    async def send(self, text: str) -> None:
        """Send a text frame as it is."""
        await self.socket.send_str(text)

    async def receive(self) -> Any:
        """The next text frame, parsed."""
        message = await self.socket.receive(timeout=TIMEOUT_S)
        assert message.type is aiohttp.WSMsgType.TEXT, (message, self.socket.close_code)
        return orjson.loads(message.data)

    async def exchange(self, text: str) -> Any:
        """Send a frame; the next that comes."""
        await self.send(text)
        return await self.receive()

    async def call(self, action: str, payload: Any) -> Any:
        """Send a CALL; the payload of its CALLRESULT."""
        self._number += 1
        frame = await self.exchange(orjson.dumps([2, f"m{self._number}", action, payload]).decode())
        assert frame[:2] == [3, f"m{self._number}"], frame
        return frame[2]

    async def refusal(self, action: str, payload: Any) -> str:
        """Send a CALL; the code of its CALLERROR."""
        self._number += 1
        frame = await self.exchange(orjson.dumps([2, f"m{self._number}", action, payload]).decode())
        assert frame[:2] == [4, f"m{self._number}"], frame
        return str(frame[2])

    async def boot(self) -> Any:
        """Say who it is."""
        return await self.call("BootNotification", {"chargePointVendor": "Vendor", "chargePointModel": "Model"})

    async def start(self, card: str = CARD, connector: int = 1, meter_wh: int = 1000, at_ms: int | None = None) -> Any:
        """StartTransaction."""
        return await self.call("StartTransaction", start_payload(card, connector, meter_wh, at_ms))

    async def closed(self) -> int | None:
        """Wait for the server's close; its code."""
        while True:
            message = await self.socket.receive(timeout=TIMEOUT_S)
            if message.type is aiohttp.WSMsgType.CLOSE:
                return int(message.data)
            if message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING):
                return self.socket.close_code
            if message.type is aiohttp.WSMsgType.ERROR:
                return None


@asynccontextmanager
async def connected(
    server: Server,
    path: str = "/ocpp/CS-1",
    *,
    protocols: tuple[str, ...] = ("ocpp1.6",),
    address: str = "127.0.0.1",
    **options: Any,
) -> AsyncIterator[Client]:
    """A connection, from one of this box's own addresses."""
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(address, 0))) as session,
        session.ws_connect(
            server.url + path, protocols=protocols, headers=options.pop("headers", None), max_msg_size=0, **options
        ) as socket,
    ):
        yield Client(socket)


async def handshake_status(server: Server, path: str = "/ocpp/CS-1", **options: Any) -> tuple[int, Any]:
    """The HTTP status of a handshake that is refused, and its headers."""
    try:
        async with connected(server, path, **options):
            return 101, {}
    except aiohttp.WSServerHandshakeError as error:
        return error.status, error.headers


def basic(username: str | bytes, password: str | bytes) -> dict[str, str]:
    """The header of Basic authentication."""
    username = username.encode() if isinstance(username, str) else username
    password = password.encode() if isinstance(password, str) else password
    return {"Authorization": "Basic " + base64.b64encode(username + b":" + password).decode()}


def start_payload(card: str = CARD, connector: int = 1, meter_wh: int = 1000, at_ms: int | None = None) -> Payload:
    """A StartTransaction.req."""
    timestamp = rfc3339(at_ms if at_ms is not None else system_clock())
    return {"connectorId": connector, "idTag": card, "meterStart": meter_wh, "timestamp": timestamp}


def stop_payload(transaction: int, meter_wh: int = 6000, **more: Any) -> Payload:
    """A StopTransaction.req."""
    return {"transactionId": transaction, "meterStop": meter_wh, "timestamp": rfc3339(system_clock()), **more}


def hash_password(key: bytes, password: bytes) -> bytes:
    """What is kept of a station's password."""
    return hmac.digest(key, password, "sha256")


def nothing(_: Database) -> None:
    """A unit after which all that was queued before is written."""


def fill(db: Database) -> None:
    """A site with a tariff, and a person with a card and money."""
    if sites.load(db) is not None:
        return
    now_ms = system_clock()
    sites.create(db, Site("Depot", "BDT", 2, "Asia/Dhaka", "en"), SITE_KEY, now_ms)
    by = By("operator:1", now_ms)
    tariffs.add(db, Tariff(0, "Day", 1_200_000, 0, 0, 0, 0, 0), by)
    group = groups.add(db, "Guests", "prepaid", by)
    person = people.add(db, "Rahima Khatun", group, by)
    cards.add(db, CARD, person, by)
    wallets.top_up(db, person, 100_000, "cash", "first", by)
