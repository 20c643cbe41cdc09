"""The money of a session: slices held while it runs or is in doubt, captured at its end, given back when it comes to nothing.

A session of somebody whose wallet has an end (prepaid, or on account up to a limit) does not run against a balance but
against a slice held for it. Before it is used up another is held; when none can be, the session is stopped, early enough
that the last slice is not overrun.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from appliance.db import ledger
from appliance.db import site as sites
from appliance.db.engine.unit import Database
from appliance.db.people.payers import Payer
from appliance.db.sessions import sessions
from appliance.db.sessions.sessions import Running
from appliance.domain.authorization import FREE, Policy
from appliance.domain.by import By
from appliance.domain.identifiers import AccountId
from appliance.domain.ledger import OVERRUN, REVENUE, TAX, Operation, TransferCode, end_key, hold_key
from appliance.domain.problem import ProblemKind
from appliance.domain.registers import POWER_W_MAX
from appliance.domain.session import usage_until
from appliance.domain.tariff import Bill, Usage
from appliance.services import problems
from appliance.services import settings as settings_of_site
from appliance.services.announce import PersonChanged, SessionChanged
from appliance.services.sessions import courses
from appliance.services.settings import Settings

SLICE_UNITS = 10
HELD = frozenset({Policy.PREPAID, Policy.POSTPAID})
"""Whose sessions run against money held for them, as far as their wallets have an end: no credit, or credit with a limit."""


class Pace(NamedTuple):
    """How fast a session uses energy, as far as its last readings tell."""

    power_w: int
    step_wh: int
    """Energy between them."""
    step_s: int
    """In how much time; at least so much that it tells a power (domain/watch.py: told_in_s)."""
    unseen_wh: int = 0
    """What may have been taken since the last reading, where none has come for too long."""


def slice_minor(db: Database, settings: Settings) -> int:
    """What is held at a time."""
    return settings.slice_minor or SLICE_UNITS * 10 ** sites.of(db).exponent


def first_slice_minor(db: Database, payer: Payer) -> int:
    """What is held before a session begins: a slice, or what there is of it; 0 where nothing is held."""
    available = payer.holder.available_minor
    if ledger.has_moved(db, payer.wallet):
        # What stood on this EVSE before was billed in this very commit, perhaps to the same wallet.
        available = ledger.balance(db, payer.wallet).available_minor
    if payer.holder.policy is FREE or payer.tariff is None or available is None or available <= 0:
        return 0
    return min(max(slice_minor(db, settings_of_site.of(db)), courses.start_minor(payer.tariff)), available)


def hold_first(db: Database, running: Running, by: By) -> None:
    """Hold the first slice; its amount is in the session's row already."""
    if running.held_minor:
        _hold(db, running, 1, running.held_minor, by)


def hold_slice(db: Database, running: Running, amount_minor: int, by: By) -> None:
    """Hold one more slice."""
    running.slices += 1
    running.held_minor += amount_minor
    running.later_minor.append(amount_minor)
    _hold(db, running, running.slices, amount_minor, by)
    sessions.set_slices(db, running)


def _hold(db: Database, running: Running, number: int, amount_minor: int, by: By) -> None:
    assert running.wallet is not None
    ledger.transfer(
        db,
        Operation.HOLD,
        hold_key(running.id, number),
        debit=running.wallet,
        credit=REVENUE,
        amount_minor=amount_minor,
        code=TransferCode.CHARGE,
        reference=str(running.id),
        by=by,
    )


def keep_covered(
    db: Database, running: Running, pace: Pace, at_ms: int, now_ms: int, interval_s: int | None = None
) -> None:
    """Hold what the session will have cost by the time a stop takes effect; if that cannot be, want it stopped.

    `interval_s` is how soon it is looked at again, if that is not with the next reading.
    """
    if running.policy not in HELD or running.stop_wanted or running.wallet is None or running.tariff is None:
        return
    settings = settings_of_site.of(db)
    ahead_s = (settings.sample_interval_s if interval_s is None else interval_s) + settings.stop_latency_s
    power_w = expected_power_w(pace, settings.stop_latency_s)
    needed = courses.most_minor(
        db, running, usage_until(running, at_ms), at_ms, power_w, ahead_s, unseen_wh=pace.unseen_wh
    )
    if needed <= running.held_minor:
        return
    amount = max(slice_minor(db, settings), needed - running.held_minor)
    available = ledger.balance(db, running.wallet).available_minor
    if available is not None:
        amount = min(amount, available)
    elif running.policy == Policy.POSTPAID:
        return  # Nothing limits what it may cost.
    if amount > 0:
        hold_slice(db, running, amount, By(f"station:{running.station}", now_ms))
    if needed > running.held_minor:
        want_stop(db, running, "unwatched" if pace.unseen_wh else "credit")


def with_unseen(usage: Usage, pace: Pace) -> Usage:
    """What may have been used by now, measured or not."""
    return replace(usage, energy_wh=usage.energy_wh + pace.unseen_wh) if pace.unseen_wh else usage


def want_stop(db: Database, running: Running, why: str, limited_by: str = "") -> None:
    """Record that the session is to be stopped; the command follows the commit, and is repeated until it is over."""
    sessions.set_stop_wanted(db, running, why, limited_by)
    db.announce(SessionChanged(running.id, running.station, running.evse, running.person, "stop_wanted"))


