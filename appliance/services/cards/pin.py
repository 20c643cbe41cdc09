"""The PIN that guards a holder's page. Hashing takes a while and is never done in the writer: the pages do it in a thread."""

from __future__ import annotations

import bcrypt

from appliance.db.cards import cards
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.errors import Invalid
from appliance.domain.identifiers import CardId
from appliance.services import audit
from appliance.services.cards.cards import need

DIGITS_MIN = 4
DIGITS_MAX = 8
BCRYPT_COST = 10
"""Ten thousand PINs are tried out soon, whatever a try costs; the growing delay of the page is what protects."""


def check_pin(text: str) -> str:
    """A PIN in plain digits, whatever digits it was typed in.

    Raises:
        Invalid: It is not 4 to 8 digits, or all of them are the same.
    """
    digits = "".join(text.split())
    if not (digits.isdecimal() and DIGITS_MIN <= len(digits) <= DIGITS_MAX):
        raise Invalid("pin", "A PIN has {least} to {most} digits.", least=DIGITS_MIN, most=DIGITS_MAX)
    pin = "".join(str(int(digit)) for digit in digits)
    if len(set(pin)) == 1:
        raise Invalid("pin", "This PIN is among the first that are guessed.", "Choose different digits.")
    return pin


def hash_pin(pin: str) -> str:
    """What is kept of it. Some 60 ms."""
    return bcrypt.hashpw(pin.encode(), bcrypt.gensalt(BCRYPT_COST)).decode()


def matches(pin: str, pin_hash: str) -> bool:
    """Whether it is the PIN. Some 60 ms, whatever comes out."""
    return bcrypt.checkpw(pin.encode(), pin_hash.encode())


def set_pin(db: Database, card: CardId, pin_hash: str, by: By) -> None:
    """A new PIN for the holder's page; "" takes it away."""
    need(db, card)
    cards.set_pin_hash(db, card, pin_hash)
    audit.record(db, by, "card.pin" if pin_hash else "card.no_pin", f"card:{card}")
