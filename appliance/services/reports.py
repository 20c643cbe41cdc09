"""Reports: a line for each charger, connector, person, group, tariff, member of the staff or way of paying; its day, where each is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from appliance.db import operators, report_lines, takings
from appliance.db.engine.protocols import Readable
from appliance.db.report_lines import By, Charged
from appliance.db.stations import stations
from appliance.db.takings import Taken
from appliance.domain.calendar import day_bounds
from appliance.domain.order import natural

METHODS = "methods"
ABOUT = (*By, METHODS)
"""What there are reports about."""
HAVE_PLACES = frozenset({By.STATIONS, By.CONNECTORS})
TAKE_MONEY = frozenset({By.OPERATORS, METHODS})


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `charged` and `taken` are None where a report does not tell of it."""

    day: str
    """"": all days together."""
    key: str
    """What programs know it by: the identity of a charger, with its connector; a number; an actor; a way of paying. "": nobody."""
    name: str
    charged: Charged | None
    taken: Taken | None
    capacity_s: int | None
    """How long its places could have been taken in those days, as far as they have passed; None: it has none."""


def report(
    db: Readable, about: str, first: str, last: str, zone: ZoneInfo, now_ms: int, *, per_day: bool = False
) -> list[Line]:
    """The report of the days from `first` to `last` (2026-11-23, both included), by day and name. A KeyError for one that there is not."""
    if about not in ABOUT:
        raise KeyError(about)
    taken = _takings(db, about, first, last, zone, per_day=per_day) if about in TAKE_MONEY else {}
    charged = {} if about == METHODS else report_lines.lines(db, By(about), first, last, zone, per_day=per_day)
    name_of, key_of = _names(db, about)
    capacity = capacity_of(db, zone, now_ms) if about in HAVE_PLACES else None
    lines = []
    for key in charged.keys() | taken.keys():
        day, called = (key[0], key[1:]) if per_day else ("", key)
        span = (day, day) if day else (first, last)
        lines.append(
            Line(
                day,
                key_of(called),
                name_of(called),
                None if about == METHODS else charged.get(key, Charged()),
                taken.get(key, Taken()) if about in TAKE_MONEY else None,
                capacity(int(called[0]), span, len(called) == 1) if capacity is not None else None,
            )
        )
    return sorted(lines, key=lambda line: (line.day, natural(line.name), line.key))


def _takings(
    db: Readable, about: str, first: str, last: str, zone: ZoneInfo, *, per_day: bool
) -> dict[report_lines.Key, Taken]:
    """By cashier or by way of paying."""
    found: dict[report_lines.Key, Taken] = {}
    for (day, actor, method), one in takings.takings(db, first, last, zone).items():
        key = ((day,) if per_day else ()) + ((method,) if about == METHODS else (actor,))
        found[key] = found.get(key, Taken()).with_all_of(one)
    return found


Named = Callable[[tuple[str, ...]], str]


def _names(db: Readable, about: str) -> tuple[Named, Named]:
    """What a line is called, and what programs know it by."""
    if about in HAVE_PLACES:
        known = stations.names(db)

        def place(called: tuple[str, ...]) -> str:
            found = known[int(called[0])]
            return " · ".join((found.name, *called[1:])) if found.evses > 1 or len(called) == 1 else found.name

        return place, lambda called: "/".join((known[int(called[0])].identity, *called[1:]))
    if about == By.OPERATORS:
        staff = operators.names(db)
        return lambda called: staff.get(called[0], called[0]), lambda called: called[0]
    if about == METHODS:
        return lambda called: called[0], lambda called: called[0]
    return lambda called: report_lines.name_of(db, By(about), called[0]), lambda called: called[0]


def capacity_of(db: Readable, zone: ZoneInfo, now_ms: int) -> Callable[[int, tuple[str, str], bool], int]:
    """How long a station, or one place at it, could have been taken in a span of days: since it is known, and until now."""
    since, places = report_lines.known_since(db), stations.names(db)

    def seconds(station: int, span: tuple[str, str], whole: bool) -> int:
        begin_ms = max(day_bounds(span[0], zone)[0], since[station])
        passed_ms = max(0, min(day_bounds(span[1], zone)[1], now_ms) - begin_ms)
        return passed_ms // 1000 * (max(1, places[station].evses) if whole else 1)

    return seconds
