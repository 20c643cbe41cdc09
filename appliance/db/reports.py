"""Sums by day and station, read from the roll-up: never from meter values or messages."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.engine.protocols import Readable
from appliance.domain.order import natural


@dataclass(frozen=True, slots=True)
class StationSums:
    """One station over some time."""

    station_id: int
    identity: str
    name: str
    working_s: int
    energy_wh: int
    fees_minor: int
    sessions: int
    """Those that began in this time and have ended."""


@dataclass(frozen=True, slots=True)
class StationDay(StationSums):
    """On one day (2026-11-23)."""

    day: str


@dataclass(frozen=True, slots=True)
class StationMonth(StationSums):
    """In one month (2026-11), or in those of its days that were asked for."""

    month: str


@dataclass(frozen=True, slots=True)
class Total:
    """Sums over some days."""

    working_s: int
    energy_wh: int
    fees_minor: int
    sessions: int


SUMS = (
    "coalesce(sum(working_s), 0), coalesce(sum(energy_wh), 0), coalesce(sum(fee_minor), 0), coalesce(sum(sessions), 0)"
)
# The joins are written as cross joins, because the order is meant: from the sums in question to their stations.
DAYS = """
SELECT station_id, identity, name, working_s, energy_wh, fee_minor, sessions, day
FROM station_day CROSS JOIN station WHERE station.id = station_id AND day BETWEEN :first AND :last
"""
MONTHS = """
SELECT station_id, identity, name, working_s, energy_wh, fee_minor, sessions, month
FROM station_month CROSS JOIN station WHERE station.id = station_id AND month > :first_month AND month < :last_month
"""
PART_OF_MONTH = """
SELECT station_id, identity, name, sum(working_s), sum(energy_wh), sum(fee_minor), sum(sessions), :month
FROM station_day CROSS JOIN station WHERE station.id = station_id AND day BETWEEN :first AND :last
"""
BY_STATION = "GROUP BY station_id, identity, name"


def station_days(db: Readable, first: str, last: str, station: int | None = None) -> list[StationDay]:
    """Each station's days from `first` to `last` (2026-11-23, both included); days without a session are left out."""
    one = _one(station)
    rows = db.execute(
        f"{DAYS} {one}",
        {"first": first, "last": last, "station": station},
    )
    return sorted((StationDay(*row) for row in rows), key=lambda one: (one.day, natural(one.name), one.station_id))


def station_months(db: Readable, first: str, last: str, station: int | None = None) -> list[StationMonth]:
    """The same by month: those in between whole, the first and the last as far as their days lie in the span."""
    one, first_month, last_month = _one(station), first[:7], last[:7]
    found = _part_of_month(db, first, min(last, f"{first_month}-31"), station)
    months = {"first_month": first_month, "last_month": last_month, "station": station}
    found += [StationMonth(*row) for row in db.execute(f"{MONTHS} {one} ORDER BY month", months)]
    if last_month > first_month:
        found += _part_of_month(db, f"{last_month}-01", last, station)
    return found


def _part_of_month(db: Readable, first: str, last: str, station: int | None) -> list[StationMonth]:
    values = {"first": first, "last": last, "month": first[:7], "station": station}
    return [StationMonth(*row) for row in db.execute(f"{PART_OF_MONTH} {_one(station)} {BY_STATION}", values)]


def total(db: Readable, first: str, last: str, station: int | None = None) -> Total:
    """The sums of the same days."""
    row = db.execute(
        f"SELECT {SUMS} FROM station_day WHERE day BETWEEN :first AND :last {_one(station)}",
        {"first": first, "last": last, "station": station},
    ).fetchone()
    return Total(*row)


UNEQUAL = """
SELECT time, station_id FROM (
  SELECT {time} AS time, station_id, working_s, energy_wh, fee_minor, sessions FROM {kept}
  UNION ALL
  SELECT {part}, station_id, -working_s, -energy_wh, -fee_minor, -{sessions} FROM {rows}) AS compared
GROUP BY time, station_id
HAVING sum(working_s) <> 0 OR sum(energy_wh) <> 0 OR sum(fee_minor) <> 0 OR sum(sessions) <> 0
ORDER BY time, station_id LIMIT 1
"""
UNEQUAL_HOLDER = """
SELECT person_id, card_id FROM (
  SELECT person_id, card_id, working_s, energy_wh, fee_minor, sessions FROM holder_sum
  UNION ALL
  SELECT person_id, coalesce(card_id, 0), -duration_s, -energy_wh, -fee_minor, -1 FROM session
  WHERE person_id IS NOT NULL AND state IN ('ended', 'review')) AS compared
GROUP BY person_id, card_id
HAVING sum(working_s) <> 0 OR sum(energy_wh) <> 0 OR sum(fee_minor) <> 0 OR sum(sessions) <> 0
ORDER BY person_id, card_id LIMIT 1
"""
UNEQUAL_HOLDER_MONTH = """
SELECT month, person_id, card_id FROM (
  SELECT month, person_id, card_id, pool_id, working_s, energy_wh, fee_minor, sessions FROM holder_month
  UNION ALL
  SELECT substr(day, 1, 7), session.person_id, coalesce(session.card_id, 0), coalesce(session.pool_id, 0),
    -session_day.working_s, -session_day.energy_wh, -session_day.fee_minor, -first_day
  FROM session_day JOIN session ON session.id = session_day.session_id WHERE session.person_id IS NOT NULL) AS compared
GROUP BY month, person_id, card_id, pool_id
HAVING sum(working_s) <> 0 OR sum(energy_wh) <> 0 OR sum(fee_minor) <> 0 OR sum(sessions) <> 0
ORDER BY month, person_id, card_id LIMIT 1
"""
UNEQUAL_DAY = UNEQUAL.format(kept="station_day", time="day", part="day", sessions="first_day", rows="session_day")
UNEQUAL_MONTH = UNEQUAL.format(
    kept="station_month", time="month", part="substr(day, 1, 7)", sessions="sessions", rows="station_day"
)


def unequal_sums(db: Readable) -> list[str]:
    """Which sums are not those of their rows, computed from the rows alone; [] when all is well."""
    found = [db.execute(query).fetchone() for query in (UNEQUAL_DAY, UNEQUAL_MONTH)]
    wrong = [
        f"the sums of station {row[1]} for {row[0]} are not those of its sessions" for row in found if row is not None
    ]
    if (row := db.execute(UNEQUAL_HOLDER).fetchone()) is not None:
        wrong.append(f"the sums of person {row[0]} on card {row[1]} are not those of their sessions")
    if (row := db.execute(UNEQUAL_HOLDER_MONTH).fetchone()) is not None:
        wrong.append(f"the sums of {row[0]} of person {row[1]} on card {row[2]} are not those of their sessions")
    return wrong


def _one(station: int | None) -> str:
    """The condition for one station; none for all of them."""
    return "" if station is None else "AND station_id = :station"


def person_total(db: Readable, person: int) -> Total:
    """All that a person ever charged here."""
    return Total(*db.execute(f"SELECT {SUMS} FROM holder_sum WHERE person_id = ?", (person,)).fetchone())


def pool_total(db: Readable, pool: int) -> Total:
    """All that a pool ever paid for here."""
    return Total(*db.execute(f"SELECT {SUMS} FROM holder_month WHERE pool_id = ? AND pool_id <> 0", (pool,)).fetchone())
