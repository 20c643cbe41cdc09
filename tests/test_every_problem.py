"""Every kind of problem: raised by what raises it in the product, told on the page in both languages, and over by what ends it.

A kind that is missing here fails the first test; so does a way to violate the protocol that has words of its own.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import orjson
import pytest

from appliance.db import audit, problems
from appliance.db import site as sites
from appliance.db.engine.unit import Database
from appliance.db.sessions import sessions
from appliance.db.stations import stations
from appliance.domain.approval import ApprovalKind
from appliance.domain.by import By
from appliance.domain.cards.tag import Content, ReaderState, ReaderStatus, Trouble
from appliance.domain.cash import Cash
from appliance.domain.identifiers import SessionId, StationId
from appliance.domain.problem import RULES, ProblemKind
from appliance.domain.roles import Role
from appliance.domain.slip import Row, Style
from appliance.domain.units import rfc3339
from appliance.host import owner_key
from appliance.host.addresses import Address
from appliance.host.listeners import Listeners, listen
from appliance.host.secrets import KEY_BYTES, SealingKey
from appliance.jobs.schedule import Jobs, guarded
from appliance.ocpp.admission.endpoint import FRAME_BYTES_MAX, StationsListener, open_stations
from appliance.ocpp.connection.refused_cards import CARDS_MAX
from appliance.ocpp.settings import StationSettings
from appliance.printer.printer import ReceiptPrinter
from appliance.rfid import desk as rfid_desk
from appliance.rfid.desks import clear_old_problems
from appliance.services import admin_commands, disk, health, secrets, settings
from appliance.services.approvals import approvals
from appliance.services.card_desk import jobs as desk_jobs
from appliance.services.cards import cards
from appliance.services.operators import failed_log_ins, log_ins, operators
from appliance.services.operators import tokens as token_units
from appliance.services.operators.failed_log_ins import PROBLEM_FROM, FailedLogIns
from appliance.services.ports.printers import NotPrinted
from appliance.services.printing import Printing
from appliance.services.problems.groups import Group
from appliance.services.reconciling import stop
from appliance.services.sessions import review, start_requests
from appliance.services.stations import admission, introduction
from appliance.services.stations.admission import KNOCKING_OF_ADDRESS_MAX
from appliance.services.stations.commands import STOPS_IN_VAIN_MAX, RemoteControl
from appliance.services.stations.upkeep import Upkeep
from appliance.services.tasks import Tasks
from appliance.services.till import shifts
from appliance.ui.frame import language
from appliance.ui.wording.problem_texts import TEXTS, VIOLATIONS
from appliance.ui.wording.problems import describe, describe_group
from appliance.ui.writing.formats import formats
from tests.ocpp.admission.test_neighbours import listening
from tests.ocpp.connection.test_closed_for_form import BINARY, HEARTBEAT, close_code, framed, wire
from tests.ocpp.raw import SITE_KEY, Client, basic, connected, hash_password, start_payload
from tests.support.books import Books
from tests.support.desk_fixture import DeskFixture
from tests.support.one_desk import Chip
from tests.support.staff import hired
from tests.ui.console_fixture import PASSWORD_HASH, SITE, ConsoleFixture, open_console

T = TypeVar("T")
CARD, UID = "04A1B2C3", "04A1B2C3D4E580"
PASSWORD = "0123456789abcdef"
DAY_S = 86_400
KEY = SealingKey(bytes(range(KEY_BYTES)))


@dataclass(slots=True)
class Whole:
    """A site with its stations' side, its jobs and its console, all on one store."""

    console: ConsoleFixture
    listener: StationsListener
    control: RemoteControl
    url: str
    jobs: Jobs
    kept: dict[str, Any] = field(default_factory=dict)
    """What a story's beginning leaves for its end."""

    async def do(self, what: Callable[[Books], T]) -> T:
        """Something in the books, in one commit."""

        def unit(db: Database) -> T:
            return what(Books(db, self.console.store.path, self.console.now_ms))

        return await self.console.store.write(unit)

    async def wait(self, seconds: int) -> None:
        """Time goes by, and what happens by the clock happens."""
        self.console.now_ms += seconds * 1000
        await self.jobs.check_stations()
        await self.jobs.check_box()

    async def until(self, condition: Callable[[list[problems.Problem]], bool], kind: ProblemKind) -> None:
        """Wait for something that is written a moment later."""
        for _look in range(2_000):
            if condition(await self.open(kind)):
                return
        raise AssertionError(await self.console.store.read(problems.open_problems))

    async def open(self, kind: ProblemKind) -> list[problems.Problem]:
        """The open ones of a kind, once all that was queued is written."""
        await self.do(lambda _books: None)
        return [one for one in await self.console.store.read(problems.open_problems) if one.kind == kind]


@dataclass(frozen=True, slots=True)
class Story:
    """What raises a kind, and what ends it; without an end somebody of the staff dismisses it."""

    happens: Callable[[Whole], Awaitable[None]]
    ends: Callable[[Whole], Awaitable[None]] | None = None


