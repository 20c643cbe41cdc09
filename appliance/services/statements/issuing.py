"""Statements are numbered when their month is over: one for each wallet on which anything moved, some at a time."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.db import site as sites
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people import people
from appliance.db.statements import movements
from appliance.db.statements import statements as rows
from appliance.domain import statement as rules
from appliance.domain.identifiers import AccountId
from appliance.services import settings
from appliance.services.statements.statements import balance_at, bounds, due_at, names_of

AFTER_MS = 300_000
"""So long after its end a month is closed: what was asked for in its last moments is in the ledger by then."""
WALLETS_AT_ONCE = 25


def due(db: Readable, now_ms: int) -> str | None:
    """The month whose statements are to be issued now; None: none is over, or all are done."""
    site = sites.read(db)
    done = rows.issued_until(db)
    month = rules.moved(done, 1) if done else rules.month_of(now_ms, site.zone)
    return month if now_ms >= rules.month_bounds(month, site.zone)[1] + AFTER_MS else None


def begin(db: Database, now_ms: int) -> None:
    """A site that has never issued any begins with the month that runs: what was before is shown, and has no number."""
    if not rows.issued_until(db):
        rows.set_issued_until(db, rules.moved(rules.month_of(now_ms, sites.of(db).zone), -1))


def wallets_of(db: Readable, month: str) -> list[AccountId]:
    """The wallets on which anything moved in a month."""
    begin_ms, end_ms = rules.month_bounds(month, sites.read(db).zone)
    return movements.wallets_moved(db, movements.last_before(db, begin_ms), movements.last_before(db, end_ms))


def issue(db: Database, month: str, wallets: Sequence[AccountId], now_ms: int) -> None:
    """Some of them. Done again, it does nothing."""
    site, values = sites.of(db), settings.of(db)
    for wallet in wallets:
        holder = people.of_wallet(db, wallet)
        if holder is None or rows.find(db, wallet, month) is not None:
            continue
        after_seq, until_seq = bounds(db, wallet, month, site)
        before_minor = balance_at(db, wallet, after_seq)
        sums = rules.sums(rules.entries(before_minor, movements.between(db, wallet, after_seq, until_seq)))
        rows.add(
            db, wallet, holder.id, holder.group_id, month, seqs=(after_seq, until_seq), before_minor=before_minor, sums=sums,
            due_at_ms=due_at(before_minor + sums.total, holder.policy, values, now_ms), names=names_of(db, holder, site),
            now_ms=now_ms,
        )  # fmt: skip


def finish(db: Database, month: str) -> None:
    """All statements of a month are issued."""
    rows.set_issued_until(db, month)
