"""The money of a session whose tariff has lines: when what was used, what that costs now, by the days, and at most in the time ahead.

A session with flat prices never comes by here: what it costs follows from its sums, and each meter reading stays cheap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from appliance.db import site as sites
from appliance.db.engine.unit import Database
from appliance.db.people import people
from appliance.db.sessions import lines as rows
from appliance.db.sessions.closing import Figure
from appliance.db.sessions.sessions import Running
from appliance.domain import session as rules
from appliance.domain import tariff as flat
from appliance.domain.pricing import lines
from appliance.domain.pricing.lines import Course, Dimension, Terms
from appliance.domain.pricing.reckoning import bill_of as bill_of_sums
from appliance.domain.pricing.reckoning import price as price_by_lines
from appliance.domain.pricing.reckoning import projected_minor
from appliance.domain.pricing.tally import Tally
from appliance.domain.session import bill_for, usage_until
from appliance.domain.tariff import Bill, DayShare, Tariff, Usage, price
from appliance.services.sessions import reading


def terms_of(running: Running) -> Terms | None:
    """The lines of its tariff; None: it has flat prices, or nothing to pay."""
    return None if running.tariff is None else running.tariff.terms


def with_course(
    db: Database, running: Running, usage: Usage, until_ms: int, parked_until_ms: int | None = None
) -> Usage:
    """The same with its course, if its tariff asks for it."""
    terms = terms_of(running)
    if terms is None or not usage.energy_wh:
        return usage
    begun, periods = rules.course_of(running, usage.energy_wh, until_ms, reading.line_of(db, running), parked_until_ms)
    asks = any(line.conditions.groups for line in terms.lines)
    payer = people.find(db, running.person) if asks and running.person is not None else None
    session = lines.Usage(begun, periods, method=running.policy, group=payer.group_id if payer else None)
    return replace(usage, course=Course(session, sites.of(db).zone))


def bill_until(db: Database, running: Running, until_ms: int) -> Bill:
    """What it costs, if it ended at that moment."""
    return bill_of(db, running, usage_until(running, until_ms), until_ms)


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
    course = with_course(db, running, usage, until_ms).course
    session = lines.Usage(min(running.started_at_ms, running.heard_at_ms)) if course is None else course.session
    tally = Tally(session, terms, sites.of(db).zone)
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


def keep_lines(db: Database, running: Running, bill: Bill) -> None:
    """The lines of its bill, for whoever asks what it was made of."""
    if terms_of(running) is not None:
        rows.store(db, running.id, bill)


def keep_so_far(db: Database, running: Running) -> None:
    """Remember what it costs by its last reading, for all who show it."""
    if terms_of(running) is None:
        return
    so_far_minor = bill_until(db, running, running.measured_at_ms).total_minor
    if so_far_minor != running.so_far_minor:
        rows.set_so_far(db, running, so_far_minor)


def days_of(running: Running, usage: Usage, bill: Bill, parts: list[DayShare]) -> list[DayShare]:
    """The fees of its days: what it cost by the end of each, less what it cost before. `parts` has their time and energy."""
    course, terms = usage.course, terms_of(running)
    if course is None or terms is None:
        return parts  # No energy: it cost nothing on any day.
    touched = rules.pieces(running, course.session.periods[-1].until_ms, course.zone)
    shares, before_minor = [], 0
    for part, (_, _, end_ms) in zip(parts[:-1], touched[:-1], strict=True):
        reached = price_by_lines(rules.cut(course.session, end_ms), terms, course.zone).total_minor
        by_then = min(max(reached, before_minor), bill.total_minor)
        shares.append(replace(part, fee_minor=by_then - before_minor))
        before_minor = by_then
    return [*shares, replace(parts[-1], fee_minor=bill.total_minor - before_minor)]
