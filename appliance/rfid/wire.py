"""What a desk on another computer and the site say to each other: JSON texts over one websocket, in both directions.

The desk begins with `hello`; then it tells of its reader (`state`), of cards (`laid`, `taken`), of what work came to (`result`,
`trouble`), and every few seconds that it is there (`alive`). The site answers `welcome`, or `refused` with a sentence, and asks
for work (`work`, `look`), each under a number. Everything from the other side is checked here, and what does not fit raises
Malformed, which ends the connection.

The keys of a card travel with the work on the card that lies there and are not kept; whoever has the desk's token can learn the
keys of cards that staff write at that desk, of no others. So the connection is TLS, except on the loopback.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from appliance.domain.cards.tag import Content, Keys, Kind, ReaderState, ReaderStatus, Seen, Trouble, Wipe, Work, Write
from appliance.services.foreign_json import read_json

VERSION = 1
TEXT_CHARACTERS_MAX = 16_384
WORDS_MAX = 300
LINK_MAX = 1_000
RECORD_BYTES_MAX = 1_000
NUMBER_MAX = 2**53 - 1
ALIVE_EACH_S = 10.0
SILENCE_S_MAX = 35.0
"""Who has said nothing for so long is gone: `alive` comes three times as often."""
UID = re.compile(r"(?:[0-9A-F]{2}){4,10}")
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
"""What a desk on another computer may be called: it stands in addresses."""
KEYS_BYTES = {"password": 4, "pack": 2, "aes": 16, "meta": 16}


class Malformed(Exception):
    """A text that is none of ours; the argument says what is wrong with it, for the log and the other side."""


@dataclass(frozen=True, slots=True)
class Hello:
    """The first text of a desk."""

    version: int


@dataclass(frozen=True, slots=True)
class Welcome:
    """The site's answer to it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The site's other answer, and its last word."""

    why: str


@dataclass(frozen=True, slots=True)
class Alive:
    """Nothing but that."""


@dataclass(frozen=True, slots=True)
class Bye:
    """The desk was told to end: it is not missed."""


@dataclass(frozen=True, slots=True)
class State:
    """The reader is in another state."""

    state: ReaderState


@dataclass(frozen=True, slots=True)
class Laid:
    """A card lies there."""

    seen: Seen


@dataclass(frozen=True, slots=True)
class Taken:
    """It lies there no longer."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a request: the card as it is now, None where there is none."""

    number: int
    seen: Seen | None


@dataclass(frozen=True, slots=True)
class Failed:
    """Work came to nothing."""

    number: int
    trouble: Trouble


@dataclass(frozen=True, slots=True)
class DoWork:
    """Work on the card that lies there."""

    number: int
    work: Work


@dataclass(frozen=True, slots=True)
class Look:
    """Read again what lies there."""

    number: int


Up = Hello | Alive | Bye | State | Laid | Taken | Result | Failed
Down = Welcome | Refused | Alive | DoWork | Look
Message = Up | Down


def write(message: Message) -> str:
    """A message as it travels."""
    return orjson.dumps(_fields(message)).decode()


def read_up(text: str) -> Up:
    """What a desk says; Malformed."""
    message = _read(text)
    if not isinstance(message, Up):
        raise Malformed("only the site says this")
    return message


def read_down(text: str) -> Down:
    """What the site says; Malformed."""
    message = _read(text)
    if not isinstance(message, Down):
        raise Malformed("only a desk says this")
    return message


# --- out -------------------------------------------------------------------------------------------------------------------


def _fields(message: Message) -> dict[str, Any]:  # noqa: C901  # a table
    match message:
        case Hello(version):
            return {"type": "hello", "version": version}
        case Welcome():
            return {"type": "welcome", "version": VERSION}
        case Refused(why):
            return {"type": "refused", "why": why}
        case Alive():
            return {"type": "alive"}
        case Bye():
            return {"type": "bye"}
        case State(state):
            return {"type": "state", "status": state.status, "name": state.name, "detail": state.detail}
        case Laid(seen):
            return {"type": "laid", "seen": _card(seen)}
        case Taken():
            return {"type": "taken"}
        case Result(number, found):
            return {"type": "result", "id": number, "seen": _card(found) if found is not None else None}
        case Failed(number, trouble):
            return {"type": "trouble", "id": number, "trouble": trouble}
        case DoWork(number, work):
            return {"type": "work", "id": number, **_work(work)}
        case Look(number):
            return {"type": "look", "id": number}


def _work(work: Work) -> dict[str, Any]:
    keys = {name: _encoded(getattr(work.keys, name)) for name in KEYS_BYTES}
    if isinstance(work, Write):
        return {"do": "write", "uid": work.uid, "keys": keys, "content": _content(work.content)}
    return {"do": "wipe", "uid": work.uid, "keys": keys}


