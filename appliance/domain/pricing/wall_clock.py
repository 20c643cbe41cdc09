"""Which conditions of hour, weekday, date and holiday hold at a moment: as the wall clock of the site tells it.

An hour that the clocks repeat is there twice, one that they leave out is not there at all; a window that runs over midnight
belongs to the day on which it begins. Moments are UTC milliseconds.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from appliance.domain.pricing.lines import DAY_MINUTES, Conditions

MINUTE_MS = 60_000
DAY_MS = DAY_MINUTES * MINUTE_MS
HOUR_S = 3600
EPOCH = date(1970, 1, 1).toordinal()
OFFSETS_KEPT = 1024
"""Days of UTC for which the offsets of a zone are kept."""


class Calendar(NamedTuple):
    """The part of the conditions that a calendar and a clock decide. A tuple, for it is looked up for each session."""

    from_minute: int
    to_minute: int
    weekdays: frozenset[int]
    from_date: str | None
    to_date: str | None
    holidays: bool | None


Stretch = tuple[int, tuple[bool, ...]]
"""Until when, and which of the calendars hold until then."""


def calendar_of(conditions: Conditions) -> Calendar | None:
    """None: the calendar does not matter."""
    if not conditions.by_calendar:
        return None
    return Calendar(
        conditions.from_minute,
        conditions.to_minute,
        conditions.weekdays,
        conditions.from_date,
        conditions.to_date,
        conditions.holidays,
    )


def stretches(calendars: tuple[Calendar, ...], number: int, zone: ZoneInfo, holidays: frozenset[str]) -> list[Stretch]:
    """One day of UTC, by its number since 1970, cut where any of the calendars begins or ceases to hold."""
    minutes = {0} | {minute % DAY_MINUTES for one in calendars for minute in (one.from_minute, one.to_minute)}
    found: list[Stretch] = []
    begin_ms = number * DAY_MS
    for until_ms, offset_ms in _offsets(number, zone):
        for wall_ms in (*_cuts(begin_ms + offset_ms, until_ms + offset_ms, minutes), until_ms + offset_ms):
            day, within_ms = divmod(begin_ms + offset_ms, DAY_MS)
            hold = tuple(holds(one, EPOCH + day, within_ms // MINUTE_MS, holidays) for one in calendars)
            begin_ms = wall_ms - offset_ms
            if found and found[-1][1] == hold:
                found.pop()
            found.append((begin_ms, hold))
    return found


def holds(calendar: Calendar, day: int, minute: int, holidays: frozenset[str]) -> bool:
    """Whether it holds on a day (its ordinal) at a minute of that day."""
    if calendar.from_minute < calendar.to_minute:
        if not calendar.from_minute <= minute < calendar.to_minute:
            return False
    elif minute < calendar.to_minute:
        day -= 1  # The window began the day before.
    elif minute < calendar.from_minute:
        return False
    begun = date.fromordinal(day)
    name = begun.isoformat()
    return (
        begun.isoweekday() in calendar.weekdays
        and (calendar.from_date is None or calendar.from_date <= name)
        and (calendar.to_date is None or name < calendar.to_date)
        and (calendar.holidays is None or calendar.holidays == (name in holidays))
    )


def _cuts(from_ms: int, to_ms: int, minutes: set[int]) -> list[int]:
    """The moments within a span of the wall clock, its ends left out, at which it shows one of these minutes of a day."""
    days = range(from_ms // DAY_MS, to_ms // DAY_MS + 1)
    cuts = (day * DAY_MS + minute * MINUTE_MS for day in days for minute in sorted(minutes))
    return [cut for cut in cuts if from_ms < cut < to_ms]


@lru_cache(maxsize=OFFSETS_KEPT)
def _offsets(number: int, zone: ZoneInfo) -> tuple[tuple[int, int], ...]:
    """How far the wall clock is ahead of UTC on a day of UTC: (until_ms, offset_ms), more than one where the clocks change."""
    begin_s, end_s = number * DAY_MS // 1000, (number + 1) * DAY_MS // 1000
    found: list[tuple[int, int]] = []
    for hour_s in range(begin_s, end_s, HOUR_S):
        now_ms, later_ms = _offset_ms(hour_s, zone), _offset_ms(hour_s + HOUR_S, zone)
        if now_ms != later_ms:
            found.append((_change_s(hour_s, zone) * 1000, now_ms))
    found.append((end_s * 1000, _offset_ms(end_s - 1, zone)))
    return tuple(found)


def _change_s(hour_s: int, zone: ZoneInfo) -> int:
    """The second within an hour from which the clocks show another time."""
    before, after = hour_s, hour_s + HOUR_S
    offset_ms = _offset_ms(hour_s, zone)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset_ms(middle, zone) == offset_ms else (before, middle)
    return after


def _offset_ms(at_s: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(at_s, UTC).astimezone(zone).utcoffset()
    assert offset is not None
    return offset // timedelta(milliseconds=1)
