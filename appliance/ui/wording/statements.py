"""A statement in words, wherever it is read: on the screen, on A4, on the holder's phone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date

from appliance.db.statements.charged import Charged
from appliance.domain.calendar import day_of
from appliance.domain.statement import Entry, Section, Settled
from appliance.services.statements.statements import Statement
from appliance.ui.frame.language import N_, _
from appliance.ui.wording.bill_lines import BillLine, PricesSaid, bill_lines, tax_word
from appliance.ui.wording.sessions import ENTRIES, method_word
from appliance.ui.writing.formats import Formats

SECTIONS = {
    Section.SESSIONS: N_("Charged"),
    Section.TOPUPS: N_("Topped up"),
    Section.REFUNDS: N_("Paid out"),
    Section.CORRECTIONS: N_("Corrected"),
}
STATES = {
    Settled.NOTHING_DUE: ("off", "circle-check", N_("nothing to pay")),
    Settled.SETTLED: ("free", "circle-check", N_("paid")),
    Settled.OPEN: ("waiting", "clock", N_("to be paid")),
    Settled.PART: ("waiting", "clock", N_("paid in part")),
    Settled.OVERDUE: ("fault", "triangle-alert", N_("overdue")),
}
"""Tone, icon, word."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a statement."""

    entry: Entry
    what: str
    more: str
    charged: Charged | None
    lines: list[BillLine]
    taxes: list[tuple[str, int]]
    day: str
    time: str
    energy: str
    """In kWh; "" where none is charged for."""
    amount: str
    balance: str

    def products(self, fmt: Formats) -> list[str]:
        """On paper each line of its bill is one of text: `Energy: 14.200 kWh × ৳8.66 a kWh = ৳122.97`."""
        included = self.charged is not None and self.charged.tax_included
        found = []
        for line in self.lines:
            product = " × ".join(filter(None, (line.quantity, line.price)))
            found.append(f"{line.word}: {product} = {fmt.money(line.amount_minor)}")
        for word, minor in self.taxes:
            found.append(f"{_('{tax} in it').format(tax=word) if included else word}: {fmt.money(minor)}")
        return found


@dataclass(frozen=True, slots=True)
class Written:
    """A statement as it is read."""

    statement: Statement
    title: str
    month: str
    rows: list[Row]
    sums: list[tuple[str, int]]
    """Word and amount of each heading under which anything stands."""
    energy_wh: int
    tax_minor: int
    sessions: int
    state: tuple[str, str, str]
    rest_minor: int
    """What is still to be paid of it."""


def written(statement: Statement, sessions: Mapping[int, Charged], fmt: Formats) -> Written:
    """In the reader's language."""
    days: dict[str, str] = {}
    prices: PricesSaid = {}
    rows = [_row(one, statement.names.person, sessions, fmt, days, prices) for one in statement.entries]
    seen = {row.charged.id: row.charged for row in rows if row.charged is not None and row.entry.session is not None}
    of_sums = zip(Section, statement.sums, strict=True)
    month = month_word(statement.month, fmt)
    tone, icon, word = STATES[statement.state]
    ended = {row.entry.session for row in rows if row.entry.section is Section.SESSIONS}
    return Written(
        statement,
        title_of(statement.month, fmt),
        month,
        rows,
        [(_(SECTIONS[section]), minor) for section, minor in of_sums if minor],
        sum(one.energy_wh for one in seen.values() if one.id in ended),
        sum(one.tax_minor for one in seen.values() if one.id in ended),
        len(ended),
        (tone, icon, _(word)),
        max(0, -statement.after_minor - statement.paid_since_minor),
    )


def title_of(month: str, fmt: Formats) -> str:
    """`Statement, November 2026`."""
    return _("Statement, {month}").format(month=month_word(month, fmt))


def month_word(month: str, fmt: Formats) -> str:
    """`November 2026`."""
    return str(format_date(date.fromisoformat(f"{month}-01"), "MMMM yyyy", locale=fmt.locale)).translate(fmt.digits)


def _row(
    entry: Entry, holder: str, sessions: Mapping[int, Charged], fmt: Formats, days: dict[str, str], prices: PricesSaid
) -> Row:
    charged = sessions.get(entry.session) if entry.session is not None else None
    what, more = _what(entry, holder, charged, fmt)
    is_session = charged is not None and entry.section is Section.SESSIONS
    priced = charged if is_session and charged is not None and charged.tariff is not None else None
    day = day_of(entry.at_ms, fmt.zone)
    if day not in days:
        days[day] = fmt.day(entry.at_ms)  # Babel takes its time, and a month has few days.
    return Row(
        entry,
        what,
        more,
        charged,
        bill_lines(priced.lines, priced.tariff, fmt, prices)
        if priced is not None and priced.tariff is not None
        else [],
        [(tax_word(one, fmt), one.tax_minor) for one in priced.taxes] if priced is not None else [],
        days[day],
        fmt.time(entry.at_ms),
        fmt.energy(charged.energy_wh) if is_session and charged is not None else "",
        ("+" if entry.amount_minor > 0 else "") + fmt.money(entry.amount_minor),
        fmt.money(entry.balance_minor),
    )


def _what(entry: Entry, holder: str, charged: Charged | None, fmt: Formats) -> tuple[str, str]:
    """What a row is about, and what more there is to say."""
    if charged is None:
        more = method_word(entry.reference) if entry.section is not Section.CORRECTIONS else entry.reference
        return _(ENTRIES[entry.code]) if entry.code in ENTRIES else entry.code, more
    where = f"{charged.station} · {fmt.number(charged.evse)}"
    if entry.section is Section.CORRECTIONS:
        return _("Session of {day} set right").format(day=fmt.day(charged.started_at_ms)), where
    # Several people charge from the wallet of a pool.
    return where, charged.person if charged.person != holder else ""
