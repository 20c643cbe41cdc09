"""What happened to one person's wallet or to one session's money, merged from sessions and ledger. Nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from appliance.db.engine.protocols import Readable
from appliance.domain.identifiers import AccountId, PersonId, SessionId
from appliance.domain.ledger import TransferCode

NAMED = "WHERE (key = :name OR (key >= :name || '|' AND key < :name || '}'))"
"""Transfers of this name, or whose names begin with it."""


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
    heard_at_ms: int
    """When it came into the books, a session with its beginning."""
    wallet: AccountId | None
    """From which wallet a session is paid; None: from none, or it is no session."""
    other: str
    """Of a session that a pool pays for: on the pool's page who charged, on theirs the pool; else ""."""
    session: str = ""
    """The number of the session that it is, or whose bill it has set right."""


class Records(NamedTuple):
    """One page of them."""

    shown: list[Record]
    """In the order of the moments that they show, the newest first."""
    older_ms: int | None
    """Where the next page begins: `before_ms` of it; None: there is none."""


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


HEARD = "coalesce(requested_at_ms, received_at_ms)"
SESSIONS = f"""
SELECT 'session', session.id, coalesce(ended_at_ms, started_at_ms, requested_at_ms), session.state, station.name, energy_wh, duration_s,
       0, '', '', '', {HEARD}, session.wallet_id, coalesce(other.name, ''), CAST(session.id AS TEXT)
FROM session LEFT JOIN station ON station.id = session.station_id LEFT JOIN person AS other ON other.id = {{other}}
WHERE {{whose}} = :person AND session.id < :session AND session.state <> 'failed' ORDER BY session.id DESC LIMIT :limit
"""
OF_PERSON = SESSIONS.format(whose="session.person_id", other="session.pool_id")
OF_POOL = SESSIONS.format(whose="session.pool_id", other="session.person_id")
ENTRY = """SELECT 'entry', seq, at_ms, '', '', 0, 0, {sign}amount_minor, code, reference, actor, at_ms, NULL, '',
       CASE WHEN key LIKE 'fix|%' THEN reference ELSE '' END FROM transfer"""
# Word for word the conditions of the indices `transfer_given` and `transfer_paid_out`: among all charges of a busy wallet the rest is hard to find.
GIVEN = "op = 'post' AND code NOT IN ('topup', 'tax')"
PAID_OUT = "op = 'post' AND code NOT IN ('charge', 'tax', 'overrun')"
OUT = (
    f"{ENTRY.format(sign='-')} WHERE debit = :wallet AND {PAID_OUT} AND at_ms < :before ORDER BY seq DESC LIMIT :limit"
)
IN = (
    f"{ENTRY.format(sign='')} WHERE credit = :wallet AND op = 'post' AND at_ms < :before ORDER BY seq DESC LIMIT :limit"
)


def of_person(
    db: Readable,
    person: PersonId,
    wallet: AccountId,
    *,
    is_pool: bool = False,
    before_ms: int | None = None,
    limit: int = 30,
) -> Records:
    """Sessions of a person, whoever paid, and movements on their wallet, that came into the books before a moment; of a pool the
    sessions that it pays for. What a session cost is in its own row.
    """
    values = {
        "person": person,
        "wallet": wallet,
        "before": before_ms or 2**62,
        "session": _first_heard(db, before_ms) if before_ms is not None else 2**62,
        "limit": limit + 1,
    }
    sessions = OF_POOL if is_pool else OF_PERSON
    # Each list is read from its newest end on.
    found = [Record(*row) for query in (sessions, OUT, IN) for row in db.execute(query, values)]
    found.sort(key=lambda record: (-record.heard_at_ms, record.kind, -record.id))
    page, older_ms = found[:limit], None
    if len(found) > limit:
        # What came at one moment is on one page, or the next one would miss some of it.
        older_ms = found[limit].heard_at_ms + 1
        page = [record for record in page if record.heard_at_ms >= older_ms] or page
    shown = [
        replace(record, amount_minor=-_charged_minor(db, record.id, record.wallet)) if record.wallet else record
        for record in page
    ]
    return Records(sorted(shown, key=lambda record: (-record.at_ms, record.kind, -record.id)), older_ms)


def _first_heard(db: Readable, at_ms: int) -> int:
    """The first session that we heard of at a moment or after it: a start or a start request comes into the books with the next number."""
    return first_number(db, "session", HEARD, at_ms)


def _charged_minor(db: Readable, session: int, wallet: AccountId) -> int:
    """What a session has taken from a wallet: out of its slices, beyond them, and by corrections."""
    return sum(
        amount_minor
        for name in ("end", "fee", "fix")
        for debit, code, amount_minor in db.execute(
            f"SELECT debit, code, amount_minor FROM transfer {NAMED} AND op IN ('post', 'capture')",
            {"name": f"{name}|{session}"},
        )
        if debit == wallet and code == TransferCode.CHARGE
    )


def paid_in_minor(db: Readable, wallet: AccountId) -> int:
    """All top-ups of a wallet less what was paid out."""
    # All that came in less what was no top-up: of a fleet's thousands of top-ups none is looked at.
    row = db.execute(
        f"""SELECT credit_posted - coalesce((SELECT sum(amount_minor) FROM transfer WHERE credit = :wallet AND {GIVEN}), 0)
          - coalesce((SELECT sum(amount_minor) FROM transfer WHERE debit = :wallet AND {PAID_OUT} AND code = 'refund'), 0)
        FROM account WHERE id = :wallet""",
        {"wallet": wallet},
    ).fetchone()
    return int(row[0])


def of_session(db: Readable, session: SessionId) -> list[Movement]:
    """The transfers of a session in order: they are found by their names, which begin with what they are."""
    ranges = [f"{name}|{session}" for name in ("hold", "end", "fee", "over|fee", "tax", "fix", "over|fix", "tax|fix")]
    found: list[Movement] = []
    for name in ranges:
        rows = db.execute(
            f"""SELECT seq, at_ms, op, code, amount_minor, (SELECT amount_minor FROM transfer AS held WHERE held.key = transfer.hold),
                key
            FROM transfer {NAMED} ORDER BY seq""",
            {"name": name},
        )
        found += [Movement(*row) for row in rows]
    return sorted(found, key=lambda movement: movement.seq)


def message_before(db: Readable, at_ms: int) -> int:
    """A number below which the message log holds what was said until `at_ms`."""
    return first_number(db, "message_log", "at_ms", at_ms + 1)


def first_number(db: Readable, table: str, moment: str, at_ms: int) -> int:
    """The first row of a table without an index by time whose `moment` is not before `at_ms`; one beyond the last if there is none.

    Found by halving: rows get their numbers as they come.
    """
    # Two queries, because each by itself looks at one row, and both in one at all of them.
    low = db.execute(f"SELECT coalesce(min(id), 1) FROM {table}").fetchone()[0]
    high = db.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()[0]
    while low < high:
        middle = (low + high) // 2
        row = db.execute(f"SELECT {moment} FROM {table} WHERE id >= ? ORDER BY id LIMIT 1", (middle,)).fetchone()
        if row is not None and row[0] < at_ms:
            low = middle + 1
        else:
            high = middle
    return int(low)
