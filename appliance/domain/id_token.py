"""What identifies a driver, and its one normal form.

Chargers and readers print the same card's UID in many ways (lower case, colons, spaces, NUL padding). Two texts
stand for the same card if their normal forms are equal, or one has the bytes of the other backwards. Of shortened, padded
and decimal forms only the likeness is told here: two cards may share a part of their UIDs, so that proves nothing.
"""

from __future__ import annotations

import re
import secrets
from enum import StrEnum
from typing import NamedTuple

from appliance.domain.digits import WESTERN

SEPARATORS = re.compile(r"[\s:\-_.]+")
HEX = re.compile(r"[0-9A-F]+")
UID_CHARS = frozenset({8, 14, 16, 20})
"""Hex digits of UIDs of 4, 7 and 10 bytes (ISO/IEC 14443-3), and of 8 (FeliCa, ISO/IEC 15693)."""
JOINED_CHARS = frozenset(range(8, 21, 2))
"""Hex digits of what is the same with and without separators: UIDs, and what else is bytes, as the MAC of a car (Autocharge)."""
CUTS = {14: (8, 12), 16: (8,), 20: (8, 14)}
"""Of how many hex digits chargers keep how many, at either end."""
PADDED_CHARS = (14, 16, 20)
"""To how many hex digits chargers fill a shorter UID up with zeros."""
WEDGE_DIGITS = range(8, 18)
"""Decimal digits of what keyboard readers type: a number of 4 bytes has up to 10, one of 7 bytes up to 17."""
STEM_CHARS = 8
AZERTY = str.maketrans("&é\"'(-è_çàqQ", "1234567890aA")
"""What a reader types that takes the computer's keyboard for an American one, where it is a French one."""
AZERTY_ONLY = re.compile(r"[&é\"'(èçàqQ]")
ID_TOKEN_CHARS_MAX = 255
REMOTE_PREFIX = "REM"
REMOTE = re.compile(REMOTE_PREFIX + r"[0-9A-F]{13}")


class IdTokenType(StrEnum):
    """Of what kind an id token is (OCPP 2.1, Appendix: IdTokenEnumStringType; the last three are new in 2.1)."""

    UNKNOWN = ""
    """Nobody has told, as in OCPP 1.6."""
    CENTRAL = "Central"
    """Ours, for one remote start."""
    EMAID = "eMAID"
    ISO14443 = "ISO14443"
    ISO15693 = "ISO15693"
    KEY_CODE = "KeyCode"
    LOCAL = "Local"
    MAC_ADDRESS = "MacAddress"
    NO_AUTHORIZATION = "NoAuthorization"
    DIRECT_PAYMENT = "DirectPayment"
    EVCCID = "EVCCID"
    VIN = "VIN"


CARDS = frozenset({IdTokenType.ISO14443, IdTokenType.ISO15693, IdTokenType.LOCAL, IdTokenType.CENTRAL})
"""What stations call a card: not every reader knows its chip, and what we start with a card's number they may call ours."""


class IdToken(NamedTuple):
    """What identifies a driver: the value, in normal form, and its type."""

    value: str
    type: IdTokenType = IdTokenType.UNKNOWN


def are_compatible(one: str, other: str) -> bool:
    """Whether tokens of these types and of the same value may be the same token."""
    return not one or not other or one == other or {one, other} <= CARDS


def normal_form(text: str) -> str:
    """The one form in which an id token is kept and compared; "" for nothing.

    >>> normal_form(" 04:a1:b2:c3 ")
    '04A1B2C3'
    >>> normal_form("0a-1b-2c-3d-4e-5f")
    '0A1B2C3D4E5F'
    >>> normal_form("fleet-car-7")
    'FLEET-CAR-7'
    """
    if not text.isprintable():
        # Control characters and marks that nobody sees: readers end a line, firmwares pad, spreadsheets tell where text turns.
        text = "".join(letter if letter.isprintable() else " " if letter.isspace() else "" for letter in text)
    upper = text.strip(" ").upper()
    joined = upper if upper.isalnum() else SEPARATORS.sub("", upper)
    if len(joined) in JOINED_CHARS and HEX.fullmatch(joined):
        return joined
    return upper[:ID_TOKEN_CHARS_MAX]


def remote_token() -> str:
    """A token for one remote start of a person without a card: 16 characters, because some 1.6 chargers break at 20."""
    return REMOTE_PREFIX + secrets.token_hex(7)[:13].upper()


def is_remote(id_token: str) -> bool:
    """Whether it is a token of ours for one remote start."""
    return REMOTE.fullmatch(id_token) is not None


def masked(id_token: str) -> str:
    """For the eyes and the log: the last four characters only."""
    return f"••{id_token[-4:]}" if len(id_token) > 4 else "••"


def is_random(uid: str) -> bool:
    """Whether a UID in normal form is made up anew at every tap (ISO/IEC 14443-3: 4 bytes, the first is 08)."""
    return len(uid) == 8 and uid.startswith("08") and HEX.fullmatch(uid) is not None