def expected_power_w(pace: Pace, latency_s: int) -> int:
    """The power to reckon with until a stop takes effect, which takes so long: what is measured, or what brought the last step."""
    power_w, step_wh, step_s, _ = pace
    by_step = step_wh * 3600 // max(step_s, latency_s)
    return min(max(power_w, by_step), POWER_W_MAX)


def settle(db: Database, running: Running, bill: Bill, by: By) -> None:
    """Take the bill out of the slices, oldest first, and give the rest back; what exceeds them comes from the wallet.

    A wallet gives what is there, down to its limit; the rest is the site's loss, on the account `overrun`.
    """
    rest = bill.total_minor
    for number, held in enumerate(slices_of(db, running), start=1):
        taken = min(rest, held)
        rest -= taken
        _resolve(db, running, number, taken, by)
    if rest and running.wallet is not None:
        collect(db, running, rest, f"fee|{running.id}", by)
    if bill.tax_minor:
        _post(db, f"tax|{running.id}", REVENUE, TAX, bill.tax_minor, TransferCode.TAX, running, by)
    announce_payer(db, running)


def announce_payer(db: Database, running: Running) -> None:
    """The wallet that pays for a session is another than before: the person's, or that of their pool."""
    for person in dict.fromkeys((running.person, running.pool)):
        if person is not None:
            db.announce(PersonChanged(person))


def slices_of(db: Database, running: Running) -> list[int]:
    """What each of its slices holds. The writer remembers those that it has held itself; else the ledger is asked."""
    if len(running.later_minor) == running.slices - 1:
        return [running.held_minor - sum(running.later_minor), *running.later_minor]
    return [_held_by(db, hold_key(running.id, number)) for number in range(1, running.slices + 1)]


def collect(db: Database, running: Running, amount_minor: int, key: str, by: By) -> None:
    """Post an amount from the wallet, and what it cannot give from the account `overrun`."""
    assert running.wallet is not None
    available = ledger.balance(db, running.wallet).available_minor
    taken = amount_minor if available is None else max(0, min(amount_minor, available))
    if taken:
        _post(db, key, running.wallet, REVENUE, taken, TransferCode.CHARGE, running, by)
    rest = amount_minor - taken
    if rest:
        _post(db, f"over|{key}", OVERRUN, REVENUE, rest, TransferCode.OVERRUN, running, by)
    if rest > slice_minor(db, settings_of_site.of(db)):
        report_overrun(db, running, rest, by.at_ms)


def report_overrun(db: Database, running: Running, amount_minor: int, now_ms: int) -> None:
    """One row for each station: it did not measure, or did not stop, in time."""
    problems.raise_problem(
        db,
        ProblemKind.OVERRUN,
        f"station:{running.station}",
        now_ms,
        station=int(running.station),
        evse=running.evse,
        session=int(running.id),
        amount_minor=amount_minor,
    )


def adjust(db: Database, running: Running, before: Bill, after: Bill, times: int | str, by: By) -> None:
    """Correct a bill: the difference in money and in tax. `times` counts the corrections, or is the name of one that is made once."""
    key = f"fix|{running.id}|{times}"
    more = after.total_minor - before.total_minor
    if running.wallet is not None and more > 0:
        collect(db, running, more, key, by)
    elif running.wallet is not None and more < 0:
        _post(db, key, REVENUE, running.wallet, -more, TransferCode.CORRECTION, running, by)
    tax = after.tax_minor - before.tax_minor
    if tax:
        debit, credit = (REVENUE, TAX) if tax > 0 else (TAX, REVENUE)
        _post(db, f"tax|{key}", debit, credit, abs(tax), TransferCode.TAX, running, by)
    announce_payer(db, running)


def release(db: Database, running: Running, by: By) -> None:
    """Give back all that is held."""
    for number in range(1, running.slices + 1):
        _resolve(db, running, number, 0, by)
    if running.slices:
        announce_payer(db, running)


def holds(db: Database, running: Running) -> bool:
    """Whether the slices are still held: they are resolved together."""
    return running.slices > 0 and ledger.find(db, end_key(running.id, 1)) is None


def _resolve(db: Database, running: Running, number: int, taken_minor: int, by: By) -> None:
    assert running.wallet is not None
    ledger.transfer(
        db,
        Operation.CAPTURE if taken_minor else Operation.VOID,
        end_key(running.id, number),
        debit=running.wallet,
        credit=REVENUE,
        amount_minor=taken_minor,
        hold=hold_key(running.id, number),
        code=TransferCode.CHARGE,
        reference=str(running.id),
        by=by,
    )


def _post(
    db: Database, key: str, debit: int, credit: int, amount_minor: int, code: TransferCode, running: Running, by: By
) -> None:
    ledger.transfer(
        db,
        Operation.POST,
        key,
        debit=AccountId(debit),
        credit=AccountId(credit),
        amount_minor=amount_minor,
        code=code,
        reference=str(running.id),
        by=by,
    )


def _held_by(db: Database, key: str) -> int:
    found = ledger.find(db, key)
    assert found is not None, f"{key} was held by this very session"
    return found[4]
