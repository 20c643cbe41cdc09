"""What becomes of the books when a backup takes their place: what was ended since stays ended, and what could be used twice waits.

A card that was given to somebody else, wiped or paid out since the backup is blocked until somebody has looked at it: the backup knows
nothing of that, and its wallet holds money that is gone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from appliance.db import operators, restoring
from appliance.db.engine.unit import Database
from appliance.db.restoring import RESTORED, Replaced
from appliance.db.sessions import sessions
from appliance.domain.by import By
from appliance.domain.problem import ProblemKind
from appliance.domain.session import SessionEvent, after
from appliance.services import audit, problems


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done besides, for whoever restores and for the staff."""

    log_ins: int
    operators: int
    tokens: int
    cards: int
    """Blocked as they were in the books that were replaced."""
    waiting: int
    """Cards that wait for somebody to look."""
    receipts_from: int
    receipts_lost: int
    """Printed since the backup: money moved of which these books know nothing."""
    known: bool
    """Whether the books that were replaced could be read."""


def restored(db: Database, now_ms: int, *, by: By, replaced: Replaced | None) -> Restored:
    """These books are a backup's, and take the place of `replaced` (None: there were none, or they cannot be read).

    Chargers may still hold transactions from since, whose numbers must not become those of other sessions, and people receipts.
    """
    known = replaced
    beyond = known.newest_session if known is not None else 0
    sessions.skip_numbers(db, beyond, after(None, SessionEvent.RENUMBERED), now_ms)
    operators.forget_setup_code(db)
    receipt_before = restoring.newest_receipt(db)
    receipts_from = restoring.begin_series(db, beyond=max(known.newest_receipt, known.receipts_from) if known else 0)
    found = Restored(
        log_ins=restoring.end_all_log_ins(db, now_ms),
        operators=restoring.disable_operators(db, known.disabled, now_ms) if known else 0,
        tokens=restoring.revoke_tokens(db, known.revoked, now_ms) if known else 0,
        cards=restoring.block_cards(db, list(known.blocked)) if known else 0,
        waiting=restoring.block_cards(db, used_since(db, known, receipt_before, now_ms)) if known else 0,
        receipts_from=receipts_from,
        receipts_lost=sum(number > receipt_before for number, _, _ in known.receipts) if known else 0,
        known=known is not None,
    )
    audit.record(db, by, "site.restore", "site", **asdict(found))
    problems.raise_problem(db, ProblemKind.RESTORED, "site", now_ms, **asdict(found))
    return found


def used_since(db: Database, replaced: Replaced, receipt_before: int, now_ms: int) -> list[tuple[str, int, str]]:
    """Cards that became somebody else's or nobody's since the backup, and those of people who were paid out."""
    now = restoring.cards(db)
    paid_out = {
        person for number, person, amount_minor in replaced.receipts if number > receipt_before and amount_minor < 0
    }
    return [
        (uid, now_ms, RESTORED)
        for uid, *later in replaced.cards
        if uid in now and (tuple(later) != now[uid] or now[uid][0] in paid_out)
    ]
