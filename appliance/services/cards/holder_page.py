"""What the link on a card leads to: the holder's own page, opened by whoever has the card in their hand."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace

from appliance.db.cards import cards
from appliance.db.cards import limits as card_limits
from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people import limits as person_limits
from appliance.db.people import people
from appliance.db.people.people import Person
from appliance.db.wallets import statement
from appliance.db.wallets.statement import Record
from appliance.domain.cards.limits import Limits
from appliance.domain.identifiers import CardId
from appliance.services.cards import secure_tap
from appliance.services.people.people import account_of
from appliance.services.wallets import notices

RECORDS_SHOWN = 10
TICKET_MS = 300_000
"""How long a page may be looked at again after a tap whose link holds once only."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A card, whose it is, and what happened last."""

    card: Card
    person: Person
    account: Person
    """Who pays for them: themselves, or the pool that they are in."""
    low: bool
    """There is so little left that they should know."""
    limits: tuple[Limits, Limits]
    """Of the card, and of its holder with all their cards."""
    records: list[Record]
    pin_hash: str

    @property
    def is_hidden(self) -> bool:
        """Whether the balance is that of a pool whose people need not know it."""
        return bool(self.account.hides_balance)

    @property
    def has_statements(self) -> bool:
        """Whether they are shown: those of a wallet whose balance is hidden would tell it."""
        return not (self.is_hidden and self.person.is_pool)


def find(db: Readable, token: str) -> Holder | None:
    """The holder behind a link; a read query."""
    card = cards.by_token(db, token)
    person = people.find(db, card.person_id) if card is not None else None
    if card is None or person is None:
        return None
    account = account_of(db, person.id)
    limits = (card_limits.find(db, card.id), person_limits.find(db, person.id))
    found = Holder(card, person, account, notices.is_low(db, account), limits, [], cards.pin_hash(db, card.id))
    return replace(found, records=_last_records(db, found))


def _last_records(db: Readable, found: Holder) -> list[Record]:
    """What happened last; of a pool that hides its balance only what its own cards have charged."""
    person, all_of_pool = found.person, found.person.is_pool and found.has_statements
    shown = statement.of_person(db, person.id, person.wallet, is_pool=all_of_pool, limit=RECORDS_SHOWN).shown
    return [one for one in shown if found.has_statements or one.kind == "session"]


def tap(db: Database, site_key: bytes, card: CardId, picc_data_hex: str, cmac_hex: str) -> bool:
    """Whether this card itself was tapped just now (NTAG 424 DNA); a link that was opened before, or another's, was not."""
    return secure_tap.accept(db, site_key, picc_data_hex, cmac_hex) == card


def ticket(site_key: bytes, token: str, now_ms: int) -> str:
    """What lets a phone open the page again for a while after a tap: the end of that while, signed."""
    until_s = (now_ms + TICKET_MS) // 1000
    return f"{until_s}.{_signature(site_key, token, until_s)}"


def ticket_holds(site_key: bytes, token: str, text: str, now_ms: int) -> bool:
    """Whether a ticket is ours, for this card, and not over."""
    until, _dot, signature = text.partition(".")
    if not (until.isascii() and until.isdecimal() and len(until) <= 12):
        return False
    return int(until) * 1000 > now_ms and hmac.compare_digest(
        signature.encode(), _signature(site_key, token, int(until)).encode()
    )


def _signature(site_key: bytes, token: str, until_s: int) -> str:
    return hmac.digest(site_key, f"holder ticket|{token}|{until_s}".encode(), "sha256")[:12].hex()