@pytest.fixture(name="site")
async def _site(tmp_path: Path) -> AsyncIterator[Whole]:
    async with AsyncExitStack() as stack:
        console = await stack.enter_async_context(open_console(tmp_path, filled=False))
        clock = console.console.clock
        listener = await stack.enter_async_context(
            open_stations(console.store, console.hub, StationSettings(), SITE_KEY, clock)
        )
        listeners = Listeners()
        await listen(stack, listeners, "stations", listener.application, Address("127.0.0.1", 0), None)
        url = f"http://127.0.0.1:{listeners.ports['stations']}"
        control = RemoteControl(console.store, listener.commands, console.hub, clock, stop_again_s=0.0)
        stack.push_async_callback(control.close)
        upkeep = Upkeep(console.store, listener.commands, console.hub, clock)
        stack.push_async_callback(upkeep.close)
        jobs = Jobs(console.store, listener.commands, control, clock, SITE, clock(), upkeep)
        yield Whole(console, listener, control, url, jobs)


@asynccontextmanager
async def station(site: Whole, identity: str = "CS-01", **options: Any) -> AsyncIterator[Client]:
    """An approved station that is connected."""
    if "registered" not in site.kept:
        site.kept["registered"] = await site.do(lambda books: books.station(identity))
    async with connected(site, f"/ocpp/{identity}", **options) as client:  # type: ignore[arg-type]
        yield client


async def once(site: Whole, identity: str = "CS-01", **options: Any) -> None:
    """It connects well, and goes."""
    async with station(site, identity, **options) as client:
        await client.boot()


def begin(books: Books, uid: str = CARD, identity: str = "CS-01") -> tuple[StationId, SessionId]:
    """A session of a holder with money."""
    books.tariff()
    books.card(uid, books.person(paid_in=50_000))
    there = books.station(identity)
    return there, books.start(there, 1, uid, meter_wh=0).ref


# --- stations --------------------------------------------------------------------------------------------------------------


async def knocks(site: Whole) -> None:
    async with connected(site, "/ocpp/NEW-1") as client:  # type: ignore[arg-type]
        await client.boot()


async def find_no_place(site: Whole) -> None:
    async with AsyncExitStack() as stack:
        for number in range(KNOCKING_OF_ADDRESS_MAX):
            await stack.enter_async_context(connected(site, f"/ocpp/X-{number}"))  # type: ignore[arg-type]
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await stack.enter_async_context(connected(site, "/ocpp/NEW-1"))  # type: ignore[arg-type]


async def an_hour_passes(site: Whole) -> None:
    await site.wait(3600 + 1)


async def is_approved(site: Whole) -> None:
    await site.do(lambda books: admission.approve(books.db, StationId(1), "Gate 1", books.by))


async def stays_away(site: Whole) -> None:
    await once(site)
    await site.wait(600)


async def reports_a_fault(site: Whole) -> None:
    async with station(site) as client:
        fault = {"connectorId": 1, "status": "Faulted", "errorCode": "GroundFailure", "info": "RCD"}
        await client.call("StatusNotification", fault)


async def reports_that_it_is_free(site: Whole) -> None:
    async with station(site) as client:
        await client.call("StatusNotification", {"connectorId": 1, "status": "Available", "errorCode": "NoError"})


async def tells_times(site: Whole, behind_ms: int) -> None:
    async with station(site) as client:
        for _look in range(2):
            await site.wait(60)
            stamp = rfc3339(site.console.now_ms - behind_ms)
            state = {"connectorId": 1, "status": "Available", "errorCode": "NoError", "timestamp": stamp}
            await client.call("StatusNotification", state)
            await site.listener.registry.ping_all()


async def two_take_turns(site: Whole) -> None:
    for serial in ("A-1", "B-2", "A-1"):
        async with station(site) as client:
            box = {"chargePointVendor": "Acme", "chargePointModel": "Wall", "chargePointSerialNumber": serial}
            await client.call("BootNotification", box)


async def fails_here(site: Whole) -> None:
    await site.do(
        lambda books: books.db.execute(
            "CREATE TRIGGER broken BEFORE INSERT ON session BEGIN SELECT RAISE(ABORT, 'broken'); END"
        )
    )
    async with station(site) as client:
        start = {"connectorId": 1, "idTag": CARD, "meterStart": 0, "timestamp": rfc3339(site.console.now_ms)}
        assert await client.refusal("StartTransaction", start) == "InternalError"


# --- how they speak and where they knock -----------------------------------------------------------------------------------


async def speaks_another_version(site: Whole) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await once(site, protocols=("ocpp0.1",))


async def speaks_no_version(site: Whole) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await once(site, protocols=())


