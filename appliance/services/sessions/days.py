"""The days of the site that a session touches, and what it used and cost on each: rolled up for reports."""

from __future__ import annotations

from appliance.db import site as sites
from appliance.db.engine.unit import Database
from appliance.db.sessions import closing
from appliance.db.sessions.sessions import Running
from appliance.domain import session as rules
from appliance.domain.tariff import Bill, DayShare, Usage
from appliance.services.sessions import courses, reading

NOTHING_BILLED = Bill((), 0, 0, 0)


def add_days(db: Database, running: Running, usage: Usage, bill: Bill, ended_at_ms: int) -> None:
    """Roll the session up into its days, split at midnight in the site's time zone."""
    for number, share in enumerate(days_of(db, running, usage, bill, ended_at_ms)):
        closing.add_day(db, running, share.day, share.working_s, share.energy_wh, share.fee_minor, first=number == 0)


def days_of(db: Database, running: Running, usage: Usage, bill: Bill, until_ms: int) -> list[DayShare]:
    """The shares of the site's days in what it used and costs until a moment. Its registers are asked for only if there are several."""
    touched = rules.pieces(running, until_ms, sites.of(db).zone)
    line = reading.line_of(db, running) if len(touched) > 1 else ()
    if courses.terms_of(running) is None or len(touched) == 1:
        return rules.days(running, usage, bill, until_ms, touched, line)
    shares = rules.days(running, usage, NOTHING_BILLED, until_ms, touched, line)
    return courses.days_of(running, courses.with_course(db, running, usage, until_ms), bill, shares)
