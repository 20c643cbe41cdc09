"""What a session costs by a tariff with lines: so far, and line by line at its end."""

from __future__ import annotations

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.sessions.sessions import Running
from appliance.domain.identifiers import SessionId
from appliance.domain.pricing.lines import Charged
from appliance.domain.tariff import Bill


def set_so_far(db: Database, running: Running, so_far_minor: int) -> None:
    """As of its last reading."""
    running.so_far_minor = so_far_minor
    db.execute("UPDATE session SET so_far_minor = ? WHERE id = ?", (so_far_minor, running.id))


def store(db: Database, session: SessionId, bill: Bill) -> None:
    """The lines of its bill in the place of those of an earlier one; a bill by flat prices has none here."""
    db.execute("DELETE FROM session_line WHERE session_id = ?", (session,))
    for position, line in enumerate(bill.lines):
        if line.priced is not None:
            place, kind, (parts, of), amount_minor = line.priced
            db.execute(
                "INSERT INTO session_line (session_id, position, line, kind, quantity, amount_minor) VALUES (?, ?, ?, ?, ?, ?)",
                (session, position, place, str(kind), f"{parts}/{of}", amount_minor),
            )


def of_session(db: Readable, session: int) -> list[Charged]:
    """The lines of its bill, in order."""
    found = db.execute(
        "SELECT line, kind, quantity, amount_minor FROM session_line WHERE session_id = ? ORDER BY position", (session,)
    )
    return [Charged(line, kind, _fraction(quantity), amount_minor) for line, kind, quantity, amount_minor in found]


def _fraction(text: str) -> tuple[int, int]:
    parts, _, of = text.partition("/")
    return int(parts), int(of)
