"""Passwords of operators: hashed, compared, and refused where they are guessed first."""

from __future__ import annotations

import base64
import hashlib

import bcrypt

from appliance.domain.errors import Invalid

BCRYPT_COST = 12


PASSWORD_CHARS_MIN = 12


PASSWORD_CHARS_MAX = 256


COMMON = (
    "password", "passwort", "passw0rd", "p@ssw0rd", "123456", "654321", "abcdef", "qwerty", "qwertz", "azerty", "asdfgh",
    "zxcvbn", "1q2w3e", "letmein", "welcome", "iloveyou", "admin", "administrator", "operator", "root", "master",
    "monkey", "dragon", "football", "cricket", "princess", "sunshine", "superman", "batman", "bangladesh", "dhaka",
    "india", "allah", "bismillah", "changeme", "default", "secret", "forecourt", "charging", "charger", "station",
    "electric", "ocpp",
)  # fmt: skip
"""What people choose first. A password that is little more than one of these is refused."""


def hash_password(password: str) -> str:
    """About a quarter of a second. bcrypt reads 72 bytes at most, hence the digest before it."""
    return bcrypt.hashpw(_digest(password), bcrypt.gensalt(BCRYPT_COST)).decode()


def password_matches(password: str, password_hash: str) -> bool:
    """About a quarter of a second, whatever comes out."""
    return bcrypt.checkpw(_digest(password), password_hash.encode())


def check_password(password: str, *, login: str, name: str, site_name: str) -> None:
    """Refuse what is guessed first.

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
    plain = "".join(filter(str.isalnum, password.lower()))
    own_words = [word for text in (login, name, site_name) for word in _words(text)]
    rest = plain
    for word in sorted({*COMMON, *own_words}, key=len, reverse=True):
        rest = rest.replace(word, "")
    rest = "".join(character for index, character in enumerate(rest) if not _continues(rest, index))
    if len(rest) < 5 or len(set(plain)) < 5:
        raise Invalid(
            "password",
            "This password is among the first that are guessed.",
            "Leave out names, the site, and rows of keys or digits.",
        )


def _digest(password: str) -> bytes:
    return base64.b64encode(hashlib.sha256(password.encode()).digest())


def _words(text: str) -> list[str]:
    return [word for word in "".join(c if c.isalnum() else " " for c in text.lower()).split() if len(word) >= 3]


def _continues(text: str, index: int) -> bool:
    """Whether a character only repeats or counts on from the one before it: aaa, 1234, dcba."""
    return index > 0 and abs(ord(text[index]) - ord(text[index - 1])) <= 1
