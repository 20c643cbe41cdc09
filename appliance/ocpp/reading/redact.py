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
WORDS = (
    "password|passwd|passwort|passphrase|passcode|pwd|secret|credential|private.?key|psk|pre.?shared"
    "|(?:auth(?:ori[sz]ation)?|apn|wi.?fi|wlan|wpa[23]?|wep|network|net|ssid|modem|sim|vpn|ppp|shared|access|api|hmac|aes|3?des"
    "|encryption|enc|crypto|cipher|master|session|signing|security|ssh|tls|card|mifare|rfid|nfc|admin|root|user|lock|unlock"
    "|license|cloud|mqtt|bluetooth|ble).?(?:key|token|pin(?!g)|puk|code|pass(?!iv))"
    "|(?:bearer|refresh|device).?token|community.?string|pin.?code"
)
"""What the name of a secret has in it, as manufacturers call them: WifiPsk, ApnKey, Modem.SimPin, BasicAuthPassword."""
SECRET = re.compile(WORDS, re.IGNORECASE)
URL_PASSWORD = re.compile(r"(://[^/@:\s\"]*):[^/@\s\"]+@")
SECRET_PAIR = re.compile(
    rf"(\"[^\"]{{0,60}}(?:{WORDS})[^\"]{{0,60}}\"\s*[,:]"
    r"(?:\s*\"(?:value|readonly)\"\s*:)?\s*(?:(?:true|false)\s*,\s*\"value\"\s*:\s*)?)(?:\"(?:[^\"\\]|\\.)*\"?|[^,}\]\s]+)",
    re.IGNORECASE,
)
TEXT_PAIR = re.compile(rf"((?:{WORDS})\w{{0,30}}\s*[=:]\s*)[^\s;&,\"]+", re.IGNORECASE)
"""In what is no JSON: `psk=…;`, `?password=…`."""
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
            if (secret and name in VALUES) or (value and SECRET.search(name)) or (name == "key" and is_vpn(payload))
            else redacted(value)
            for name, value in payload.items()
        }
    if isinstance(payload, list):
        return [redacted(part) for part in payload]
    return redacted_words(payload) if isinstance(payload, str) else payload


def redacted_words(text: str) -> str:
    """The same for a text within a payload: it may be JSON again, as in DataTransfer, or name its secrets itself."""
    if SECRET.search(text):
        if text.lstrip()[:1] in ("{", "["):
            return redacted_text(text)
        text = TEXT_PAIR.sub(rf"\1{BLANK}", text)
    return URL_PASSWORD.sub(rf"\1:{BLANK}@", text) if "://" in text else text


def redacted_text(text: str) -> str:
    """The same for a frame as text; in one that is not even JSON as far as can be seen."""
    if SECRET.search(text) or '"vpn"' in text:
        with suppress(ValueError):
            return orjson.dumps(redacted(read_json(text))).decode()
        text = TEXT_PAIR.sub(rf"\1{BLANK}", SECRET_PAIR.sub(rf'\1"{BLANK}"', text))
    return URL_PASSWORD.sub(rf"\1:{BLANK}@", text) if "://" in text else text


def names_secret(name: Any) -> bool:
    """Whether a setting of this name is a secret; 2.x puts the name into an object."""
    if isinstance(name, dict):
        name = name.get("name")
    return isinstance(name, str) and SECRET.search(name) is not None


def is_vpn(payload: dict[str, Any]) -> bool:
    """Whether its `key` is no setting's name, but what opens a VPN (2.0.1, VPNType)."""
    return "server" in payload and "user" in payload
