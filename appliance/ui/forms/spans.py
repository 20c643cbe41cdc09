"""Which days a page is asked for: by a preset, or from one day to another; this month, if by neither."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.ui.forms.listing import query
from appliance.ui.frame.context import CONSOLE
from appliance.ui.frame.language import _
from appliance.ui.writing.days import PRESETS, Span, ordered, read_day, span_of_preset, today_of


@dataclass(frozen=True, slots=True)
class AskedDays:
    """The days of a page."""

    span: Span
    preset: str
    """"" where none is just that span."""
    today: str


def asked_days(request: web.Request) -> AskedDays:
    """`?preset=` or `?from=&to=`; nonsense is this month."""
    console, given = request.app[CONSOLE], request.query
    today = today_of(console.clock(), console.site.zone)
    first, last = read_day(given.get("from", "")), read_day(given.get("to", ""))
    if first or last:
        span = ordered(first or last or today, last or first or today)
        presets = [name for name in PRESETS if span_of_preset(name, today) == span]
        return AskedDays(span, presets[0] if presets else "", today)
    preset = given.get("preset", "") if given.get("preset", "") in PRESETS else "month"
    return AskedDays(span_of_preset(preset, today) or Span(today, today), preset, today)


def presets_of(request: web.Request, asked: AskedDays) -> list[tuple[str, str, bool]]:
    """Word, address, and whether it is this one."""
    return [(_(word), days_address(request, preset=name), asked.preset == name) for name, word in PRESETS.items()]


def days_address(request: web.Request, *, preset: str = "", first: str = "", last: str = "") -> str:
    """The same page for other days."""
    return query(request, **{"preset": preset, "from": first, "to": last})


def around(request: web.Request, asked: AskedDays) -> tuple[str, str]:
    """The addresses of the days before these, and of those after them; "" where they are all still to come."""
    earlier, later = asked.span.moved(-1), asked.span.moved(1)
    after = days_address(request, first=later.first, last=later.last) if later.first <= asked.today else ""
    return days_address(request, first=earlier.first, last=earlier.last), after
