"""What a session costs at this moment: the same prices and the same function as its bill."""

from __future__ import annotations

from appliance.db.engine.protocols import Readable
from appliance.db.sessions import session_list
from appliance.db.sessions.session_list import Session
from appliance.domain.clock import begun_ms
from appliance.domain.tariff import FREE, Bill, Tariff, Usage, chargeable_idle, price


def bill_now(db: Readable, session: Session, now_ms: int) -> Bill:
    """The bill as it would be if the session ended now; of one that is over, the bill it got."""
    tariff = session_list.tariff_of(db, session) or FREE
    usage = usage_now(db, session, tariff, now_ms)
    return price(usage, tariff if usage.energy_wh else FREE)


def usage_now(db: Readable, session: Session, tariff: Tariff, now_ms: int) -> Usage:
    """What it has used until now."""
    if session.state != "running" or session.started_at_ms is None:
        return Usage(session.energy_wh, session.duration_s, session.idle_s)
    duration_s = duration_now_s(session, now_ms)
    spans = [(begin, now_ms if end is None else end) for begin, end in session_list.idle_so_far(db, session.id)]
    return Usage(session.energy_wh, duration_s, min(duration_s, chargeable_idle(spans, tariff.idle_grace_s)))


def duration_now_s(session: Session, now_ms: int) -> int:
    """How long a session that runs has taken until now."""
    assert session.started_at_ms is not None
    heard_at_ms = session.received_at_ms or session.started_at_ms
    return max(0, now_ms - begun_ms(session.started_at_ms, heard_at_ms, now_ms)) // 1000
