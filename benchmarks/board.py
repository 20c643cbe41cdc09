"""How long a board of 200 connectors takes: read, decided, written as HTML. Prints one JSON line.

The same work as `GET /`, without the network: one snapshot of the database, one page. Run by itself with
`python -m benchmarks.board`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from aiohttp.test_utils import make_mocked_request

from appliance.db import site as sites
from appliance.db.engine.migrate import migrate
from appliance.db.engine.open import open_to_write
from appliance.db.engine.store import Store
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.events import MeterRead, StatusChanged, TransactionStarted
from appliance.domain.identifiers import StationId
from appliance.domain.meter import Reading
from appliance.domain.site import Site
from appliance.domain.station import ChargingState, ConnectorStatus
from appliance.domain.tariff import Tariff
from appliance.services import tariffs
from appliance.services.announce import Hub
from appliance.services.cards import cards
from appliance.services.people import groups, people
from appliance.services.sessions import metering, starting
from appliance.services.stations import admission
from appliance.services.stations import status as status_units
from appliance.services.wallets import wallets
from appliance.ui.console.board import board
from appliance.ui.frame.context import CONSOLE, PRINCIPAL, Console, Principal, PrincipalKind
from appliance.ui.frame.render import formats_of, render

CONNECTORS = 200
ROUNDS = 60
NOW_MS = 1_795_344_600_000
MINUTE_MS = 60_000
SAMPLES = 60
GOAL_MS = 30.0
SITE = Site("Benchmark yard", "BDT", 2, "Asia/Dhaka", "en")


def main() -> None:
    """Measure and print."""
    print(json.dumps(asyncio.run(measure())))


async def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Milliseconds of a page by percentile, its bytes, and the goal."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "forecourt.db"
        fill(path)
        store = Store(path)
        await store.open()
        try:
            return await timed(store, rounds)
        finally:
            await store.close()


async def timed(store: Store, rounds: int) -> dict[str, float]:
    """Render the page `rounds` times."""
    online = await store.read(lambda db: frozenset(StationId(row[0]) for row in db.execute("SELECT id FROM station")))
    console = Console(
        store=store,
        hub=Hub(),
        clock=lambda: NOW_MS,
        site=SITE,
        stations=AllOnline(online),  # type: ignore[arg-type]  # the board asks for nothing but who is online
        control=None,  # type: ignore[arg-type]  # nor does it give commands
        hash_station_password=lambda password: password,
    )
    request = make_mocked_request("GET", "/")
    request.app[CONSOLE] = console
    request[PRINCIPAL] = Principal(PrincipalKind.OPERATOR, 1, "Nasrin", "owner", "")
    gc.collect()
    gc.freeze()  # As the server does once it is up.
    took_ms, cpu_ms, size = [], [], 0
    for _ in range(rounds + 5):
        began, began_cpu = time.perf_counter(), time.process_time()
        page = board.laid_out(await board.load(console, "owner"), formats_of(request))
        html = render(request, "board/board.html", page)
        took_ms.append((time.perf_counter() - began) * 1000)
        cpu_ms.append((time.process_time() - began_cpu) * 1000)
        size = len(html.text or "")
    took_ms = sorted(took_ms[5:])
    return {
        "connectors": CONNECTORS,
        "board_least_ms": round(took_ms[0], 2),
        "board_p50_ms": round(statistics.median(took_ms), 2),
        "board_p95_ms": round(took_ms[int(len(took_ms) * 0.95)], 2),
        "board_cpu_ms": round(statistics.median(cpu_ms[5:]), 2),
        "goal_ms": GOAL_MS,
        "html_bytes": size,
    }


class AllOnline:
    """All stations have a connection."""

    def __init__(self, stations: frozenset[StationId]) -> None:
        self.online: Callable[[], frozenset[StationId]] = lambda: stations
        self.versions: Callable[[], tuple[()]] = lambda: ()


def fill(path: Path) -> None:
    """Two hundred connectors, two thirds of them charging, each measured sixty times."""
    migrate(path)
    db = open_to_write(path)
    db.execute("BEGIN IMMEDIATE")
    sites.create(db, SITE, bytes(32), NOW_MS)
    by = By("console", NOW_MS)
    tariffs.make_default(
        db, tariffs.add(db, Tariff(0, "Day", energy_milli_per_kwh=1_850_000, tax_basis_points=500), by), by
    )
    group = groups.add(db, "Customers", "prepaid", by)
    for number in range(CONNECTORS):
        station = admission.register(db, f"CS-{number:03}", f"Gate {number}", 0, None, by)
        charging = (ConnectorStatus.OCCUPIED, ChargingState.CHARGING, "Charging")
        status, state, finer = charging if number % 3 else (ConnectorStatus.AVAILABLE, ChargingState.NONE, "")
        told_ms = NOW_MS - 90 * MINUTE_MS
        status_units.status_changed(db, station, StatusChanged(1, 1, status, "", "", told_ms, NOW_MS, state, finer))
        if number % 3:
            person = people.add(db, f"Person {number}", group, by)
            cards.add(db, f"04{number:06X}", person, by)
            wallets.top_up(db, person, 500_000, "cash", f"first-{person}", by)
            charge(db, station, f"04{number:06X}")
    db.flush()
    db.execute("COMMIT")
    db.close()


def charge(db: Database, station: StationId, uid: str) -> None:
    """A session with a reading every minute."""
    began_ms = NOW_MS - SAMPLES * MINUTE_MS
    started = starting.transaction_started(db, station, TransactionStarted(1, uid, 1000, began_ms, began_ms))
    for minute in range(1, SAMPLES):
        reading = Reading(began_ms + minute * MINUTE_MS, 1000 + minute * 120, 7200)
        metering.meter_read(db, station, MeterRead(started.ref, 1, (reading,), reading.at_ms))


if __name__ == "__main__":
    main()
