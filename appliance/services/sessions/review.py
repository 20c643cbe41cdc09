"""Sessions that could not be billed by themselves: somebody looks, sets the money right by a correction, and says so."""

from __future__ import annotations

from appliance.db.engine.unit import Database
from appliance.db.sessions import closing, session_list
from appliance.domain.errors import Conflict, NotFound
from appliance.domain.identifiers import SessionId
from appliance.domain.session import SessionEvent, SessionState, after
from appliance.services import audit, problems
from appliance.services.announce import SessionChanged


def acknowledge(db: Database, session: SessionId, actor: str, now_ms: int) -> None:
    """Somebody has looked at it: it counts as ended, with the fee it has, and no late stop bills it any more.

    Raises:
        NotFound, Conflict: There is no such session, or nothing about it is in doubt.
    """
    found = session_list.show(db, session)
    if found is None:
        raise NotFound("There is no such session.")
    if found.state != SessionState.REVIEW:
        raise Conflict("Nobody needs to look at this session any more.")
    closing.acknowledge(db, session, after(SessionState(found.state), SessionEvent.ACKNOWLEDGED))
    audit.record(db, actor, "session.acknowledge", f"session:{session}", now_ms, why=found.note)
    problems.clear_subject(db, f"session:{session}", now_ms)
    db.announce(SessionChanged(session, found.station_id, found.evse, found.person_id, "ended"))
