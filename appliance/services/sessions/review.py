"""Sessions that could not be billed by themselves: their money stays held until somebody looks and says what is billed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from appliance.db.engine.unit import Database
from appliance.db.sessions import closing as closing_rows
from appliance.db.sessions import session_list, sessions
from appliance.db.sessions.closing import Figure
from appliance.db.sessions.session_list import Session
from appliance.db.sessions.sessions import Running
from appliance.domain.by import By
from appliance.domain.errors import Conflict, NotFound
from appliance.domain.identifiers import SessionId
from appliance.domain.ledger import AMOUNT_MINOR_MAX
from appliance.domain.session import SessionEvent, SessionState, after, bill_for
from appliance.domain.tariff import Bill, Usage
from appliance.services import audit, problems
from appliance.services.announce import SessionChanged
from appliance.services.sessions import billing, bills, courses, days


def acknowledge(db: Database, session: SessionId, by: By) -> None:
    """Somebody has looked at it: it counts as ended with the fee it has, what is held is given back, and no late stop
    bills it any more.

    Raises:
        NotFound, Conflict: There is no such session, or nothing about it is in doubt.
    """
    found, running = need_review(db, session)
    if billing.holds(db, running):
        billing.release(db, running, by)
    closing_rows.acknowledge(db, session, after(running.state, SessionEvent.ACKNOWLEDGED))
    audit.record(db, by, "session.acknowledge", f"session:{session}", why=found.note)
    end_review(db, found, by.at_ms)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a session in review may be billed for, and what that costs."""

    figure: Figure
    bill: Bill


def choices(session: Session) -> list[Choice]:
    """What somebody may choose for a session that waits for a look, the likeliest first; none of it is nothing."""
    if session.state != SessionState.REVIEW:
        return []
    figures = session.figures
    old = session.tariff is not None and session.tariff.terms is None
    if not figures and session.ended_at_ms is not None and not session.fee_minor and old:
        # An older release kept the doubted figure in the session itself.
        usage = Usage(session.energy_wh, session.duration_s, session.idle_s)
        figures = (Figure(usage, session.ended_at_ms, session.meter_stop_wh),)
    return [Choice(one, one.bill or bill_for(one.usage, session.tariff)) for one in figures if one.usage.energy_wh]


def bill(db: Database, session: SessionId, by: By, energy_wh: int | None = None) -> None:
    """Somebody has looked at it, and says which of its figures is right: it is billed by that, out of what is held first.
    Without a word for the energy it is the likeliest that was not billed yet.

    Raises:
        NotFound, Conflict: There is no such session, nothing about it is in doubt, or this is none of its figures.
    """
    found, running = need_review(db, session)
    chosen = choose(choices(found), found, energy_wh)
    usage = courses.with_course(db, running, chosen.figure.usage, chosen.figure.ended_at_ms)
    if usage.course is not None:
        chosen = replace(chosen, bill=bill_for(usage, running.tariff))
    if chosen.bill.total_minor > AMOUNT_MINOR_MAX:
        raise Conflict("So much cannot be billed.", "Choose another figure, or say that you have looked at it.")
    _, before = closing_rows.bill_of(db, session)
    if billing.holds(db, running):
        billing.settle(db, running, chosen.bill, by)
    elif running.wallet is not None:
        billing.adjust(db, running, before, chosen.bill, times="review", by=by)
    closing_rows.decide(db, running, after(running.state, SessionEvent.BILLED), chosen.figure, chosen.bill)
    courses.keep_lines(db, running, usage, chosen.bill)
    bills.issue(db, running, chosen.bill, by.at_ms)
    closing_rows.forget_days(db, running)
    days.add_days(db, running, usage, chosen.bill, chosen.figure.ended_at_ms)
    audit.record(
        db,
        by,
        "session.bill",
        f"session:{session}",
        why=found.note,
        amount_minor=chosen.bill.total_minor,
        energy_wh=chosen.figure.usage.energy_wh,
    )
    end_review(db, found, by.at_ms)


def choose(offered: Sequence[Choice], session: Session, energy_wh: int | None) -> Choice:
    """The figure that is meant.

    Raises:
        Conflict: There is none, or none like this.
    """
    if not offered:
        raise Conflict("There is nothing to bill for this session.", "Say that you have looked at it.")
    if energy_wh is None:
        new = [one for one in offered if one.figure.usage.energy_wh != session.energy_wh]
        return (new or offered)[0]
    for one in offered:
        if one.figure.usage.energy_wh == energy_wh:
            return one
    raise Conflict("This session may not be billed for so much energy.", "Choose one of the figures on its page.")


def need_review(db: Database, session: SessionId) -> tuple[Session, Running]:
    """The session, as lists show it and as its money is reckoned.

    Raises:
        NotFound, Conflict: There is no such session, or nothing about it is in doubt.
    """
    found, running = session_list.show(db, session), sessions.load(db, session)
    if found is None or running is None:
        raise NotFound("There is no such session.")
    if found.state != SessionState.REVIEW:
        raise Conflict("Nobody needs to look at this session any more.")
    return found, running


def end_review(db: Database, found: Session, now_ms: int) -> None:
    """It is decided."""
    problems.clear_subject(db, f"session:{found.id}", now_ms)
    db.announce(SessionChanged(found.id, found.station_id, found.evse, found.person_id, SessionState.ENDED))
