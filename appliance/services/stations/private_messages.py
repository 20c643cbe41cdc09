"""Messages for the eyes of somebody who may not see cards: whoever knows a whole UID can make a copy of the card."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import orjson

from appliance.db.stations.message_log import Message
from appliance.domain.id_token import masked
from appliance.services.foreign_json import read_json

NAMES = frozenset(
    {"idtag", "parentidtag", "idtoken", "groupidtoken", "additionalidtoken", "groupid", "uid", "masterpassgroupid"}
)
"""Fields that hold an id token, in lower case; in 2.x an object of this name holds a field of it."""
IN_TEXT = re.compile(r"(\"(?:" + "|".join(sorted(NAMES)) + r")\"\s*:\s*\"?)((?:[^\"\\,}\]]|\\.)+)", re.IGNORECASE)
UID = re.compile(r"(?<![\w-])(?=[0-9a-f:]*[0-9])(?:[0-9a-f]{2}:?){3,9}[0-9a-f]{2}(?![\w-])", re.IGNORECASE)
"""What looks like the UID of a card, wherever it stands."""
OTHER_NUMBERS = re.compile(r"serial|version|model|iccid|imsi|time|reference", re.IGNORECASE)
"""Fields whose numbers are no cards', though they may look so."""
QUOTED = re.compile(r"'[^']{5,}'")


def without_cards(message: Message) -> Message:
    """The message with the last characters of each id token only."""
    return replace(
        message,
        request=masked_text(message.request),
        answer=None if message.answer is None else masked_text(message.answer),
        violation=None if message.violation is None else _masked_remark(message.violation),
    )


def masked_text(text: str) -> str:
    """A frame; of one that is not JSON, or was cut off, what can be found."""
    try:
        found = read_json(text)
    except ValueError:
        return UID.sub(_mask, IN_TEXT.sub(lambda match: match[1] + masked(match[2]), text))
    # A frame begins with its kind and the message's name.
    hidden = [*found[:2], *masked_json(found[2:])] if isinstance(found, list) else masked_json(found)
    return text if hidden == found else orjson.dumps(hidden).decode()


def masked_json(found: Any) -> Any:
    """The id tokens in it by their fields; and whatever looks like a card's UID, for manufacturers have fields of their own."""
    if isinstance(found, dict):
        return {name: _masked_field(name, value) for name, value in found.items()}
    if isinstance(found, list):
        return [masked_json(part) for part in found]
    if not isinstance(found, str):
        return found
    return masked_text(found) if found.lstrip()[:1] in ("{", "[") else UID.sub(_mask, found)


def _masked_field(name: str, value: Any) -> Any:
    if name.lower() in NAMES and isinstance(value, str | int) and value:
        return masked(str(value))
    if isinstance(value, str) and (OTHER_NUMBERS.search(name) or (name == "value" and value.isdecimal())):
        return value
    return masked_json(value)


def _mask(match: re.Match[str]) -> str:
    return masked(match[0])


def _masked_remark(text: str) -> str:
    """What is wrong with a message names the value that is; which field that was is not known."""
    return UID.sub(_mask, QUOTED.sub(lambda match: f"'{masked(match[0][1:-1])}'", text))
