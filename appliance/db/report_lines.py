"""What was charged in some days, by charger, connector, person, group, tariff, or who of the staff began it: read from the days of sessions.

Only the sessions of the days that are asked for are looked at. A session is counted once it has ended, on the day on which it began.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from zoneinfo import ZoneInfo

from appliance.db.engine.protocols import Readable
from appliance.domain.calendar import day_bounds, day_of


class By(StrEnum):
    """What a line of a report is about."""

    STATIONS = "stations"
    CONNECTORS = "connectors"
    PEOPLE = "people"
    GROUPS = "groups"
    TARIFFS = "tariffs"
    OPERATORS = "operators"
    """Who asked for the start; a card at a charger is nobody's of the staff."""


@dataclass(frozen=True, slots=True)
class Charged:
    """What came of sessions."""

    working_s: int = 0
    """How long their transactions took."""
    energy_wh: int = 0
    fees_minor: int = 0
    sessions: int = 0
    idle_s: int = 0
    """Of `working_s`: the car was full."""
    parked_s: int = 0
    """After it: the car still took the place."""
    failed: int = 0
    """Starts that were asked for, and came to nothing."""

    @property
    def charging_s(self) -> int:
        """How long energy could flow."""
        return max(0, self.working_s - self.idle_s)

    @property
    def occupied_s(self) -> int:
        """How long the place was taken."""
        return self.working_s + self.parked_s


Key = tuple[str, ...]
"""The day, where there is a line for each, and what the line is about: numbers as texts, "" for nothing."""
COLUMNS = {
    By.STATIONS: ("session_day.station_id",),
    By.CONNECTORS: ("session_day.station_id", "session.evse"),
    By.PEOPLE: ("session.person_id",),
    By.GROUPS: ("person.group_id",),
    By.TARIFFS: ("session.tariff_id",),
    By.OPERATORS: ("session.requested_by",),
}
# The joins are written as cross joins, because the order is meant: from the days in question to their sessions.
SUMS = """
SELECT {key}, sum(session_day.working_s), sum(session_day.energy_wh), sum(session_day.fee_minor), sum(first_day)
FROM session_day CROSS JOIN session {people} WHERE session.id = session_day.session_id AND day BETWEEN :first AND :last GROUP BY {key}
"""
SUMS_OF_STATIONS = """
SELECT {key}, sum(working_s), sum(energy_wh), sum(fee_minor), sum(sessions) FROM station_day
WHERE day BETWEEN :first AND :last GROUP BY {key}
"""
IDLE = """
SELECT {key},
  sum(CASE WHEN begin_at_ms < ended_at_ms THEN CASE WHEN end_at_ms < ended_at_ms THEN end_at_ms ELSE ended_at_ms END - begin_at_ms
      ELSE 0 END) / 1000,
  sum(CASE WHEN end_at_ms > ended_at_ms THEN end_at_ms - CASE WHEN begin_at_ms > ended_at_ms THEN begin_at_ms ELSE ended_at_ms END
      ELSE 0 END) / 1000
FROM session_day CROSS JOIN idle_span CROSS JOIN session {people}
WHERE day BETWEEN :first AND :last AND first_day = 1 AND idle_span.session_id = session_day.session_id AND end_at_ms IS NOT NULL
  AND session.id = session_day.session_id AND session.ended_at_ms IS NOT NULL
GROUP BY {key}
"""
FAILED = """
SELECT {key}, coalesce(started_at_ms, requested_at_ms) FROM session INDEXED BY session_failed {people}
WHERE state = 'failed' AND coalesce(started_at_ms, requested_at_ms) >= :from AND coalesce(started_at_ms, requested_at_ms) < :until
"""
PEOPLE = "LEFT JOIN person ON person.id = session.person_id"


def lines(db: Readable, by: By, first: str, last: str, zone: ZoneInfo, *, per_day: bool = False) -> dict[Key, Charged]:
    """A line for each that anything came of from `first` to `last` (2026-11-23, both included), or for each day of each."""
    key = ", ".join((("day",) if per_day else ()) + COLUMNS[by])
    people = PEOPLE if by is By.GROUPS else ""
    days, width = {"first": first, "last": last}, key.count(",") + 1
    sums = (
        SUMS_OF_STATIONS.format(key=key.replace("session_day.", ""))
        if by is By.STATIONS
        else SUMS.format(key=key, people=people)
    )
    found = {_key(row[:width]): Charged(*row[width:]) for row in db.execute(sums, days)}
    for row in db.execute(IDLE.format(key=key, people=people), days):
        name = _key(row[:width])
        found[name] = replace(found.get(name, Charged()), idle_s=row[width], parked_s=row[width + 1])
    for name, times in failed(db, by, first, last, zone, per_day=per_day).items():
        found[name] = replace(found.get(name, Charged()), failed=times)
    return found


def failed(db: Readable, by: By, first: str, last: str, zone: ZoneInfo, *, per_day: bool = False) -> Mapping[Key, int]:
    """How many starts came to nothing, for each that any did."""
    bounds = {"from": day_bounds(first, zone)[0], "until": day_bounds(last, zone)[1]}
    key = ", ".join(COLUMNS[by]).replace("session_day.", "session.")
    found: dict[Key, int] = {}
    for *name, at_ms in db.execute(FAILED.format(key=key, people=PEOPLE if by is By.GROUPS else ""), bounds):
        called = _key([day_of(at_ms, zone), *name] if per_day else name)
        found[called] = found.get(called, 0) + 1
    return found


def _key(values: list[object] | tuple[object, ...]) -> Key:
    return tuple("" if value is None else str(value) for value in values)


NAMES = {
    By.PEOPLE: "SELECT name FROM person WHERE id = ?",
    By.GROUPS: "SELECT name FROM person_group WHERE id = ?",
    By.TARIFFS: "SELECT name FROM tariff WHERE id = ?",
}


def name_of(db: Readable, by: By, number: str) -> str:
    """What somebody or something is called; "" for nobody."""
    row = db.execute(NAMES[by], (int(number),)).fetchone() if number else None
    return str(row[0]) if row is not None else ""


def known_since(db: Readable) -> dict[int, int]:
    """Since when each station is entered (milliseconds)."""
    return dict(db.execute("SELECT id, created_at_ms FROM station").fetchall())