def reversed_form(uid: str) -> str | None:
    """The UID, in normal form, with its bytes backwards, as some chargers read it; None for what is no UID.

    >>> reversed_form("04A1B2C3")
    'C3B2A104'
    """
    return _backwards(uid) if _is_uid(uid) else None


def likeness(token: str, uid: str) -> str | None:
    """How a charger's token may have come from a card's UID, both in normal form: `reversed`, `truncated` (padded or decimal
    besides or not), `padded`, `decimal`; None if it did not, or is the UID itself.
    """
    token = SEPARATORS.sub("", token)
    if not _is_uid(uid) or token == uid:
        return None
    orders = (uid, _backwards(uid))
    if token == orders[1]:
        return "reversed"
    if _is_padded(token, orders):
        return "padded"
    if _is_decimal(token, orders):
        return "decimal"
    parts = tuple(part for order in orders for kept in CUTS.get(len(uid), ()) for part in (order[:kept], order[-kept:]))
    if token in parts or _is_padded(token, parts) or _is_decimal(token, parts):
        return "truncated"
    return None


def stems(token: str) -> frozenset[str]:
    """Four bytes in hex, one of which a UID begins or ends with if the token is anything like it; for looking it up."""
    token = SEPARATORS.sub("", token)
    found = set()
    if HEX.fullmatch(token) and len(token) >= STEM_CHARS and len(token) % 2 == 0:
        found |= {token, *_without_padding(token)}
    if token.isascii() and token.isdigit() and len(token) <= max(UID_CHARS) + 5:
        found |= {f"{int(token):0{chars}X}" for chars in (8, 12, 14, 16, 20) if int(token) < 16**chars}
    found |= {_backwards(one) for one in found}
    return frozenset(part for one in found for part in (one[:STEM_CHARS], one[-STEM_CHARS:]))


def readings(text: str) -> list[str]:
    """What the text that a keyboard reader typed, or a person, may mean, in normal form: the best reading first.

    Hex with or without separators, decimal numbers of 4 or 7 bytes in either order, digits of other scripts, and what a
    French keyboard makes of them. What is none of these stays as it is. Empty for nothing.
    """
    text = text.translate(WESTERN)
    # Dashes are separators on one keyboard and digits on the other, so both are tried where both can be meant.
    typed = [text.translate(AZERTY), text] if AZERTY_ONLY.search(text) else [text]
    found = [reading for one in typed for reading in _readings(one)]
    found += [normal for one in typed if (normal := normal_form(one))]
    return list(dict.fromkeys(found))


def _readings(text: str) -> list[str]:
    joined = SEPARATORS.sub("", text.strip(" \t\r\n\0")).upper()
    found = []
    if _is_uid(joined):
        # Eight bytes are a FeliCa's, or a shorter UID that was filled up.
        found += [one for one in _without_padding(joined) if len(joined) == PADDED_CHARS[1] and _is_uid(one)]
        found += [joined, _backwards(joined)]
    if joined.isascii() and joined.isdigit() and len(joined) in WEDGE_DIGITS:
        number = int(joined)
        if number < 1 << 32:
            found += _both_orders(f"{number:08X}")
        if number < 1 << 56 and (len(joined) > len(str(1 << 32)) or number >= 1 << 32):
            found += _both_orders(f"{number:014X}")
    return found


def _both_orders(uid: str) -> list[str]:
    """Both, the one first that begins as most UIDs do (04 is NXP's); else as it is."""
    backwards = _backwards(uid)
    return [backwards, uid] if backwards.startswith("04") and not uid.startswith("04") else [uid, backwards]


def _is_uid(text: str) -> bool:
    return len(text) in UID_CHARS and HEX.fullmatch(text) is not None


def _backwards(text: str) -> str:
    return bytes.fromhex(text)[::-1].hex().upper()


def _is_padded(token: str, forms: tuple[str, ...]) -> bool:
    """Whether the token is one of the forms, with zeros in front or behind."""
    return len(token) in PADDED_CHARS and any(
        len(form) < len(token) and token in (form.rjust(len(token), "0"), form.ljust(len(token), "0")) for form in forms
    )


def _is_decimal(token: str, forms: tuple[str, ...]) -> bool:
    """Whether the token is the number that one of the forms is, with or without leading zeros."""
    if not (token.isascii() and token.isdigit() and len(token) in range(WEDGE_DIGITS.start, max(UID_CHARS) + 6)):
        return False
    return any(int(token) == int(form, 16) for form in forms)


def _without_padding(token: str) -> list[str]:
    """A token in hex without the zero bytes in front, and without those behind, filled up to what a UID can be."""
    found = []
    for chars in (8, 12, 14, 16):
        rest = len(token) - chars
        if rest > 0 and not token[:rest].strip("0"):
            found.append(token[rest:])
        if rest > 0 and not token[chars:].strip("0"):
            found.append(token[:chars])
    return found