async def has_the_wrong_password(site: Whole) -> None:
    hashed = hash_password(SITE_KEY, PASSWORD.encode())
    site.kept["registered"] = await site.do(
        lambda books: admission.register(books.db, "CS-01", "Gate 1", 1, hashed, books.by)
    )
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await once(site, headers=basic("CS-01", "guessed"))


async def has_the_right_password(site: Whole) -> None:
    await once(site, headers=basic("CS-01", PASSWORD))


async def comes_without_tls(site: Whole) -> None:
    hashed = hash_password(SITE_KEY, PASSWORD.encode())
    site.kept["registered"] = await site.do(
        lambda books: admission.register(books.db, "CS-01", "Gate 1", 2, hashed, books.by)
    )
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await once(site, headers=basic("CS-01", PASSWORD))


async def sends_too_much(site: Whole) -> None:
    async with station(site) as client:
        await client.send('[2,"a","Heartbeat",{"x":"' + "x" * FRAME_BYTES_MAX + '"}]')
        assert await client.closed() == 1009
    await site.until(bool, ProblemKind.VIOLATION)


async def speaks_as_another_version(site: Whole) -> None:
    async with station(site) as client:
        boot = {"reason": "PowerUp", "chargingStation": {"model": "M", "vendorName": "V"}}
        await client.exchange(orjson.dumps([2, "a", "BootNotification", boot]).decode())


async def sends_bytes(site: Whole) -> None:
    await sends_raw(site, framed(HEARTBEAT, BINARY))


async def sends_other_letters(site: Whole) -> None:
    await sends_raw(site, framed(b'[2,"a","Authorize",{"idTag":"K\xfchn"}]'))


async def sends_unmasked(site: Whole) -> None:
    await sends_raw(site, framed(HEARTBEAT, masked=False))


async def sends_raw(site: Whole, frame: bytes) -> None:
    await site.do(Books.station)
    async with wire(site, "CS-01") as (answers, writer):  # type: ignore[arg-type]
        writer.write(frame)
        await close_code(answers)
    await site.until(bool, ProblemKind.VIOLATION)


async def is_said_to_be_another_device(site: Whole) -> None:
    await once(site)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await once(site, address="127.0.0.2")


async def is_refused_while_the_other_answers(site: Whole) -> None:
    async with station(site) as client, listening(client):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await once(site, address="127.0.0.2")


async def is_let_in(site: Whole) -> None:
    there = site.kept["registered"]
    await site.do(lambda books: admission.admit(books.db, there, "ip 127.0.0.2", books.by))


async def tries_out_cards(site: Whole) -> None:
    async with station(site) as client:
        for number in range(CARDS_MAX):
            await client.call("Authorize", {"idTag": f"04BAD{number:03X}"})


async def tells_of_no_connector(site: Whole) -> None:
    there = await site.do(lambda books: books.station(evses=0))
    site.kept["registered"] = there
    steps = (introduction.Step.BOOT, introduction.Step.STATUS, introduction.Step.COUNT)
    await site.do(lambda books: introduction.without_word(books.db, there, 2, steps, books.now_ms))


async def tells_of_its_connectors(site: Whole) -> None:
    await reports_that_it_is_free(site)
    await site.do(lambda books: introduction.silent(books.db, books.now_ms))


async def asks_for_a_wrong_path(site: Whole) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError):
        async with connected(site, "/wrong/CS-01"):  # type: ignore[arg-type]
            pass


async def a_page_knocks(site: Whole) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await once(site, headers={"Origin": "https://elsewhere.example"})


async def a_day_passes(site: Whole) -> None:
    await site.wait(DAY_S + 1)


async def two_hours_pass(site: Whole) -> None:
    await site.wait(2 * 3600 + 1)


# --- sessions --------------------------------------------------------------------------------------------------------------


async def falls_silent(site: Whole) -> None:
    site.kept["station"], site.kept["session"] = await site.do(begin)
    await site.wait(1_801)


async def is_measured_again(site: Whole) -> None:
    await site.do(lambda books: books.read(site.kept["station"], site.kept["session"], 100))
    await site.wait(0)


async def cannot_be_right(site: Whole) -> None:
    there, site.kept["session"] = await site.do(begin)
    await site.do(lambda books: books.stop(there, site.kept["session"], 499_000))


async def is_decided(site: Whole) -> None:
    await site.do(lambda books: review.acknowledge(books.db, site.kept["session"], books.by))


async def sends_a_stop_that_cannot_be_read(site: Whole) -> None:
    async with station(site) as client:
        await client.call("StopTransaction", {"meterStop": "?"})


async def sends_a_stop_that_can_be_read_in_part(site: Whole) -> None:
    site.kept["registered"], session = await site.do(begin)
    async with station(site) as client:
        await client.exchange(f'[2,"t","StopTransaction",{{"transactionId":{session} "meterStop":900}}]')


async def ends_what_nobody_knows(site: Whole) -> None:
    async with station(site) as client:
        for number in (7, 8):
            stop = {"transactionId": number, "meterStop": 900, "timestamp": rfc3339(site.console.now_ms)}
            await client.call("StopTransaction", stop)


