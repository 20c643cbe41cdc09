"""Statements as rows: numbered without gaps, in series, never changed. The rules are in the schema's triggers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.bill import Party
from appliance.domain.identifiers import AccountId, GroupId, PersonId
from appliance.domain.statement import Sums


@dataclass(frozen=True, slots=True)
class Names:
    """Names as they were when the statement was issued."""

    seller: Party
    buyer: Party
    person: str
    language: str
    """The person's; "" for the site's."""
    group: str
    policy: str

    @classmethod
    def read(cls, text: str) -> Names:
        """Back from what is kept."""
        found: dict[str, Any] = orjson.loads(text)
        return cls(Party(**found.pop("seller")), Party(**found.pop("buyer")), **found)


@dataclass(frozen=True, slots=True)
class Issued:
    """A statement that was issued."""

    number: int
    wallet: AccountId
    person: PersonId | None
    group: GroupId
    month: str
    issued_at_ms: int
    due_at_ms: int | None
    after_seq: int
    until_seq: int
    before_minor: int
    sums: Sums
    after_minor: int
    names: Names


STATEMENT = """
SELECT number, wallet_id, person_id, group_id, month, issued_at_ms, due_at_ms, after_seq, until_seq, before_minor,
  sessions_minor, topups_minor, refunds_minor, corrections_minor, after_minor, details
FROM statement
"""


def add(
    db: Database,
    wallet: AccountId,
    person: PersonId | None,
    group: GroupId,
    month: str,
    *,
    seqs: tuple[int, int],
    before_minor: int,
    sums: Sums,
    due_at_ms: int | None,
    names: Names,
    now_ms: int,
) -> int:
    """The next statement; `seqs` are after which row of the ledger it begins, and with which it ends. Its number."""
    row = db.execute(
        """INSERT INTO statement (number, wallet_id, person_id, group_id, month, issued_at_ms, due_at_ms, after_seq, until_seq,
          before_minor, sessions_minor, topups_minor, refunds_minor, corrections_minor, after_minor, details)
        VALUES ((SELECT CASE WHEN newest < statements_from THEN statements_from ELSE newest + 1 END
            FROM site, (SELECT coalesce(max(number), 0) AS newest FROM statement) AS given),
          ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING number""",
        (
            wallet, person, group, month, now_ms, due_at_ms, *seqs, before_minor, *sums, before_minor + sums.total,
            orjson.dumps(names).decode(),
        ),
    ).fetchone()  # fmt: skip
    return int(row[0])


def find(db: Readable, wallet: AccountId, month: str) -> Issued | None:
    """The statement of a wallet and a month, if it was issued."""
    row = db.execute(STATEMENT + "WHERE wallet_id = ? AND month = ?", (wallet, month)).fetchone()
    return _issued(row) if row else None


def by_number(db: Readable, number: int) -> Issued | None:
    """One statement."""
    row = db.execute(STATEMENT + "WHERE number = ?", (number,)).fetchone()
    return _issued(row) if row else None


def of_month(db: Readable, month: str, group: GroupId | None = None) -> list[Issued]:
    """All that were issued for a month, or those of a group as it was then, in order."""
    if group is None:
        rows = db.execute(STATEMENT + "WHERE month = ? ORDER BY number", (month,))
    else:
        rows = db.execute(STATEMENT + "WHERE group_id = ? AND month = ? ORDER BY number", (group, month))
    return [_issued(row) for row in rows]


def next_after(db: Readable, wallet: AccountId, seq: int) -> tuple[int, int] | None:
    """The first statement that begins at or after a row of the ledger: after which it begins, and the balance then."""
    row: tuple[int, int] | None = db.execute(
        "SELECT after_seq, before_minor FROM statement WHERE wallet_id = ? AND after_seq >= ? ORDER BY month LIMIT 1",
        (wallet, seq),
    ).fetchone()
    return row


# --- up to which month they are issued ---------------------------------------------------------------------------------------


def issued_until(db: Readable) -> str:
    """The last month whose statements are all issued; "" if none is."""
    return str(db.execute("SELECT statements_month FROM site").fetchone()[0])


def set_issued_until(db: Database, month: str) -> None:
    """All of it is done."""
    db.execute("UPDATE site SET statements_month = ?", (month,))


def _issued(row: tuple[Any, ...]) -> Issued:
    values: tuple[Any, ...] = (*row[:10], Sums(*row[10:14]), row[14], Names.read(row[15]))
    return Issued(*values)
