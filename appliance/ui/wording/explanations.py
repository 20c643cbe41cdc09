"""How an amount came about, in words: what was read, by which price, how it was rounded, with which taxes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from appliance.domain.explanation import Explained, ExplainedLine, ExplainedTax
from appliance.domain.pricing.lines import Unit
from appliance.domain.pricing.parts import Part
from appliance.domain.tariff import Tariff
from appliance.services.sessions.explaining import ReadingRow
from appliance.ui.frame.language import _
from appliance.ui.wording import price_lines
from appliance.ui.wording.sessions import LINES
from appliance.ui.writing.formats import Formats


@dataclass(frozen=True, slots=True)
class PartShown:
    """What one line priced without a break."""

    when: str
    meter_from: str
    meter_to: str
    """"" where no register matters."""
    between: list[str]
    """Where it begins or ends between two readings: which these are."""
    quantity: str


@dataclass(frozen=True, slots=True)
class LineShown:
    """A line of a bill."""

    word: str
    quantity: str
    price: str
    rounding: str
    """"" where nothing had to be rounded."""
    amount_minor: int
    parts: list[PartShown]


@dataclass(frozen=True, slots=True)
class TaxShown:
    """A tax of a bill."""

    word: str
    rounding: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class ExplainedShown:
    """A bill, taken apart."""

    lines: list[LineShown]
    taxes: list[TaxShown]
    tax_included: bool
    net_minor: int
    total_minor: int


def explained_in_words(
    explained: Explained, tariff: Tariff | None, readings: Sequence[ReadingRow], fmt: Formats
) -> ExplainedShown:
    """For people. `readings` are those of the session, in order."""
    known = _Readings(readings)
    return ExplainedShown(
        [_line(one, tariff, known, fmt) for one in explained.lines],
        [_tax(one, fmt, included=explained.tax_included) for one in explained.taxes],
        explained.tax_included,
        explained.net_minor,
        explained.total_minor,
    )


class _Readings:
    """Where a moment of the session lies among what was read."""

    def __init__(self, readings: Sequence[ReadingRow]) -> None:
        self._rows = readings
        self._moments = [one.at_ms for one in readings]
        self.first_ms = self._moments[0] if readings else None

    def around(self, at_ms: int, wh: int) -> tuple[ReadingRow | None, ReadingRow | None]:
        """The reading at this moment, twice; else the last before it and the first after it."""
        after = bisect_right(self._moments, at_ms)
        here = [one for one in self._rows[max(0, after - 8) : after] if (one.at_ms, one.energy_wh) == (at_ms, wh)]
        if here:
            return here[-1], here[-1]
        before = self._rows[after - 1] if after else None
        return before, self._rows[after] if after < len(self._rows) else None


def _line(one: ExplainedLine, tariff: Tariff | None, known: _Readings, fmt: Formats) -> LineShown:
    price = ""
    if one.unit is not None:
        price = fmt.price(one.price_milli)
        if tariff is not None and tariff.terms is not None and one.line is not None:
            price = price_lines.sentence(tariff.terms, one.line, fmt).price_and_when
        elif one.unit is Unit.KWH:
            price = _("{price} a kWh").format(price=price)
        elif one.unit is Unit.MINUTE:
            price = _("{price} a minute").format(price=price)
    return LineShown(
        _(LINES[one.kind]),
        _quantity(one.quantity, one.unit, fmt),
        price,
        _rounding(one.exact_minor, one.amount_minor, fmt),
        one.amount_minor,
        [_part(part, one.unit, known, fmt) for part in one.parts],
    )


def _part(part: Part, unit: Unit | None, known: _Readings, fmt: Formats) -> PartShown:
    when = fmt.seconds(part.from_ms)
    if known.first_ms is not None and fmt.day(part.from_ms) != fmt.day(known.first_ms):
        when = f"{fmt.day(part.from_ms)}, {when}"
    if part.to_ms > part.from_ms:
        same_day = fmt.day(part.from_ms) == fmt.day(part.to_ms)
        end = fmt.seconds(part.to_ms) if same_day else f"{fmt.day(part.to_ms)}, {fmt.seconds(part.to_ms)}"
        when = f"{when}–{end}"
    if unit is not Unit.KWH:
        return PartShown(when, "", "", [], _quantity(part.quantity, unit, fmt))
    begin, end_reading = known.around(part.from_ms, part.from_wh), known.around(part.to_ms, part.to_wh)
    between = [_between(*pair, fmt) for pair in dict.fromkeys((begin, end_reading)) if pair[0] is not pair[1]]
    return PartShown(
        when,
        _meter(begin, part.from_wh, fmt),
        _meter(end_reading, part.to_wh, fmt),
        [sentence for sentence in between if sentence],
        _quantity(part.quantity, unit, fmt),
    )


def _meter(around: tuple[ReadingRow | None, ReadingRow | None], wh: int, fmt: Formats) -> str:
    """What the meter showed; between two readings what follows from them."""
    before, after = around
    if before is None or before.register_wh is None:
        return ""
    if before is after:
        return fmt.energy(before.register_wh, 3)
    return f"≈ {fmt.energy(before.register_wh + wh - before.energy_wh, 3)}"


def _between(before: ReadingRow | None, after: ReadingRow | None, fmt: Formats) -> str:
    if before is None or after is None:
        return ""
    sentence = _("between the readings of {before} ({meter_before} kWh) and {after} ({meter_after} kWh), spread evenly")
    return sentence.format(
        before=fmt.seconds(before.at_ms),
        after=fmt.seconds(after.at_ms),
        meter_before=_register(before, fmt),
        meter_after=_register(after, fmt),
    )


def _register(one: ReadingRow, fmt: Formats) -> str:
    return fmt.energy(one.register_wh, 3) if one.register_wh is not None else f"+{fmt.energy(one.energy_wh, 3)}"


def _quantity(quantity: Fraction, unit: Unit | None, fmt: Formats) -> str:
    if unit is Unit.KWH:
        return _("{energy} kWh").format(energy=fmt.energy(round(quantity), 3))
    if unit in (Unit.MINUTE, Unit.HOUR):
        seconds = round(quantity / 1000)
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}".translate(fmt.digits)
    return ""


def _tax(one: ExplainedTax, fmt: Formats, *, included: bool) -> TaxShown:
    percent = fmt.number(one.basis_points, 2) if one.basis_points % 100 else fmt.number(one.basis_points // 100)
    sentence = _("{tax} {percent} in {amount}") if included else _("{tax} {percent} on {amount}")
    word = sentence.format(tax=one.code or _("Tax"), percent=f"{percent} %", amount=fmt.money(one.on_minor))
    if one.limit_share_minor:
        word += " " + _("and its share of the limit, {amount}").format(amount=fmt.money(one.limit_share_minor))
    return TaxShown(word, _rounding(one.exact_minor, one.tax_minor - one.limit_share_minor, fmt), one.tax_minor)


def _rounding(exact_minor: Fraction, amount_minor: int, fmt: Formats) -> str:
    if exact_minor == amount_minor:
        return ""
    milli = round(exact_minor * 1000)
    sign = "" if exact_minor * 1000 == milli else "≈ "
    return _("{exact}, rounded").format(exact=f"{sign}{fmt.price(milli)}")