async def ends_what_is_anothers(site: Whole) -> None:
    _there, session = await site.do(begin)
    await site.do(lambda books: books.stop(books.station("CS-02"), session, 900))


async def sends_no_readings(site: Whole) -> None:
    site.kept["registered"], site.kept["session"] = await site.do(begin)
    async with station(site) as client:
        await client.boot()
        for _minute in range(5):
            await site.wait(60)
            await site.jobs.watch_balances()


async def sends_readings_no_more(site: Whole) -> None:
    site.kept["registered"], site.kept["session"] = await site.do(begin)
    async with station(site) as client:
        await client.boot()
        await site.wait(60)
        await site.do(lambda books: books.read(site.kept["registered"], site.kept["session"], 50))
        for _minute in range(5):
            await site.wait(60)
            await site.jobs.watch_balances()


async def sends_a_reading(site: Whole) -> None:
    await site.do(lambda books: books.read(site.kept["registered"], site.kept["session"], 100))
    await site.wait(0)


async def charges_without_a_session(site: Whole) -> None:
    async with station(site) as client:
        await client.call("StatusNotification", {"connectorId": 1, "status": "Charging", "errorCode": "NoError"})
        await site.wait(60)
        await site.wait(600)


async def charges_on_after_the_stop(site: Whole) -> None:
    there, session = await site.do(begin)
    site.console.now_ms += 1_800_000
    await site.do(lambda books: books.stop(there, session, 3_000))
    site.console.now_ms += 600_000
    await site.do(lambda books: books.read(there, session, 5_000))


async def charges_where_nobody_ever_did(site: Whole) -> None:
    async with station(site) as client:
        for register_wh in ("1000", "3000"):
            site.console.now_ms += 600_000
            values = [{"timestamp": rfc3339(site.console.now_ms), "sampledValue": [{"value": register_wh}]}]
            await client.call("MeterValues", {"connectorId": 1, "meterValue": values})


async def charges_though_refused(site: Whole) -> None:
    async with station(site) as client:
        started = await client.call("StartTransaction", start_payload("NOBODYS", at_ms=site.console.now_ms))
        values = [{"timestamp": rfc3339(site.console.now_ms), "sampledValue": [{"value": "1200"}]}]
        meter = {"connectorId": 1, "transactionId": started["transactionId"], "meterValue": values}
        await client.call("MeterValues", meter)


async def costs_more_than_there_is(site: Whole) -> None:
    there, session = await site.do(begin)
    site.console.now_ms += 1_800_000
    await site.do(lambda books: books.stop(there, session, 30_000))


async def is_signed_otherwise(site: Whole) -> None:
    site.kept["registered"], session = await site.do(begin)
    site.console.now_ms += 1_800_000
    signed = 'OCMF|{"RD":[{"TX":"B","RV":1,"RU":"kWh"},{"TX":"E","RV":2,"RU":"kWh"}]}|{"SD":"00"}'
    async with station(site) as client:
        await client.call(
            "StopTransaction",
            {
                "transactionId": session, "meterStop": 1_500, "timestamp": rfc3339(site.console.now_ms),
                "transactionData": [{
                    "timestamp": rfc3339(site.console.now_ms),
                    "sampledValue": [{"value": signed, "format": "SignedData", "context": "Transaction.End"}],
                }],
            },
        )  # fmt: skip


async def does_not_stop(site: Whole) -> None:
    site.kept["registered"], site.kept["session"] = await site.do(begin)

    def stop(books: Books) -> None:
        running = books.running(site.kept["session"])
        assert running is not None
        sessions.set_stop_wanted(books.db, running, "balance")

    await site.do(stop)
    async with station(site) as client:
        await client.boot()
        await site.control.stop_wanted_sessions()
        for _asked in range(STOPS_IN_VAIN_MAX + 1):
            _, message_id, action, _ = await client.receive()
            assert action == "RemoteStopTransaction"
            await client.send(orjson.dumps([3, message_id, {"status": "Rejected"}]).decode())


async def stops_while_nobody_asks(site: Whole) -> None:
    await site.do(lambda books: books.stop(site.kept["registered"], site.kept["session"], 10))
    await site.wait(0)


async def accepts_a_start_in_vain(site: Whole) -> None:
    def request(books: Books) -> StationId:
        books.tariff()
        books.card(CARD, books.person(paid_in=50_000))
        there = books.station()
        start_requests.request_start(books.db, there, 1, books.by, card=CARD)
        return there

    site.kept["station"] = await site.do(request)
    site.console.now_ms += 600_000
    await site.jobs.expire_start_requests()


async def starts_well(site: Whole) -> None:
    await site.do(lambda books: books.start(site.kept["station"], 2, CARD))
    await site.wait(0)


async def is_free_again(site: Whole) -> None:
    await reports_that_it_is_free(site)
    await site.wait(0)


