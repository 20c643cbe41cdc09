"""What a restore takes from the books that it replaces, so that a backup revives nothing that was ended since."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.engine.migrate import version
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database

SERIES = 1_000_000
"""How far the receipts of a restored site begin above those of before."""
SINCE_VERSION = 14
"""Of the schema: receipts have series."""
RESTORED = "restored"
"""Why a card is blocked that waits until somebody has looked at it."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """The books that are replaced, as far as they matter for those that take their place."""

    newest_session: int
    newest_receipt: int
    receipts_from: int
    disabled: tuple[str, ...]
    """Logins of operators."""
    revoked: tuple[bytes, ...]
    """Hashes of tokens."""
    blocked: tuple[tuple[str, int, str], ...]
    """Cards: UID, when, and why."""
    cards: tuple[tuple[str, int, int, str], ...]
    """UID, holder, how often it was given out, and what is on it."""
    receipts: tuple[tuple[int, int, int], ...]
    """Number, holder and amount."""


def replaced(db: Readable) -> Replaced:
    """Read it."""
    has_series = version(db) >= SINCE_VERSION
    return Replaced(
        newest_session=db.execute("SELECT coalesce(max(id), 0) FROM session").fetchone()[0],
        newest_receipt=newest_receipt(db),
        receipts_from=db.execute("SELECT receipts_from FROM site").fetchone()[0] if has_series else 1,
        disabled=tuple(login for (login,) in db.execute("SELECT login FROM operator WHERE disabled_at_ms IS NOT NULL")),
        revoked=tuple(one for (one,) in db.execute("SELECT token_hash FROM api_token WHERE revoked_at_ms IS NOT NULL")),
        blocked=tuple(db.execute("SELECT uid, blocked_at_ms, blocked_why FROM card WHERE blocked_at_ms IS NOT NULL")),
        cards=tuple(db.execute("SELECT uid, person_id, issue, content FROM card")),
        receipts=tuple(db.execute("SELECT number, person_id, amount_minor FROM receipt")),
    )


def newest_receipt(db: Readable) -> int:
    """Its number; 0 if there is none."""
    return int(db.execute("SELECT coalesce(max(number), 0) FROM receipt").fetchone()[0])


def end_all_log_ins(db: Database, now_ms: int) -> int:
    """Nobody is logged in any more; how many were."""
    return db.execute("UPDATE operator_session SET ended_at_ms = ? WHERE ended_at_ms IS NULL", (now_ms,)).rowcount


def disable_operators(db: Database, logins: tuple[str, ...], now_ms: int) -> int:
    """Those who were disabled since the backup; how many."""
    return _each(
        db,
        "UPDATE operator SET disabled_at_ms = ? WHERE login = ? AND disabled_at_ms IS NULL",
        [(now_ms, login) for login in logins],
    )


def revoke_tokens(db: Database, hashes: tuple[bytes, ...], now_ms: int) -> int:
    """Those that were revoked since; how many."""
    return _each(
        db,
        "UPDATE api_token SET revoked_at_ms = ? WHERE token_hash = ? AND revoked_at_ms IS NULL",
        [(now_ms, one) for one in hashes],
    )


def block_cards(db: Database, blocked: list[tuple[str, int, str]]) -> int:
    """Cards by UID, when and why, unless they are blocked; how many were not."""
    return _each(
        db,
        "UPDATE card SET blocked_at_ms = ?, blocked_why = ? WHERE uid = ? AND blocked_at_ms IS NULL",
        [(at_ms, why, uid) for uid, at_ms, why in blocked],
    )


def cards(db: Readable) -> dict[str, tuple[int, int, str]]:
    """By UID: holder, how often it was given out, what is on it."""
    return {
        uid: (person, issue, content)
        for uid, person, issue, content in db.execute("SELECT uid, person_id, issue, content FROM card")
    }


def begin_series(db: Database, *, beyond: int) -> int:
    """Let the next receipt begin a series above all of these books and above that number; its number."""
    newest = max(newest_receipt(db), beyond, int(db.execute("SELECT receipts_from FROM site").fetchone()[0]))
    number = (newest // SERIES + 1) * SERIES + 1
    db.execute("UPDATE site SET receipts_from = ?", (number,))
    return number


def _each(db: Database, sql: str, rows: list[tuple[object, ...]]) -> int:
    return sum(db.execute(sql, row).rowcount for row in rows)
