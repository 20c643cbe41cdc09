"""How long the import of a list of cards holds the writer at a time: what a charger may have to wait for its answer meanwhile.

The list is the longest that is taken, all of it new people, so that the register which each unit of work reads grows to its full
size. Prints one line; run by itself with `python -m benchmarks.import_units`.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance.db.engine.migrate import migrate
from appliance.db.engine.store import Store
from appliance.db.engine.unit import Database
from appliance.db.site import create
from appliance.domain.by import By
from appliance.domain.site import Site
from appliance.services.people import groups, importing, spreadsheets
from appliance.services.people.importing import ROWS_AT_ONCE, Result
from appliance.services.people.spreadsheets import ROWS_MAX, Row

GOAL_MS = 50.0
NOW_MS = 1_763_877_600_000
ZONE = ZoneInfo("Asia/Dhaka")
ACTOR = "operator:1"


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS_MAX)
    parser.add_argument("--rows-at-once", type=int, default=ROWS_AT_ONCE)
    arguments = parser.parse_args()
    asyncio.run(measure(spreadsheets.read(listed(arguments.rows)), arguments.rows_at_once))


async def measure(rows: list[Row], rows_at_once: int) -> None:
    """Import the list as the console does, through the real writer."""
    held_ms: list[float] = []

    def unit(db: Database, part: list[Row]) -> Result:
        began_s = time.perf_counter()
        result = importing.apply(db, part, ZONE, By(ACTOR, NOW_MS))
        db.flush()
        held_ms.append((time.perf_counter() - began_s) * 1000)
        return result

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "forecourt.db"
        migrate(path)
        store = Store(path)
        await store.open()
        await store.write(create, Site("Yard", "BDT", 2, "Asia/Dhaka", "en"), bytes(32), NOW_MS)
        await store.write(groups.add, "Customers", "prepaid", By(ACTOR, NOW_MS))
        began_s = time.perf_counter()
        done = Result()
        for begin in range(0, len(rows), rows_at_once):
            done += await store.write(unit, rows[begin : begin + rows_at_once])
        took_s = time.perf_counter() - began_s
        await store.close()
    assert done.cards == len(rows)
    held_ms.sort()
    print(
        f"{len(rows)} rows, {rows_at_once} at once: the writer was held for {statistics.median(held_ms):.1f} ms (median), "
        f"{held_ms[int(len(held_ms) * 0.99)]:.1f} (p99), {held_ms[-1]:.1f} (worst; goal <= {GOAL_MS:.0f}); all in {took_s:.1f} s"
    )


def listed(rows: int) -> bytes:
    """The file."""
    lines = [f"Person {row},+880 17{row:08},Customers,04{row:010X}80,car {row},2027-12-31" for row in range(rows)]
    return "\n".join(("name,phone,group,uid,label,valid_until", *lines)).encode()


if __name__ == "__main__":
    main()
