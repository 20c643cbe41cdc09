"""The days of the site that a session touches, and what it used and cost on each: rolled up for reports."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.db import site as sites
from appliance.db.engine.unit import Database
from appliance.db.sessions import closing
from appliance.db.sessions.sessions import Running
from appliance.domain import registers
from appliance.domain import session as rules
from appliance.domain.registers import Energies, Register
from appliance.domain.tariff import Bill, DayShare, Usage


def add_days(db: Database, running: Running, usage: Usage, bill: Bill, ended_at_ms: int) -> None:
    """Roll the session up into its days, split at midnight in the site's time zone."""
    for number, share in enumerate(days_of(db, running, usage, bill, ended_at_ms)):
        closing.add_day(db, running, share.day, share.working_s, share.energy_wh, share.fee_minor, first=number == 0)


def days_of(db: Database, running: Running, usage: Usage, bill: Bill, until_ms: int) -> list[DayShare]:
    """The shares of the site's days in what it used and costs until a moment. Its registers are asked for only if there are several."""
    touched = rules.pieces(running, until_ms, sites.of(db).zone)
    between = closing.registers(db, running.id) if len(touched) > 1 else ()
    return rules.days(running, usage, bill, until_ms, touched, energies_of(running, None, between).line)


def energies_of(
    running: Running, stop: tuple[int, int | None] | None, between: Sequence[Register] | None = None
) -> Energies:
    """What its registers say; without those between start and stop, the highest that is remembered stands for them."""
    if between is None:
        between = [(running.measured_at_ms, running.meter_start_wh + running.energy_wh)]
    return registers.read((running.started_at_ms, running.meter_start_wh), between, stop)
