"""How long a month's report over 100,000 sessions takes: a real site on disk, the real server, an ordinary request.

`python -m benchmarks.report [--sessions 100000] [--stations 40]`
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path

import aiohttp

from appliance.cli.init import create
from appliance.db.engine.open import open_to_write
from appliance.domain.by import By
from appliance.domain.clock import system_clock
from appliance.domain.roles import Role
from appliance.domain.tariff import Tariff, Usage, price
from appliance.host.data_directory import DataDirectory
from appliance.services import tariffs
from appliance.services.operators import log_ins, operators, tokens
from appliance.services.people import groups, people
from appliance.services.stations import admission
from benchmarks.growth.site import fill_roll_ups
from benchmarks.servers import addresses, forecourt, serving

ACTOR = "console"
DAYS = 30
FIRST_DAY_MS = 1_793_487_600_000
"""2026-11-01 in Berlin."""
DAY_MS = 86_400_000
ROUNDS = 7
GOAL_S = 1.0
SPAN = {"from": "2026-11-01", "to": "2026-11-30"}


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--stations", type=int, default=40)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-") as name:
        folder = Path(name)
        token = make_month(folder, arguments.sessions, arguments.stations)
        with serving(forecourt(folder)) as process:
            console = addresses(process)["console"]
            asyncio.run(measure(console, token, arguments.sessions))


async def measure(console: str, token: str, sessions: int) -> None:
    """Ask for the page and the files as a browser of the staff would."""
    async with aiohttp.ClientSession(
        console, cookies={"sid": token}, cookie_jar=aiohttp.CookieJar(unsafe=True)
    ) as client:
        for path, rounds in (("/reports", ROUNDS), ("/reports.csv", 3), ("/reports.xlsx", 3), ("/sessions", 3)):
            took_s, size = await ask(client, path, rounds)
            goal = f" (goal <= {GOAL_S:.0f} s)" if path == "/reports" else ""
            middle, worst = statistics.median(took_s), max(took_s)
            print(
                f"report: month of {sessions:,} sessions, {path:14} median {middle:.3f} s, slowest {worst:.3f} s, {size:,} bytes{goal}"
            )


async def ask(client: aiohttp.ClientSession, path: str, rounds: int) -> tuple[list[float], int]:
    """How long each answer took, until its last byte, and its size."""
    took_s, size = [], 0
    for _ in range(rounds):
        began = time.perf_counter()
        async with client.get(path, params=SPAN) as answer:
            body = await answer.read()
        took_s.append(time.perf_counter() - began)
        assert answer.status == 200, answer.status
        assert answer.url.path == path, "the log-in was not accepted"
        size = len(body)
    return took_s, size


def make_month(folder: Path, sessions: int, number: int) -> str:
    """A site with a month of sessions, spread over its stations; the token of an owner who is logged in."""
    now_ms, rnd = system_clock(), random.Random(7)
    data = DataDirectory(folder)
    create(data, name="Bench", currency_code="EUR", timezone="Europe/Berlin", language="en", demo=False, now_ms=now_ms)
    db = open_to_write(data.database)
    db.execute("BEGIN IMMEDIATE")
    tariff = Tariff(0, "Bench", energy_milli_per_kwh=40_000, tax_basis_points=1_900)
    by = By(ACTOR, now_ms)
    tariff_id = tariffs.add(db, tariff, by)
    group = groups.add(db, "Customers", "prepaid", by)
    person = people.add(db, "Person", group, by)
    places = [admission.register(db, f"CP{count:05}", f"Place {count}", 0, None, by) for count in range(number)]
    db.flush()
    rows, days = [], []
    for count in range(sessions):
        session, station = count + 1, places[count % number]
        begin_ms = FIRST_DAY_MS + count * DAYS * DAY_MS // sessions
        usage = Usage(rnd.randrange(500, 40_000), rnd.randrange(600, 10_000))
        bill = price(usage, tariff)
        rows.append(
            (session, begin_ms, station, "TAG", person, tariff_id, begin_ms + usage.duration_s * 1000, usage.energy_wh,
             usage.duration_s, bill.net_minor, bill.tax_minor, bill.total_minor)
        )  # fmt: skip
        day = f"2026-11-{(begin_ms - FIRST_DAY_MS) // DAY_MS + 1:02}"
        days.append((day, station, session, usage.duration_s, usage.energy_wh, bill.total_minor))
    db.executemany(
        """INSERT INTO session (id, state, started_at_ms, station_id, evse, id_token, meter_start_wh, person_id, policy,
            tariff_id, authorization, ended_at_ms, energy_wh, duration_s, net_minor, tax_minor, fee_minor)
        VALUES (?, 'ended', ?, ?, 1, ?, 0, ?, 'prepaid', ?, 'Accepted', ?, ?, ?, ?, ?, ?)""",
        rows,
    )
    db.executemany("INSERT INTO session_day VALUES (?, ?, ?, ?, ?, ?, 1)", days)
    fill_roll_ups(db)
    owner = operators.add(db, login="bench", name="Bench", role=Role.OWNER, password_hash="-", language="", by=by)
    token = tokens.new_token()
    log_ins.log_in(db, owner, token, address="127.0.0.1", browser="benchmark", now_ms=now_ms)
    db.flush()
    db.execute("COMMIT")
    db.close()
    return token


if __name__ == "__main__":
    main()