# --- the box and the site --------------------------------------------------------------------------------------------------


async def is_nearly_full(site: Whole) -> None:
    await site.do(lambda books: health.check_box(books.db, 10, books.now_ms))


async def has_room_again(site: Whole) -> None:
    await site.do(lambda books: health.check_box(books.db, 100_000, books.now_ms))


async def is_full(site: Whole) -> None:
    await site.do(lambda books: disk.tell(books.db, books.now_ms, short=True, free_mb=10, released=False))


async def is_full_no_more(site: Whole) -> None:
    await site.do(lambda books: disk.tell(books.db, books.now_ms, short=False, free_mb=10_000, released=False))


async def goes_without_a_backup(site: Whole) -> None:
    await site.wait(8 * DAY_S)


async def is_backed_up(site: Whole) -> None:
    await site.do(lambda books: admin_commands.backed_up(books.db, books.now_ms))
    await site.wait(0)


async def has_lost_its_key(site: Whole) -> None:
    await site.do(lambda books: secrets.take_up(books.db, None, books.now_ms))


async def has_its_key_back(site: Whole) -> None:
    await site.do(lambda books: secrets.take_up(books.db, KEY, books.now_ms))


async def passwords_are_guessed(site: Whole) -> None:
    failed = FailedLogIns()
    for _guess in range(PROBLEM_FROM):
        trace = failed.note("192.168.7.66", site.console.now_ms)
        await site.do(
            lambda books, trace=trace: failed_log_ins.record(books.db, trace, None, "192.168.7.66", books.now_ms)  # type: ignore[misc]
        )


async def tokens_are_guessed(site: Whole) -> None:
    failed = FailedLogIns()
    for _guess in range(PROBLEM_FROM):
        trace = failed.note("192.168.7.66", site.console.now_ms)
        await site.do(
            lambda books, trace=trace: failed_log_ins.record_token(  # type: ignore[misc]
                books.db, trace, bytes(32), "192.168.7.66", books.now_ms
            )
        )


async def asks_for_much(site: Whole) -> None:
    def ask(books: Books) -> int:
        person = books.person()
        request = {"method": "cash", "note": ""}
        return approvals.ask(books.db, ApprovalKind.TOPUP, person, 5_000_000, request, f"key-{person}", books.by).id

    site.kept["asked"] = await site.do(ask)


async def takes_it_back(site: Whole) -> None:
    await site.do(lambda books: approvals.refuse(books.db, site.kept["asked"], books.by))


async def is_handed_over_short(site: Whole) -> None:
    """What was said to be in the drawer was not."""

    def work(books: Books) -> None:
        one, other = hired(books, "cashier"), hired(books, "cashier")
        shift = shifts.open_shift(books.db, Cash(10_000), one)
        following = shifts.close(books.db, shift.id, Cash(10_000), "", one, hand_to=other.actor).following
        assert following is not None
        shifts.close(books.db, following.id, Cash(9_000), "", other)

    await site.do(work)


def ends_a_shift(counted_minor: int, *, hide: str = "0") -> Callable[[Whole], Awaitable[None]]:
    async def ends(site: Whole) -> None:
        def work(books: Books) -> None:
            settings.change(books.db, "hide_drawer", hide)
            shift = shifts.open_shift(books.db, Cash(10_000), books.by)
            shifts.close(books.db, shift.id, Cash(counted_minor), "", books.by)

        await site.do(work)

    return ends


async def is_restored(site: Whole) -> None:
    await site.do(lambda books: admin_commands.restored(books.db, books.now_ms, replaced=None))


async def keeps_a_secret(site: Whole) -> None:
    await site.do(lambda books: secrets.take_up(books.db, KEY, books.now_ms))
    await site.do(lambda books: secrets.keep_secret(books.db, KEY, "mail.password", b"secret", books.now_ms))
    await site.wait(0)


async def makes_an_owners_key(site: Whole) -> None:
    public = owner_key.private_half(owner_key.new_words()).public_key().public_bytes_raw()
    await site.do(lambda books: secrets.set_owner_key(books.db, owner_key.enclose(KEY, public), books.by))
    await site.wait(0)


async def has_a_setting_of_another_release(site: Whole) -> None:
    await site.do(lambda books: sites.set_setting(books.db, "call_timeout_s", "soon"))
    await site.wait(0)


async def has_it_set_anew(site: Whole) -> None:
    await site.do(lambda books: settings.change(books.db, "call_timeout_s", "30"))
    await site.wait(0)


async def has_no_tariff(site: Whole) -> None:
    await site.wait(0)


async def gets_a_tariff(site: Whole) -> None:
    await site.do(lambda books: books.tariff())


async def is_tampered_with(site: Whole) -> None:
    await site.do(lambda books: books.person())
    await site.do(lambda books: behind_the_guard(books, "actor || 'x'"))
    await site.jobs.verify_books()


