"""Spans of days as pages ask for them: read from the address bar, chosen by a preset, written for a reader.

Days are texts `YYYY-MM-DD` on the site's calendar; which moments they cover is in domain/calendar.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date

from appliance.domain.calendar import day_bounds, day_of
from appliance.ui.frame.language import N_, _
from appliance.ui.writing.formats import Formats

DAYS_MAX = 1100
"""Three years: as much as anybody reads at once."""

PRESETS = {
    "today": N_("Today"),
    "yesterday": N_("Yesterday"),
    "month": N_("This month"),
    "last-month": N_("Last month"),
}


@dataclass(frozen=True, slots=True)
class Span:
    """From one day to another, both included."""

    first: str
    last: str

    @property
    def days(self) -> int:
        """How many days these are."""
        return (date.fromisoformat(self.last) - date.fromisoformat(self.first)).days + 1

    def every(self) -> list[str]:
        """Each of them."""
        begin = date.fromisoformat(self.first)
        return [(begin + timedelta(days=number)).isoformat() for number in range(self.days)]

    def bounds(self, zone: ZoneInfo) -> tuple[int, int]:
        """The first millisecond, and the first one after it."""
        return day_bounds(self.first, zone)[0], day_bounds(self.last, zone)[1]

    def moved(self, number: int) -> Span:
        """As long a span, that many of its lengths later; a whole month becomes another whole month."""
        first = date.fromisoformat(self.first)
        if self == month_of(first):
            return month_of((first.replace(day=1) + timedelta(days=31 * number if number > 0 else -1)).replace(day=1))
        step = timedelta(days=self.days * number)
        return Span((first + step).isoformat(), (date.fromisoformat(self.last) + step).isoformat())


def read_day(text: str) -> str | None:
    """A day as a browser's field or a keyboard writes it, in any digits; None if it is none."""
    try:
        year, month, day = (int(part) for part in text.strip().replace("/", "-").split("-"))
        found = date(year, month, day)
    except ValueError:
        return None
    return found.isoformat() if 1970 <= found.year <= 9998 else None


def unread_days(*texts: str) -> str:
    """What is no day of those that somebody asked for, in the reader's language; "" where all are."""
    wrong = [text.strip()[:20] for text in texts if text.strip() and read_day(text) is None]
    if not wrong:
        return ""
    return _("“{text}” is no day between 1970 and 9998, so it was left out. Write it as year-month-day.").format(
        text=wrong[0]
    )


def what_is_wrong(first: str, last: str) -> str:
    """Why not all days that somebody asked for are in a span, in the reader's language; "" where they are."""
    days = sorted(day for day in (read_day(first), read_day(last)) if day)
    if len(days) == 2 and Span(days[0], days[1]).days > DAYS_MAX:
        return _("That is more than three years, so only the last three of them are shown.")
    return unread_days(first, last)


def span_of_preset(name: str, today: str) -> Span | None:
    """The days that a preset means today; None if there is no such preset."""
    now = date.fromisoformat(today)
    yesterday = (now - timedelta(days=1)).isoformat()
    match name:
        case "today":
            return Span(today, today)
        case "yesterday":
            return Span(yesterday, yesterday)
        case "month":
            return month_of(now)
        case "last-month":
            return month_of(now.replace(day=1) - timedelta(days=1))
        case _:
            return None


def month_of(day: date) -> Span:
    """The month that a day lies in."""
    first = day.replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    return Span(first.isoformat(), (after - timedelta(days=1)).isoformat())


def ordered(first: str, last: str) -> Span:
    """A span with its ends in order, not longer than anybody reads."""
    begin, end = sorted((date.fromisoformat(first), date.fromisoformat(last)))
    return Span(max(begin, end - timedelta(days=DAYS_MAX - 1)).isoformat(), end.isoformat())


def today_of(now_ms: int, zone: ZoneInfo) -> str:
    """Which day it is at the site."""
    return day_of(now_ms, zone)


def written(day: str, fmt: Formats, form: str = "medium") -> str:
    """A day in the reader's language: `23 Nov 2026`."""
    return str(format_date(date.fromisoformat(day), form, locale=fmt.locale)).translate(fmt.digits)


def span_written(span: Span, fmt: Formats) -> str:
    """A span in the reader's language: the day, the month, or from when to when."""
    if span.days == 1:
        return written(span.first, fmt, "full")
    first = date.fromisoformat(span.first)
    if span == month_of(first):
        return str(format_date(first, "MMMM yyyy", locale=fmt.locale)).translate(fmt.digits)
    return _("{first} to {last}").format(first=written(span.first, fmt), last=written(span.last, fmt))
