"""A statement in words, wherever it is read: on the screen, on A4, on the holder's phone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date

from appliance.db.statements.charged import Charged
from appliance.domain.statement import Entry, Section, Settled
from appliance.services.statements.statements import Statement
from appliance.ui.frame.language import N_, _
from appliance.ui.wording.bill_lines import BillLine, bill_lines, tax_word
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
    rows = [_row(one, statement.names.person, sessions, fmt) for one in statement.entries]
    seen = {row.charged.id: row.charged for row in rows if row.charged is not None and row.entry.session is not None}
    of_sums = zip(Section, statement.sums, strict=True)
    month = month_word(statement.month, fmt)
    tone, icon, word = STATES[statement.state]
    ended = {row.entry.session for row in rows if row.entry.section is Section.SESSIONS}
    return Written(
        statement,
        _("Statement, {month}").format(month=month),
        month,
        rows,
        [(_(SECTIONS[section]), minor) for section, minor in of_sums if minor],
        sum(one.energy_wh for one in seen.values() if one.id in ended),
        sum(one.tax_minor for one in seen.values() if one.id in ended),
        len(ended),
        (tone, icon, _(word)),
        max(0, -statement.after_minor - statement.paid_since_minor),
    )


def month_word(month: str, fmt: Formats) -> str:
    """`November 2026`."""
    return str(format_date(date.fromisoformat(f"{month}-01"), "MMMM yyyy", locale=fmt.locale)).translate(fmt.digits)


def _row(entry: Entry, holder: str, sessions: Mapping[int, Charged], fmt: Formats) -> Row:
    charged = sessions.get(entry.session) if entry.session is not None else None
    if charged is None:
        more = method_word(entry.reference) if entry.section is not Section.CORRECTIONS else entry.reference
        return Row(entry, _(ENTRIES[entry.code]) if entry.code in ENTRIES else entry.code, more, None, [], [])
    where = f"{charged.station} · {fmt.number(charged.evse)}"
    if entry.section is Section.CORRECTIONS:
        what = _("Session of {day} set right").format(day=fmt.day(charged.started_at_ms))
        return Row(entry, what, where, charged, [], [])
    # Several people charge from the wallet of a pool.
    who = charged.person if charged.person != holder else ""
    lines = bill_lines(charged.lines, charged.tariff, fmt) if charged.tariff is not None else []
    return Row(entry, where, who, charged, lines, [(tax_word(one, fmt), one.tax_minor) for one in charged.taxes])
