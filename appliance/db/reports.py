"""Sums by day and station, read from the roll-up: never from meter values or messages."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.engine.protocols import Readable


@dataclass(frozen=True, slots=True)
class StationDay:
    """One station on one day."""

    day: str
    station_id: int
    identity: str
    name: str
    working_s: int
    energy_wh: int
    fees_minor: int
    sessions: int
    """Those that began on this day and have ended."""


@dataclass(frozen=True, slots=True)
class Total:
    """Sums over some days."""

    working_s: int
    energy_wh: int
    fees_minor: int
    sessions: int


def station_days(db: Readable, first: str, last: str, station: int | None = None) -> list[StationDay]:
    """Each station's days from `first` to `last` (2026-11-23, both included); days without a session are left out."""
    rows = db.execute(
        """SELECT day, station_id, identity, name, working_s, energy_wh, fees, sessions FROM (
            SELECT day, station_id, sum(working_s) AS working_s, sum(energy_wh) AS energy_wh, sum(fee_minor) AS fees,
                   sum(first_day) AS sessions
            FROM session_day WHERE day BETWEEN :first AND :last AND (station_id = :station OR :station IS NULL)
            GROUP BY day, station_id) AS sums
        JOIN station ON station.id = station_id ORDER BY day, name COLLATE NOCASE, station_id""",
        {"first": first, "last": last, "station": station},
    )
    return [StationDay(*row) for row in rows]


def total(db: Readable, first: str, last: str, station: int | None = None) -> Total:
    """The sums of the same days."""
    row = db.execute(
        """SELECT coalesce(sum(working_s), 0), coalesce(sum(energy_wh), 0), coalesce(sum(fee_minor), 0),
            coalesce(sum(first_day), 0)
        FROM session_day WHERE day BETWEEN :first AND :last AND (station_id = :station OR :station IS NULL)""",
        {"first": first, "last": last, "station": station},
    ).fetchone()
    return Total(*row)


def person_total(db: Readable, person: int) -> Total:
    """All that a person ever charged here."""
    row = db.execute(
        """SELECT coalesce(sum(duration_s), 0), coalesce(sum(energy_wh), 0), coalesce(sum(fee_minor), 0), count(*)
        FROM session WHERE person_id = ? AND state IN ('ended', 'review')""",
        (person,),
    ).fetchone()
    return Total(*row)
