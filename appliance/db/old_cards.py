"""Cards of an earlier local system as rows: listed, booked, emptied. A row is booked once, for its transfer has the card's name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.identifiers import CardId


class OldState(StrEnum):
    """What has become of it; these words are stored."""

    LISTED = "listed"
    BOOKED = "booked"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class OldCard:
    """One of them."""

    uid: str
    state: OldState
    amount_minor: int
    name: str
    card_id: CardId | None
    receipt: int | None
    copies: int
    at_ms: int

    @property
    def is_taken_over(self) -> bool:
        """Whether its money is in a wallet."""
        return self.state is not OldState.LISTED


OLD_CARD = "SELECT uid, state, amount_minor, name, card_id, receipt, copies, at_ms FROM old_card"


def find(db: Readable, uid: str) -> OldCard | None:
    """One by its UID in normal form."""
    row = db.execute(f"{OLD_CARD} WHERE uid = ?", (uid,)).fetchone()
    return OldCard(row[0], OldState(row[1]), *row[2:]) if row is not None else None


def newest(db: Readable, limit: int) -> list[OldCard]:
    """The last ones that anything was done with."""
    rows = db.execute(f"{OLD_CARD} ORDER BY at_ms DESC LIMIT ?", (limit,))
    return [OldCard(row[0], OldState(row[1]), *row[2:]) for row in rows]


def sums(db: Readable) -> dict[OldState, tuple[int, int]]:
    """How many there are in each state, and what they come to."""
    rows = db.execute("SELECT state, count(*), sum(amount_minor) FROM old_card GROUP BY state")
    return {OldState(state): (count, minor) for state, count, minor in rows}


def put_on_list(db: Database, cards: Iterable[tuple[str, int, str]], by: By) -> int:
    """UID, amount and name of each; those that were taken over already stay as they are. How many are listed now."""
    listed = 0
    for uid, amount_minor, name in cards:
        listed += db.execute(
            """INSERT INTO old_card (uid, state, amount_minor, name, actor, at_ms) VALUES (?, 'listed', ?, ?, ?, ?)
            ON CONFLICT (uid) DO UPDATE SET amount_minor = excluded.amount_minor, name = excluded.name, actor = excluded.actor,
                at_ms = excluded.at_ms WHERE old_card.state = 'listed'""",
            (uid, amount_minor, name, by.actor, by.at_ms),
        ).rowcount
    return listed


def set_booked(db: Database, uid: str, amount_minor: int, card: CardId, receipt: int, by: By) -> None:
    """Its money is in a wallet."""
    db.execute(
        """INSERT INTO old_card (uid, state, amount_minor, card_id, receipt, actor, at_ms) VALUES (?, 'booked', ?, ?, ?, ?, ?)
        ON CONFLICT (uid) DO UPDATE SET state = 'booked', amount_minor = excluded.amount_minor, card_id = excluded.card_id,
            receipt = excluded.receipt, actor = excluded.actor, at_ms = excluded.at_ms""",
        (uid, amount_minor, card, receipt, by.actor, by.at_ms),
    )


def set_cleared(db: Database, uid: str, now_ms: int) -> None:
    """The number on the chip is gone."""
    db.execute("UPDATE old_card SET state = 'cleared', at_ms = ? WHERE uid = ? AND state = 'booked'", (now_ms, uid))


def count_copy(db: Database, uid: str) -> None:
    """Another card with this UID had money on it."""
    db.execute("UPDATE old_card SET copies = copies + 1 WHERE uid = ?", (uid,))


def taken_over_minor(db: Readable) -> int:
    """What all that were taken over come to."""
    row = db.execute("SELECT coalesce(sum(amount_minor), 0) FROM old_card WHERE state <> 'listed'").fetchone()
    return int(row[0])
