"""The demo site: invented people, cards, a tariff, a fortnight of history, and three simulated charging stations.

It lives in a folder of its own and is marked as a demo for good: it never runs on a real site's data, nor the other way.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Generator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace

from appliance.cli.init import create
from appliance.db.cards import cards
from appliance.db.engine.open import alone
from appliance.db.engine.protocols import Readable
from appliance.db.engine.store import Store
from appliance.db.engine.unit import Database
from appliance.db.people import people
from appliance.db.sessions import session_list
from appliance.demo.reader import CardDrawer, KnownCard
from appliance.demo.traffic import DemoStation, DemoTraffic
from appliance.domain.authorization import Policy
from appliance.domain.by import By
from appliance.domain.calendar import day_bounds, day_of
from appliance.domain.cards.limits import Limits
from appliance.domain.cards.tag import Kind
from appliance.domain.clock import Clock
from appliance.domain.events import MeterRead, StatusChanged, TransactionEnded, TransactionStarted
from appliance.domain.identifiers import GroupId, PersonId, StationId
from appliance.domain.meter import Reading
from appliance.domain.roles import Role
from appliance.domain.site import Site
from appliance.domain.station import ConnectorStatus
from appliance.domain.tariff import Tariff
from appliance.host.data_directory import DataDirectory
from appliance.services import settings, tariffs
from appliance.services.cards import cards as card_units
from appliance.services.operators import operators, passwords
from appliance.services.people import groups, limits, pools
from appliance.services.people import people as people_units
from appliance.services.people.pools import About, Own
from appliance.services.ports.demo import DemoConnector
from appliance.services.sessions import metering, starting, stopping
from appliance.services.stations import admission, status
from appliance.services.wallets import wallets

ACTOR = "console"
LOGIN = "demo"
PASSWORD = "forecourt-demo"  # noqa: S105  # no secret
"""Told to everybody, and of use on a demo site only."""
SEED = 20261123
DAY_MS = 86_400_000
MINUTE_MS = 60_000
HISTORY_DAYS = 14
SAMPLE_MS = 5 * MINUTE_MS
METER_WH = 500_000
"""Where the meters of a station begin that has no history."""

STATIONS = (
    DemoStation("GATE-1", power_w=7_400, connectors=2),
    DemoStation("RAMP-A", power_w=11_000),
    DemoStation("HALL-1", power_w=22_000, connectors=2, kept_free=1),
)
STATION_NAMES = {"GATE-1": "Gate 1", "RAMP-A": "Ramp A", "HALL-1": "Hall 1"}
DEMO_TARIFF = Tariff(
    0,
    "Day tariff",
    energy_milli_per_kwh=1_850_000,
    idle_milli_per_minute=200_000,
    idle_grace_s=1800,
    tax_basis_points=500,
)
COMMERCIAL, STAFF, FLEET = "Customers", "Staff", "Fleet"
GROUPS = ((COMMERCIAL, Policy.PREPAID), (STAFF, Policy.FREE), (FLEET, Policy.POSTPAID))
PEOPLE = (
    ("Rahima Khatun", "+880 1712 345678", COMMERCIAL, "04A1B2C3D4E580", 250_000),
    ("Karim Ahmed", "+880 1819 222333", COMMERCIAL, "04B2C3D4E5F680", 120_000),
    ("Nasrin Akter", "+880 1911 908070", STAFF, "04C3D4E5F60780", 0),
    ("Green Taxi, car 7", "+880 1555 700700", FLEET, "04D4E5F6071880", 0),
    ("Green Taxi, car 9", "+880 1555 700900", FLEET, "04E5F607182980", 0),
    ("Jamal Uddin", "+880 1673 445566", COMMERCIAL, "04F60718293A80", 60_000),
    ("Shirin Sultana", "+880 1710 101010", COMMERCIAL, "0407182A3B4C80", 300_000),
    ("Abdul Malek", "", COMMERCIAL, "0418293B4C5D80", 45_000),
)


POOL = "Green Taxi"
"""Whose cars charge from one wallet: those of the people whose names begin so."""
CAR_LIMITS = Limits(day_minor=150_000)
LOW_MINOR = 40_000
"""Below this somebody who pays beforehand is on the list of those to call."""
POOL_LIMITS = Limits(month_minor=5_000_000)


def prepare(data: DataDirectory, clock: Clock) -> None:
    """Make the demo site, unless it is there."""
    if data.has_database():
        return
    now_ms = clock()
    site = create(
        data, name="Dhanmondi yard", currency_code="BDT", timezone="Asia/Dhaka", language="en", demo=True, now_ms=now_ms
    )
    with alone(data.database) as db:
        fill(db, site, now_ms)


def fill(db: Database, site: Site, now_ms: int) -> None:
    """Staff, people, prices, stations, and what they did in the last fortnight."""
    operators.add(
        db,
        login=LOGIN,
        name="Demo owner",
        role=Role.OWNER,
        password_hash=passwords.hash_password(PASSWORD),
        language="",
        by=By(ACTOR, now_ms),
    )
    began_ms = now_ms - HISTORY_DAYS * DAY_MS
    by = By(ACTOR, began_ms)
    tariffs.add(db, DEMO_TARIFF, by)
    group_ids = {name: groups.add(db, name, policy, by) for name, policy in GROUPS}
    for name, phone, group, uid, amount_minor in PEOPLE:
        person = people_units.add(db, name, group_ids[group], by, phone=phone)
        label = f"{int(person):04}"
        card_units.add(db, uid, person, by, label=label)
        if amount_minor:
            wallets.top_up(db, person, amount_minor, "cash", f"demo-{person}", by)
    add_pool(db, group_ids[FLEET], by)
    settings.change(db, "low_balance_minor", str(LOW_MINOR))
    evses: list[Iterator[int]] = []
    for demo_station in STATIONS:
        station = admission.register(db, demo_station.identity, STATION_NAMES[demo_station.identity], 0, None, by)
        for evse in range(1, demo_station.connectors + 1):
            status.status_changed(
                db, station, StatusChanged(evse, 1, ConnectorStatus.AVAILABLE, "", "", began_ms, began_ms)
            )
            evses.append(visits(db, site, station, evse, demo_station.power_w, began_ms, now_ms))
    live_through(evses)


def add_pool(db: Database, group: GroupId, by: By) -> None:
    """A company whose cars charge from one wallet, each up to a limit of its own."""
    about = About(POOL, group, "Mrs Rahman", "+880 1555 700000", tax_number="BIN 000123456-0101")
    pool = pools.add(db, about, by)
    for name, _phone, _group, uid, _amount in PEOPLE:
        card = cards.by_uid(db, uid)
        if card is not None and name.startswith(POOL):
            pools.join(db, pool, card.person_id, Own.KEPT, f"demo-{card.person_id}", by)
            limits.change(db, card.person_id, CAR_LIMITS, by)
    limits.change(db, pool, POOL_LIMITS, by)


def visits(
    db: Database, site: Site, station: StationId, evse: int, power_w: int, began_ms: int, now_ms: int
) -> Iterator[int]:
    """A fortnight of an EVSE: two or three sessions a day, told as the station would have told them.

    It yields the moment of its next step, and takes that step when it is asked to go on.
    """
    chance = random.Random(f"{SEED}|{station}|{evse}")
    register_wh = chance.randrange(200_000, 900_000)
    for number in range(HISTORY_DAYS + 1):
        day_begin_ms, _ = day_bounds(day_of(began_ms + number * DAY_MS, site.zone), site.zone)
        at_ms = day_begin_ms + chance.randrange(6 * 60, 9 * 60) * MINUTE_MS
        for _ in range(chance.randrange(2, 4)):
            length_ms = chance.randrange(25, 150) * MINUTE_MS
            if at_ms < began_ms or at_ms + length_ms > now_ms - 10 * MINUTE_MS:
                break
            yield at_ms
            uid = chance.choice(PEOPLE)[3]
            if not cards.running_on_card(db, uid):
                top_up_if_low(db, uid, chance, at_ms)
                share = chance.randrange(60, 96)
                register_wh = yield from charge(
                    db, station, evse, uid, register_wh, power_w * share // 100, at_ms, length_ms
                )
            at_ms += length_ms + chance.randrange(30, 200) * MINUTE_MS


def charge(
    db: Database, station: StationId, evse: int, uid: str, register_wh: int, power_w: int, at_ms: int, length_ms: int
) -> Generator[int, None, int]:
    """One session, step by step; where the meter stands after it."""
    started = starting.transaction_started(db, station, TransactionStarted(evse, uid, register_wh, at_ms, at_ms))
    end_ms, moment_ms, now_wh = at_ms + length_ms, at_ms, register_wh
    while started.authorization.accepted and moment_ms + SAMPLE_MS <= end_ms:
        moment_ms += SAMPLE_MS
        yield moment_ms
        share = (moment_ms - at_ms) / length_ms
        present_w = int(power_w * (1.0 if share < 0.75 else max(0.25, 3.25 - 3.0 * share)))
        now_wh += present_w * SAMPLE_MS // 3_600_000
        reading = Reading(moment_ms, now_wh, present_w, present_w * 1000 // 230, 230_000, int(30 + 60 * share))
        metering.meter_read(db, station, MeterRead(started.ref, evse, (reading,), moment_ms))
        running = metering.find(db, station, started.ref)
        if running is not None and running.stop_wanted:
            end_ms = moment_ms
    reason = "Local" if started.authorization.accepted else "DeAuthorized"
    end_ms = min(end_ms, moment_ms + SAMPLE_MS)
    yield end_ms
    stopping.transaction_ended(db, station, TransactionEnded(started.ref, uid, now_wh, end_ms, reason, (), end_ms))
    return now_wh


def live_through(evses: list[Iterator[int]]) -> None:
    """Let all EVSEs take their steps in the order of time, for the ledger's time only goes forwards."""
    waiting = [(next(steps), number, steps) for number, steps in enumerate(evses)]
    heapq.heapify(waiting)
    while waiting:
        _, number, steps = heapq.heappop(waiting)
        if (moment_ms := next(steps, None)) is not None:
            heapq.heappush(waiting, (moment_ms, number, steps))


