"""Passwords of operators: hashed, compared, and refused where they are guessed first."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence

import bcrypt

from appliance.domain.errors import Invalid

BCRYPT_COST = 12


PASSWORD_CHARS_MIN = 12


PASSWORD_CHARS_MAX = 256
REST_MIN = 5
"""Characters that must be left beside what is guessed first."""


COMMON = (
    "password", "passwort", "passw0rd", "p@ssw0rd", "123456", "654321", "abcdef", "qwerty", "qwertz", "azerty", "asdfgh",
    "zxcvbn", "1q2w3e", "letmein", "welcome", "iloveyou", "admin", "administrator", "operator", "root", "master",
    "monkey", "dragon", "football", "cricket", "princess", "sunshine", "superman", "batman", "bangladesh", "dhaka",
    "india", "allah", "bismillah", "changeme", "default", "secret", "forecourt", "charging", "charger", "station",
    "electric", "ocpp", "vehicle", "trustno", "whatever", "starwars", "pokemon", "shadow", "michael", "liverpool", "chelsea",
    "manchester", "summer", "winter", "spring", "autumn", "january", "february", "march", "april", "june", "july", "august", "september",
    "october", "november", "december", "monday", "friday", "sunday", "hello", "login", "user", "guest", "test", "temp", "owner", "manager",
    "cashier", "server", "system", "computer", "internet", "company", "office", "private", "money", "qwertyuiop", "asdfghjkl", "zxcvbnm",
    "1qaz2wsx", "3edc4rfv", "qazwsx", "edcrfv", "1q2w3e4r5t", "zaq12wsx", "pakistan", "chittagong",
    "mohammad", "muhammad", "rahman", "inshallah", "lovely", "babygirl", "darling", "friends", "family", "forever", "loveme", "mylove",
)  # fmt: skip
"""What people choose first: words, names, months, teams, and rows and columns of keys. A password that is little more than some of
these is refused."""
YEAR = re.compile(r"(?:19|20)\d\d")
DISGUISES = (str.maketrans("", ""), str.maketrans("@$", "as"), str.maketrans("@430$5!17", "aaeossiit"))
"""Signs and digits that stand for letters, or only the signs, or none; each reading is looked at."""


def hash_password(password: str) -> str:
    """About a quarter of a second. bcrypt reads 72 bytes at most, hence the digest before it."""
    return bcrypt.hashpw(_digest(password), bcrypt.gensalt(BCRYPT_COST)).decode()


def password_matches(password: str, password_hash: str) -> bool:
    """About a quarter of a second, whatever comes out."""
    return bcrypt.checkpw(_digest(password), password_hash.encode())


def check_password(password: str, *, login: str, name: str, site_name: str, site_words: Iterable[str] = ()) -> None:
    """Refuse what is guessed first. `site_words` are names that everybody at the site knows: of chargers, groups, places.

    Raises:
        Invalid: Too short, too long, or hardly more than a name or a pattern.
    """
    if len(password) < PASSWORD_CHARS_MIN:
        raise Invalid(
            "password",
            "The password is too short.",
            "Use at least {least} characters; three or four words make a good one.",
            least=PASSWORD_CHARS_MIN,
        )
    if len(password) > PASSWORD_CHARS_MAX:
        raise Invalid("password", "The password is longer than {most} characters.", most=PASSWORD_CHARS_MAX)
    own_words = [word for text in (login, name, site_name, *site_words) for word in _words(text)]
    known = sorted({*COMMON, *own_words}, key=len, reverse=True)
    lower = YEAR.sub("", password.lower())
    if any(_left(lower.translate(disguise), known) < REST_MIN for disguise in DISGUISES):
        raise Invalid(
            "password",
            "This password is among the first that are guessed.",
            "Leave out names, the site, and rows of keys or digits.",
        )


def _digest(password: str) -> bytes:
    return base64.b64encode(hashlib.sha256(password.encode()).digest())


def _words(text: str) -> list[str]:
    return [word for word in "".join(c if c.isalnum() else " " for c in text.lower()).split() if len(word) >= 3]


def _left(password: str, words: Sequence[str]) -> int:
    """How many characters are left once words, rows and what is repeated are taken out."""
    plain = "".join(filter(str.isalnum, password))
    if len(set(plain)) < REST_MIN:
        return 0
    rest = plain[: _period(plain)]
    for word in words:
        rest = rest.replace(word, "")
    return sum(1 for index in range(len(rest)) if not _continues(rest, index))


def _period(text: str) -> int:
    """After how many characters it begins again: 3 in abcabcab."""
    return next(length for length in range(1, len(text) + 1) if (text[:length] * len(text)).startswith(text))


def _continues(text: str, index: int) -> bool:
    """Whether a character only repeats or counts on from the one before it: aaa, 1234, dcba."""
    return index > 0 and abs(ord(text[index]) - ord(text[index - 1])) <= 1
