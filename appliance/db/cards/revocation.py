"""Cards that died within a span of time, with all that stations may call them, as rows. Nothing here writes."""

from __future__ import annotations

from appliance.db.engine.protocols import Readable
from appliance.domain.identifiers import StationId

TOKENS_MAX = 1000
"""More than so many are not told one by one; the cache is cleared as a whole anyway."""


def last_contacts(db: Readable) -> dict[StationId, int]:
    """When the last connection of each station began or ended."""
    rows = db.execute("SELECT id, seen_at_ms FROM station WHERE seen_at_ms IS NOT NULL")
    return {StationId(station): at_ms for station, at_ms in rows}


def revoked_since(db: Readable, since_ms: int, now_ms: int) -> list[tuple[str, int]]:
    """What the cards are called that were blocked or replaced, ran out or lost their holder from `since_ms` on, and when that was."""
    rows = db.execute(
        """WITH touched AS (
          SELECT id FROM card WHERE blocked_at_ms >= :since
          UNION SELECT id FROM card WHERE expires_at_ms BETWEEN :since AND :now
          UNION SELECT card.id FROM person CROSS JOIN card WHERE card.person_id = person.id AND closed_at_ms >= :since
          ORDER BY id DESC LIMIT :most),
        revoked AS (
          SELECT card.id, uid, max(coalesce(blocked_at_ms, 0), coalesce(closed_at_ms, 0),
                                   CASE WHEN expires_at_ms <= :now THEN expires_at_ms ELSE 0 END) AS at_ms
          FROM touched JOIN card ON card.id = touched.id JOIN person ON person.id = card.person_id)
        SELECT uid, at_ms FROM revoked UNION ALL SELECT token, at_ms FROM card_alias JOIN revoked ON revoked.id = card_id""",
        {"since": since_ms, "now": now_ms, "most": TOKENS_MAX},
    )
    return [(str(token), int(at_ms)) for token, at_ms in rows]


def expired_between(db: Readable, since_ms: int, now_ms: int) -> list[tuple[int, tuple[str, ...]]]:
    """Cards whose time ran out after `since_ms` and not after `now_ms`, each with what it is called."""
    rows = db.execute(
        "SELECT id, uid FROM card WHERE expires_at_ms > ? AND expires_at_ms <= ? AND blocked_at_ms IS NULL",
        (since_ms, now_ms),
    ).fetchall()
    found = []
    for card, uid in rows:
        aliases = db.execute("SELECT token FROM card_alias WHERE card_id = ? ORDER BY token", (card,))
        found.append((int(card), (str(uid), *(str(row[0]) for row in aliases))))
    return found