def behind_the_guard(books: Books, actor: str) -> None:
    """Change a row of the audit list, and leave the guard as it stood."""
    (guard,) = books.db.execute("SELECT sql FROM sqlite_master WHERE name = 'audit_no_update'").fetchone()
    books.db.flush()
    books.db.execute("DROP TRIGGER audit_no_update")
    books.db.execute(f"UPDATE audit SET actor = {actor} WHERE seq = 1")
    books.db.execute(guard)


async def is_put_right(site: Whole) -> None:
    await site.do(lambda books: behind_the_guard(books, "substr(actor, 1, length(actor) - 1)"))
    assert await site.console.store.read(audit.broken_at) is None
    await site.jobs.verify_books()


async def does_not_agree(site: Whole) -> None:
    await site.jobs.reconcile()

    def change(books: Books) -> None:
        books.person(paid_in=500)
        books.db.flush()
        books.db.execute("DROP TRIGGER account_guard")
        books.db.execute("UPDATE account SET debit_posted = debit_posted + 5 WHERE kind = 'wallet'")

    await site.do(change)
    await site.jobs.reconcile()


async def is_let_go_on(site: Whole) -> None:
    await site.do(lambda books: stop.lift(books.db, "It was a trial", By("console", books.now_ms)))
    await site.jobs.reconcile()


async def has_a_job_that_fails(site: Whole) -> None:
    async def watch_cards() -> None:
        raise OSError("the disk is gone")

    await guarded(site.jobs, watch_cards, Tasks())()


async def has_a_job_that_runs_well(site: Whole) -> None:
    await guarded(site.jobs, site.jobs.watch_cards, Tasks())()


# --- cards and readers -----------------------------------------------------------------------------------------------------


async def has_lost_its_reader(site: Whole) -> None:
    state = ReaderState(ReaderStatus.DEAF, "PN532", "/dev/ttyUSB0")
    await site.do(lambda books: rfid_desk.report_reader(books.db, "desk:desk", books.now_ms, "desk", state))


async def needs_no_reader(site: Whole) -> None:
    await site.do(lambda books: clear_old_problems(books.db, set(), books.now_ms))


async def has_a_printer_that_is_off(site: Whole) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        values = settings.Settings(printer=f"127.0.0.1:{port}")
        printing = Printing(site.console.store, site.console.console.clock, lambda: values, ReceiptPrinter())
        with pytest.raises(NotPrinted):
            await printing.send([(Row(Style.TITLE, "Receipt"),)])
        site.kept["printer"] = port
        site.jobs = replace(site.jobs, printing=printing)
        await site.jobs.look_after_printer()
        assert await site.open(ProblemKind.PRINTER)


async def has_it_switched_on(site: Whole) -> None:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", site.kept["printer"])
    async with server:
        await site.jobs.look_after_printer()


async def is_torn_away(site: Whole) -> None:
    site.kept["chip"] = chip = Chip(UID)

    def lay(books: Books) -> None:
        desk = DeskFixture(books)
        desk.issue()
        desk.lay(chip, Trouble.TORN)

    await site.do(lay)


async def is_laid_again(site: Whole) -> None:
    await site.do(lambda books: DeskFixture(books).lay(site.kept["chip"]))


async def is_copied(site: Whole) -> None:
    def copy(books: Books) -> None:
        desk = DeskFixture(books)
        desk.issued(Chip(UID))
        desk.begin(desk_jobs.begin_recharge, 500, "cash")
        desk.lay(Chip(UID, content=Content()))

    await site.do(copy)


async def is_at_two_chargers(site: Whole) -> None:
    await site.do(begin)
    await site.do(lambda books: books.start(books.station("CS-02"), 1, CARD))


async def travels_too_fast(site: Whole) -> None:
    there, session = await site.do(begin)
    await site.do(lambda books: books.stop(there, session, 10))
    site.console.now_ms += 30_000
    await site.do(lambda books: books.start(books.station("CS-02"), 1, CARD))


async def is_blocked(site: Whole) -> None:
    def block(books: Books) -> None:
        (card,) = books.db.execute("SELECT id FROM card").fetchone()
        cards.block(books.db, card, "copied", books.by)

    await site.do(block)
    await site.wait(0)


