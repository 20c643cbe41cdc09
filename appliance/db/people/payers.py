"""Who a card stands for and what they pay with: the facts behind every authorization."""

from __future__ import annotations

from typing import NamedTuple

from appliance.db import tariffs
from appliance.db.engine.memory import Slots
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.ledger import has_moved
from appliance.db.sessions.open_sessions import IS_LET_IN
from appliance.domain.authorization import FREE, POLICIES, AuthorizationStatus, Holder
from appliance.domain.id_token import IdTokenType, are_compatible, reversed_form
from appliance.domain.identifiers import AccountId, CardId, PersonId
from appliance.domain.tariff import Tariff

PAYS = frozenset(
    {
        AuthorizationStatus.ACCEPTED,
        AuthorizationStatus.NO_CREDIT,
        AuthorizationStatus.CONCURRENT_TX,
        AuthorizationStatus.EXPIRED,
        AuthorizationStatus.NOT_AT_THIS_LOCATION,
        AuthorizationStatus.NOT_AT_THIS_TIME,
        AuthorizationStatus.LIMIT_REACHED,
    }
)
"""Whose energy is billed if it flows all the same, as it may when the station was offline. A blocked card may be a
thief's, so its holder pays nothing."""
TARIFFS = Slots[int | None, Tariff]()
"""Tariffs by their numbers, and for None the default."""


class Payer(NamedTuple):
    """Who a card stands for, and what they pay with. A tuple, as `Holder` is."""

    holder: Holder
    card: CardId | None
    uid: str
    """The card's own UID in normal form, whatever the station calls it; "" without a card."""
    person: PersonId
    wallet: AccountId
    tariff: Tariff | None
    cards: int
    """How many tokens stations may know the holder by: all their cards, and what this one is called besides."""
    pool: PersonId | None = None
    """Whose wallet it is, if that is a pool's: then its group says how is paid."""
    group: int | None = None
    """That which says how is paid."""


WALLET_OF = "coalesce(pool.wallet_id, person.wallet_id)"
"""Of a person and the pool that they are in, if there is one."""
TERMS = f"""
       {WALLET_OF}, coalesce(person.closed_at_ms, pool.closed_at_ms), person_group.policy, person_group.tariff_id,
       account.credit_posted - account.debit_posted - account.debit_pending - account.floor_minor,
       person_group.minimum_minor, person_group.emergency_minor,
       CASE WHEN person.is_pool = 1 THEN person.id ELSE pool.id END, person_group.id
"""
WHO_PAYS = f"""
LEFT JOIN person AS pool ON pool.id = person.pool_id
JOIN person_group ON person_group.id = coalesce(pool.group_id, person.group_id)
JOIN account ON account.id = {WALLET_OF}
"""
PAYER = f"""
SELECT {TERMS}, card.id, card.uid, person.id,
       card.blocked_at_ms, card.expires_at_ms, card.transactions_max,
       (SELECT count(*) FROM session WHERE session.id_token = card.uid AND {IS_LET_IN}),
       (SELECT count(*) FROM card AS other WHERE other.person_id = person.id)
       + (SELECT count(*) FROM card_alias WHERE card_alias.card_id = card.id)
FROM card
JOIN person ON person.id = card.person_id
{WHO_PAYS}
WHERE card.uid = ?
"""
PAYER_WITHOUT_CARD = f"""
SELECT {TERMS}, NULL, '', person.id, NULL, NULL, 1000, 0, 0
FROM person
{WHO_PAYS}
WHERE person.id = ?
"""
STANDING = "SELECT blocked_at_ms IS NOT NULL, expires_at_ms FROM card WHERE uid = ?"
UID_BEHIND = """
SELECT coalesce((SELECT uid FROM card_alias JOIN card ON card.id = card_id WHERE card_alias.token = ?),
                (SELECT uid FROM card WHERE uid = ?))
"""


def by_token(db: Database, id_token: str, id_token_type: str = "") -> Payer | None:
    """Who the card stands for: by its UID, by what the station has been learned to call it, by its UID backwards.

    None if nobody knows it, or what has this value is something else.
    """
    payer = _payer(db, PAYER, id_token)
    if payer is None and (uid := uid_behind(db, id_token)) is not None:
        payer = _payer(db, PAYER, uid)
    if payer is not None and id_token_type and not are_compatible(id_token_type, type_of(db, payer.uid)):
        return None
    return payer


def type_of(db: Database, uid: str) -> IdTokenType:
    """Of what type a card is, as far as a station has told."""
    row = db.execute("SELECT id_token_type FROM card WHERE uid = ?", (uid,)).fetchone()
    return IdTokenType(row[0]) if row else IdTokenType.UNKNOWN


def uid_behind(db: Readable, id_token: str) -> str | None:
    """The UID of the card that a station calls so, if that is not the UID itself."""
    row = db.execute(UID_BEHIND, (id_token, reversed_form(id_token))).fetchone()
    return str(row[0]) if row[0] is not None else None


def by_person(db: Database, person: PersonId) -> Payer | None:
    """The person, without any card."""
    return _payer(db, PAYER_WITHOUT_CARD, person)


def _payer(db: Database, query: str, key: str | int) -> Payer | None:
    row = db.execute(query, (key,)).fetchone()
    if row is None:
        return None
    if has_moved(db, row[0]):
        db.flush()  # A transfer of this very commit has freed or taken money.
        row = db.execute(query, (key,)).fetchone()
    wallet, closed, policy, tariff_id, available, minimum, emergency, pool, group, *of_card = row
    card, uid, person, blocked, expires, most, running, cards = of_card
    tariff = None
    if policy != FREE:
        tariff = remembered_tariff(db, tariff_id)
    holder = Holder(
        POLICIES[policy], available, blocked is not None, expires, closed is not None, most, running, minimum, emergency
    )
    return Payer(holder, card, uid, person, wallet, tariff, cards, pool, group)


def standing(db: Database, id_token: str) -> tuple[bool, int | None] | None:
    """Whether a card is blocked, and until when it is valid; None if nobody knows it."""
    row = db.execute(STANDING, (id_token,)).fetchone()
    if row is None and (uid := uid_behind(db, id_token)) is not None:
        row = db.execute(STANDING, (uid,)).fetchone()
    return (bool(row[0]), row[1]) if row else None


def remembered_tariff(db: Database, tariff_id: int | None) -> Tariff | None:
    """A tariff, or the default for None; prices never change, so the writer remembers them."""
    found = TARIFFS.get(db, tariff_id)
    if found is None:
        found = tariffs.default(db) if tariff_id is None else tariffs.find(db, tariff_id)
        if found is not None:
            TARIFFS.keep(db, tariff_id, found)
    return found


def forget_tariffs(db: Database) -> None:
    """The default is another."""
    TARIFFS.drop(db, None)
