"""A yard for tests of the console: a real database and a real server, and stations that answer as they are told to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer

from appliance.db import site as sites
from appliance.db.engine.open import open_to_write
from appliance.db.engine.store import Store
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.events import MeterRead, StationBooted, TransactionEnded, TransactionStarted
from appliance.domain.id_token import IdToken
from appliance.domain.identifiers import StationId
from appliance.domain.meter import Reading
from appliance.domain.roles import Role
from appliance.domain.site import Site
from appliance.domain.tariff import Tariff
from appliance.services import tariffs
from appliance.services.announce import Hub
from appliance.services.card_desk.taps import DeskKey
from appliance.services.cards import cards
from appliance.services.operators import log_ins, operators
from appliance.services.operators import tokens as token_units
from appliance.services.people import groups
from appliance.services.people import people as people_units
from appliance.services.ports.certificates import Certificates
from appliance.services.ports.demo import DemoChargers, DemoReader
from appliance.services.ports.printers import Printer
from appliance.services.ports.readers import Desks
from appliance.services.ports.stations import (
    CommandAnswer,
    CommandFailed,
    Sampling,
    SpokenVersion,
    Variable,
    VariableName,
)
from appliance.services.printing import Printing
from appliance.services.sessions import metering, starting, stopping
from appliance.services.settings import Settings
from appliance.services.stations import admission
from appliance.services.stations import status as status_units
from appliance.services.stations.commands import RemoteControl
from appliance.services.wallets import wallets
from appliance.ui.console.app import create_console
from appliance.ui.frame.context import Addresses, Console, NoCertificates, NoDesks
from tests.support.schema import prepare
from tests.support.statuses import status_changed
from tests.support.vouchers import VAULT

NOW_MS = 1_795_344_600_000
"""2026-11-22, a Sunday, 16:50 in Dhaka."""
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
ACTOR = "console"
BY = By(ACTOR, NOW_MS)
PASSWORD = "yellow submarine garage"
PASSWORD_HASH = "$2b$04$DXLKN1uAeSW9eS64VUw3huqqIDthGQP5C3MBjN.zB7N/PkIS5B7.S"
"""Of that password, at the least cost there is: tests log in often."""
SITE = Site("Dhanmondi yard", "BDT", 2, "Asia/Dhaka", "en")
DESK_KEY = DeskKey(bytes(32), "http://192.168.1.10:8081/card/")
ADDRESSES = Addresses(
    stations=("ws://192.168.1.10:9000/ocpp/",),
    stations_tls=("wss://192.168.1.10:9443/ocpp/",),
    drivers=("http://192.168.1.10:8081/",),
    hosts=frozenset({"yard.example"}),
)
SPOKEN = (
    SpokenVersion("1.6", "ocpp1.6", ("BootNotification", "Heartbeat", "StatusNotification"), ("Heartbeat",)),
    SpokenVersion("9.9", "ocpp9.9", ("BootNotification", "Humming"), ("Heartbeat", "Humming")),
)


@dataclass(slots=True)
class ScriptedStations:
    """The charging stations, as commands reach them: each command is noted, and answered from `answers`."""

    connected: set[StationId] = field(default_factory=set)
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    answers: dict[str, CommandAnswer | CommandFailed] = field(default_factory=dict)
    variables: list[Variable] = field(default_factory=list)

    def is_online(self, station: StationId) -> bool:
        """Whether it has a connection now."""
        return station in self.connected

    def online(self) -> frozenset[StationId]:
        """All stations with a connection."""
        return frozenset(self.connected)

    def versions(self) -> tuple[SpokenVersion, ...]:
        """Two; nobody speaks the newer."""
        return SPOKEN

    async def remote_start(self, station: StationId, evse: int, id_token: IdToken) -> CommandAnswer:
        """Noted."""
        return self._answer("remote_start", station, evse, id_token)

    async def remote_stop(self, station: StationId, ref: int | str) -> CommandAnswer:
        """Noted."""
        return self._answer("remote_stop", station, ref)

    async def unlock(self, station: StationId, evse: int, connector: int) -> CommandAnswer:
        """Noted."""
        return self._answer("unlock", station, evse, connector)

    async def reset(self, station: StationId, *, hard: bool) -> CommandAnswer:
        """Noted."""
        return self._answer("reset", station, hard)

    async def set_operative(self, station: StationId, evse: int, operative: bool) -> CommandAnswer:
        """Noted."""
        return self._answer("set_operative", station, evse, operative)

    async def clear_cache(self, station: StationId) -> CommandAnswer:
        """Noted."""
        return self._answer("clear_cache", station)

    async def forget_card(self, station: StationId, tokens: tuple[str, ...]) -> CommandAnswer:
        """Noted."""
        return self._answer("forget_card", station, tokens)

    async def trigger(self, station: StationId, message: str, evse: int | None = None) -> CommandAnswer:
        """Noted."""
        return self._answer("trigger", station, message, evse)

    async def get_variables(self, station: StationId, names: list[VariableName]) -> list[Variable]:
        """What the test has put there."""
        self._answer("get_variables", station, names)
        return self.variables

    async def set_variable(self, station: StationId, name: VariableName, value: str) -> CommandAnswer:
        """Noted."""
        return self._answer("set_variable", station, name, value)

    async def set_password(self, station: StationId, password: str) -> CommandAnswer:
        """Noted."""
        return self._answer("set_password", station, password)

    async def read_sampling(self, station: StationId) -> Sampling:
        """Says nothing."""
        self._answer("read_sampling", station)
        return Sampling(None, None)

    async def set_sampling(self, station: StationId, interval_s: int) -> Sampling:
        """As it was told."""
        self._answer("set_sampling", station, interval_s)
        return Sampling(interval_s, True)

    async def read_power(self, station: StationId) -> int | None:
        """Says nothing."""
        self._answer("read_power", station)
        return None

    async def count_evses(self, station: StationId) -> int | None:
        """Says nothing."""
        self._answer("count_evses", station)
        return None

    async def raw_call(self, station: StationId, action: str, payload: Any) -> Any:
        """The payload again."""
        self._answer("raw_call", station, action, payload)
        return {"echo": payload}

    def _answer(self, command: str, *values: Any) -> CommandAnswer:
        self.asked.append((command, *values))
        answer = self.answers.get(command, CommandAnswer(True, "Accepted"))
        if isinstance(answer, CommandFailed):
            raise answer
        return answer


@dataclass(slots=True)
class ConsoleFixture:
    """A running console and what stands behind it."""

    store: Store
    hub: Hub
    stations: ScriptedStations
    server: TestServer
    console: Console
    now_ms: int = NOW_MS
    clients: list[TestClient[Any, Any]] = field(default_factory=list)

    @property
    def by(self) -> By:
        """Whoever is at the machine itself, now."""
        return By(ACTOR, self.now_ms)

    def anybody(self) -> TestClient[Any, Any]:
        """A browser that is not logged in; it follows no redirect unless told to."""
        client: TestClient[Any, Any] = TestClient(self.server, cookie_jar=CookieJar(unsafe=True))
        self.clients.append(client)
        return client

    async def logged_in(self, role: Role = Role.OWNER) -> TestClient[Any, Any]:
        """A browser of somebody of this role, without the detour over the log-in page."""
        operator = await self.operator(role)
        token = token_units.new_token()
        await self.store.write(
            log_ins.log_in, operator, token, address="127.0.0.1", browser="a test", now_ms=self.now_ms
        )
        client = self.anybody()
        client.session.cookie_jar.update_cookies({"sid": token}, self.server.make_url("/"))
        return client

    async def operator(self, role: Role, login: str = "") -> int:
        """A member of the staff, with `PASSWORD`."""
        return await self.store.write(
            operators.add,
            login=login or f"{role}{len(self.clients)}",
            name=f"Nasrin {role}",
            role=role,
            password_hash=PASSWORD_HASH,
            language="",
            by=self.by,
        )


@asynccontextmanager
async def open_console(
    directory: Path,
    *,
    filled: bool = True,
    site: Site = SITE,
    desks: Callable[[Store, Hub], Desks] | None = None,
    demo_reader: DemoReader | None = None,
    demo_chargers: DemoChargers | None = None,
    certificates: Certificates | None = None,
    settings: Settings | None = None,
    printer: Printer | None = None,
) -> AsyncIterator[ConsoleFixture]:
    """A console on a free port, with a yard in every state when `filled`; `desks` makes its card desks."""
    path = directory / "forecourt.db"
    content, online = _content(site, filled=filled)
    path.write_bytes(content)

    hub, scripted = Hub(), ScriptedStations(connected=set(online))
    store = Store(path, announce=hub.announce)
    await store.open()
    served: ConsoleFixture

    def settings_in_force() -> Settings:
        return settings or Settings()

    printing = Printing(store, lambda: served.now_ms, settings_in_force, printer) if printer is not None else None
    control = RemoteControl(store, scripted, hub, lambda: served.now_ms)
    console = Console(
        store=store,
        hub=hub,
        clock=lambda: served.now_ms,
        site=site,
        stations=scripted,
        control=control,
        hash_station_password=lambda password: password,
        addresses=ADDRESSES,
        desks=desks(store, hub) if desks is not None else NoDesks(),
        desk_key=DESK_KEY,
        vault=VAULT,
        demo_reader=demo_reader,
        demo_chargers=demo_chargers,
        certificates=certificates or NoCertificates(),
        settings=settings_in_force,
        printing=printing,
    )
    server = TestServer(create_console(console))
    served = ConsoleFixture(store, hub, scripted, server, console)
    await server.start_server()
    try:
        yield served
    finally:
        for client in served.clients:
            await client.close()
        await server.close()
        if printing is not None:
            await printing.close()
        await control.close()
        await store.close()


@cache
def _content(site: Site, *, filled: bool) -> tuple[bytes, frozenset[StationId]]:
    """What is in the file of such a yard, made once in each process; who of the stations is online."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "forecourt.db"
        prepare(path)
        db = open_to_write(path)
        db.execute("BEGIN IMMEDIATE")
        sites.create(db, site, bytes(32), NOW_MS)
        online = fill(db) if filled else set()
        db.flush()
        db.execute("COMMIT")
        db.close()
        return path.read_bytes(), frozenset(online)


