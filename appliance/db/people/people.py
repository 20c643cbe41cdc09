"""People as rows."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database, flush
from appliance.db.sessions.open_sessions import IS_OPEN
from appliance.domain.identifiers import AccountId, GroupId, PersonId, SessionId
from appliance.domain.order import natural
from appliance.domain.words import folded


@dataclass(frozen=True, slots=True)
class Person:
    """A person with their group and what is in their wallet (`available_minor` None: no limit)."""

    id: PersonId
    name: str
    phone: str
    note: str
    language: str
    group_id: GroupId
    group: str
    policy: str
    wallet: AccountId
    balance_minor: int
    held_minor: int
    available_minor: int | None
    cards: int
    created_at_ms: int
    closed_at_ms: int | None
    merged_into: PersonId | None
    """With whom everything of theirs is, because they turned out to be one."""
    merged_name: str
    """Of that one; "" for nobody."""
    is_pool: bool
    """It is a pool: several people charge from this wallet."""
    pool_id: PersonId | None
    """Whose wallet pays for them; None: their own."""
    pool_name: str
    contact: str
    """Of a pool: whom to ask for."""
    tax_number: str
    """Of the buyer on whose name their bills are made out (wallets/bills.py)."""
    emergency_minor: int
    """How far below nothing this wallet may go, because its group grants emergency credit. It is not in `available_minor`."""
    low_minor: int | None
    """Below what their group wants them called; None: as the site's setting."""
    hides_balance: bool
    """Of a pool: its people do not see on the page of their card what is in it."""

    @property
    def payable_minor(self) -> int:
        """What can be paid out: all that is there, but what is held for a session."""
        return max(0, self.balance_minor - self.held_minor)


PHONE_MARKS = " -()+./"
PERSON = """
SELECT person.id, person.name, phone, note, language, group_id, person_group.name, policy, wallet_id,
       credit_posted - debit_posted, debit_pending,
       credit_posted - debit_posted - debit_pending - floor_minor - emergency_minor,
       (SELECT count(*) FROM card WHERE card.person_id = person.id AND blocked_at_ms IS NULL),
       person.created_at_ms, closed_at_ms, merged_into,
       coalesce((SELECT into_whom.name FROM person AS into_whom WHERE into_whom.id = person.merged_into), ''),
       is_pool, pool_id, coalesce((SELECT pool.name FROM person AS pool WHERE pool.id = person.pool_id), ''), contact,
       coalesce((SELECT tax_number FROM buyer WHERE buyer.wallet_id = person.wallet_id), ''), emergency_minor, low_minor, hides_balance
FROM person JOIN person_group ON person_group.id = group_id JOIN account ON account.id = wallet_id
"""

# --- people --------------------------------------------------------------------------------------------------------------


def find(db: Readable, person: PersonId) -> Person | None:
    """One person."""
    flush(db)
    row = db.execute(PERSON + "WHERE person.id = ?", (person,)).fetchone()
    return Person(*row) if row else None


def of_wallet(db: Readable, wallet: AccountId) -> Person | None:
    """Whose wallet it is."""
    flush(db)
    row = db.execute(PERSON + "WHERE wallet_id = ?", (wallet,)).fetchone()
    return Person(*row) if row else None


def count(db: Readable) -> int:
    """How many people there are, those who left not counted."""
    return int(db.execute("SELECT count(*) FROM person WHERE closed_at_ms IS NULL").fetchone()[0])


def add(
    db: Database,
    *,
    name: str,
    phone: str,
    note: str,
    language: str,
    group: GroupId,
    wallet: AccountId,
    now_ms: int,
    is_pool: bool = False,
) -> PersonId:
    """A new person, or a pool."""
    row = db.execute(
        """INSERT INTO person (name, name_key, name_words, phone, phone_digits, note, note_words, language, group_id, wallet_id,
        created_at_ms, is_pool) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id""",
        (
            name, natural(name), folded(name), phone, phone_digits(phone), note, folded(note), language, group, wallet, now_ms, is_pool,
        ),
    ).fetchone()  # fmt: skip
    return PersonId(row[0])


def change(db: Database, person: PersonId, *, name: str, phone: str, note: str, language: str, group: GroupId) -> None:
    """Who they are and how they pay."""
    db.execute(
        """UPDATE person SET name = ?, name_key = ?, name_words = ?, phone = ?, phone_digits = ?, note = ?, note_words = ?, language = ?,
        group_id = ? WHERE id = ?""",
        (
            name, natural(name), folded(name), phone, phone_digits(phone), note, folded(note), language, group, person,
        ),
    )  # fmt: skip


def set_contact(db: Database, person: PersonId, *, contact: str, hides_balance: bool) -> None:
    """Whom to ask for, and whether those who charge from it see what is in it."""
    db.execute("UPDATE person SET contact = ?, hides_balance = ? WHERE id = ?", (contact, hides_balance, person))


def phone_digits(phone: str) -> str:
    """A telephone number as it is looked for: without what stands before its digits and between them."""
    return "".join(character for character in phone if character not in PHONE_MARKS)


def set_closed(db: Database, person: PersonId, at_ms: int | None, merged_into: PersonId | None = None) -> None:
    """They have left, were merged into somebody else, or come back."""
    db.execute("UPDATE person SET closed_at_ms = ?, merged_into = ? WHERE id = ?", (at_ms, merged_into, person))


# --- pools ---------------------------------------------------------------------------------------------------------------


def set_pool(db: Database, person: PersonId, pool: PersonId | None) -> None:
    """Whose wallet pays for them from now on; None: their own."""
    db.execute("UPDATE person SET pool_id = ? WHERE id = ?", (pool, person))


def members(db: Readable, pool: PersonId) -> list[Person]:
    """Who charges from the wallet of a pool, by name."""
    flush(db)
    rows = db.execute(PERSON + "WHERE pool_id = ? AND closed_at_ms IS NULL ORDER BY name_key, person.id", (pool,))
    return [Person(*row) for row in rows]


def pools(db: Readable, *, closed: bool = False) -> list[Person]:
    """All pools, by name."""
    flush(db)
    which = "closed_at_ms IS NOT NULL" if closed else "closed_at_ms IS NULL"
    rows = db.execute(PERSON + f"WHERE is_pool = 1 AND {which} ORDER BY name_key, person.id")
    return [Person(*row) for row in rows]


# --- sessions ------------------------------------------------------------------------------------------------------------


def running_of(db: Readable, person: PersonId) -> list[SessionId]:
    """The sessions that a person has open, or a pool pays for."""
    return _sessions(db, person, f"ended_at_ms IS NULL AND {IS_OPEN}")


def in_review(db: Readable, person: PersonId) -> list[SessionId]:
    """The same of sessions of which somebody must say what is billed."""
    return _sessions(db, person, "state = 'review'")


def _sessions(db: Readable, person: PersonId, which: str) -> list[SessionId]:
    found = {
        SessionId(row[0])
        for column in ("person_id", "pool_id")
        for row in db.execute(f"SELECT id FROM session WHERE {column} = ? AND {which}", (person,))
    }
    return sorted(found)
