"""Messages for the eyes of somebody who may not see cards: whoever knows a whole UID can make a copy of the card.

Firmwares write UIDs in every way and into every field, so nothing that a station wrote is shown because of where it stands:
whatever looks like a UID is masked, and what cannot be read wholly is not shown at all.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import orjson

from appliance.db.stations.message_log import Message
from appliance.domain.id_token import masked
from appliance.services.foreign_json import read_json
from appliance.services.ports.stations import Variable

HEX_CHARS_MIN = 8
"""The shortest UID has four bytes."""
HOLDS_TOKEN = re.compile(
    r"id_?tag|token|uid|card|rfid|nfc|badge|masterpass|groupid|emaid|evccid|^vin$|driver|user|customer|^tag|[_-]tag|tag[_-]|tags?$|(?:auth|local|white|black)_?list$",
    re.IGNORECASE,
)
"""Names of fields that hold an id token, of whatever shape, in the protocol and with manufacturers."""
TELLS_OF_TOKEN = re.compile(r"(?:type|status|datetime|count)$", re.IGNORECASE)
"""How names end that hold something about one, which is masked as free text is; so is what an object `idTagInfo` holds."""
NAMED = ("key", "name", "variable")
NAMED_VALUES = frozenset({"value", "attributevalue", "variableattribute"})
"""Of an object that says its own name, as a configuration key does: the fields that hold what is called so."""
OF_STATION = frozenset(
    {"chargepointserialnumber", "chargeboxserialnumber", "meterserialnumber", "serialnumber", "firmwareversion", "iccid", "imsi",
     "model", "chargepointmodel", "metertype"}
)  # fmt: skip
"""Fields of a BootNotification whose numbers are the station's own, though they may look like a card's."""
COUNTED = frozenset(
    {"transactionid", "meterstart", "meterstop", "requestid", "reservationid", "remotestartid", "listversion", "versionnumber"}
)  # fmt: skip
"""Fields with numbers of ours, and of meters."""
RUN = re.compile(
    r"""(?P<other>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?
          |(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f]))
      |[0-9a-f]{1,2}(?:[:-][0-9a-f]{1,2}){3,}(?![0-9a-f])
      |[0-9a-f]{2,}(?:[^0-9a-z]{0,3}(?:0x)?[0-9a-f]{2,})*""",
    re.IGNORECASE | re.VERBOSE,
)
"""Times and UUIDs, which are no cards; and hex digits with whatever may stand between them."""
NAME = HOLDS_TOKEN.pattern.replace("^", r"(?<![\w-])").replace("$", r"(?![\w-])")
SAID = re.compile(rf"((?<![\w-])(?=[\w-]*?(?:{NAME}))[\w-]+[\"'\s]*[:=#>]+[\"'\s]*)([^\s\"',;<}}\]]+)", re.IGNORECASE)
"""A field in free text: idTag=DRIVER-8. It begins where its name does: a text that is nothing but names is searched once."""
QUOTED = re.compile(r"'[^']{5,}'|\"[^\"]{5,}\"")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def without_cards(message: Message) -> Message:
    """The message with the last characters of each id token only."""
    return replace(
        message,
        action=masked_words(message.action),
        request=masked_text(message.request, message.action),
        answer=None if message.answer is None else masked_text(message.answer, message.action),
        violation=None if message.violation is None else masked_remark(message.violation),
    )


def masked_text(text: str, action: str = "") -> str:
    """A frame, written anew, for only what was read is known to be masked; of one that cannot be read its action and length."""
    try:
        found = read_json(text)
    except ValueError:
        return f"{masked_words(action)} •• {len(text)}".lstrip()
    plain = OF_STATION if action == "BootNotification" else frozenset()
    return orjson.dumps(_masked(found, "", plain)).decode()


def masked_payload(payload: Any) -> Any:
    """The payload of an answer."""
    return _masked(payload, "", frozenset())


def masked_variable(variable: Variable) -> Variable:
    """A setting inside a charger; what is hidden of it is not to be changed by whoever does not see it."""
    if variable.value is None or variable.name.variable.lower() in OF_STATION:
        return variable
    shown = str(masked_payload({"key": variable.name.variable, "value": variable.value})["value"])
    return variable if shown == variable.value else replace(variable, value=shown, readonly=True)


def _masked(value: Any, name: str, plain: frozenset[str], *, token: bool = False) -> Any:
    """A value and all within it. `token`: it is, or holds, an id token; `plain`: names of fields that do not."""
    if isinstance(value, dict):
        return _masked_object(value, name, plain, token=token)
    if isinstance(value, list):
        return [_masked(part, name, plain, token=token) for part in value]
    if isinstance(value, str):
        if token:
            return masked(value) if value else value
        return value if name in plain else _masked_string(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        could_be = token or (name not in COUNTED and len(str(value)) >= HEX_CHARS_MIN)
        return masked(str(value)) if could_be else value
    return value


def _masked_object(found: dict[str, Any], name: str, plain: frozenset[str], *, token: bool) -> dict[str, Any]:
    hidden = {}
    called = any(HOLDS_TOKEN.search(text) for text in _own_names(found))
    for field, value in found.items():
        lower = field.lower()
        about = TELLS_OF_TOKEN.search(lower) or (lower.endswith("info") and isinstance(value, dict | list))
        holds = token or HOLDS_TOKEN.search(field) or (called and lower in NAMED_VALUES)
        if name == "sampledvalue" and lower == "value" and NUMBER.fullmatch(str(value)):
            hidden[field] = value
        else:
            hidden[masked_words(field)] = _masked(value, lower, plain, token=bool(holds and not about))
    return hidden


def _own_names(found: dict[str, Any]) -> list[str]:
    names = [found.get(field) for field in NAMED]
    return [text for one in names if isinstance(text := one.get("name") if isinstance(one, dict) else one, str)]


def _masked_string(text: str) -> str:
    return masked_text(text) if text.lstrip()[:1] in ("{", "[", '"') else masked_words(text)


def masked_words(text: str) -> str:
    """Free text. What everybody reads of it, as on the board, is masked before it is stored; the message log has it whole."""
    return RUN.sub(_mask, SAID.sub(lambda match: match[1] + masked(match[2]), text))


def _mask(match: re.Match[str]) -> str:
    digits = sum(letter in "0123456789abcdefABCDEF" for letter in match[0].replace("0x", ""))
    groups = len(re.split("[:-]", match[0]))
    is_other = match["other"] is not None or (digits < HEX_CHARS_MIN and groups * 2 < HEX_CHARS_MIN)
    return match[0] if is_other else masked(match[0])


def masked_remark(text: str) -> str:
    """What is wrong with a message names the value that is; which field that was is not known."""
    return masked_words(QUOTED.sub(lambda match: f"{match[0][0]}{masked(match[0][1:-1])}{match[0][0]}", text))
