"""A simulated station that speaks OCPP 1.6J, on a line that may break at any time.

A reconnection needs no new boot. What the station says is in `speaker`, what the central system asks of it in `commands`.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from appliance.simulator.connection import ConnectionLost, HandshakeRefused, Socket, connected, delays_s
from appliance.simulator.station import Station
from appliance.simulator.v16 import schemas
from appliance.simulator.v16.commands import Commands
from appliance.simulator.v16.connection import Connection
from appliance.simulator.v16.speaker import Speaker16

SUBPROTOCOL: Final = "ocpp1.6"
ANSWER_TIMEOUT_S: Final = 30.0
TICK_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Options:
    """Where the central system is and how the station behaves on the line."""

    url: str
    identity: str
    password: bytes | None = None
    tls: ssl.SSLContext | None = None
    sample_interval_s: int = 10
    answer_timeout_s: float = ANSWER_TIMEOUT_S
    tick_s: float = TICK_S
    reboot_s: float = 3.0
    seed: int | None = None
    give_up_when_refused: bool = False
    """Raise `HandshakeRefused` out of `run` instead of trying again later."""


class ChargePoint(Speaker16):
    """See the module. `run` lasts until it is cancelled; `charger` is what hands on the station work with."""

    def __init__(self, station: Station, options: Options, tell: Callable[[str], None] = lambda _: None) -> None:
        super().__init__(station, options.identity, options.password, options.sample_interval_s, tell)
        self.options = options
        self.registered = asyncio.Event()
        """Set while the central system has accepted the station and the line is up."""
        self._random = random.Random(options.seed)
        self._waits_s = delays_s(self._random)
        self._commands = Commands(self)
        self._ticked = asyncio.Event()

    async def run(self) -> None:
        """Be a station until cancelled: time passes whether or not there is a line."""
        await asyncio.to_thread(schemas.read_all)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick_forever(), name=f"clock of {self.options.identity}")
            group.create_task(self._connect_forever(), name=f"line of {self.options.identity}")

    async def until(self, fact: Callable[[], bool]) -> None:
        """Wait until something is true of the station; looked at as its clock ticks."""
        while not fact():
            await self._ticked.wait()

    async def _connect_forever(self) -> None:
        options = self.options
        while True:
            try:
                async with connected(options.url, options.identity, SUBPROTOCOL, self._password, options.tls) as socket:
                    self.tell(f"Connected to {options.url} as {options.identity}.")
                    await self._live(socket)
            except* HandshakeRefused as refused:
                if options.give_up_when_refused:
                    raise
                self.tell(str(first(refused)))
            except* ConnectionLost as lost:
                self.tell(str(first(lost)))
            wait_s = options.reboot_s if self._restarting else next(self._waits_s)
            self._restarting = False
            await asyncio.sleep(wait_s)

    async def _live(self, socket: Socket) -> None:
        """One connection, to its end: always leaves by `ConnectionLost`."""
        options = self.options
        connection = Connection(options.identity, socket, options.answer_timeout_s, self._commands)
        self._connection = connection
        try:
            async with asyncio.TaskGroup() as group:
                self._tasks = group
                group.create_task(connection.read(), name=f"reader of {options.identity}")
                while True:
                    await self._boot()
                    self._waits_s = delays_s(self._random)
                    self.registered.set()
                    work = group.create_task(self._work())
                    await self._boot_now.wait()
                    self._boot_now.clear()
                    self.registered.clear()
                    work.cancel()
        finally:
            self.registered.clear()
            self._connection, self._tasks = None, None
            connection.lost()

    async def _tick_forever(self) -> None:
        while True:
            now_ms = self.station.clock()
            for place in self.charger.places:
                began_at_ms = place.transaction.begin.at_ms if place.transaction else None
                place.evse.limit_w = self.profiles.limit_w(place.evse, now_ms, began_at_ms)
            self.charger.tick()
            self._ticked.set()
            self._ticked = asyncio.Event()
            await asyncio.sleep(self.options.tick_s)


def first(group: BaseExceptionGroup[Exception]) -> Exception:
    """The first error in a group of groups."""
    error = group.exceptions[0]
    return first(error) if isinstance(error, BaseExceptionGroup) else error
