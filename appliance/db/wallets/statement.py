"""What happened to one person's wallet or to one session's money, merged from sessions and ledger. Nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.engine.protocols import Readable
from appliance.domain.identifiers import AccountId, PersonId, SessionId

CODES_OF_SESSIONS = ("charge", "tax", "overrun")


@dataclass(frozen=True, slots=True)
class Record:
    """A session or a movement of money, as a person's page shows it."""

    kind: str
    """`session` or `entry`."""
    id: int
    """The session's number, or the transfer's."""
    at_ms: int
    state: str
    """Of the session; "" for an entry."""
    station: str
    energy_wh: int
    duration_s: int
    amount_minor: int
    """Positive into the wallet, negative out of it."""
    code: str
    """Of the entry; "" for a session."""
    reference: str
    actor: str


@dataclass(frozen=True, slots=True)
class Movement:
    """A transfer that belongs to a session; `hold_minor` is what a capture or void could have taken."""

    seq: int
    at_ms: int
    op: str
    code: str
    amount_minor: int
    hold_minor: int | None
    key: str


RECORDS = """
WITH paid AS (
  SELECT CAST(reference AS BIGINT) AS session_id, sum(amount_minor) AS amount_minor
  FROM transfer INDEXED BY transfer_debit
  WHERE debit = :wallet AND op IN ('post', 'capture') AND code = 'charge' GROUP BY reference)
SELECT kind, id, at_ms, state, station, energy_wh, duration_s, amount_minor, code, reference, actor FROM (
  SELECT 'session' AS kind, session.id AS id, coalesce(ended_at_ms, started_at_ms, requested_at_ms) AS at_ms,
         session.state AS state, station.name AS station, energy_wh, duration_s,
         -coalesce(paid.amount_minor, 0) AS amount_minor, '' AS code, '' AS reference, '' AS actor
  FROM session JOIN station ON station.id = session.station_id LEFT JOIN paid ON paid.session_id = session.id
  WHERE session.person_id = :person AND session.state <> 'failed'
  UNION ALL
  SELECT 'entry', seq, at_ms, '', '', 0, 0, -amount_minor, code, reference, actor
  FROM transfer INDEXED BY transfer_debit
  WHERE debit = :wallet AND op IN ('post', 'capture') AND code <> 'charge' AND amount_minor > 0
  UNION ALL
  SELECT 'entry', seq, at_ms, '', '', 0, 0, amount_minor, code, reference, actor
  FROM transfer WHERE credit = :wallet AND op = 'post') AS record
WHERE at_ms < :before
ORDER BY at_ms DESC, kind, id DESC LIMIT :limit
"""


def of_person(
    db: Readable, person: PersonId, wallet: AccountId, *, before_ms: int | None = None, limit: int = 30
) -> list[Record]:
    """Sessions and movements of a person, the newest first; what a session cost is in its own row."""
    rows = db.execute(RECORDS, {"person": person, "wallet": wallet, "before": before_ms or 2**62, "limit": limit})
    return [Record(*row) for row in rows]


def paid_in_minor(db: Readable, wallet: AccountId) -> int:
    """All top-ups of a wallet less what was paid out."""
    row = db.execute(
        """SELECT coalesce((SELECT sum(amount_minor) FROM transfer WHERE credit = :wallet AND op = 'post' AND code = 'topup'), 0)
          - coalesce((SELECT sum(amount_minor) FROM transfer INDEXED BY transfer_debit
                      WHERE debit = :wallet AND op IN ('post', 'capture') AND code = 'refund'), 0)""",
        {"wallet": wallet},
    ).fetchone()
    return int(row[0])


def of_session(db: Readable, session: SessionId) -> list[Movement]:
    """The transfers of a session in order: they are found by their names, which begin with what they are."""
    ranges = [f"{name}|{session}" for name in ("hold", "end", "fee", "over|fee", "tax", "fix", "over|fix", "tax|fix")]
    found: list[Movement] = []
    for name in ranges:
        rows = db.execute(
            """SELECT seq, at_ms, op, code, amount_minor, (SELECT amount_minor FROM transfer AS held WHERE held.key = transfer.hold),
                key
            FROM transfer WHERE key = :name OR (key >= :name || '|' AND key < :name || '}') ORDER BY seq""",
            {"name": name},
        )
        found += [Movement(*row) for row in rows]
    return sorted(found, key=lambda movement: movement.seq)


def message_before(db: Readable, at_ms: int) -> int:
    """A number below which the message log holds what was said until `at_ms`; found by halving, for the log has no index by time."""
    low, high = db.execute("SELECT coalesce(min(id), 1), coalesce(max(id), 0) + 1 FROM message_log").fetchone()
    while low < high:
        middle = (low + high) // 2
        row = db.execute("SELECT at_ms FROM message_log WHERE id >= ? ORDER BY id LIMIT 1", (middle,)).fetchone()
        if row is not None and row[0] <= at_ms:
            low = middle + 1
        else:
            high = middle
    return int(low)
