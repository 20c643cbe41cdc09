"""Keeps secrets out of the message log: passwords that travel as settings, and passwords inside URLs.

Card numbers stay in the message log, which is for staff; program logs get them masked (domain/id_token.py).
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import orjson

from appliance.services.foreign_json import read_json

BLANK = "•••"
SECRET = re.compile(r"authorizationkey|password|passwd|secret|privatekey|passphrase", re.IGNORECASE)
URL_PASSWORD = re.compile(r"(://[^/@:\s\"]*):[^/@\s\"]+@")
SECRET_PAIR = re.compile(
    r"(\"[^\"]{0,60}(?:authorizationkey|password|passwd|secret|privatekey|passphrase)[^\"]{0,60}\"\s*[,:]"
    r"(?:\s*\"(?:value|readonly)\"\s*:)?\s*(?:(?:true|false)\s*,\s*\"value\"\s*:\s*)?)(?:\"(?:[^\"\\]|\\.)*\"?|[^,}\]\s]+)",
    re.IGNORECASE,
)
NAMES = ("key", "name", "variable")
VALUES = ("value", "attributeValue")


def redacted(payload: Any) -> Any:
    """A copy of a payload with the values of secret settings blanked, whatever the message.

    A value is secret if its field's name says so, or if it stands beside a `key` or `variable` whose name says so.
    """
    if isinstance(payload, dict):
        secret = any(names_secret(payload.get(name)) for name in NAMES)
        return {
            name: BLANK
            if (secret and name in VALUES) or (SECRET.search(name) and isinstance(value, str | int | float))
            else redacted(value)
            for name, value in payload.items()
        }
    if isinstance(payload, list):
        return [redacted(part) for part in payload]
    if isinstance(payload, str) and "://" in payload:
        return URL_PASSWORD.sub(rf"\1:{BLANK}@", payload)
    return payload


def redacted_text(text: str) -> str:
    """The same for a frame as text; in one that is not even JSON as far as can be seen."""
    if SECRET.search(text):
        with suppress(ValueError):
            return orjson.dumps(redacted(read_json(text))).decode()
        text = SECRET_PAIR.sub(rf'\1"{BLANK}"', text)
    return URL_PASSWORD.sub(rf"\1:{BLANK}@", text) if "://" in text else text


def names_secret(name: Any) -> bool:
    """Whether a setting of this name is a secret; 2.x puts the name into an object."""
    if isinstance(name, dict):
        name = name.get("name")
    return isinstance(name, str) and SECRET.search(name) is not None
