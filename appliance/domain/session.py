"""The rules of a session: which states it goes through, what it has used at any moment, and what that costs. Pure.

Theory. A session is from the start request or the swipe to the bill.

`requested`: staff or a program asked for it, and the station has not begun yet. A first slice of the payer's money is held. It ends
in a transaction or in nothing, by the clock at the latest.

`running`: the station has told that it began; somebody may pay (slices are held) or nobody (the card is not known). It ends by
its station's stop, or by an estimate when that was lost: a newer start on its connector, staff, the charger's retirement, a
day of silence.

`ended`: it is billed, its money is taken out of the slices and the rest is free again. This is final, but for two things
that may come late: the stop of a session whose end was an estimate sets its bill right, once, or is itself doubted; and a car
that stays plugged in pays for the place until it leaves. Another stop with another register puts it in review. What else comes late
(readings, the same stop again) changes nothing.

`review`: it is over, and what its station tells cannot be right. Nothing is billed by itself: what is held stays held until a
person has looked, and bills one of the figures that may be right, or nothing. One that was billed already keeps that bill until
then. If it was doubted as an estimate, its station's stop may still set it right; any other late stop is one more figure, and
once somebody has decided, none changes it any more.

`failed`: it never began, and what was held was given back. This is final: a transaction that comes after all is a session of its
own, whose payer is known by the one-time token of the start request.

TRANSITIONS has all of it; what is not in the table raises ImpossibleTransition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol
from zoneinfo import ZoneInfo

from appliance.domain.calendar import midnights
from appliance.domain.energies import Doubt, Energies, energy_at
from appliance.domain.money import round_half_even
from appliance.domain.pricing.lines import Charged, Dimension
from appliance.domain.pricing.reckoning import MAXIMUM, MINIMUM, Priced
from appliance.domain.pricing.reckoning import price as by_lines
from appliance.domain.tariff import FREE, Bill, DayShare, Line, LineKind, Tariff, Usage, idle_after_grace, price, split
from appliance.domain.transitions import follow

MS_MAX = 7 * 86_400_000
"""A session that would be longer by its station's clock alone is reckoned from when we heard of its start."""
BEGUN_BEFORE_MS_MAX = 86_400_000
"""A session that goes on when we hear of its start has not begun longer ago than this: no car charges a day at a station without
a connection and goes on."""


class SessionState(StrEnum):
    """How far it is; these words are stored."""

    REQUESTED = "requested"
    RUNNING = "running"
    ENDED = "ended"
    FAILED = "failed"
    REVIEW = "review"


RUNNING = SessionState.RUNNING
"""By a name of its own, for each reading asks for it, and a member of an enum takes longer to look up than to compare."""
OPEN = frozenset({SessionState.REQUESTED, SessionState.RUNNING})
"""Money may be held for it."""
CLOSED = frozenset({SessionState.ENDED, SessionState.REVIEW})
"""It began and is over: its figures stand, and are in the sums."""
OVER = CLOSED | {SessionState.FAILED}


class SessionEvent(StrEnum):
    """What moves a session."""

    REQUESTED = "requested"
    """Staff or a program ask for it."""
    BEGAN = "began"
    """Its station tells of the start, asked for or not."""
    CANCELLED = "cancelled"
    """The start that was asked for comes to nothing: taken back, refused, unanswered, or not there in time."""
    STOPPED = "stopped"
    """Its station tells of the stop."""
    ESTIMATED = "estimated"
    """The stop was lost: it is over at its last reading."""
    DOUBTED = "doubted"
    """It is over, and what is told of it cannot be right."""
    CORRECTED = "corrected"
    """The stop of an estimated one comes after all."""
    UNPLUGGED = "unplugged"
    """The car that stayed after the transaction has left."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody has looked at it, and it keeps the bill it has, which may be none."""
    BILLED = "billed"
    """Somebody has looked at it, and its figures are right after all."""
    RENUMBERED = "renumbered"
    """A backup was restored: a session that never was takes a number, so that later ones begin beyond it."""