def _card(seen: Seen) -> dict[str, Any]:
    return {
        "uid": seen.uid,
        "kind": seen.kind,
        "content": _content(seen.content),
        "writable": seen.writable,
        "locked": seen.locked,
        "genuine": seen.genuine,
        "random": seen.random,
        "foreign": seen.foreign,
        "several": seen.several,
    }


def _content(content: Content) -> dict[str, str]:
    return {"link": content.link, "record": _encoded(content.record)}


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


# --- in --------------------------------------------------------------------------------------------------------------------


class _Record:
    """An object from outside; each field is taken out by what it must be."""

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise Malformed("not an object")
        self._values: dict[str, Any] = value

    def words(self, name: str, most: int = WORDS_MAX) -> str:
        value = self._values.get(name)
        if not isinstance(value, str) or len(value) > most:
            raise Malformed(f"{name}: not a text of at most {most} characters")
        return value

    def number(self, name: str) -> int:
        value = self._values.get(name)
        if type(value) is not int or not 0 <= value <= NUMBER_MAX:
            raise Malformed(f"{name}: not a number")
        return value

    def flag(self, name: str) -> bool:
        value = self._values.get(name)
        if not isinstance(value, bool):
            raise Malformed(f"{name}: neither true nor false")
        return value

    def flag_or_none(self, name: str) -> bool | None:
        return None if self._values.get(name) is None else self.flag(name)

    def data(self, name: str, most: int) -> bytes:
        try:
            value = base64.b64decode(self.words(name, 4 * most), validate=True)
        except (binascii.Error, ValueError) as error:
            raise Malformed(f"{name}: not base64") from error
        if len(value) > most:
            raise Malformed(f"{name}: more than {most} bytes")
        return value

    def uid(self) -> str:
        value = self.words("uid")
        if not UID.fullmatch(value):
            raise Malformed("uid: not a UID")
        return value

    def record(self, name: str) -> _Record:
        return _Record(self._values.get(name))

    def has(self, name: str) -> bool:
        return self._values.get(name) is not None


def _read(text: str) -> Message:
    if len(text) > TEXT_CHARACTERS_MAX:
        raise Malformed("too long")
    try:
        record = _Record(read_json(text))
    except ValueError as error:
        raise Malformed("not JSON") from error
    read = READERS.get(record.words("type"))
    if read is None:
        raise Malformed("of no known type")
    return read(record)


def _read_state(record: _Record) -> State:
    try:
        status = ReaderStatus(record.words("status"))
    except ValueError as error:
        raise Malformed("status: no state of a reader") from error
    return State(ReaderState(status, record.words("name"), record.words("detail")))


def _read_card(record: _Record) -> Seen:
    try:
        kind = Kind(record.words("kind"))
    except ValueError as error:
        raise Malformed("kind: no kind of chip") from error
    return Seen(
        uid=record.uid(),
        kind=kind,
        content=_read_content(record.record("content")),
        writable=record.flag("writable"),
        locked=record.flag("locked"),
        genuine=record.flag_or_none("genuine"),
        random=record.flag("random"),
        foreign=record.flag("foreign"),
        several=record.flag("several"),
    )


def _read_content(record: _Record) -> Content:
    return Content(record.words("link", LINK_MAX), record.data("record", RECORD_BYTES_MAX))


def _read_result(record: _Record) -> Result:
    return Result(record.number("id"), _read_card(record.record("seen")) if record.has("seen") else None)


def _read_trouble(record: _Record) -> Failed:
    try:
        return Failed(record.number("id"), Trouble(record.words("trouble")))
    except ValueError as error:
        raise Malformed("trouble: none that is known") from error


def _read_work(record: _Record) -> DoWork:
    number, uid, keys = record.number("id"), record.uid(), _read_keys(record.record("keys"))
    match record.words("do"):
        case "write":
            return DoWork(number, Write(uid, _read_content(record.record("content")), keys))
        case "wipe":
            return DoWork(number, Wipe(uid, keys))
    raise Malformed("do: neither write nor wipe")


def _read_keys(record: _Record) -> Keys:
    found = {name: record.data(name, size) for name, size in KEYS_BYTES.items()}
    if any(len(found[name]) != size for name, size in KEYS_BYTES.items()):
        raise Malformed("keys: of the wrong length")
    return Keys(**found)


READERS: dict[str, Callable[[_Record], Message]] = {
    "hello": lambda record: Hello(record.number("version")),
    "welcome": lambda _record: Welcome(),
    "refused": lambda record: Refused(record.words("why")),
    "alive": lambda _record: Alive(),
    "bye": lambda _record: Bye(),
    "state": _read_state,
    "laid": lambda record: Laid(_read_card(record.record("seen"))),
    "taken": lambda _record: Taken(),
    "result": _read_result,
    "trouble": _read_trouble,
    "work": _read_work,
    "look": lambda record: Look(record.number("id")),
}
