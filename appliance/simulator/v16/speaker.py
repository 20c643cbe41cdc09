"""What a simulated station says in OCPP 1.6, by itself and when it is asked to: boot, heartbeat, status, transactions.

It behaves as a good charger: transaction messages wait in order until they are acknowledged, and a boot that is Pending or Rejected is
repeated after the interval. On which connection it speaks, and what becomes of a line that breaks, is the business of `charge_point`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from ocpp.v16 import call
from ocpp.v16.enums import ReadingContext

from appliance.simulator.charger import Authorization, Charger, EvseState, Transaction
from appliance.simulator.connection import ConnectionLost, Unanswered
from appliance.simulator.outbox import Message, Outbox
from appliance.simulator.station import Reading, Station
from appliance.simulator.tokens import KnownTokens
from appliance.simulator.v16 import messages
from appliance.simulator.v16.configuration import Configuration
from appliance.simulator.v16.connection import Connection
from appliance.simulator.v16.profiles import Profiles

log = logging.getLogger(__name__)

BOOT_RETRY_S: Final = 10
"""When the central system leaves the interval to the station."""
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


class Speaker16:
    """The voice of a `Charger`, and all that a 1.6 station remembers."""

    def __init__(
        self,
        station: Station,
        identity: str,
        password: bytes | None,
        sample_interval_s: int,
        tell: Callable[[str], None],
    ) -> None:
        self.station = station
        self.identity = identity
        self.tell = tell
        self.charger = Charger(station)
        self.charger.speaker = self
        self.configuration = Configuration(connectors=len(station.evses), sample_interval_s=sample_interval_s)
        self.tokens = KnownTokens()
        self.profiles = Profiles()
        self.outbox = Outbox()
        self._accepted = False
        self._restarting = False
        self._password = password
        self._connection: Connection | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._told: dict[int, tuple[str, str | None]] = {}
        self._status_changed = asyncio.Event()
        self._boot_now = asyncio.Event()
        self._heartbeat_changed = asyncio.Event()
        self.apply_configuration()

    # What the charger has told.

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
        if self._connection is None:
            raise ConnectionLost("There is no connection.")
        try:
            return await self._connection.ask(payload)
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

    # What the station says by itself.

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

    def status(self, number: int) -> str:
        """What a connector is doing, in the words of 1.6."""
        return STATUSES[self.charger.state(number)]

    def _status(self, number: int) -> tuple[str, str | None]:
        """Status and fault of a connector; 0 is the station, whose status is that of its box."""
        if number:
            return self.status(number), self.station.evses[number - 1].fault
        operative = any(evse.operative for evse in self.station.evses)
        return STATUSES[EvseState.FREE if operative else EvseState.CLOSED], None
