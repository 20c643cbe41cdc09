"""Sessions that could not be billed by themselves: their money stays held until somebody looks and says what is billed."""

from __future__ import annotations

from appliance.db.engine.unit import Database
from appliance.db.sessions import closing as closing_rows
from appliance.db.sessions import session_list, sessions
from appliance.db.sessions.session_list import Session
from appliance.db.sessions.sessions import Running
from appliance.domain.by import By
from appliance.domain.errors import Conflict, NotFound
from appliance.domain.identifiers import SessionId
from appliance.domain.ledger import AMOUNT_MINOR_MAX
from appliance.domain.session import SessionEvent, SessionState, after, bill_for, usage_until
from appliance.domain.tariff import Bill
from appliance.services import audit, problems
from appliance.services.announce import SessionChanged
from appliance.services.sessions import billing, days


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


def bill(db: Database, session: SessionId, by: By) -> None:
    """Somebody has looked at it, and its figures are right after all: it is billed by them, out of what is held first.

    Raises:
        NotFound, Conflict: There is no such session, nothing about it is in doubt, or there is nothing to bill.
    """
    found, running = need_review(db, session)
    usage = usage_until(found, by.at_ms)
    due = bill_for(usage, running.tariff)
    if due.total_minor > AMOUNT_MINOR_MAX:
        raise Conflict("So much cannot be billed.", "Say that you have looked at it.")
    if not may_bill(found, due):
        raise Conflict("There is nothing to bill for this session.", "Say that you have looked at it.")
    if not billing.holds(db, running):
        running.slices = 0
    billing.settle(db, running, due, by)
    state = after(running.state, SessionEvent.BILLED)
    closing_rows.acknowledge(db, session, state)
    closing_rows.rebill(db, session, state, usage, due)
    assert found.ended_at_ms is not None, "what is in review is over"
    closing_rows.forget_days(db, running)
    days.add_days(db, running, usage, due, found.ended_at_ms)
    audit.record(db, by, "session.bill", f"session:{session}", why=found.note, amount_minor=due.total_minor)
    end_review(db, found, by.at_ms)


def may_bill(session: Session, due: Bill) -> bool:
    """Whether it is in doubt and not billed, and would cost something by its figures, and no more than can be booked."""
    return session.state == SessionState.REVIEW and not session.fee_minor and 0 < due.total_minor <= AMOUNT_MINOR_MAX


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
