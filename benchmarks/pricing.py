"""What a bill by the lines of a tariff takes of a processor: sessions of twelve hours with thirty boundaries each. `python -m benchmarks.pricing`"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from appliance.domain.pricing.lines import Period, Terms, Usage
from appliance.domain.pricing.reckoning import bill, price, projected_minor
from appliance.domain.pricing.tally import Tally
from tests.support.price_lines import line, moment, terms

ZONE = ZoneInfo("Asia/Dhaka")
START_MS = moment("2026-11-30T12:00", ZONE)
BOUNDARIES = 30
STEP_MINUTES = 12 * 60 // BOUNDARIES
GOAL_US = 200
ROUNDS, TIMES = 9, 200

HOURS = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(0, 24 * 60 + 1, STEP_MINUTES)]
CASES: dict[str, tuple[Terms, Sequence[Period]]] = {
    "by hours": (
        terms(*(line("energy", 10 + at % 3, "vat", from_time=HOURS[at], to_time=HOURS[at + 1]) for at in range(len(HOURS) - 1)), taxes={"vat": 5}),
        [Period(START_MS + 12 * 3_600_000, 60_000)],
    ),
    "by readings": (
        terms(line("energy", 1214, "vat", from_time="17:00", to_time="23:00"), line("energy", 866, "vat"), taxes={"vat": 5}),
        [Period(START_MS + (at + 1) * STEP_MINUTES * 60_000, 1_999 + at) for at in range(BOUNDARIES)],
    ),
    "by measures": (
        terms(
            *(line("energy", 100 - at, "vat", from_wh=at * 6_000, to_wh=(at + 1) * 6_000) for at in range(10)), line("energy", 9),
            *(line("duration", at, from_minutes=at * 60, to_minutes=at * 60 + 60) for at in range(12)),
            line("charging_time", 1, from_time="17:00", to_time="23:00"), line("idle_time", 5, from_idle_minutes=30), taxes={"vat": 5},
        ),
        [Period(START_MS + (at + 1) * 4 * 3_600_000, 25_000, at < 2) for at in range(3)],
    ),
}  # fmt: skip


def main() -> None:
    """Measure and print."""
    for name, (tariff, periods) in CASES.items():
        usage = Usage(START_MS, tuple(periods))
        took = [_us(usage, tariff) for _ in range(ROUNDS)]
        print(
            f"pricing: 12 h with {BOUNDARIES} boundaries {name:12} median {statistics.median(took):6.1f} us,"
            f" least {min(took):6.1f} us (goal <= {GOAL_US} us)"
        )
    tariff, periods = CASES["by readings"]
    took = [_running_us(tariff, periods) for _ in range(ROUNDS)]
    print(
        f"pricing: a reading more, its price and projection   median {statistics.median(took):6.1f} us, least {min(took):6.1f} us"
    )


def _us(usage: Usage, tariff: Terms) -> float:
    begin = time.process_time()
    for _ in range(TIMES):
        price(usage, tariff, ZONE)
    return (time.process_time() - begin) * 1e6 / TIMES


def _running_us(tariff: Terms, periods: Sequence[Period]) -> float:
    tally = Tally(Usage(START_MS), tariff, ZONE)
    begin = time.process_time()
    for period in periods:
        tally.add(period)
        bill(tally)
        projected_minor(tally, 11_000, 90)
    return (time.process_time() - begin) * 1e6 / len(periods)


if __name__ == "__main__":
    main()
