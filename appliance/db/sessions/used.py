"""What a card, a person or a pool has used: on a day and in a month of the site, out of the sums of sessions that are over, and what runs."""

from __future__ import annotations

from typing import NamedTuple

from appliance.db.engine.memory import Slots
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.sessions.open_sessions import IS_RUNNING
from appliance.domain.cards.limits import Whose
from appliance.domain.identifiers import CardId, PersonId, SessionId


class Sums(NamedTuple):
    """Energy and money, with tax."""

    energy_wh: int
    minor: int


USED = Slots[tuple[Whose, int], dict[str, Sums]]()
"""By whose it is: what was used on a day (`2026-11-23`) or in a month (`2026-11`). A session that ends makes it forgotten."""
# One text for each: a condition that may be left out finds no index.
# Written as a cross join, because the order is meant: from the sessions of a day, never through all that somebody ever had.
BY_DAY = """
SELECT coalesce(sum(session_day.energy_wh), 0), coalesce(sum(session_day.fee_minor), 0)
FROM session_day CROSS JOIN session WHERE day = :time AND session.id = session_id AND session.{column} = :id
"""
BY_MONTH = """
SELECT coalesce(sum(energy_wh), 0), coalesce(sum(fee_minor), 0) FROM holder_month WHERE month = :time AND {column} = :id
"""
COLUMN = {Whose.CARD: "card_id", Whose.PERSON: "person_id", Whose.POOL: "pool_id"}
OPEN = {
    Whose.CARD: f"SELECT session.id FROM session JOIN card ON card.uid = id_token WHERE card.id = ? AND {IS_RUNNING}",
    # What is open is looked through: by the index of a person or a pool it would be all that they ever had.
    Whose.PERSON: f"SELECT session.id FROM session WHERE {IS_RUNNING} AND session.person_id + 0 = ?",
    Whose.POOL: f"SELECT session.id FROM session WHERE {IS_RUNNING} AND session.pool_id + 0 = ?",
}
DAY_CHARS = 10


def used_in(db: Database, whose: Whose, number: int, time: str) -> Sums:
    """What the sessions that are over used on a day of the site (`2026-11-23`), or in a month (`2026-11`)."""
    known = USED.get(db, (whose, number))
    if known is None or not known.keys() >= {time}:
        db.flush()
        query = BY_DAY if len(time) == DAY_CHARS else BY_MONTH
        found = Sums(*db.execute(query.format(column=COLUMN[whose]), {"time": time, "id": number}).fetchone())
        # Days that are over are not asked for again.
        known = {one: sums for one, sums in (known or {}).items() if len(one) != len(time)} | {time: found}
        USED.keep(db, (whose, number), known)
    return known[time]


def open_of(db: Readable, whose: Whose, number: int) -> list[SessionId]:
    """The sessions that run on a card, of a person, or for which a pool pays."""
    return [SessionId(row[0]) for row in db.execute(OPEN[whose], (number,))]


def forget(db: Database, person: PersonId, card: CardId | None, pool: PersonId | None) -> None:
    """A session of theirs has come into the sums, or left them."""
    USED.drop(db, (Whose.PERSON, person))
    if card is not None:
        USED.drop(db, (Whose.CARD, card))
    if pool is not None:
        USED.drop(db, (Whose.POOL, pool))
