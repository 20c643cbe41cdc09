"""A simulated station that speaks OCPP 1.6J: boot, heartbeat, status, transactions, and a line that may break at any time.

It behaves as a good charger: transaction messages wait in order until they are acknowledged, a reconnection needs no new boot,
a boot that is Pending or Rejected is repeated after the interval. What the central system asks of it is in `commands`.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from ocpp.v16 import call
from ocpp.v16.enums import ReadingContext

from appliance.simulator.charger import Authorization, Charger, EvseState, Transaction
from appliance.simulator.connection import ConnectionLost, HandshakeRefused, Socket, Unanswered, connected, delays_s
from appliance.simulator.outbox import Message, Outbox
from appliance.simulator.station import Reading, Station
from appliance.simulator.tokens import KnownTokens
from appliance.simulator.v16 import messages, schemas
from appliance.simulator.v16.commands import Link
from appliance.simulator.v16.configuration import Configuration
from appliance.simulator.v16.profiles import Profiles

log = logging.getLogger(__name__)

SUBPROTOCOL: Final = "ocpp1.6"
ANSWER_TIMEOUT_S: Final = 30.0
BOOT_RETRY_S: Final = 10
"""When the central system leaves the interval to the station."""
TICK_S: Final = 0.5
DRAIN_TIMEOUT_S: Final = 10.0
STATUSES: Final = {
    EvseState.FREE: "Available",
    EvseState.WAITS: "Preparing",
    EvseState.CHARGES: "Charging",
    EvseState.CAR_PAUSES: "SuspendedEV",
    EvseState.HOLDS_BACK: "SuspendedEVSE",
    EvseState.DONE: "Finishing",
    EvseState.RESERVED: "Reserved",
    EvseState.CLOSED: "Unavailable",
    EvseState.FAULTED: "Faulted",
}


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


class ChargePoint:
    """See the module. `run` lasts until it is cancelled; `charger` is what hands on the station work with."""

    def __init__(self, station: Station, options: Options, tell: Callable[[str], None] = lambda _: None) -> None:
        self.station = station
        self.options = options
        self.tell = tell
        self.charger = Charger(station)
        self.charger.speaker = self
        self.configuration = Configuration(connectors=len(station.evses), sample_interval_s=options.sample_interval_s)
        self.tokens = KnownTokens()
        self.profiles = Profiles()
        self.outbox = Outbox()
        self.registered = asyncio.Event()
        """Set while the central system has accepted the station and the line is up."""
        self._accepted = False
        self._restarting = False
        self._password = options.password
        self._random = random.Random(options.seed)
        self._waits_s = delays_s(self._random)
        self._link: Link | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._told: dict[int, tuple[str, str | None]] = {}
        self._status_changed = asyncio.Event()
        self._boot_now = asyncio.Event()
        self._ticked = asyncio.Event()
        self._heartbeat_changed = asyncio.Event()
        self.apply_configuration()

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

    # Told by the charger.

    async def authorize(self, token: str) -> Authorization:
        """Ask the central system; offline, decide by the local list, the cache and the configuration."""
        setting = self.configuration.truth
        try:
            answer = await self.call(call.Authorize(id_tag=token))
            authorization = messages.authorization(answer.id_tag_info)
        except ConnectionLost:
            local = setting("LocalAuthorizeOffline")
            return self.tokens.offline(
                token,
                listed=local and setting("LocalAuthListEnabled"),
                cached=local and setting("AuthorizationCacheEnabled"),
                unknown_accepted=setting("AllowOfflineTxForUnknownId"),
            )
        except Unanswered as error:
            self.tell(f"The central system did not answer for card {token}: {error}")
            return Authorization(accepted=False, status="Invalid")
        self.tokens.remember(token, authorization)
        self.tell(f"Card {token}: {authorization.status}.")
        return authorization

    def status_changed(self, evse: int) -> None:
        """Have the status told, if it differs from what was told last."""
        if self._told.get(evse) != self._status(evse):
            self._status_changed.set()

    def transaction_started(self, transaction: Transaction) -> None:
        """Keep a StartTransaction to be told."""

        def acknowledged(answer: Any) -> None:
            transaction.id = answer.transaction_id
            authorization = messages.authorization(answer.id_tag_info)
            self.tokens.remember(transaction.token, authorization)
            self.tell(f"Transaction {transaction.id} on connector {transaction.evse}: {authorization.status}.")
            if not authorization.accepted:
                self.charger.refused(transaction)

        self.outbox.put(Message(lambda: messages.start_transaction(transaction), acknowledged))

    def sampled(self, transaction: Transaction, reading: Reading) -> None:
        """Keep a MeterValues to be told."""
        wanted = self.configuration.text("MeterValuesSampledData")
        if wanted:
            context = ReadingContext.sample_periodic
            self.outbox.put(
                Message(
                    lambda: messages.meter_values(transaction.evse, reading, wanted, context, transaction),
                    lambda _: None,
                    droppable=True,
                )
            )

    def transaction_ended(self, transaction: Transaction) -> None:
        """Keep a StopTransaction to be told."""
        self.profiles.transaction_ended(transaction.evse)
        wanted = self.configuration.text("StopTxnSampledData")

        def acknowledged(_: Any) -> None:
            end, begin = transaction.end, transaction.begin
            energy_wh = end.register_wh - begin.register_wh if end else 0
            self.tell(f"Transaction {transaction.id} has ended: {energy_wh} Wh, {transaction.reason}.")

        self.outbox.put(Message(lambda: messages.stop_transaction(transaction, wanted), acknowledged))

    # Used by the commands.

    async def call(self, payload: Any) -> Any:
        """Call the central system; raises `ConnectionLost` or `Unanswered`."""
        if self._link is None:
            raise ConnectionLost("There is no connection.")
        try:
            return await self._link.ask(payload)
        except Unanswered as error:
            if error.code == "SecurityError" and not isinstance(payload, call.BootNotification):
                # It has forgotten that it accepted this station: introduce ourselves again.
                self._accepted = False
                self._boot_now.set()
            raise

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something besides, as long as the line is up; a call in it that fails is told and forgotten."""

        async def forgiving() -> None:
            try:
                await work
            except Unanswered as error:
                self.tell(f"The central system did not take it: {error}")

        if self._tasks is None:
            work.close()
        else:
            self._tasks.create_task(forgiving())

    def boot_again(self) -> None:
        """Send a BootNotification now."""
        self._accepted = False
        self._boot_now.set()

    def report_status(self, connector: int | None) -> None:
        """Tell the status of a connector, or of all, although it may not have changed."""
        numbers = range(len(self.station.evses) + 1) if connector is None else [connector]
        for number in numbers:
            self._told.pop(number, None)
        self._status_changed.set()

    def apply_configuration(self) -> None:
        """Bring the charger in line with the configuration keys."""
        settings, number = self.charger.settings, self.configuration.number
        settings.sample_interval_s = number("MeterValueSampleInterval")
        settings.connection_timeout_s = number("ConnectionTimeOut")
        settings.stop_on_invalid_token = self.configuration.truth("StopTransactionOnInvalidId")
        self._heartbeat_changed.set()

    async def change_password(self) -> None:
        """Use the new AuthorizationKey from now on: it takes a new connection."""
        key = self.configuration.text("AuthorizationKey")
        try:
            self._password = bytes.fromhex(key)
        except ValueError:
            self._password = key.encode()
        self._restarting = True
        raise ConnectionLost("The password has changed.")

    async def restart(self) -> None:
        """End the connection to boot anew; the transactions have been ended before."""
        try:
            async with asyncio.timeout(DRAIN_TIMEOUT_S):
                await self.outbox.emptied()
        except TimeoutError:
            log.info("restarting with messages that were not acknowledged", extra={"waiting": len(self.outbox)})
        self._accepted, self._restarting = False, True
        self._told.clear()
        raise ConnectionLost("The station restarts.")

    # The line.

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
        link = self._link = Link(self, socket)
        try:
            async with asyncio.TaskGroup() as group:
                self._tasks = group
                group.create_task(link.read(), name=f"reader of {self.options.identity}")
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
            self._link, self._tasks = None, None
            link.lost()

    async def _boot(self) -> None:
        """Introduce the station until it is accepted (§4.2); nothing to do after a mere reconnection."""
        while not self._accepted:
            wait_s = BOOT_RETRY_S
            try:
                answer = await self.call(messages.boot_notification(self.station))
                wait_s = answer.interval or BOOT_RETRY_S
                self.tell(f"Boot: {answer.status}.")
                if answer.status == "Accepted":
                    if answer.interval:
                        self.configuration.write("HeartbeatInterval", str(answer.interval))
                    self._accepted = True
                    self._told.clear()
                    return
            except Unanswered as error:
                self.tell(f"The central system did not take the boot: {error}")
            try:
                async with asyncio.timeout(wait_s):
                    await self._boot_now.wait()
                    self._boot_now.clear()
            except TimeoutError:
                pass

    async def _work(self) -> None:
        """All that an accepted station says by itself."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell_statuses())
            group.create_task(self._heartbeat_forever())
            group.create_task(
                self.outbox.send_forever(
                    self.call,
                    lambda: self.configuration.number("TransactionMessageAttempts"),
                    lambda: self.configuration.number("TransactionMessageRetryInterval"),
                )
            )

    async def _tell_statuses(self) -> None:
        while True:
            self._status_changed.clear()
            for number in range(len(self.station.evses) + 1):
                status, fault = self._status(number)
                if self._told.get(number) == (status, fault):
                    continue
                payload = messages.status_notification(number, status, fault, self.station.clock())
                self._told[number] = (status, fault)
                try:
                    await self.call(payload)
                except ConnectionLost:
                    self._told.pop(number, None)
                    raise
                except Unanswered as error:
                    self.tell(f"The central system did not take a status: {error}")
                if number:
                    self.tell(f"Connector {number}: {status}.")
            await self._status_changed.wait()

    async def _heartbeat_forever(self) -> None:
        while True:
            self._heartbeat_changed.clear()
            try:
                async with asyncio.timeout(self.configuration.number("HeartbeatInterval")):
                    await self._heartbeat_changed.wait()
            except TimeoutError:
                try:
                    await self.call(call.Heartbeat())
                except Unanswered as error:
                    self.tell(f"No answer to the heartbeat: {error}")

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

    def status(self, number: int) -> str:
        """What a connector is doing, in the words of 1.6."""
        return STATUSES[self.charger.state(number)]

    def _status(self, number: int) -> tuple[str, str | None]:
        """Status and fault of a connector; 0 is the station, whose status is that of its box."""
        if number:
            return self.status(number), self.station.evses[number - 1].fault
        operative = any(evse.operative for evse in self.station.evses)
        return STATUSES[EvseState.FREE if operative else EvseState.CLOSED], None


def first(group: BaseExceptionGroup[Exception]) -> Exception:
    """The first error in a group of groups."""
    error = group.exceptions[0]
    return first(error) if isinstance(error, BaseExceptionGroup) else error
