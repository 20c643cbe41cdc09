"""A statement: what happened to a wallet in a month, as a sum that anybody can check; and whether what it asks for is paid.

A month is that of the site's days, `2026-11`. What is set right later is a row of the month in which that was done.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from appliance.domain.calendar import day_bounds, day_of
from appliance.domain.ledger import TransferCode

MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
YEAR_MIN, YEAR_MAX = 1971, 9997
AT_END = ("end|", "fee|")
"""How the names of transfers begin that a session has taken at its end."""


class Section(StrEnum):
    """Under which heading a row stands; these words go out to programs."""

    SESSIONS = "sessions"
    TOPUPS = "topups"
    REFUNDS = "refunds"
    CORRECTIONS = "corrections"


class Settled(StrEnum):
    """What became of the debt that a statement asks for; these words go out to programs."""

    NOTHING_DUE = "nothing_due"
    SETTLED = "settled"
    OPEN = "open"
    PART = "paid_in_part"
    OVERDUE = "overdue"


class Moved(NamedTuple):
    """A transfer of a wallet: positive into it, negative out of it."""

    seq: int
    at_ms: int
    code: str
    reference: str
    actor: str
    amount_minor: int
    key: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a statement: a transfer, or all that a session has taken at its end."""

    section: Section
    seq: int
    """Of its last transfer."""
    at_ms: int
    amount_minor: int
    session: int | None
    code: str
    reference: str
    actor: str
    balance_minor: int
    """After it."""


class Sums(NamedTuple):
    """What each heading comes to."""

    sessions: int
    topups: int
    refunds: int
    corrections: int

    @property
    def total(self) -> int:
        """By how much the balance has changed."""
        return sum(self)


def entries(before_minor: int, moved: Iterable[Moved]) -> list[Entry]:
    """The rows in the order of the ledger. What a session took out of several slices is one row, where the last of it was taken."""
    rows = [(row, session_of(row)) for row in moved]
    last = {session: row.seq for row, session in rows if session is not None and row.key.startswith(AT_END)}
    taken: dict[int, int] = {}
    found, balance_minor = [], before_minor
    for row, session in rows:
        amount_minor = row.amount_minor
        if session is not None and row.key.startswith(AT_END):
            taken[session] = amount_minor = taken.get(session, 0) + row.amount_minor
            if last[session] != row.seq:
                continue
        balance_minor += amount_minor
        found.append(
            Entry(
                section_of(row), row.seq, row.at_ms, amount_minor, session, row.code, row.reference, row.actor, balance_minor
            )
        )  # fmt: skip
    return found


def sums(found: Iterable[Entry]) -> Sums:
    """By heading."""
    by_section = dict.fromkeys(Section, 0)
    for one in found:
        by_section[one.section] += one.amount_minor
    return Sums(*by_section.values())


def section_of(row: Moved) -> Section:
    """Under which heading a transfer stands; its name says what it belongs to (services/sessions/billing.py)."""
    if row.key.startswith(AT_END):
        return Section.SESSIONS
    if row.key.startswith("fix|"):
        # The place that a car took after its session is the session's own; all else is set right.
        return Section.SESSIONS if row.key.endswith("|0") else Section.CORRECTIONS
    if row.code == TransferCode.TOPUP:
        return Section.TOPUPS
    return Section.REFUNDS if row.code == TransferCode.REFUND else Section.CORRECTIONS


def session_of(row: Moved) -> int | None:
    """The session that a transfer belongs to."""
    name, _, rest = row.key.partition("|")
    return int(rest.partition("|")[0]) if name in ("end", "fee", "fix") else None


# --- whether it is paid ----------------------------------------------------------------------------------------------------


def settled(after_minor: int, due_at_ms: int | None, paid_since_minor: int, now_ms: int) -> Settled:
    """What became of a statement: whoever pays, pays the oldest debt first, so all that came in since counts for it."""
    if after_minor >= 0 or due_at_ms is None:
        return Settled.NOTHING_DUE
    if paid_since_minor >= -after_minor:
        return Settled.SETTLED
    if now_ms >= due_at_ms:
        return Settled.OVERDUE
    return Settled.PART if paid_since_minor > 0 else Settled.OPEN


# --- months ----------------------------------------------------------------------------------------------------------------


def read_month(text: str) -> str | None:
    """A month as people and programs write it; None if it is none."""
    found = MONTH.fullmatch(text.strip())
    return found.group() if found and YEAR_MIN <= int(found.group(1)) <= YEAR_MAX else None


def month_of(at_ms: int, zone: ZoneInfo) -> str:
    """The site's month of a moment."""
    return day_of(at_ms, zone)[:7]


def month_bounds(month: str, zone: ZoneInfo) -> tuple[int, int]:
    """Its first millisecond, and that of the month after it."""
    return day_bounds(f"{month}-01", zone)[0], day_bounds(f"{moved(month, 1)}-01", zone)[0]


def moved(month: str, number: int) -> str:
    """So many months later."""
    months = int(month[:4]) * 12 + int(month[5:]) - 1 + number
    return f"{months // 12:04}-{months % 12 + 1:02}"
