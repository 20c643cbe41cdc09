"""Keeps secrets out of the message log: passwords that travel as settings, and passwords inside URLs.

Card numbers stay in the message log, where they are shown to whom cards are shown; program logs get them masked
(domain/id_token.py).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import orjson

from appliance.services.foreign_json import read_json

BLANK = "•••"
WORDS = (
    "password", "passwd", "passwort", "passphrase", "passcode", "userpass", "pwd", "psk", "preshared", "secret", "credential",
    "privatekey", "communitystring", "bearertoken", "refreshtoken", "devicetoken",
)  # fmt: skip
"""What the name of a secret has in it, without capitals and separators."""
ENDINGS = ("key", "token", "pin", "puk")
OWNERS = (
    "auth", "authorization", "authorisation", "apn", "wifi", "wlan", "wpa", "wpa2", "wpa3", "wep", "network", "net", "ssid",
    "modem", "sim", "vpn", "ppp", "shared", "access", "api", "hmac", "aes", "des", "encryption", "enc", "crypto", "cipher",
    "master", "session", "signing", "security", "ssh", "tls", "card", "mifare", "rfid", "nfc", "admin", "root", "user", "lock",
    "license", "cloud", "mqtt", "bluetooth", "ble", "psk",
)  # fmt: skip
"""Of these an ending makes a secret, as manufacturers call them: WifiPsk, ApnKey, Modem.SimPin, BasicAuthPassword."""
HINTS = (
    "pass",
    "pwd",
    "psk",
    "key",
    "pin",
    "puk",
    "secret",
    "token",
    "credential",
    "shared",
    "community",
    '"vpn"',
    "://",
)
"""A text without any of these, in lower case, has nothing to hide: looked for first, for most messages have none of them."""
URL_PASSWORD = re.compile(r"(://[^/@:\s\"]*):[^/@\s\"]+@")
PAIR = re.compile(
    r"(\"([^\"]{1,120})\"\s*[,:]"
    r"(?:\s*\"(?:value|readonly)\"\s*:)?\s*(?:(?:true|false)\s*,\s*\"value\"\s*:\s*)?)(?:\"(?:[^\"\\]|\\.)*\"?|[^,{}\[\]\s]+)",
    re.IGNORECASE,
)
"""A name in quotes and what follows it, in what is no JSON, or only the beginning of some."""
TEXT_PAIR = re.compile(r"(?<![\w.\-])([\w.\-]{2,120})\s*[=:]\s*")
"""In what never was any: `psk=…;`, `?password=…`."""
TEXT_VALUE = re.compile(r"[^\s;&,\"]*")
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
            if value and ((secret and name in VALUES) or is_secret(name) or (name == "key" and is_vpn(payload)))
            else redacted(value)
            for name, value in payload.items()
        }
    if isinstance(payload, list):
        return [redacted(part) for part in payload]
    return redacted_text(payload) if isinstance(payload, str) else payload


def redacted_text(text: str) -> str:
    """The same for a frame as text, or a text in it that may be JSON again (DataTransfer); in one that is not even JSON as far
    as can be seen.
    """
    small = text.lower()
    for hint in HINTS:  # Each message comes by here.
        if hint in small:
            break
    else:
        return text
    if text.lstrip()[:1] in ("{", "["):
        try:
            found = read_json(text)
        except ValueError:
            text = PAIR.sub(lambda match: f'{match[1]}"{BLANK}"' if is_secret(match[2]) else match[0], text)
        else:
            hidden = redacted(found)
            return text if hidden == found else orjson.dumps(hidden).decode()
    return URL_PASSWORD.sub(rf"\1:{BLANK}@", _without_pairs(text))


def names_secret(name: Any) -> bool:
    """Whether a setting of this name is a secret; 2.x puts the name into an object."""
    if isinstance(name, dict):
        name = name.get("name")
    return isinstance(name, str) and is_secret(name)


@lru_cache(maxsize=2048)
def is_secret(name: str) -> bool:
    """Whether a field or setting of this name holds a secret.

    >>> [
    ...     is_secret(name)
    ...     for name in ("WifiPsk", "Modem.Apn_Key", "SIM PIN", "WebSocketPingInterval", "unknownKey", "idToken")
    ... ]
    [True, True, True, False, False, False]
    """
    plain = "".join(filter(str.isalnum, name.lower()))
    if any(word in plain for word in WORDS):
        return True
    for ending in ENDINGS:
        at = plain.find(ending)
        while at >= 0:
            if plain.endswith(OWNERS, 0, at) and not plain.startswith("ping", at):
                return True
            at = plain.find(ending, at + 1)
    return False


def is_vpn(payload: dict[str, Any]) -> bool:
    """Whether its `key` is no setting's name, but what opens a VPN (2.0.1, VPNType)."""
    return "server" in payload and "user" in payload


def _without_pairs(text: str) -> str:
    """A value may itself name a secret: `https://…?api_key=…`."""
    parts, begin = [], 0
    while (match := TEXT_PAIR.search(text, begin)) is not None:
        parts.append(text[begin : match.end()])
        begin = match.end()
        if is_secret(match[1]) and (value := TEXT_VALUE.match(text, begin)):
            parts.append(BLANK)
            begin = value.end()
    return "".join(parts) + text[begin:]
