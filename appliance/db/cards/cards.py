"""Cards as rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from appliance.db.cards.limits import LIMITS
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.sessions.open_sessions import IS_OPEN
from appliance.domain.cards.content import ContentState
from appliance.domain.identifiers import CardId, PersonId, SessionId
from appliance.domain.order import natural
from appliance.domain.words import folded


@dataclass(frozen=True, slots=True)
class Card:
    """A card and its standing."""

    id: CardId
    uid: str
    person_id: PersonId
    person: str
    label: str
    transactions_max: int
    expires_at_ms: int | None
    blocked_at_ms: int | None
    blocked_why: str
    replaced_by: CardId | None
    created_at_ms: int
    number: int
    """The running number printed on it."""
    kind: str
    """The chip; "" when no reader of ours has seen it."""
    token: str
    """The opaque end of its link to the holder's page."""
    issue: int
    content: ContentState
    """Whether our content is on the chip."""
    deposit_minor: int
    has_pin: bool


@dataclass(frozen=True, slots=True)
class CardGiven:
    """What is recorded when a card is given to somebody."""

    person: PersonId
    label: str
    transactions_max: int
    expires_at_ms: int | None
    token: str
    kind: str
    id_token_type: str = ""


CARD = """
SELECT card.id, uid, person_id, person.name, label, transactions_max, expires_at_ms, blocked_at_ms, blocked_why,
       replaced_by, card.created_at_ms, card.number, kind, token, issue, content, deposit_minor, pin_hash <> ''
FROM card JOIN person ON person.id = person_id
"""


def find(db: Readable, card: CardId) -> Card | None:
    """One card."""
    return _from_row(db.execute(CARD + "WHERE card.id = ?", (card,)).fetchone())


def by_uid(db: Readable, uid: str) -> Card | None:
    """One card by its UID in normal form."""
    return _from_row(db.execute(CARD + "WHERE uid = ?", (uid,)).fetchone())


def by_token(db: Readable, token: str) -> Card | None:
    """One card by the end of its link."""
    return _from_row(db.execute(CARD + "WHERE token = ?", (token,)).fetchone())


def by_number(db: Readable, number: int) -> Card | None:
    """One card by the number printed on it."""
    return _from_row(db.execute(CARD + "WHERE card.number = ?", (number,)).fetchone())


def of_person(db: Readable, person: PersonId) -> list[Card]:
    """All cards of a person, the newest first."""
    return from_rows(db.execute(CARD + "WHERE person_id = ? ORDER BY card.id DESC", (person,)))


def add(db: Database, uid: str, given: CardGiven, now_ms: int) -> CardId:
    """A new card with the next number; IntegrityError if the UID is known."""
    row = db.execute(
        """INSERT INTO card (uid, person_id, label, label_key, label_words, transactions_max, expires_at_ms, token, kind, id_token_type,
            created_at_ms, number)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(number), 0) + 1 FROM card)) RETURNING id""",
        (
            uid, given.person, given.label, natural(given.label), folded(given.label), given.transactions_max, given.expires_at_ms, given.token,
            given.kind, given.id_token_type, now_ms,
        ),
    ).fetchone()  # fmt: skip
    return CardId(row[0])


def reissue(db: Database, card: CardId, given: CardGiven, now_ms: int) -> None:
    """A card that came back goes to another holder: its number stays, all else begins anew."""
    db.execute(
        """UPDATE card SET person_id = ?, label = ?, label_key = ?, label_words = ?, transactions_max = ?, expires_at_ms = ?, token = ?, kind = ?,
        id_token_type = ?, issue = min(issue + 1, 65535), content = 'none', deposit_minor = 0, pin_hash = '', created_at_ms = ?,
        blocked_at_ms = NULL, blocked_why = '', replaced_by = NULL WHERE id = ?""",
        (
            given.person, given.label, natural(given.label), folded(given.label), given.transactions_max, given.expires_at_ms,
            given.token, given.kind, given.id_token_type, now_ms, card,
        ),
    )  # fmt: skip
    db.execute("DELETE FROM card_limit WHERE card_id = ?", (card,))
    db.execute("DELETE FROM card_station WHERE card_id = ?", (card,))
    LIMITS.drop(db, card)


def renew_link(db: Database, card: CardId, token: str) -> None:
    """A new link and a new issue: what is on older copies is worth nothing any more."""
    db.execute("UPDATE card SET token = ?, issue = min(issue + 1, 65535) WHERE id = ?", (token, card))


def set_content(db: Database, card: CardId, content: ContentState) -> None:
    """What is to stand on the chip, or does."""
    db.execute("UPDATE card SET content = ? WHERE id = ?", (str(content), card))


def set_kind(db: Database, card: CardId, kind: str) -> None:
    """The chip, as a reader named it."""
    db.execute("UPDATE card SET kind = ? WHERE id = ? AND kind <> ?", (kind, card, kind))


def set_deposit(db: Database, card: CardId, amount_minor: int) -> None:
    """What was taken for the card and is to be given back with it."""
    db.execute("UPDATE card SET deposit_minor = ? WHERE id = ?", (amount_minor, card))


def set_pin_hash(db: Database, card: CardId, pin_hash: str) -> None:
    """The PIN of the holder's page; "" for none."""
    db.execute("UPDATE card SET pin_hash = ? WHERE id = ?", (pin_hash, card))


def pin_hash(db: Readable, card: CardId) -> str:
    """The stored hash; "" for none."""
    return str(db.execute("SELECT pin_hash FROM card WHERE id = ?", (card,)).fetchone()[0])


def change(
    db: Database, card: CardId, *, person: PersonId, label: str, transactions_max: int, expires_at_ms: int | None
) -> None:
    """Whose it is and until when."""
    db.execute(
        "UPDATE card SET person_id = ?, label = ?, label_key = ?, label_words = ?, transactions_max = ?, expires_at_ms = ? WHERE id = ?",
        (person, label, natural(label), folded(label), transactions_max, expires_at_ms, card),
    )


def set_blocked(db: Database, card: CardId, at_ms: int | None, why: str, replaced_by: CardId | None = None) -> None:
    """Block it, or with None unblock it."""
    db.execute(
        "UPDATE card SET blocked_at_ms = ?, blocked_why = ?, replaced_by = ? WHERE id = ?",
        (at_ms, why, replaced_by, card),
    )


def running_on_card(db: Readable, uid: str) -> list[SessionId]:
    """The sessions that a card has open."""
    rows = db.execute(f"SELECT id FROM session WHERE id_token = ? AND {IS_OPEN}", (uid,))
    return [SessionId(row[0]) for row in rows]


def from_rows(rows: Iterable[tuple[Any, ...]]) -> list[Card]:
    """The cards that a query found."""
    return [card for row in rows if (card := _from_row(row)) is not None]


def _from_row(row: tuple[Any, ...] | None) -> Card | None:
    if row is None:
        return None
    *first, content, deposit_minor, has_pin = row
    values: tuple[Any, ...] = (*first, ContentState(content), deposit_minor, bool(has_pin))
    return Card(*values)
