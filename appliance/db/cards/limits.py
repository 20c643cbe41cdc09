"""The limits of cards as rows. What they mean is in domain/cards/limits.py."""

from __future__ import annotations

from dataclasses import replace

from appliance.db.engine.memory import Slots
from appliance.db.engine.protocols import Readable
from appliance.db.engine.sql import marks
from appliance.db.engine.unit import Database
from appliance.db.sessions.open_sessions import BY_NUMBER, IS_RUNNING
from appliance.domain.cards.limits import NO_LIMITS, Limits
from appliance.domain.identifiers import CardId, SessionId

LIMITS = Slots[CardId, Limits]()
COLUMNS = (
    "session_energy_wh", "session_minor", "day_energy_wh", "day_minor", "weekdays", "from_minute", "until_minute",
    "month_energy_wh", "month_minor",
)  # fmt: skip


def of(db: Database, card: CardId) -> Limits:
    """The limits of a card, remembered by the writer, as is that there are none: NO_LIMITS itself."""
    found = LIMITS.get(db, card)
    if found is None:
        found = find(db, card)
        LIMITS.keep(db, card, found)
    return found


def find(db: Readable, card: CardId) -> Limits:
    """The limits of a card; NO_LIMITS itself if there are none."""
    stations = frozenset(
        station for (station,) in db.execute("SELECT station_id FROM card_station WHERE card_id = ?", (card,))
    )
    row = db.execute(f"SELECT {', '.join(COLUMNS)} FROM card_limit WHERE card_id = ?", (card,)).fetchone()
    found = replace(Limits(**dict(zip(COLUMNS, row, strict=True))) if row else NO_LIMITS, stations=stations)
    return NO_LIMITS if found == NO_LIMITS else found


def store(db: Database, card: CardId, limits: Limits) -> None:
    """Set the limits of a card, instead of those that it had."""
    remove(db, card)
    if limits == NO_LIMITS:
        return
    db.execute(
        f"INSERT INTO card_limit (card_id, {', '.join(COLUMNS)}) VALUES (?, {marks(COLUMNS)})",
        (card, *(getattr(limits, name) for name in COLUMNS)),
    )
    rows = [(card, station) for station in sorted(limits.stations)]
    db.executemany("INSERT INTO card_station (card_id, station_id) VALUES (?, ?)", rows)


def remove(db: Database, card: CardId) -> None:
    """Take all limits away."""
    db.execute("DELETE FROM card_limit WHERE card_id = ?", (card,))
    db.execute("DELETE FROM card_station WHERE card_id = ?", (card,))
    LIMITS.drop(db, card)


def copy(db: Database, card: CardId, to: CardId) -> None:
    """Give another card the same limits."""
    store(db, to, find(db, card))


def running(db: Readable) -> list[tuple[SessionId, int]]:
    """Running sessions of cards, people and pools with limits, with when we heard of their start."""
    return db.execute(
        f"""SELECT id, received_at_ms FROM session
        WHERE {IS_RUNNING} AND stop_wanted = ''
          AND (card_id IN (SELECT card_id FROM card_limit) OR card_id IN (SELECT card_id FROM card_station)
            OR person_id IN (SELECT person_id FROM person_limit) OR pool_id IN (SELECT person_id FROM person_limit))
        ORDER BY {BY_NUMBER}"""
    ).fetchall()
