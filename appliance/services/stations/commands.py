"""Commands to charging stations, from the start request in the books to what the station said.

A start is recorded and paid for before the station hears of it; a stop that the server wants is repeated until the
session is over, also after a restart.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from appliance.db.engine.store import Store
from appliance.db.sessions import transactions
from appliance.db.sessions.sessions import Running
from appliance.domain.by import By
from appliance.domain.clock import Clock
from appliance.domain.digits import WESTERN
from appliance.domain.errors import Conflict, NotFound
from appliance.domain.id_token import IdToken
from appliance.domain.identifiers import PersonId, SessionId, StationId
from appliance.domain.problem import ProblemKind
from appliance.domain.session import SessionState
from appliance.services import audit, problems, texts
from appliance.services.announce import Announcement, Hub, SessionChanged
from appliance.services.ports.stations import (
    CommandAnswer,
    CommandFailed,
    FailureKind,
    Stations,
    Variable,
    VariableName,
)
from appliance.services.sessions import start_requests
from appliance.services.sessions.guard import REFUSED
from appliance.services.stations import admission, credentials, status
from appliance.services.tasks import Tasks

log = logging.getLogger(__name__)

STOP_AGAIN_S = 30.0
TRANSACTION_CHARS_MAX = 36
"""OCPP 2.x, TransactionType.transactionId."""
STOPS_IN_VAIN_MAX = 3
REFUSED_STOPS_EVERY_S = 5.0
"""At a station the stops of sessions that were refused follow one another no sooner: else whoever tries out cards there would learn
from them what they are answered slowly."""
PASSWORD_BYTES = 20
"""All that a 1.6 station can keep (AuthorizationKey)."""
FIRST_ANSWER_S = 5.0
"""For so long whoever approves a station waits for what it says to its password."""
LET_IN_TRIES, LET_IN_AGAIN_S = 30, 0.1
"""How often and how soon it is looked whether an approved station may be spoken to."""


@dataclass(frozen=True, slots=True)
class StartRequest:
    """A start that was recorded; `answer` comes when the station has spoken, or the start request was cancelled."""

    session: SessionId
    answer: asyncio.Task[CommandAnswer]


class RemoteControl:
    """The commands that staff, programs and the server itself give."""

    def __init__(
        self, store: Store, stations: Stations, hub: Hub, clock: Clock, *, stop_again_s: float = STOP_AGAIN_S
    ) -> None:
        self._store = store
        self._stations = stations
        self._clock = clock
        self._stop_again_s = stop_again_s
        self._tasks = Tasks()
        self._stopping: dict[SessionId, int] = {}
        self._turns: defaultdict[StationId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._refused_stop_at_s: dict[StationId, float] = {}
        """When a stop of a refused session may be sent to a station again, by the loop's clock."""
        self._silence: Callable[[], None] = hub.listen(self._on_announcements, SessionChanged)

    async def close(self) -> None:
        """Listen no more, and end what is under way: start requests stay in the books and expire by the clock."""
        self._silence()
        await self._tasks.cancel()

    # --- starting

    async def start(
        self,
        station: StationId,
        evse: int,
        actor: str,
        *,
        person: PersonId | None = None,
        card: str = "",
        record: Callable[..., Running] = start_requests.request_start,
    ) -> StartRequest:
        """Hold the money, record the start request, and ask the station; returns once the start request is on disk.

        `record` is the unit that records it, for those who have something to commit together with it.

        Raises:
            Refusal: The station is not connected, or the start is not allowed (see `start_requests.request_start`).
        """
        if not self._stations.is_online(station):
            raise Conflict("This charger is offline.", "Look under Problems why it does not connect.")
        running = await self._store.write(record, station, evse, By(actor, self._clock()), person=person, card=card)
        return StartRequest(
            running.id,
            self._tasks.start(
                self._ask(running.id, station, evse, IdToken(running.id_token, running.id_token_type)), "remote start"
            ),
        )

    async def _ask(self, session: SessionId, station: StationId, evse: int, id_token: IdToken) -> CommandAnswer:
        try:
            answer = await self._stations.remote_start(station, evse, id_token)
        except CommandFailed as failure:
            if failure.outcome_unknown:
                # It may start all the same: the transaction, or the clock, decides.
                return CommandAnswer(False, failure.kind)
            await self._store.write(start_requests.cancel, session, failure.kind, self._clock())
            return CommandAnswer(False, failure.kind)
        if not answer.accepted:
            await self._store.write(start_requests.cancel, session, "rejected", self._clock())
        return answer

    # --- stopping

    async def stop(self, session: SessionId, actor: str) -> CommandAnswer:
        """Stop a session, or take back a start request that has not started.

        Raises:
            NotFound: It is not open.
            CommandFailed: The station did not answer.
        """
        running = await self._store.write(start_requests.order_stop, session, By(actor, self._clock()))
        if running.state is not SessionState.RUNNING:
            return CommandAnswer(True, "Cancelled")
        return await self._stations.remote_stop(running.station, await self._store.read(transactions.ref_of, session))

    async def stop_on(self, station: StationId, evse: int, actor: str) -> tuple[SessionId, CommandAnswer]:
        """Stop what runs on an EVSE."""
        session = await self._store.read(start_requests.running_on, station, evse)
        if session is None:
            raise NotFound("No session runs on this connector.")
        return session, await self.stop(session, actor)

    async def stop_transaction(
        self, station: StationId, name: str, actor: str
    ) -> tuple[SessionId | None, CommandAnswer]:
        """Stop a transaction by what its station calls it, also one that nobody here knows; the session, if it is one's.

        Raises:
            Invalid: It has no name.
            CommandFailed: The station did not answer, or its version of OCPP has no such names.
        """
        ref = texts.required("transaction_id", name, TRANSACTION_CHARS_MAX).translate(WESTERN)
        session = await self._store.read(transactions.running_called, station, ref)
        if session is not None:
            return session, await self.stop(session, actor)
        await self._record(actor, "station.stop_transaction", station, transaction=ref)
        return None, await self._stations.remote_stop(station, ref)

    def _on_announcements(self, announcements: list[Announcement]) -> None:
        for one in announcements:
            if isinstance(one, SessionChanged) and one.what == "stop_wanted":
                self._stop_soon(SessionId(one.session), StationId(one.station))

    async def stop_wanted_sessions(self) -> None:
        """Ask for all stops that are still wanted: at the start of the server, and now and then."""
        for session, station, _ in await self._store.read(start_requests.wanted_stops):
            self._stop_soon(session, station)

    def _stop_soon(self, session: SessionId, station: StationId) -> None:
        if session not in self._stopping and self._stations.is_online(station):
            self._stopping[session] = 0
            self._tasks.start(self._stop_until_over(session, station), "remote stop")

    async def _stop_until_over(self, session: SessionId, station: StationId) -> None:
        """Repeat the stop until the station tells that the transaction is over, or is gone."""
        subject = f"session:{session}"
        ref = await self._store.read(transactions.ref_of, session)
        try:
            await self._wait_for_turn(session, station)
            while self._stations.is_online(station):
                if await self._why_stopped(session) is None:
                    await self._store.write(problems.clear_problem, ProblemKind.STOP_IGNORED, subject, self._clock())
                    return
                self._stopping[session] += 1
                try:
                    answer = await self._stations.remote_stop(station, ref)
                    said = answer.status
                except CommandFailed as failure:
                    said = failure.kind
                log.info("stop wanted", extra={"session": session, "station": station, "answer": said})
                if self._stopping[session] == STOPS_IN_VAIN_MAX:
                    await self._store.write(
                        problems.raise_problem,
                        ProblemKind.STOP_IGNORED,
                        subject,
                        self._clock(),
                        station=int(station),
                        session=int(session),
                        answer=said,
                    )
                await asyncio.sleep(self._stop_again_s)
        finally:
            del self._stopping[session]

    async def _why_stopped(self, session: SessionId) -> str | None:
        """Why it is to be stopped; None if it is over."""
        wanted = {one: why for one, _, why in await self._store.read(start_requests.wanted_stops)}
        return wanted.get(session)

    async def _wait_for_turn(self, session: SessionId, station: StationId) -> None:
        """If its card was refused, until some seconds after the last stop of such a session there. One that is over meanwhile has no turn."""
        if await self._why_stopped(session) != REFUSED:
            return
        async with self._turns[station]:
            if await self._why_stopped(session) is None:
                return
            time_s = asyncio.get_running_loop().time
            await asyncio.sleep(self._refused_stop_at_s.get(station, 0.0) - time_s())
            if await self._why_stopped(session) == REFUSED:
                self._refused_stop_at_s[station] = time_s() + REFUSED_STOPS_EVERY_S

    # --- everything else: the command, and a row in the audit list

    async def unlock(self, station: StationId, evse: int, connector: int, actor: str) -> CommandAnswer:
        """Let go of the cable; `connector` 0: of the one in use."""
        if not connector:
            connector = await self._store.read(status.connector_in_use, station, evse)
        await self._record(actor, "station.unlock", station, evse=evse)
        return await self._stations.unlock(station, evse, connector)

    async def reset(self, station: StationId, actor: str, *, hard: bool) -> CommandAnswer:
        """Restart the station."""
        await self._record(actor, "station.reset", station, hard=hard)
        return await self._stations.reset(station, hard=hard)

    async def set_operative(self, station: StationId, evse: int, operative: bool, actor: str) -> CommandAnswer:
        """Put an EVSE, or with 0 the whole station, into or out of service."""
        await self._record(actor, "station.open" if operative else "station.close", station, evse=evse)
        return await self._stations.set_operative(station, evse, operative)

    async def clear_cache(self, station: StationId, actor: str) -> CommandAnswer:
        """Let the station forget which cards it knows."""
        await self._record(actor, "station.clear_cache", station)
        return await self._stations.clear_cache(station)

    async def trigger(self, station: StationId, message: str, actor: str, evse: int | None = None) -> CommandAnswer:
        """Ask for a message."""
        await self._record(actor, "station.trigger", station, message=message)
        return await self._stations.trigger(station, message, evse)

    async def get_variables(self, station: StationId, names: list[VariableName], actor: str) -> list[Variable]:
        """Read settings inside the station."""
        await self._record(actor, "station.get_variables", station, names=[str(name) for name in names])
        return await self._stations.get_variables(station, names)

    async def set_variable(self, station: StationId, name: VariableName, value: str, actor: str) -> CommandAnswer:
        """Change a setting inside the station; its value is not put on record, for it may be a secret."""
        await self._record(actor, "station.set_variable", station, name=str(name))
        return await self._stations.set_variable(station, name, value)

    async def give_password(
        self, station: StationId, hash_password: Callable[[bytes], bytes], actor: str
    ) -> CommandAnswer:
        """Make a password and send it. The one before, or none, holds until the station has shown the new one.

        Raises:
            CommandFailed: There was no answer; if it may have taken it all the same, both hold.
        """
        if not self._stations.is_online(station):
            raise CommandFailed(FailureKind.OFFLINE, "the station has no connection")
        password = secrets.token_hex(PASSWORD_BYTES)
        by = By(actor, self._clock())
        await self._store.write(credentials.offer_password, station, hash_password(password.encode()), by)
        taken = False
        try:
            answer = await self._stations.set_password(station, password)
            taken = answer.accepted
        except CommandFailed as failure:
            taken = failure.outcome_unknown
            raise
        finally:
            if not taken:
                await self._store.write(credentials.offer_password, station, None, by)
        return answer

    async def approve(
        self, station: StationId, name: str, peer: str, hash_password: Callable[[bytes], bytes] | None, actor: str
    ) -> CommandAnswer | None:
        """Let a knocking station in; with `hash_password` it is sent a password as soon as it may be spoken to.

        What it said to that; None if it was not asked, or takes its time.
        """
        await self._store.write(admission.approve, station, name, By(actor, self._clock()), peer=peer)
        if hash_password is None:
            return None
        asking = self._tasks.start(self._give_first_password(station, hash_password, actor), "first password")
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_ANSWER_S):
                return await asyncio.shield(asking)
        return None

    async def _give_first_password(
        self, station: StationId, hash_password: Callable[[bytes], bytes], actor: str
    ) -> CommandAnswer:
        for _ in range(LET_IN_TRIES):
            if self._stations.is_online(station):
                break
            await asyncio.sleep(LET_IN_AGAIN_S)
        try:
            return await self.give_password(station, hash_password, actor)
        except CommandFailed as failure:
            return CommandAnswer(False, failure.kind)

    async def raw_call(self, station: StationId, action: str, payload: Any, actor: str) -> Any:
        """Any call, as it is."""
        await self._record(actor, "station.raw_call", station, call=action)
        return await self._stations.raw_call(station, action, payload)

    async def _record(self, actor: str, action: str, station: StationId, **details: object) -> None:
        if not self._stations.is_online(station):
            raise CommandFailed(FailureKind.OFFLINE, "the station has no connection")
        await self._store.write(audit.record, By(actor, self._clock()), action, f"station:{station}", **details)
