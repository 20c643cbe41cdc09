"""The money of a session whose tariff has lines: when what was used, what that costs now, by the days, and at most in the time ahead.

A session with flat prices never comes by here: what it costs follows from its sums, and each meter reading stays cheap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from appliance.db import holidays
from appliance.db import site as sites
from appliance.db.engine.unit import Database
from appliance.db.people.payers import Payer
from appliance.db.sessions import lines as rows
from appliance.db.sessions import sessions
from appliance.db.sessions.closing import Figure
from appliance.db.sessions.sessions import Running
from appliance.domain import course as courses
from appliance.domain import session as rules
from appliance.domain import tariff as flat
from appliance.domain.course import SoFar, Still
from appliance.domain.pricing import lines
from appliance.domain.pricing.lines import Course, Dimension, Terms
from appliance.domain.pricing.parts import parts
from appliance.domain.pricing.reckoning import bill as bill_of_tally
from appliance.domain.pricing.reckoning import bill_of as bill_of_sums
from appliance.domain.pricing.reckoning import price as price_by_lines
from appliance.domain.pricing.reckoning import projected_minor, total_minor
from appliance.domain.pricing.tally import Tally
from appliance.domain.registers import Progress
from appliance.domain.session import bill_for, usage_until
from appliance.domain.tariff import Bill, DayShare, Tariff, Usage, price
from appliance.services.sessions import reading

SOON_MS = 60_000
"""So soon after its last reading a session is looked ahead from there."""


def terms_of(running: Running) -> Terms | None:
    """The lines of its tariff; None: it has flat prices, or nothing to pay."""
    return None if running.tariff is None else running.tariff.terms


def with_course(
    db: Database, running: Running, usage: Usage, until_ms: int, parked_until_ms: int | None = None
) -> Usage:
    """The same with its course, if its tariff asks for it."""
    terms = terms_of(running)
    if terms is None or not usage.energy_wh or usage.course is not None:
        return usage
    line = reading.line_of(db, running)
    begun, periods = courses.course_of(
        running, usage.energy_wh, until_ms, line, parked_until_ms, paused=running.pause_spans
    )
    return replace(usage, course=Course(replace(before_it(db, running, begun), periods=periods), sites.of(db).zone))


def before_it(db: Database, running: Running, begun_ms: int) -> lines.Usage:
    """A session that has used nothing yet, and what its lines may ask for besides."""
    days = holidays.days_of(db, running.holiday_list)
    return lines.Usage(begun_ms, method=running.policy, group=running.group, holidays=days)


def remember_start(db: Database, running: Running, payer: Payer | None) -> None:
    """What its lines ask for is as it was when it began, whatever is changed while it runs."""
    terms = terms_of(running)
    if terms is None or payer is None:
        return
    if any(line.conditions.groups for line in terms.lines):
        sessions.set_group(db, running, payer.group)
    if any(line.conditions.holidays is not None for line in terms.lines):
        sessions.set_holiday_list(db, running, holidays.newest(db))


# --- while it runs -----------------------------------------------------------------------------------------------------------


def so_far_of(db: Database, running: Running, terms: Terms) -> SoFar:
    """Its sums by its lines, as far as it was read. The writer remembers them, as it does how far its registers were read."""
    so_far, progress = running.so_far, reading.progress_of(db, running)
    if so_far is None or running.so_far_after is not progress:
        so_far = so_far_anew(db, running, terms)
        keep(running, so_far, progress)
    return so_far


def so_far_anew(db: Database, running: Running, terms: Terms) -> SoFar:
    """The same, out of all that is kept."""
    begun_ms = rules.begun_ms(running.started_at_ms, running.heard_at_ms, running.measured_at_ms)
    so_far = SoFar(begun_ms, Tally(before_it(db, running, begun_ms), terms, sites.of(db).zone))
    still = still_of(running)
    for at_ms, wh in dict(reading.line_of(db, running)).items():
        so_far.reach(at_ms, wh, still)
    return so_far


def keep(running: Running, so_far: SoFar | None, progress: Progress | None) -> None:
    """Remember its sums, which hold as long as its registers are read as they are now."""
    running.so_far, running.so_far_after = so_far, progress


def read_on(db: Database, running: Running, before: Progress | None, points: Sequence[tuple[int, int]]) -> None:
    """Its registers were read on from `before` (None: they were read anew), to these points of its line; what it costs by then is kept
    for all who show it.
    """
    so_far, still = running.so_far, still_of(running)
    if so_far is None or running.so_far_after is not before or not goes_on(so_far, running, points, still):
        keep(running, None, None)
        keep_so_far(db, running)
        return
    keep(running, so_far, running.progress)
    if (so_far.at_ms, so_far.wh) == (running.measured_at_ms, running.energy_wh):
        set_so_far(db, running, total_minor(so_far.tally))  # As nearly always.
    else:
        keep_so_far(db, running)


def goes_on(so_far: SoFar, running: Running, points: Sequence[tuple[int, int]], still: Still) -> bool:
    """Whether what was remembered leads to these points."""
    for at_ms, wh in points:
        if not so_far.reach(at_ms, wh, still):
            return False
    return so_far.begun_ms == rules.begun_ms(running.started_at_ms, running.heard_at_ms, running.measured_at_ms)


def keep_so_far(db: Database, running: Running) -> None:
    """What it costs by its last reading, in its row."""
    usage, terms = usage_until(running, running.measured_at_ms), terms_of(running)
    assert terms is not None, "what flat prices come to is not kept"
    tally = tally_at(db, running, usage, running.measured_at_ms, terms)
    set_so_far(db, running, total_minor(tally) if usage.energy_wh else 0)


def set_so_far(db: Database, running: Running, so_far_minor: int) -> None:
    """For all who show it."""
    if so_far_minor != running.so_far_minor:
        rows.set_so_far(db, running, so_far_minor)


def still_of(running: Running) -> Still:
    """When its car took no energy."""
    return Still(running.idle_spans, running.pause_spans)


def tally_at(db: Database, running: Running, usage: Usage, until_ms: int, terms: Terms) -> Tally:
    """Its sums by its lines at a moment."""
    begun_ms = rules.begun_ms(running.started_at_ms, running.heard_at_ms, until_ms)
    if not usage.energy_wh:
        return Tally(before_it(db, running, begun_ms), terms, sites.of(db).zone)
    so_far = so_far_of(db, running, terms)
    if so_far.begun_ms == begun_ms and (known := so_far.at(until_ms, usage.energy_wh, still_of(running))) is not None:
        return known
    course = with_course(db, running, usage, until_ms).course
    assert course is not None, "it has energy, and lines"
    return Tally(course.session, terms, course.zone)


def bill_until(db: Database, running: Running, until_ms: int) -> Bill:
    """What one that runs costs, if it ended at that moment."""
    usage, terms = usage_until(running, until_ms), terms_of(running)
    if terms is None or not usage.energy_wh:
        return bill_for(usage, running.tariff)
    return rules.as_bill(bill_of_tally(tally_at(db, running, usage, until_ms, terms)))


def bill_of(db: Database, running: Running, usage: Usage, until_ms: int) -> Bill:
    """What a usage until a moment costs."""
    return bill_for(with_course(db, running, usage, until_ms), running.tariff)


def most_minor(
    db: Database, running: Running, usage: Usage, until_ms: int, power_w: int, ahead_s: int, unseen_wh: int
) -> int:
    """The most that it can cost after so much more time at up to a power; see `projected_minor` of both kinds of tariffs."""
    terms = terms_of(running)
    if terms is None:
        seen = replace(usage, energy_wh=usage.energy_wh + unseen_wh) if unseen_wh else usage
        return flat.projected_minor(seen, running.tariff or flat.FREE, power_w, ahead_s, may_idle=running.is_idle)
    so_far = so_far_of(db, running, terms)
    since_ms = until_ms - so_far.at_ms
    if so_far.wh == usage.energy_wh and 0 <= since_ms <= SOON_MS and so_far.wh and so_far.knows(still_of(running)):
        # The little time since its last reading is like that ahead: nothing is cut for it.
        tally, ahead_s = so_far.tally, ahead_s - (-since_ms // 1000)
    else:
        tally = tally_at(db, running, usage, until_ms, terms)
    return projected_minor(tally, power_w, ahead_s, may_idle=running.is_idle, unseen_wh=unseen_wh)


def start_minor(tariff: Tariff) -> int:
    """What is due as soon as energy flows, at most."""
    if tariff.terms is None:
        return price(Usage(0, 0, 0), tariff).total_minor if tariff.flat_milli else 0
    fees = [replace(tariff.terms, lines=(line,)) for line in tariff.terms.lines if line.dimension is Dimension.FLAT]
    return max((bill_of_sums({0: {1: 1}}, one, with_energy=True).total_minor for one in fees), default=0)


def minds_idling(tariff: Tariff) -> bool:
    """Whether it costs anything that a car stays."""
    if tariff.terms is None:
        return tariff.idle_milli_per_minute > 0
    return any(line.dimension is Dimension.IDLE_TIME and line.price_milli for line in tariff.terms.lines)


def priced_figures(db: Database, running: Running, figures: Sequence[Figure]) -> list[Figure]:
    """What each of them would cost, which pages cannot tell by lines; by a flat tariff they can, and none is asked for its course."""
    if terms_of(running) is None:
        return [*figures]
    return [replace(one, bill=bill_of(db, running, one.usage, one.ended_at_ms)) for one in figures]


def keep_lines(db: Database, running: Running, usage: Usage, bill: Bill) -> None:
    """The lines of its bill and what each of them priced, for whoever asks what it was made of. `usage` has its course."""
    terms, course = terms_of(running), usage.course
    if terms is not None:
        told = parts(course.session, terms, course.zone) if course is not None and bill.lines else {}
        rows.store(db, running.id, bill, told)


def days_of(running: Running, usage: Usage, bill: Bill, parts: list[DayShare]) -> list[DayShare]:
    """The fees of its days: what it cost by the end of each, less what it cost before. `parts` has their time and energy."""
    course, terms = usage.course, terms_of(running)
    if course is None or terms is None:
        return parts  # No energy: it cost nothing on any day.
    touched = rules.pieces(running, course.session.periods[-1].until_ms, course.zone)
    shares, before_minor = [], 0
    for part, (_, _, end_ms) in zip(parts[:-1], touched[:-1], strict=True):
        reached = price_by_lines(courses.cut(course.session, end_ms), terms, course.zone).total_minor
        by_then = min(max(reached, before_minor), bill.total_minor)
        shares.append(replace(part, fee_minor=by_then - before_minor))
        before_minor = by_then
    return [*shares, replace(parts[-1], fee_minor=bill.total_minor - before_minor)]
