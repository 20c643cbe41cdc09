"""Whether lines cover a week, and which of them can never apply.

A week is cut into cells in which no window begins or ends; in a cell, a line is a box: from-to of energy, time, idle time, power and
date. Lines cover a cell if their boxes leave nothing of it over, whoever pays in whatever way, on a holiday or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby, pairwise, product
from typing import NamedTuple

from appliance.domain.pricing.lines import DAY_MINUTES, Conditions, PriceLine
from appliance.domain.pricing.rules import NO_END

WEEK_MINUTES = 7 * DAY_MINUTES
STEPS_MAX = 20_000
"""A list of lines that a person can overlook takes some hundred."""

ENGLISH = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

Box = tuple[tuple[int, int], ...]
"""From, included, and to, excluded, for each axis."""


class TooManyCases(Exception):
    """So many measures decide at the same time that nobody can say what is covered."""


class Hours(NamedTuple):
    """The same hours on some days of the week, in minutes of the day."""

    weekdays: tuple[int, ...]
    from_minute: int
    to_minute: int


class WeekHours(tuple[Hours, ...]):
    """Hours as they stand in a sentence."""

    __slots__ = ()

    def in_words(self, names: Sequence[str]) -> str:
        """With these names of the days, Monday first: `Mon–Fri 05:00–09:00, Sun 00:00–24:00`."""
        return ", ".join(
            f"{day_range(one.weekdays, names)} {_clock(one.from_minute)}–{_clock(one.to_minute)}".strip()
            for one in self
        )

    def __str__(self) -> str:
        return self.in_words(ENGLISH)


class Case(NamedTuple):
    """Who pays how on which kind of day; None: somebody whom no line names."""

    method: str | None
    group: int | None
    holiday: bool


def gaps(lines: Sequence[PriceLine]) -> tuple[WeekHours, bool]:
    """The hours of the week that these lines do not cover in every case, and whether they do in none.

    Raises:
        TooManyCases: It cannot be told.
    """
    steps = _Steps()
    open_cells, never = [], True
    known: dict[tuple[int, ...], bool] = {}
    everything = tuple((0, NO_END) for _ in _box(Conditions()))
    for begin, end in _cells(lines):
        among = tuple(place for place, line in enumerate(lines) if _in_week(line.conditions, begin))
        if among not in known:
            there = [lines[place] for place in among]
            known[among] = any(
                _left_over(
                    everything, [_box(line.conditions) for line in there if _is_in(line.conditions, case)], steps
                )
                for case in _cases(lines)
            )
        if known[among]:
            open_cells.append((begin, end))
            never = never and not among
    return _as_hours(open_cells), never


def never_applies(lines: Sequence[PriceLine]) -> int | None:
    """The first line that lines before it leave nothing to price.

    Raises:
        TooManyCases: It cannot be told.
    """
    steps = _Steps()
    cells, cases = _cells(lines), _cases(lines)
    for place, line in enumerate(lines):
        before = lines[:place]
        if before and not any(
            _left_over(_box(line.conditions), _boxes(before, begin, case), steps)
            for begin, _ in cells
            if _in_week(line.conditions, begin)
            for case in cases
            if _is_in(line.conditions, case)
        ):
            return place
    return None


class _Steps:
    """Counts what was done, up to a bound."""

    def __init__(self) -> None:
        self.done = 0

    def count(self) -> None:
        self.done += 1
        if self.done > STEPS_MAX:
            raise TooManyCases


def _cells(lines: Iterable[PriceLine]) -> list[tuple[int, int]]:
    """The week in pieces, in minutes since Monday 00:00."""
    times = {0} | {
        minute % DAY_MINUTES for line in lines for minute in (line.conditions.from_minute, line.conditions.to_minute)
    }
    edges = [day * DAY_MINUTES + minute for day in range(7) for minute in sorted(times)]
    return list(pairwise([*edges, WEEK_MINUTES]))


def _cases(lines: Iterable[PriceLine]) -> list[Case]:
    conditions = [line.conditions for line in lines]
    methods = {None, *(method for one in conditions for method in one.methods)}
    groups = {None, *(group for one in conditions for group in one.groups)}
    holidays = {False, *(True for one in conditions if one.holidays is not None)}
    return [Case(*case) for case in product(methods, groups, holidays)]


def _in_week(one: Conditions, minute_of_week: int) -> bool:
    """Whether its window and weekdays hold there."""
    day, minute = divmod(minute_of_week, DAY_MINUTES)
    if one.from_minute < one.to_minute:
        inside = one.from_minute <= minute < one.to_minute
    else:
        inside = not one.to_minute <= minute < one.from_minute
        day -= minute < one.to_minute
    return inside and day % 7 + 1 in one.weekdays


def _is_in(one: Conditions, case: Case) -> bool:
    return (
        (not one.methods or case.method in one.methods)
        and (not one.groups or case.group in one.groups)
        and (one.holidays is None or one.holidays is case.holiday)
    )


def _boxes(lines: Iterable[PriceLine], minute_of_week: int, case: Case) -> list[Box]:
    return [
        _box(line.conditions)
        for line in lines
        if _in_week(line.conditions, minute_of_week) and _is_in(line.conditions, case)
    ]


def _box(one: Conditions) -> Box:
    from_day = date.fromisoformat(one.from_date).toordinal() if one.from_date else 0
    to_day = date.fromisoformat(one.to_date).toordinal() if one.to_date else NO_END
    ends = (one.to_wh, one.to_s, None, one.to_w)
    starts = (one.from_wh, one.from_s, one.from_idle_s, one.from_w)
    return (
        (from_day, to_day),
        *((start, NO_END if end is None else end) for start, end in zip(starts, ends, strict=True)),
    )


def _left_over(box: Box, covers: Sequence[Box], steps: _Steps) -> bool:
    """Whether the covers leave anything of a box."""
    steps.count()
    if not covers:
        return True
    cover, others = covers[0], covers[1:]
    if any(to <= low or high <= start for (start, to), (low, high) in zip(box, cover, strict=True)):
        return _left_over(box, others, steps)
    return any(_left_over(piece, others, steps) for piece in _outside(box, cover))


def _outside(box: Box, cover: Box) -> Iterator[Box]:
    """What is left of a box beside another that meets it, in boxes."""
    for axis, ((start, to), (low, high)) in enumerate(zip(box, cover, strict=True)):
        if start < low:
            yield (*box[:axis], (start, low), *box[axis + 1 :])
        if high < to:
            yield (*box[:axis], (high, to), *box[axis + 1 :])
        box = (*box[:axis], (max(start, low), min(to, high)), *box[axis + 1 :])


def _as_hours(cells: Iterable[tuple[int, int]]) -> WeekHours:
    """Cells as hours that are the same on several days."""
    by_day: dict[int, list[list[int]]] = {}
    for begin, end in cells:
        day, from_minute = divmod(begin, DAY_MINUTES)
        spans, to_minute = by_day.setdefault(day, []), end - day * DAY_MINUTES
        if spans and spans[-1][1] == from_minute:
            spans[-1][1] = to_minute
        else:
            spans.append([from_minute, to_minute])
    by_hours: dict[tuple[int, int], list[int]] = {}
    for day, spans in by_day.items():
        for from_minute, to_minute in spans:
            by_hours.setdefault((from_minute, to_minute), []).append(day + 1)
    return WeekHours(Hours(tuple(days), *hours) for hours, days in by_hours.items())


def day_range(weekdays: Sequence[int], names: Sequence[str]) -> str:
    """`Mon–Fri, Sun`; nothing for all of them."""
    if len(weekdays) == len(names):
        return ""
    runs = [[day for _, day in run] for _, run in groupby(enumerate(weekdays), lambda one: one[1] - one[0])]
    return ", ".join("–".join(dict.fromkeys((names[run[0] - 1], names[run[-1] - 1]))) for run in runs)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
