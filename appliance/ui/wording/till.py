"""A shift in figures as people read them: what was taken in which way, and how what must be in the drawer comes about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.db.till.shifts import Moved
from appliance.domain.ledger import Method, TransferCode
from appliance.services.till.shifts import Figures
from appliance.ui.frame.language import _
from appliance.ui.wording.sessions import ENTRIES, METHODS
from appliance.ui.writing.formats import Formats

FOR_NOBODYS_WALLET = (TransferCode.PAY_IN, TransferCode.PAY_OUT)


@dataclass(frozen=True, slots=True)
class TakenBy:
    """What was taken in one way of paying; what was given back is taken off."""

    word: str
    times: int
    minor: int
    back: str
    """`with ৳500 given back`; "" if nothing was."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a report."""

    word: str
    minor: int


@dataclass(frozen=True, slots=True)
class Takings:
    """A shift as it stands, or as it ended."""

    ways: list[TakenBy]
    times: int
    minor: int
    lines: list[Line]
    """The same for each thing that was done, for the report."""
    drawer: list[Line]
    """Float, cash in and out, and what has nothing to do with wallets: together what must be in the drawer."""


def takings_of(figures: Figures, fmt: Formats) -> Takings:
    """In the reader's language. Cash stands there always, the other ways only if something was taken in them."""
    sales = [one for one in figures.moved if one.code not in FOR_NOBODYS_WALLET]
    ways = [
        _way(method, [one for one in sales if one.method is method], fmt)
        for method in Method
        if method is Method.CASH or any(one.method is method for one in sales)
    ]
    lines = [line for one in sales for line in _lines(one, fmt)]
    return Takings(ways, sum(one.times for one in ways), sum(one.minor for one in ways), lines, _drawer(figures, fmt))


def _way(method: Method, moved: Sequence[Moved], fmt: Formats) -> TakenBy:
    times_out, out_minor = sum(one.times_out for one in moved), sum(one.out_minor for one in moved)
    times_in, in_minor = sum(one.times_in for one in moved), sum(one.in_minor for one in moved)
    back = _("with {amount} given back").format(amount=fmt.money(out_minor))
    return TakenBy(_(METHODS[method]), times_in + times_out, in_minor - out_minor, back if times_out else "")


def _lines(one: Moved, fmt: Formats) -> list[Line]:
    what = _(ENTRIES[one.code]) if one.code in ENTRIES else one.code
    found = []
    for times, minor in ((one.times_in, one.in_minor), (one.times_out, -one.out_minor)):
        words = f"{fmt.number(times)} × {what}, {_(METHODS[one.method])}"
        found += [Line(words, minor)] if times else []
    return found


def _drawer(figures: Figures, fmt: Formats) -> list[Line]:
    cash = [one for one in figures.moved if one.method is Method.CASH]
    sales = [one for one in cash if one.code not in FOR_NOBODYS_WALLET]
    lines = [
        Line(_("Float at the beginning"), figures.shift.float.minor),
        Line(_("Cash taken"), sum(one.in_minor for one in sales)),
    ]
    given_minor = sum(one.out_minor for one in sales)
    lines += [Line(_("Cash given back"), -given_minor)] if given_minor else []
    for one in cash:
        if one.code in FOR_NOBODYS_WALLET:
            times = one.times_in + one.times_out
            words = _("Put into the drawer") if one.code == TransferCode.PAY_IN else _("Taken out of the drawer")
            lines.append(Line(f"{words} ({fmt.number(times)})", one.in_minor - one.out_minor))
    return lines
