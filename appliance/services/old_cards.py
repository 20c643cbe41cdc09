"""Cards of an earlier local system: what was on them comes into a wallet here, once, and is then taken off the chip.

The money is booked before the chip is emptied (docs/decisions/0031-old-cards.md): a card that is pulled away in between has its money in the
wallet, and the next tap empties it. What is known by its UID as taken over is never booked again, whatever stands on it.
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance.db import old_cards as rows
from appliance.db import secrets as secret_rows
from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.old_cards import OldState
from appliance.domain.by import By
from appliance.domain.cards.old_value import OldLayout, read_layout
from appliance.domain.cards.tag import ClearOld, Kind, ReadOld, Seen
from appliance.domain.errors import Invalid
from appliance.domain.id_token import HEX, UID_CHARS, is_random, masked, normal_form
from appliance.domain.identifiers import CardId
from appliance.domain.ledger import BY_OLD_CARD, OLD_CARDS, TransferCode
from appliance.domain.problem import ProblemKind
from appliance.services import audit, problems, secrets, settings
from appliance.services.announce import PersonChanged
from appliance.services.approvals import second_person
from appliance.services.operators.authority import NotAllowed, is_manager
from appliance.services.people.people import check_open, need
from appliance.services.ports.vault import CannotOpen, Vault
from appliance.services.wallets import receipts, wallets

KEY_NAME = "old_card.key"
KEY_BYTES = 6
LIST_MAX = 20_000


class NotTakenOver(Exception):
    """This card's balance cannot be taken over: why, as a word of `Advice`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def put_on_list(db: Database, cards: Sequence[tuple[str, int, str]], by: By) -> int:
    """A list of the earlier system: UID, amount in minor units, name. How many wait now.

    Raises:
        NotAllowed: A manager does that.
        Invalid: A UID is none, an amount is none or above the cap, or one stands there twice.
    """
    check_manager(db, by)
    most = cap(db)
    seen: set[str] = set()
    good: list[tuple[str, int, str]] = []
    if len(cards) > LIST_MAX:
        raise Invalid("file", "The file has more than {most} rows.", "Split it.", most=LIST_MAX)
    for line, (text, amount_minor, name) in enumerate(cards, 1):
        uid = normal_form(text)
        if len(uid) not in UID_CHARS or not HEX.fullmatch(uid) or is_random(uid):
            raise Invalid("file", "Card {line} of the list has no number that a card can have.", line=str(line))
        if not 0 < amount_minor <= most:
            raise Invalid("file", "The amount of card {line} of the list is nothing, or above the cap.", line=str(line))
        if uid in seen:
            raise Invalid(
                "file",
                "Card {line} of the list stands there twice.",
                "One of the two is a copy: look at both cards.",
                line=str(line),
            )
        seen.add(uid)
        good.append((uid, amount_minor, name[:80]))
    listed = rows.put_on_list(db, good, by)
    audit.record(db, by, "oldcard.list", "site", count=listed, amount_minor=sum(amount for _, amount, _ in good))
    return listed


def set_key(db: Database, vault: Vault | None, text: str, by: By) -> None:
    """The key with which the earlier system has closed its cards; it is sealed, and shown to nobody.

    Raises:
        NotAllowed: A manager does that.
        Invalid: It is none, or there is no vault.
    """
    check_manager(db, by)
    plain = text.replace(" ", "").replace(":", "")
    if vault is None:
        raise Invalid("key_hex", "The site's sealing key is missing, so no key can be kept.")
    if len(plain) != 2 * KEY_BYTES or not HEX.fullmatch(plain.upper()):
        raise Invalid("key_hex", "A key has twelve digits from 0 to 9 and A to F.")
    secrets.keep_secret(db, vault, KEY_NAME, bytes.fromhex(plain), by.at_ms)
    audit.record(db, by, "oldcard.key", "site")


def has_key(db: Readable) -> bool:
    """Whether one is kept."""
    return secret_rows.find(db, KEY_NAME) is not None


def cap(db: Database) -> int:
    """How much may be taken over from one card.

    Raises:
        Invalid: Nothing, as long as nobody has said.
    """
    most = settings.of(db).old_card_max_minor
    if not most:
        raise Invalid("", "No old cards are taken over here.", "The owner says under Settings how much one may bring.")
    return most


def check_typed(db: Database, amount_minor: int, by: By) -> None:
    """Whether somebody may type what an old card was worth.

    Raises:
        NotAllowed, Invalid: They may not, or it is too much.
    """
    most = cap(db)
    if amount_minor:
        check_manager(db, by)
    if not 0 <= amount_minor <= most:
        raise Invalid("old_minor", "The amount is nothing, or above what one card may bring.")


