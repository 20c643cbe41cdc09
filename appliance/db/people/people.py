"""People as rows."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database, flush
from appliance.db.sessions.open_sessions import BY_NUMBER, IS_OPEN
from appliance.domain.identifiers import AccountId, GroupId, PersonId, SessionId
from appliance.domain.order import natural


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

    @property
    def payable_minor(self) -> int:
        """What can be paid out: all that is there, but what is held for a session."""
        return max(0, self.balance_minor - self.held_minor)


PHONE_MARKS = " -()+./"
PERSON = """
SELECT person.id, person.name, phone, note, language, group_id, person_group.name, policy, wallet_id,
       credit_posted - debit_posted, debit_pending, credit_posted - debit_posted - debit_pending - floor_minor,
       (SELECT count(*) FROM card WHERE card.person_id = person.id AND blocked_at_ms IS NULL),
       person.created_at_ms, closed_at_ms, merged_into,
       coalesce((SELECT into_whom.name FROM person AS into_whom WHERE into_whom.id = person.merged_into), '')
FROM person JOIN person_group ON person_group.id = group_id JOIN account ON account.id = wallet_id
"""

# --- people --------------------------------------------------------------------------------------------------------------


def find(db: Readable, person: PersonId) -> Person | None:
    """One person."""
    flush(db)
    row = db.execute(PERSON + "WHERE person.id = ?", (person,)).fetchone()
    return Person(*row) if row else None


def count(db: Readable) -> int:
    """How many people there are, those who left not counted."""
    return int(db.execute("SELECT count(*) FROM person WHERE closed_at_ms IS NULL").fetchone()[0])


def add(
    db: Database, *, name: str, phone: str, note: str, language: str, group: GroupId, wallet: AccountId, now_ms: int
) -> PersonId:
    """A new person."""
    row = db.execute(
        """INSERT INTO person (name, name_key, phone, phone_digits, note, language, group_id, wallet_id, created_at_ms)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id""",
        (name, natural(name), phone, phone_digits(phone), note, language, group, wallet, now_ms),
    ).fetchone()
    return PersonId(row[0])


def change(db: Database, person: PersonId, *, name: str, phone: str, note: str, language: str, group: GroupId) -> None:
    """Who they are and how they pay."""
    db.execute(
        """UPDATE person SET name = ?, name_key = ?, phone = ?, phone_digits = ?, note = ?, language = ?, group_id = ?
        WHERE id = ?""",
        (name, natural(name), phone, phone_digits(phone), note, language, group, person),
    )


def phone_digits(phone: str) -> str:
    """A telephone number as it is looked for: without what stands before its digits and between them."""
    return "".join(character for character in phone if character not in PHONE_MARKS)


def set_closed(db: Database, person: PersonId, at_ms: int | None, merged_into: PersonId | None = None) -> None:
    """They have left, were merged into somebody else, or come back."""
    db.execute("UPDATE person SET closed_at_ms = ?, merged_into = ? WHERE id = ?", (at_ms, merged_into, person))


# --- groups --------------------------------------------------------------------------------------------------------------

# --- cards ---------------------------------------------------------------------------------------------------------------


def running_of(db: Readable, person: PersonId) -> list[SessionId]:
    """The sessions that a person has open."""
    rows = db.execute(
        f"SELECT id FROM session WHERE person_id = ? AND ended_at_ms IS NULL AND {IS_OPEN} ORDER BY {BY_NUMBER}",
        (person,),
    )
    return [SessionId(row[0]) for row in rows]


def in_review(db: Readable, person: PersonId) -> list[SessionId]:
    """The sessions of a person of which somebody must say what is billed."""
    rows = db.execute("SELECT id FROM session WHERE person_id = ? AND state = 'review' ORDER BY id", (person,))
    return [SessionId(row[0]) for row in rows]