STORIES: dict[str, Story] = {
    ProblemKind.KNOCKING: Story(knocks, is_approved),
    ProblemKind.NO_ROOM_TO_KNOCK: Story(find_no_place, an_hour_passes),
    ProblemKind.OFFLINE: Story(stays_away, once),
    ProblemKind.FAULTED: Story(reports_a_fault, reports_that_it_is_free),
    ProblemKind.CLOCK_SKEW: Story(lambda site: tells_times(site, 7_200_000), lambda site: tells_times(site, 0)),
    ProblemKind.SILENT_SESSION: Story(falls_silent, is_measured_again),
    ProblemKind.REVIEW: Story(cannot_be_right, is_decided),
    ProblemKind.UNREADABLE: Story(sends_a_stop_that_cannot_be_read),
    "unreadable in part": Story(sends_a_stop_that_can_be_read_in_part),
    ProblemKind.STRAY_STOP: Story(ends_what_nobody_knows),
    ProblemKind.FOREIGN_TRANSACTION: Story(ends_what_is_anothers, a_day_passes),
    "violation subprotocol": Story(speaks_another_version, once),
    "violation no_subprotocol": Story(speaks_no_version, once),
    "violation password": Story(has_the_wrong_password, has_the_right_password),
    "violation profile": Story(comes_without_tls, a_day_passes),
    "violation too_long": Story(sends_too_much, a_day_passes),
    "violation other_version": Story(speaks_as_another_version, a_day_passes),
    "violation binary": Story(sends_bytes, a_day_passes),
    "violation utf8": Story(sends_other_letters, a_day_passes),
    "violation websocket": Story(sends_unmasked, a_day_passes),
    ProblemKind.WRONG_URL: Story(asks_for_a_wrong_path, once),
    ProblemKind.FOREIGN_PAGE: Story(a_page_knocks, a_day_passes),
    ProblemKind.DUPLICATE_IDENTITY: Story(two_take_turns, two_hours_pass),
    ProblemKind.STATION_ERROR: Story(fails_here),
    ProblemKind.NEWCOMER: Story(is_said_to_be_another_device, is_let_in),
    "newcomer refused": Story(is_refused_while_the_other_answers, a_day_passes),
    ProblemKind.CARDS_TRIED: Story(tries_out_cards, a_day_passes),
    ProblemKind.NO_CONNECTORS: Story(tells_of_no_connector, tells_of_its_connectors),
    ProblemKind.MISSED_READINGS: Story(sends_readings_no_more, sends_a_reading),
    ProblemKind.UNWATCHED: Story(sends_no_readings, sends_a_reading),
    ProblemKind.NO_SESSION: Story(charges_without_a_session, is_free_again),
    ProblemKind.UNBILLED: Story(charges_on_after_the_stop),
    "unbilled without a session": Story(charges_where_nobody_ever_did),
    ProblemKind.REFUSED_CHARGING: Story(charges_though_refused),
    ProblemKind.OVERRUN: Story(costs_more_than_there_is),
    ProblemKind.DRAWER_OFF: Story(ends_a_shift(10_500)),
    "drawer_off short": Story(ends_a_shift(9_000)),
    "drawer_off taken over": Story(is_handed_over_short),
    "drawer_off hidden": Story(ends_a_shift(9_000, hide="1")),
    ProblemKind.SIGNED_ENERGY: Story(is_signed_otherwise),
    ProblemKind.DISK_FULL: Story(is_full, is_full_no_more),
    ProblemKind.APPROVAL: Story(asks_for_much, takes_it_back),
    ProblemKind.LOG_INS_FAILED: Story(passwords_are_guessed, a_day_passes),
    "log_ins_failed token": Story(tokens_are_guessed, a_day_passes),
    ProblemKind.RESTORED: Story(is_restored),
    ProblemKind.DISK_SPACE: Story(is_nearly_full, has_room_again),
    ProblemKind.BACKUP_AGE: Story(goes_without_a_backup, is_backed_up),
    ProblemKind.SECRETS: Story(has_lost_its_key, has_its_key_back),
    ProblemKind.OWNER_KEY_MISSING: Story(keeps_a_secret, makes_an_owners_key),
    ProblemKind.UNREAD_SETTING: Story(has_a_setting_of_another_release, has_it_set_anew),
    ProblemKind.NO_TARIFF: Story(has_no_tariff, gets_a_tariff),
    ProblemKind.STOP_IGNORED: Story(does_not_stop, stops_while_nobody_asks),
    ProblemKind.START_LOST: Story(accepts_a_start_in_vain, starts_well),
    ProblemKind.BOOKS: Story(is_tampered_with, is_put_right),
    ProblemKind.MONEY_STOPPED: Story(does_not_agree, is_let_go_on),
    ProblemKind.JOB_FAILED: Story(has_a_job_that_fails, has_a_job_that_runs_well),
    ProblemKind.PRINTER: Story(has_a_printer_that_is_off, has_it_switched_on),
    ProblemKind.READER: Story(has_lost_its_reader, needs_no_reader),
    ProblemKind.TORN_CARD: Story(is_torn_away, is_laid_again),
    ProblemKind.CARD_COPY: Story(is_copied, is_blocked),
    ProblemKind.CARD_TWICE: Story(is_at_two_chargers, is_blocked),
    ProblemKind.CARD_HOP: Story(travels_too_fast, is_blocked),
}
"""By kind, and where a kind is told in several ways by each of them; a way to violate the protocol is its `what`."""