def check_manager(db: Readable, by: By) -> None:
    """What is believed without a card that says so is a manager's."""
    if not is_manager(db, by.actor):
        raise NotAllowed(
            "A manager says what old cards are worth.", "Where the card can be read, a cashier takes it over."
        )


def reading_of(db: Database, seen: Seen, typed_minor: int, vault: Vault | None) -> ReadOld | None:
    """What the reader is to do first, where only the card itself says what it is worth."""
    if seen.old_minor is not None or seen.kind is not Kind.CLASSIC or typed_minor:
        return None
    known = rows.find(db, normal_form(seen.uid))
    if known is not None and known.state is OldState.LISTED:
        return None
    layout, key = _opens(db, vault)
    return ReadOld(seen.uid, layout, key) if layout is not None and key is not None else None


def clearing_of(db: Readable, seen: Seen, vault: Vault | None) -> ClearOld | None:
    """What the reader is to do with a card whose money is booked, and which still says that it has it."""
    if seen.kind is not Kind.CLASSIC:
        return None
    known = rows.find(db, normal_form(seen.uid))
    if known is None or known.state is not OldState.BOOKED:
        return None
    layout, key = _opens(db, vault)
    return ClearOld(seen.uid, layout, key) if layout is not None and key is not None else None


def amount_of(db: Database, seen: Seen, typed_minor: int, known: Card | None, now_ms: int) -> int:
    """What is to be booked for a card: by the list, by whoever typed it, or by the card itself.

    Raises:
        NotTakenOver: Nothing, and why. A copy that still has money on it is on record.
    """
    uid = normal_form(seen.uid)
    row = rows.find(db, uid)
    if row is not None and row.is_taken_over:
        if row.state is OldState.CLEARED and seen.old_minor:
            _name_copy(db, uid, known, now_ms)
            raise NotTakenOver("old_copy")
        raise NotTakenOver("old_taken")
    amount_minor = row.amount_minor if row is not None else typed_minor or seen.old_minor or 0
    if amount_minor <= 0:
        raise NotTakenOver("old_nothing")
    if amount_minor > settings.of(db).old_card_max_minor:
        raise NotTakenOver("old_too_much")
    return amount_minor


def take_over(db: Database, card: Card, amount_minor: int, by: By) -> int:
    """The money comes into the wallet of whose the card is; the number of the receipt.

    Raises:
        NeedsSecondPerson, MoneyStopped: As of every other money.
    """
    person = need(db, card.person_id)
    check_open(person)
    second_person.check(db, person.wallet, amount_minor, by)
    wallets.book(
        db,
        f"oldcard|{card.id}",
        OLD_CARDS,
        person.wallet,
        amount_minor,
        TransferCode.TOPUP,
        f"old card {masked(card.uid)}",
        by,
    )
    audit.record(
        db, by, "person.topup", f"person:{person.id}", amount_minor=amount_minor, method=BY_OLD_CARD, name=person.name,
    )  # fmt: skip
    receipt = receipts.write(db, "recharge", person.id, amount_minor, BY_OLD_CARD, by, card=card.id)
    rows.set_booked(db, card.uid, amount_minor, card.id, receipt, by)
    db.announce(PersonChanged(person.id))
    return receipt


def cleared(db: Database, card: CardId, uid: str, by: By) -> None:
    """The chip says nothing any more."""
    rows.set_cleared(db, uid, by.at_ms)
    audit.record(db, by, "oldcard.clear", f"card:{card}")


def waits_for_clearing(db: Readable, uid: str) -> bool:
    """Whether its money is booked, and its number was not taken off so far."""
    known = rows.find(db, uid)
    return known is not None and known.state is OldState.BOOKED


def _name_copy(db: Database, uid: str, known: Card | None, now_ms: int) -> None:
    rows.count_copy(db, uid)
    number, person = (f"{known.number:04}", known.person) if known is not None else ("", "")
    subject = f"card:{known.id}" if known is not None else f"uid:{masked(uid)}"
    problems.raise_problem(db, ProblemKind.CARD_COPY, subject, now_ms, number=number, person=person)


def _opens(db: Readable, vault: Vault | None) -> tuple[OldLayout | None, bytes | None]:
    """Where the number stands, and the key; None where nobody has said, or the key cannot be opened."""
    try:
        layout = read_layout(settings.load(db).old_card_layout)
        return layout, secrets.read_secret(db, vault, KEY_NAME) if vault is not None else None
    except (ValueError, CannotOpen):
        return None, None