TRANSITIONS: Mapping[tuple[SessionState | None, SessionEvent], SessionState] = MappingProxyType(
    {
        (None, SessionEvent.REQUESTED): SessionState.REQUESTED,
        (None, SessionEvent.BEGAN): SessionState.RUNNING,
        (None, SessionEvent.RENUMBERED): SessionState.FAILED,
        (SessionState.REQUESTED, SessionEvent.BEGAN): SessionState.RUNNING,
        (SessionState.REQUESTED, SessionEvent.CANCELLED): SessionState.FAILED,
        (SessionState.RUNNING, SessionEvent.STOPPED): SessionState.ENDED,
        (SessionState.RUNNING, SessionEvent.ESTIMATED): SessionState.ENDED,
        (SessionState.RUNNING, SessionEvent.DOUBTED): SessionState.REVIEW,
        (SessionState.ENDED, SessionEvent.CORRECTED): SessionState.ENDED,
        (SessionState.ENDED, SessionEvent.DOUBTED): SessionState.REVIEW,
        (SessionState.ENDED, SessionEvent.UNPLUGGED): SessionState.ENDED,
        (SessionState.REVIEW, SessionEvent.CORRECTED): SessionState.ENDED,
        (SessionState.REVIEW, SessionEvent.DOUBTED): SessionState.REVIEW,
        (SessionState.REVIEW, SessionEvent.ACKNOWLEDGED): SessionState.ENDED,
        (SessionState.REVIEW, SessionEvent.BILLED): SessionState.ENDED,
    }
)


def after(state: SessionState | None, event: SessionEvent) -> SessionState:
    """The state that an event leads to; see TRANSITIONS."""
    return follow(TRANSITIONS, state, event)


# --- what it has used, and what that costs -----------------------------------------------------------------------------------


class Facts(Protocol):
    """What is known of a session: the writer's memory of a running one and the rows that pages read both are this."""

    @property
    def started_at_ms(self) -> int | None:
        """The station's word; None: it has not begun."""

    @property
    def heard_at_ms(self) -> int:
        """When we heard of it."""

    @property
    def energy_wh(self) -> int:
        """What its registers say (domain/energies.py)."""

    @property
    def idle_spans(self) -> Sequence[tuple[int, int | None]]:
        """When the car was full and still connected: (begin_ms, end_ms), None for the span that goes on."""

    @property
    def tariff(self) -> Tariff | None:
        """None: nothing to pay."""

    @property
    def so_far_minor(self) -> int | None:
        """What it costs by a tariff with lines, as of its last reading."""

    @property
    def billed(self) -> Usage | None:
        """What stands in its row once it is over; None while it is open."""


NOTHING = Usage(0, 0, 0)
KINDS: Mapping[str, LineKind] = MappingProxyType(
    {
        Dimension.ENERGY: "energy", Dimension.DURATION: "time", Dimension.IDLE_TIME: "idle", Dimension.FLAT: "flat",
        Dimension.CHARGING_TIME: "charging", Dimension.RESERVATION: "reservation", MINIMUM: "minimum", MAXIMUM: "maximum",
    }
)  # fmt: skip
"""What lines charge for, as bills call it."""
TIMES = frozenset({Dimension.DURATION, Dimension.IDLE_TIME, Dimension.CHARGING_TIME, Dimension.RESERVATION})


def usage_until(facts: Facts, now_ms: int) -> Usage:
    """What a session has used at a moment; of one that is over, what it was billed for.

    All figures come from here: tiles, pages, programs, slices, limits of cards, days and bills.
    """
    if facts.billed is not None:
        return facts.billed
    started_at_ms = facts.started_at_ms
    if started_at_ms is None:
        return NOTHING
    duration_s = max(0, now_ms - begun_ms(started_at_ms, facts.heard_at_ms, now_ms)) // 1000
    idle_s = min(length_s(charged_idle(facts, now_ms)), duration_s) if facts.idle_spans else 0
    return Usage(facts.energy_wh, duration_s, idle_s)


def bill_until(facts: Facts, now_ms: int) -> Bill:
    """What it costs, if it ended at that moment; by lines, as of its last reading, when it was priced by the writer."""
    if facts.tariff is not None and facts.tariff.terms is not None:
        so_far_minor = facts.so_far_minor or 0
        return Bill((), so_far_minor, 0, so_far_minor)
    return bill_for(usage_until(facts, now_ms), facts.tariff)


def bill_for(usage: Usage, tariff: Tariff | None) -> Bill:
    """The price of a session: without energy nothing, whatever the time and the flat fee (no money is kept without energy).

    A tariff with lines asks for the course of the usage.
    """
    if tariff is None or not usage.energy_wh:
        return price(usage, FREE)
    if tariff.terms is None:
        return price(usage, tariff)
    assert usage.course is not None, "whoever bills by lines says when what was used"
    return as_bill(by_lines(usage.course.session, tariff.terms, usage.course.zone))


def begun_ms(started_at_ms: int, heard_at_ms: int, at_ms: int) -> int:
    """When a session began that is still there at `at_ms`.

    A station without a battery for its clock begins with the day its firmware was made, and is told the time while it
    charges: by its own word the session lasts years, and then our word counts. So it does where the station is ahead of us. What
    was over before we heard of it comes out of a station's queue, and has no other times than the station's.
    """
    if started_at_ms > heard_at_ms:
        return heard_at_ms
    if at_ms - started_at_ms <= BEGUN_BEFORE_MS_MAX:
        return started_at_ms  # As nearly always.
    longest_ms = MS_MAX if at_ms < heard_at_ms else BEGUN_BEFORE_MS_MAX + max(0, at_ms - heard_at_ms)
    return started_at_ms if at_ms - started_at_ms <= longest_ms else heard_at_ms


