"""The week of a tariff as a table: what a kWh costs in which hour. A letter and a price stand in it, never colour alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from string import ascii_uppercase

from appliance.domain.pricing.lines import DAY_MINUTES, Dimension, PriceLine, Terms
from appliance.domain.pricing.week import NO_HOLIDAYS, Piece, week_pieces
from appliance.ui.frame.language import _, spoken
from appliance.ui.wording import price_lines, site_week
from appliance.ui.wording.price_lines import Names
from appliance.ui.writing.formats import Formats, day_names

COLUMNS = 96
"""A quarter of an hour each; what begins between two of them is drawn at the nearer one, and said exactly."""
WIDE = 14
"""So many columns have room for a price."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Some hours of a day."""

    band: str
    """The class that colours it; `b0` where there is no price."""
    span: int
    letter: str
    price: str
    """"" where there is no room for it."""
    spoken: str
    """For whoever hears the page: the hours, and what they cost."""
    is_now: bool


@dataclass(frozen=True, slots=True)
class Day:
    """A row."""

    name: str
    is_today: bool
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Key:
    """What a letter and its colour stand for."""

    band: str
    letter: str
    words: str
    is_now: bool


@dataclass(frozen=True, slots=True)
class Week:
    """The table with its key."""

    hours: list[str]
    days: list[Day]
    keys: list[Key]
    more: bool
    """Whether some hours depend on more than the clock."""


def first_of_week(day: date, fmt: Formats) -> date:
    """The day on which the site's week with this day in it begins."""
    return day - timedelta(days=(day.isoweekday() - site_week.first_day(fmt.zone)) % 7)


def bands(lines: Sequence[PriceLine]) -> dict[int, tuple[str, str]]:
    """Colour and letter of each line that prices energy: the dearest warm, the cheapest green, whatever is between in turn."""
    energy = [place for place, line in enumerate(lines) if line.dimension is Dimension.ENERGY]
    prices = sorted({lines[place].price_milli for place in energy}, reverse=True)
    colours = {milli: ("b2", "b4")[rank % 2] for rank, milli in enumerate(prices[1:-1])}
    if prices:
        colours |= {prices[-1]: "b3", prices[0]: "b1"} if len(prices) > 1 else {prices[0]: "b2"}
    letters = dict(zip(energy, ascii_uppercase * 2, strict=False))
    return {place: (colours[lines[place].price_milli], letters[place]) for place in energy}


def week_of(
    terms: Terms,
    around: date,
    now: tuple[date, int],
    fmt: Formats,
    names: Names | None = None,
    holidays: frozenset[str] = NO_HOLIDAYS,
) -> Week | None:
    """The week with the day `around` in it; `now` is a day and a minute of it. None: no line prices energy."""
    known = bands(terms.lines)
    if not known:
        return None
    first = first_of_week(around, fmt)
    week = week_pieces(terms.lines, first, holidays)
    here = {piece.usual(terms.lines) for day, pieces in week for piece in pieces if _is_now(day, piece, now)}
    short = day_names(spoken())
    keys = [
        Key(band, letter, str(price_lines.sentence(terms, place, fmt, names)), place in here)
        for place, (band, letter) in known.items()
    ]
    if any(not piece.lines for _day, pieces in week for piece in pieces):
        keys.append(Key("b0", "–", _("no price: free of charge"), None in here))
    return Week(
        [fmt.number(hour).rjust(2, fmt.number(0)) for hour in range(0, 24, 3)],
        [
            Day(short[day.isoweekday() - 1], day == now[0], _cells(day, pieces, terms, known, now, fmt))
            for day, pieces in week
        ],
        keys,
        any(len(piece.lines) > 1 for _day, pieces in week for piece in pieces),
    )


def _cells(
    day: date,
    pieces: Sequence[Piece],
    terms: Terms,
    known: dict[int, tuple[str, str]],
    now: tuple[date, int],
    fmt: Formats,
) -> list[Cell]:
    found = []
    for piece, span in zip(pieces, _spans(pieces), strict=True):
        place, hours = piece.usual(terms.lines), price_lines.hours(piece.from_minute, piece.to_minute, fmt)
        is_now = _is_now(day, piece, now)
        if place is None:
            word = _("no price")
            found.append(Cell("b0", span, "–", word if span >= WIDE else "", f"{hours} {word}", is_now))
            continue
        band, letter = known[place]
        milli = terms.lines[place].price_milli
        price = (
            price_lines.trimmed(milli, fmt.exponent + 3, fmt)
            if milli % 1000
            else fmt.number(milli // 1000, fmt.exponent)
        )
        more = "+" if len(piece.lines) > 1 else ""
        found.append(
            Cell(band, span, letter + more, price if span >= WIDE else "", f"{hours} {fmt.price(milli)}", is_now)
        )
    return found


def _spans(pieces: Sequence[Piece]) -> list[int]:
    """How many columns each takes: at least one, and all of them together."""
    ends: list[int] = []
    for number, piece in enumerate(pieces, start=1):
        before, left = ends[-1] if ends else 0, len(pieces) - number
        end = round(piece.to_minute * COLUMNS / DAY_MINUTES)
        ends.append(min(max(end, before + 1), COLUMNS - left))
    return [end - before for before, end in zip([0, *ends], ends, strict=False)]


def _is_now(day: date, piece: Piece, now: tuple[date, int]) -> bool:
    return day == now[0] and piece.from_minute <= now[1] < piece.to_minute
