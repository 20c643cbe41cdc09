"""What chargers call cards whose UIDs they read in ways of their own, as rows."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.identifiers import CardId


@dataclass(frozen=True, slots=True)
class Alias:
    """What chargers of one make call a card."""

    token: str
    likeness: str
    vendor: str
    model: str
    """Both "" where the staff said so without a charger."""
    created_at_ms: int


def find(db: Readable, token: str) -> CardId | None:
    """The card that is called so."""
    row = db.execute("SELECT card_id FROM card_alias WHERE token = ?", (token,)).fetchone()
    return CardId(row[0]) if row else None


def of_card(db: Readable, card: CardId) -> list[str]:
    """What a card is called besides its UID."""
    return [str(row[0]) for row in db.execute("SELECT token FROM card_alias WHERE card_id = ? ORDER BY token", (card,))]


def listed(db: Readable, card: CardId) -> list[Alias]:
    """The same with how it was learned, the newest first."""
    rows = db.execute(
        """SELECT token, likeness, vendor, model, created_at_ms FROM card_alias WHERE card_id = ?
        ORDER BY created_at_ms DESC, token""",
        (card,),
    )
    return [Alias(*row) for row in rows]


def add(db: Database, token: str, card: CardId, likeness: str, vendor: str, model: str, now_ms: int) -> None:
    """A charger of this vendor and model calls the card so; IntegrityError if another card is."""
    db.execute(
        "INSERT INTO card_alias (token, card_id, likeness, vendor, model, created_at_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (token, card, likeness, vendor, model, now_ms),
    )


def remove(db: Database, token: str) -> bool:
    """Nobody is called so any more; whether somebody was."""
    return db.execute("DELETE FROM card_alias WHERE token = ?", (token,)).rowcount > 0
