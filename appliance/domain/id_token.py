"""What identifies a driver, and its one normal form.

Chargers and readers print the same card's UID in many ways (lower case, colons, spaces, NUL padding). Two texts
stand for the same card exactly if their normal forms are equal. Reversed and shortened forms are not guessed here.
"""

from __future__ import annotations

import re
import secrets

SEPARATORS = re.compile(r"[\s:\-_.]+")
HEX = re.compile(r"[0-9A-F]+")
UID_CHARS = frozenset({8, 14, 20})
"""Hex digits of UIDs of 4, 7 and 10 bytes (ISO/IEC 14443-3)."""
ID_TOKEN_CHARS_MAX = 255
REMOTE_PREFIX = "REM"


def normal_form(text: str) -> str:
    """The one form in which an id token is kept and compared; "" for nothing.

    >>> normal_form(" 04:a1:b2:c3 ")
    '04A1B2C3'
    >>> normal_form("fleet-car-7")
    'FLEET-CAR-7'
    """
    upper = text.strip(" \t\r\n\0").upper()
    joined = SEPARATORS.sub("", upper)
    if len(joined) in UID_CHARS and HEX.fullmatch(joined):
        return joined
    return upper[:ID_TOKEN_CHARS_MAX]


def remote_token() -> str:
    """A token for one remote start of a person without a card: 16 characters, because some 1.6 chargers break at 20."""
    return REMOTE_PREFIX + secrets.token_hex(7)[:13].upper()


def masked(id_token: str) -> str:
    """For the eyes and the log: the last four characters only."""
    return f"••{id_token[-4:]}" if len(id_token) > 4 else "••"