def test_every_kind_has_its_rule_its_words_and_its_story() -> None:
    told = {name.partition(" ")[0] for name in STORIES}
    assert set(RULES) == set(TEXTS) == told == set(ProblemKind)
    assert {name.partition(" ")[2] for name in STORIES if name.startswith("violation ")} == set(VIOLATIONS)


def test_what_only_staff_can_end_is_what_has_no_end_of_its_own() -> None:
    assert {name for name, story in STORIES.items() if story.ends is None} == {
        ProblemKind.UNREADABLE,
        "unreadable in part",
        ProblemKind.STRAY_STOP,
        ProblemKind.STATION_ERROR,
        ProblemKind.UNBILLED,
        "unbilled without a session",
        ProblemKind.REFUSED_CHARGING,
        ProblemKind.OVERRUN,
        ProblemKind.DRAWER_OFF,
        "drawer_off short",
        "drawer_off taken over",
        "drawer_off hidden",
        ProblemKind.SIGNED_ENERGY,
        ProblemKind.RESTORED,
    }


@pytest.mark.parametrize("name", STORIES)
async def test_a_problem_is_raised_told_and_over(site: Whole, name: str) -> None:
    story, kind = STORIES[name], ProblemKind(name.partition(" ")[0])
    await story.happens(site)
    (problem,) = await site.open(kind)
    if kind is ProblemKind.VIOLATION:
        assert problem.details["what"] == name.partition(" ")[2]

    english, bengali = [await told(site, spoken, problem.id) for spoken in ("en", "bn")]
    for sentence, advice in (english, bengali):
        assert sentence
        assert advice
        # A detail that is not there would be a dash, a sentence that nobody filled in would show its braces.
        assert re.search(r"\{\w+\}|–|None|\b\d{10,}", sentence + advice) is None
    assert all(one != other for one, other in zip(english, bengali, strict=True))
    if kind is ProblemKind.REVIEW:
        assert "more energy than" in english[0]
    await several_are_told(site, problem)

    if story.ends is None:
        await dismiss(site, problem.id)
    else:
        await story.ends(site)
    assert await site.open(kind) == []
    (over,) = [one for one in await site.console.store.read(problems.history, None, 50) if one.id == problem.id]
    assert over.cleared_at_ms is not None


async def told(site: Whole, spoken: str, number: int) -> tuple[str, str]:
    """Sentence and advice of a problem, as the page has them."""
    page = await (await reader(site, spoken)).get("/problems")
    html = await page.text()
    rows = re.findall(r'<p class="lead">(.*?)</p><p>(.*?)</p>.*?name="newest" value="(\d+)"', html, re.DOTALL)
    rows += re.findall(r'<p class="lead">(.*?)</p><p>(.*?)</p>.*?/stations/NEW-(\d+)/approve', html, re.DOTALL)
    stays = r'<p class="lead">(.*?)</p><p>(.*?)</p>.*?href="/problems/money"'
    rows += [(*texts, number) for texts in re.findall(stays, html, re.DOTALL)]
    ((sentence, advice),) = [(sentence, advice) for sentence, advice, newest in rows if int(newest) == number]
    return unescape(sentence), unescape(advice)


async def several_are_told(site: Whole, problem: problems.Problem) -> None:
    """Two that are alike, and one that has happened twice, have words in both languages too."""
    names = await site.console.store.read(stations.names)
    twin, again = replace(problem, id=problem.id + 1), replace(problem, times=2)
    fmt, now_ms = formats(SITE.currency, SITE.exponent, SITE.zone), site.console.now_ms
    found = []
    for spoken in ("en", "bn"):
        language.speak(spoken)
        row = describe_group(Group(problem.kind, (problem, twin)), names, fmt, now_ms)
        assert len(row.members) == 2
        found.append((row.sentence, row.advice, describe(again, names, fmt, now_ms).sentence))
        assert re.search(r"\{\w+\}|–|None", " ".join(found[-1])) is None
    assert all(one != other for one, other in zip(*found, strict=True))


async def reader(site: Whole, spoken: str) -> Any:
    """The browser of an owner who reads this language."""
    token, now_ms = token_units.new_token(), site.console.now_ms
    operator = await site.console.store.write(
        operators.add,
        login=f"{spoken}{len(site.console.clients)}",
        name="Nasrin Akter",
        role=Role.OWNER,
        password_hash=PASSWORD_HASH,
        language=spoken,
        by=site.console.by,
    )
    await site.console.store.write(
        log_ins.log_in, operator, token, address="127.0.0.1", browser="a test", now_ms=now_ms
    )
    client = site.console.anybody()
    client.session.cookie_jar.update_cookies({"sid": token}, site.console.server.make_url("/"))
    return client


async def dismiss(site: Whole, number: int) -> None:
    """By the button on the page."""
    client = await reader(site, "en")
    origin = str(site.console.server.make_url("")).rstrip("/")
    answer = await client.post(f"/problems/{number}/acknowledge", headers={"Origin": origin}, allow_redirects=False)
    assert answer.status == 303