def fill(db: Database) -> set[StationId]:
    """Stations in every state, people, cards, a tariff; who of the stations is online."""
    tariff = Tariff(
        0, "Day", energy_milli_per_kwh=1_850_000, time_milli_per_minute=0, idle_milli_per_minute=200_000,
        idle_grace_s=1800, flat_milli=0, tax_basis_points=500,
    )  # fmt: skip
    by = By(ACTOR, NOW_MS - 90 * HOUR_MS)
    tariffs.make_default(db, tariffs.add(db, tariff, by), by)
    customers = groups.add(db, "Customers", "prepaid", BY)
    staff = groups.add(db, "Staff", "free", BY)
    people = (
        ("Rahima Khatun", "+880 1712 345678", customers, "04A1B2C3", 500_00),
        ("Karim Ahmed", "+880 1819 222333", customers, "04B1B2C3", 1_200_00),
        ("Green Taxi, car 7", "+880 1555 700700", customers, "04C1B2C3", 2_000_00),
        ("Jamal Uddin", "", staff, "04D1B2C3", 0),
    )
    for name, phone, group, uid, paid_minor in people:
        person = people_units.add(db, name, group, BY, phone=phone)
        cards.add(db, uid, person, BY, label=f"{int(person):04}")
        if paid_minor:
            wallets.top_up(db, person, paid_minor, "cash", f"first-{person}", BY)
    made = {}
    for identity, name, plugs in (
        ("CS-01", "Gate 1", 2), ("CS-02", "Ramp A", 1), ("CS-03", "Ramp B", 1), ("CS-04", "Hall 1", 1),
        ("CS-05", "Hall 2", 1), ("CS-06", "Hall 3", 1), ("CS-07", "Court 1", 1), ("CS-08", "Court 2", 1),
        ("CS-09", "Court 3", 1),
    ):  # fmt: skip
        station = made[identity] = admission.register(db, identity, name, 0, None, by)
        status_units.connected(db, station, "1.6", f"192.168.1.{20 + int(station)}", NOW_MS - 3 * HOUR_MS)
        status_units.booted(
            db, station, StationBooted("Wallbe", "Eco 2", f"WB-{int(station):05}", "1.14", NOW_MS - 3 * HOUR_MS)
        )
        for evse in range(1, plugs + 1):
            status(db, station, evse, "Available", 600)
    charge(db, made["CS-01"], 1, "04B1B2C3", minutes=102, energy_wh=12_400, power_w=7_240)
    status(db, made["CS-02"], 1, "Preparing", 3)
    charge(db, made["CS-03"], 1, "04C1B2C3", minutes=48, energy_wh=31_050, power_w=21_800, soc_percent=88)
    status(db, made["CS-04"], 1, "Faulted", 89, error="GroundFailure", info="RCD tripped")
    ref = charge(db, made["CS-05"], 1, "04A1B2C3", minutes=140, energy_wh=9_870, power_w=0)
    end_ms = NOW_MS - 108 * MINUTE_MS
    stopping.transaction_ended(
        db, made["CS-05"], TransactionEnded(ref, "04A1B2C3", 109_870, end_ms, "Local", (), end_ms)
    )
    status(db, made["CS-05"], 1, "Finishing", 108)
    status(db, made["CS-06"], 1, "Reserved", 2)
    status_units.disconnected(db, made["CS-07"], NOW_MS - 3 * MINUTE_MS)
    status(db, made["CS-08"], 1, "Unavailable", 465)
    charge(db, made["CS-09"], 1, "04D1B2C3", minutes=200, energy_wh=44_120, power_w=0)
    status(db, made["CS-09"], 1, "SuspendedEV", 12)
    admission.knock(db, "ACME-0042", "192.168.1.77", NOW_MS - 2 * MINUTE_MS)
    return {number for identity, number in made.items() if identity != "CS-07"}


def status(
    db: Database, station: StationId, evse: int, word: str, minutes: int, *, error: str = "NoError", info: str = ""
) -> None:
    """A connector has been so for some minutes."""
    status_units.status_changed(
        db, station, status_changed(evse, word, NOW_MS - minutes * MINUTE_MS, NOW_MS, error=error, info=info)
    )


def charge(
    db: Database,
    station: StationId,
    evse: int,
    uid: str,
    *,
    minutes: int,
    energy_wh: int,
    power_w: int,
    soc_percent: int | None = None,
) -> int:
    """A transaction that began some minutes ago and has been measured twice; its number."""
    began_ms = NOW_MS - minutes * MINUTE_MS
    started = starting.transaction_started(db, station, TransactionStarted(evse, uid, 100_000, began_ms, began_ms))
    status(db, station, evse, "Charging", minutes)
    for share in (2, 1):
        reading = Reading(
            NOW_MS - (share - 1) * MINUTE_MS - 10_000, 100_000 + energy_wh // share, power_w, soc_percent=soc_percent
        )
        metering.meter_read(db, station, MeterRead(started.ref, evse, (reading,), reading.at_ms))
    return int(started.ref)