def charged_idle(facts: Facts, until_ms: int) -> list[tuple[int, int]]:
    """The spans of idling that are charged: what is beyond the grace, which is used up once in a session and not by each span."""
    spans = ((begin, until_ms if end is None else end) for begin, end in facts.idle_spans)
    return idle_after_grace(spans, facts.tariff.idle_grace_s if facts.tariff is not None else 0)


def length_s(spans_ms: Sequence[tuple[int, int]], until_ms: int | None = None) -> int:
    """Whole seconds of spans, as far as they lie before a moment, cut off in the driver's favour."""
    if until_ms is None:
        return sum(end_ms - begin_ms for begin_ms, end_ms in spans_ms) // 1000
    return sum(max(0, min(end_ms, until_ms) - begin_ms) for begin_ms, end_ms in spans_ms) // 1000


def with_parking(facts: Facts, billed: Usage, since_ms: int, until_ms: int) -> Usage:
    """What a session is billed for in the end whose car took the place for some time after the transaction."""
    idle_s = length_s(charged_idle(facts, until_ms))
    return Usage(billed.energy_wh, billed.duration_s, min(idle_s, billed.duration_s + (until_ms - since_ms) // 1000))


def doubts(energies: Energies, energy_wh_max: int) -> tuple[Doubt, ...]:
    """Why a session that is over is not billed before somebody has looked at it; empty if it can be."""
    if max((energies.energy_wh, *energies.figures)) > energy_wh_max:
        return (Doubt.TOO_MUCH, *energies.doubts)
    return energies.doubts


# --- by a tariff with lines --------------------------------------------------------------------------------------------------


def as_bill(priced: Priced) -> Bill:
    """A bill by lines as all bills are: its lines without tax where the prices are without, else with it."""
    return Bill(as_lines(priced.lines), priced.net_minor, priced.tax_minor, priced.total_minor)


def as_lines(charged: Sequence[Charged]) -> tuple[Line, ...]:
    """Lines by lines of a tariff as those of any bill, their quantities in whole Wh, seconds or times."""
    return tuple(Line(KINDS[one.kind], round_half_even(*_in_units(one)), one.amount_minor, one) for one in charged)


def _in_units(one: Charged) -> tuple[int, int]:
    """Wh, seconds or times."""
    parts, of = one.quantity
    return parts, of * (1000 if one.kind in TIMES else 1)


# --- its days ----------------------------------------------------------------------------------------------------------------


def pieces(facts: Facts, until_ms: int, zone: ZoneInfo) -> list[tuple[str, int, int]]:
    """The days of the site that a session touches until a moment: (day, begin_ms, end_ms)."""
    assert facts.started_at_ms is not None
    begun = begun_ms(facts.started_at_ms, facts.heard_at_ms, until_ms)
    return midnights(begun, max(until_ms, begun + 1), zone)


def days(
    facts: Facts,
    usage: Usage,
    bill: Bill,
    until_ms: int,
    touched: Sequence[tuple[str, int, int]],
    line: Sequence[tuple[int, int]],
) -> list[DayShare]:
    """The shares of the days that it touches (see `pieces`) in what it used and costs until a moment; they sum up exactly.

    What the register was at midnight lies on the line of its energies, which only a session of several days needs.
    """
    if len(touched) == 1:
        return [DayShare(touched[0][0], usage.duration_s, usage.energy_wh, bill.total_minor)]
    begun = touched[0][1]
    points = [(at_ms, min(wh, usage.energy_wh)) for at_ms, wh in line if begun < at_ms < until_ms]
    points = [(begun, 0), *points, (max(until_ms, begun), usage.energy_wh)]
    idle = charged_idle(facts, until_ms) if usage.idle_s else []
    parts, before = [], NOTHING
    for day, _, end_ms in touched[:-1]:
        reached = Usage(energy_at(points, end_ms), (end_ms - begun) // 1000, min(length_s(idle, end_ms), usage.idle_s))
        parts.append((day, between(before, reached)))
        before = reached
    parts.append((touched[-1][0], between(before, usage)))
    return split(bill, parts)


def between(earlier: Usage, later: Usage) -> Usage:
    """What was used from one moment to a later one."""
    return Usage(
        later.energy_wh - earlier.energy_wh, later.duration_s - earlier.duration_s, later.idle_s - earlier.idle_s
    )
