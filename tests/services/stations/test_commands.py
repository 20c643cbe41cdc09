"""From the start request in the books to what the station says, with a real store and stations that are made up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from appliance.db import problems
from appliance.db.engine.store import Store, nothing
from appliance.db.engine.unit import Database
from appliance.db.people import people
from appliance.db.sessions import sessions
from appliance.db.sessions.transactions import session_of
from appliance.domain.clock import Clock
from appliance.domain.errors import Conflict, NotFound, TooLittleMoney
from appliance.domain.events import Stage, TransactionEvent
from appliance.domain.id_token import IdToken
from appliance.domain.identifiers import PersonId, SessionId
from appliance.services.announce import Hub
from appliance.services.ports.stations import CommandAnswer, CommandFailed, FailureKind, VariableName
from appliance.services.sessions import billing, transactions
from appliance.services.stations import commands
from appliance.services.stations.commands import RemoteControl
from tests.support.books import ACTOR, NOON_MS, Books, open_books
from tests.support.fake_stations import ACCEPTED, FakeStations, rows

REJECTED = CommandAnswer(False, "Rejected")
TIMEOUT_S = 20.0


class Site:
    """A store with a station and a person in it, and the control over it."""

    def __init__(self, books: Books, clock: Clock) -> None:
        books.tariff(energy=2_000_000)
        self.station = books.station()
        self.rahima = books.person(paid_in=50_000)
        self.poor = books.person("Jamal Uddin")
        books.card("04A1B2C3", self.rahima)
        books.db.flush()
        books.db.close()
        self.hub = Hub()
        self.store = Store(books.path, announce=self.hub.announce)
        self.stations = FakeStations(books.path)
        self.control = RemoteControl(self.store, self.stations, self.hub, clock, stop_again_s=0.0)

    async def available(self, person: PersonId) -> int | None:
        """What is in the wallet and free."""
        found = await self.store.read(people.find, person)
        assert found is not None
        return found.available_minor

    async def state(self, session: SessionId) -> str:
        found = await self.store.read(
            lambda db: db.execute("SELECT state FROM session WHERE id = ?", (session,)).fetchone()
        )
        return str(found[0])

    async def running(self) -> SessionId:
        """A session that runs."""

        def begin(db: Database) -> SessionId:
            books = Books(db, self.store.path)
            return books.start(self.station, 1, "04A1B2C3", meter_wh=0).ref

        return await self.store.write(begin)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    found = Site(open_books(tmp_path / "forecourt.db"), lambda: NOON_MS)
    await found.store.open()
    yield found
    await found.control.close()
    await found.store.close()


async def test_a_stop_names_the_transaction_as_its_station_does(site: Site) -> None:
    def begin(db: Database) -> SessionId:
        told = TransactionEvent("tx-9", 0, Stage.STARTED, 1, "04A1B2C3", 700, NOON_MS, "", (), NOON_MS)
        transactions.transaction_event(db, site.station, told)
        found = session_of(db, site.station, "tx-9")
        assert found is not None
        return found

    await site.control.stop(await site.store.write(begin), ACTOR)
    await site.control.stop(await site.running(), ACTOR)

    assert [ref for name, _, ref in site.stations.asked if name == "stop"] == ["tx-9", 2]


async def until(condition: Callable[[], bool], event: asyncio.Event) -> None:
    """Wait for something that the made-up stations notice."""
    async with asyncio.timeout(TIMEOUT_S):
        while not condition():
            event.clear()
            await event.wait()


async def test_the_station_is_asked_after_the_money_is_on_disk(site: Site) -> None:
    start_request = await site.control.start(site.station, 1, ACTOR, person=site.rahima)
    answer = await start_request.answer

    assert answer == ACCEPTED
    assert site.stations.asked == [("start", site.station, (1, IdToken("04A1B2C3")))]
    assert site.stations.on_disk == ["requested"]
    assert await site.available(site.rahima) == 49_000


UNKNOWN = (FailureKind.TIMEOUT, FailureKind.LOST, FailureKind.UNREADABLE)


@pytest.mark.parametrize(
    "says",
    [REJECTED, *(CommandFailed(kind, "no") for kind in FailureKind if kind not in UNKNOWN)],
)
async def test_a_station_that_has_not_obeyed_gives_the_money_back_at_once(
    site: Site, says: CommandAnswer | CommandFailed
) -> None:
    site.stations.says = says
    start_request = await site.control.start(site.station, 1, ACTOR, person=site.rahima)

    assert not (await start_request.answer).accepted
    assert await site.state(start_request.session) == "failed"
    assert await site.available(site.rahima) == 50_000


@pytest.mark.parametrize("kind", UNKNOWN)
async def test_a_station_that_may_have_obeyed_keeps_the_wish_until_its_time_is_over(
    site: Site, kind: FailureKind
) -> None:
    site.stations.says = CommandFailed(kind, "no answer")
    start_request = await site.control.start(site.station, 1, ACTOR, person=site.rahima)

    assert await start_request.answer == CommandAnswer(False, kind)
    assert await site.state(start_request.session) == "requested"
    assert await site.available(site.rahima) == 49_000


async def test_a_station_that_is_offline_is_not_asked_and_nothing_is_held(site: Site) -> None:
    site.stations.away.add(site.station)

    with pytest.raises(Conflict):
        await site.control.start(site.station, 1, ACTOR, person=site.rahima)
    assert await site.available(site.rahima) == 50_000


async def test_a_wallet_without_money_sends_nothing(site: Site) -> None:
    with pytest.raises(TooLittleMoney):
        await site.control.start(site.station, 1, ACTOR, person=site.poor)
    assert site.stations.asked == []


async def test_two_starts_at_once_on_one_connector_ask_once(site: Site) -> None:
    results = await asyncio.gather(
        *(site.control.start(site.station, 1, ACTOR, person=site.rahima) for _ in range(5)), return_exceptions=True
    )

    started = [one for one in results if isinstance(one, commands.StartRequest)]
    assert len(started) == 1
    await started[0].answer
    assert len(site.stations.asked) == 1
    assert await site.available(site.rahima) == 49_000


async def test_a_session_is_stopped_by_its_number(site: Site) -> None:
    session = await site.running()

    assert await site.control.stop(session, ACTOR) == ACCEPTED
    assert site.stations.asked == [("stop", site.station, session)]
    assert await site.control.stop_on(site.station, 1, ACTOR) == (session, ACCEPTED)


async def test_a_wish_is_taken_back_without_asking_the_station(site: Site) -> None:
    start_request = await site.control.start(site.station, 1, ACTOR, person=site.rahima)
    await start_request.answer

    assert (await site.control.stop(start_request.session, ACTOR)).status == "Cancelled"
    assert [command for command, _, _ in site.stations.asked] == ["start"]
    assert await site.available(site.rahima) == 50_000


async def test_what_does_not_run_cannot_be_stopped(site: Site) -> None:
    with pytest.raises(NotFound):
        await site.control.stop(SessionId(4_711), ACTOR)
    with pytest.raises(NotFound):
        await site.control.stop_on(site.station, 2, ACTOR)


async def test_a_stop_that_the_books_want_is_sent_by_itself(site: Site) -> None:
    session = await site.running()

    def want(db: Database) -> None:
        running = sessions.find_open(db, session)
        assert running is not None
        billing.want_stop(db, running, "credit")

    await site.store.write(want)
    await until(lambda: ("stop", site.station, session) in site.stations.asked, site.stations.heard)


async def test_a_stop_wanted_before_a_restart_is_sent_after_it(site: Site) -> None:
    session = await site.running()
    site.stations.away.add(site.station)

    def want(db: Database) -> None:
        running = sessions.find_open(db, session)
        assert running is not None
        billing.want_stop(db, running, "credit")

    await site.store.write(want)
    await site.store.write(nothing)
    assert site.stations.asked == []

    site.stations.away.clear()
    await site.control.stop_wanted_sessions()
    await until(lambda: bool(site.stations.asked), site.stations.heard)


async def test_a_stop_that_is_ignored_is_repeated_and_becomes_a_problem(site: Site) -> None:
    site.stations.says = REJECTED
    session = await site.running()

    def want(db: Database) -> None:
        running = sessions.find_open(db, session)
        assert running is not None
        billing.want_stop(db, running, "credit")

    await site.store.write(want)
    await until(lambda: len(site.stations.asked) > commands.STOPS_IN_VAIN_MAX, site.stations.heard)
    (problem,) = await site.store.read(problems.open_problems)
    assert (problem.kind, problem.subject) == ("stop_ignored", f"session:{session}")
    site.stations.away.add(site.station)


async def test_commands_are_on_record_with_who_gave_them(site: Site) -> None:
    await site.control.unlock(site.station, 1, 1, ACTOR)
    await site.control.reset(site.station, ACTOR, hard=True)
    await site.control.set_operative(site.station, 0, False, ACTOR)
    await site.control.set_variable(site.station, VariableName("AuthorizationKey"), "very secret", ACTOR)
    await site.control.raw_call(site.station, "DataTransfer", {"vendorId": "x"}, ACTOR)

    found = rows(
        site.store.path, "SELECT action, actor, details FROM audit WHERE action LIKE 'station.%' ORDER BY seq DESC"
    )
    assert [row[0] for row in found][:5] == [
        "station.raw_call", "station.set_variable", "station.close", "station.reset", "station.unlock",
    ]  # fmt: skip
    assert {row[1] for row in found} == {ACTOR}
    assert not any("secret" in row[2] for row in found)


async def test_a_command_to_a_station_that_is_away_fails_before_anything_is_recorded(site: Site) -> None:
    site.stations.away.add(site.station)
    before = rows(site.store.path, "SELECT count(*) FROM audit")

    with pytest.raises(CommandFailed):
        await site.control.unlock(site.station, 1, 1, ACTOR)
    assert rows(site.store.path, "SELECT count(*) FROM audit") == before
