"""Days as the site counts them: which day a moment belongs to, and how a span is cut at local midnights.

A day lasts 23 or 25 hours when clocks change, and may begin at 01:00 where they change at midnight. Days are texts
`YYYY-MM-DD`, moments UTC milliseconds; what is charged on each day is in `tariff`.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAYS_KEPT = 2048
"""About five years of one zone's days, so that a year's report asks the zone for each day once."""
HOURS_KEPT = 256
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


def day_of(at_ms: int, zone: ZoneInfo) -> str:
    """The day, in this zone, of a moment: `2026-11-23`. Raises ValueError or OverflowError outside the years 1 to 9999."""
    return datetime.fromtimestamp(at_ms // 1000, zone).date().isoformat()


def day_bounds(day: str, zone: ZoneInfo) -> tuple[int, int]:
    """The first millisecond of a day and of the day after it.

    Both are the same for a day that a zone left out (Pacific/Apia, 2011-12-30). Raises ValueError when `day` is not
    `YYYY-MM-DD`.
    """
    parsed = date.fromisoformat(day)
    if parsed.isoformat() != day:
        # Python reads other forms too, and one day must have one name.
        raise ValueError(f"{day!r} is not a day written as YYYY-MM-DD")
    return _begin(parsed, zone), _begin(parsed + timedelta(days=1), zone)


def midnights(from_ms: int, to_ms: int, zone: ZoneInfo) -> list[tuple[str, int, int]]:
    """The span from `from_ms` until before `to_ms`, cut at midnights: (day, begin_ms, end_ms) without gaps, in order.

    A span without length is one piece without length, so that it still belongs to a day. Raises ValueError when the
    span ends before it begins.
    """
    if to_ms < from_ms:
        raise ValueError(f"a span that begins at {from_ms} cannot end at {to_ms}")
    name, day_begin_ms, day_end_ms = _day_around(from_ms // HOUR_MS, zone)
    if day_begin_ms <= from_ms and to_ms <= day_end_ms:
        return [(name, from_ms, to_ms)]  # As nearly always.
    day = datetime.fromtimestamp(from_ms // 1000, zone).date()
    begin_ms = from_ms
    pieces = []
    while (end_ms := _begin(day + timedelta(days=1), zone)) < to_ms:
        if end_ms > begin_ms:
            pieces.append((day.isoformat(), begin_ms, end_ms))
            begin_ms = end_ms
        day += timedelta(days=1)
    pieces.append((day.isoformat(), begin_ms, to_ms))
    return pieces


@lru_cache(maxsize=HOURS_KEPT)
def _day_around(hour: int, zone: ZoneInfo) -> tuple[str, int, int]:
    """The day at the beginning of an hour since 1970, and its bounds."""
    name = day_of(hour * HOUR_MS, zone)
    return name, *day_bounds(name, zone)


@lru_cache(maxsize=DAYS_KEPT)
def _begin(day: date, zone: ZoneInfo) -> int:
    """The first moment of a day, in UTC milliseconds."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    # Of a midnight that occurs twice this is the first. For one that the clocks jump over, the zone database answers as
    # if they had not jumped yet, which is the moment of the jump, or later when the jump began before midnight.
    candidate_s = int(midnight.timestamp())
    if datetime.fromtimestamp(candidate_s, zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return candidate_s * 1000
    before_s = int(midnight.replace(fold=1).timestamp())
    while before_s < candidate_s:
        middle_s = (before_s + candidate_s) // 2
        if datetime.fromtimestamp(middle_s, zone).date() < day:
            before_s = middle_s + 1
        else:
            candidate_s = middle_s
    return candidate_s * 1000