def top_up_if_low(db: Database, uid: str, chance: random.Random, at_ms: int) -> None:
    """Customers pay in before they run dry."""
    card = cards.by_uid(db, uid)
    assert card is not None
    person = people.find(db, card.person_id)
    assert person is not None
    if person.policy == Policy.PREPAID and person.balance_minor < LOW_MINOR:
        amount_minor = chance.choice((30_000, 50_000, 100_000))
        key = f"demo-{person.id}-{at_ms}"
        wallets.top_up(db, PersonId(person.id), amount_minor, "cash", key, By(ACTOR, at_ms))


def open_reader(stack: AsyncExitStack, data: DataDirectory) -> CardDrawer:
    """A card reader without hardware, with a drawer of new cards and those of the demo's people; away when the stack is left."""
    # Chips that carry no maker's signature, for nobody can make one for an invented UID.
    known = [KnownCard(f"{name}'s card", Kind.TYPE4, uid) for name, _phone, _group, uid, _amount in PEOPLE]
    return stack.enter_context(CardDrawer(data.path.absolute(), known))


class SiteTraffic:
    """Traffic at the stations of the demo site, from when the server is there; the body of `DemoChargers` in services/ports/demo.py."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._traffic: DemoTraffic | None = None

    async def run(self, url: str) -> None:
        """Connect the stations to the server at `url`, and let cars come, until cancelled."""
        meters = await self._store.read(last_meters)
        known = [replace(one, meter_wh=meters.get(one.identity, METER_WH)) for one in STATIONS]
        self._traffic = DemoTraffic(url, known, [uid for _, _, _, uid, _ in PEOPLE], clock=self._clock)
        await self._traffic.run()

    def connectors(self) -> list[DemoConnector]:
        """See `DemoChargers`."""
        return self._traffic.connectors() if self._traffic is not None else []

    async def hold(self, uid: str, station: str, evse: int) -> str:
        """See `DemoChargers`."""
        if self._traffic is None:
            raise KeyError(station, evse)
        return await self._traffic.hold(uid, station, evse)


def last_meters(db: Readable) -> dict[str, int]:
    """Where the meters of the stations stood last, so that they never run backwards."""
    found: dict[str, int] = {}
    for one in session_list.page(db, session_list.Filter(), limit=200):
        stand_wh = max(one.meter_stop_wh or 0, (one.meter_start_wh or 0) + one.energy_wh)
        found[one.identity] = max(found.get(one.identity, 0), stand_wh)
    return found
