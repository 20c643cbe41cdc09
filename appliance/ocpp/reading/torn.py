"""What can still be read of a message that is no JSON: slips in how it was written, and frames that end too early.

Only asked for messages that mean money, and only once strict reading failed: guessing is no way to read what can be sent again. What
touches the torn end of a frame is not believed, for of a number half the digits are another number. Nothing recurses, and the work grows
with the length alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import orjson

from appliance.ocpp.reading.schemas import Payload

PIECES_MAX = 10_000
"""As many as the readings of some hours have; beyond them only single fields are looked for."""
DEPTH_MAX = 20
NUMBER_CHARS_MAX = 40
PIECE = re.compile(r"""[\[\]{}:=,;]|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s\[\]{}:=,;"']+""", re.DOTALL)
NOTHING = frozenset({"null", "none", "nil", "nan", "-nan", "infinity", "-infinity", "inf", "-inf", "undefined"})
TRUTHS = {"true": True, "false": False}
INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
DECIMAL = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
TORN = object()
"""A value that reaches the end of the text."""


def payload_of(text: str, names: tuple[str, ...] = ()) -> Payload:
    """The fields of its first object, as far as they can be read; of a field that comes twice the last, as in JSON.

    Those of `names`, which are no others' in such a message, are also looked for wherever they stand.
    """
    at = text.find("{")
    found = _Reader().read(text, at) if at >= 0 else {}
    for name, pattern in zip(names, _patterns(names), strict=True):
        if name not in found and (match := pattern.search(text)) is not None:
            found[name] = match[1] if match[1] is not None else int(match[2])
    return found


@cache
def _patterns(names: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """Each begins with its own letters, for so it is found fast."""
    value = r"""["']?\s*[:=]\s*(?:["']([^"'\\,{}\[\]]{0,64})["']|(-?[0-9]{1,19})(?=[\s,}\]"']))"""
    return tuple(re.compile(re.escape(name) + value) for name in names)


class _Reader:
    """One reading. `_open` are the lists and objects that are not closed yet, the outermost first."""

    def __init__(self) -> None:
        self._open: list[Any] = []
        self._keys: list[str | None] = []
        """For each of them the key whose value is awaited; None in lists, and between values."""
        self._buried = 0
        """How many more are open that stand too deep to be kept."""

    def read(self, text: str, begin: int) -> Payload:
        outermost: Payload = {}
        self._push(outermost)
        pieces = _pieces(text, begin + 1)
        following = next(pieces, None)
        while following is not None and self._open:
            piece, following = following, next(pieces, None)
            self._take(piece, is_named=following in (":", "="))
        return outermost

    def _take(self, piece: Any, *, is_named: bool) -> None:
        if piece in ("{", "["):
            self._begin({} if piece == "{" else [])
        elif piece in ("}", "]"):
            self._end(dict if piece == "}" else list)
        elif self._buried or piece in (":", "="):
            return
        elif piece in (",", ";"):
            self._keys[-1] = None
        elif isinstance(self._open[-1], dict) and (is_named or self._keys[-1] is None):
            self._keys[-1] = piece.text if isinstance(piece, _Scalar) else None
        else:
            self._put(piece.value if isinstance(piece, _Scalar) else None)

    def _begin(self, inner: Any) -> None:
        if self._buried or len(self._open) >= DEPTH_MAX:
            self._buried += 1
            return
        self._put(inner)
        self._push(inner)

    def _end(self, kind: type) -> None:
        """Of what is closed in the wrong order the inner end with the outer; a bracket that closes nothing is no more than noise."""
        if self._buried:
            self._buried -= 1
            return
        if any(type(one) is kind for one in self._open):
            while type(self._open.pop()) is not kind:
                self._keys.pop()
            self._keys.pop()

    def _push(self, inner: Any) -> None:
        self._open.append(inner)
        self._keys.append(None)

    def _put(self, value: Any) -> None:
        there = self._open[-1]
        if isinstance(there, list):
            if value is not TORN:
                there.append(value)
        elif (key := self._keys[-1]) is not None:
            self._keys[-1] = None
            if value is not TORN:
                there[key] = value


class _Scalar:
    """A text, number, word or nothing: as the name of a field, and as a value."""

    __slots__ = ("text", "value")

    def __init__(self, text: str, value: Any) -> None:
        self.text = text
        self.value = value


def _pieces(text: str, begin: int) -> Iterator[str | _Scalar]:
    """Brackets, colons, commas, and what stands between them."""
    for number, match in enumerate(PIECE.finditer(text, begin)):
        if number >= PIECES_MAX:
            return
        piece = match[0]
        if piece in "[]{}:=,;":
            yield piece
        elif piece[0] in "\"'":
            is_closed = len(piece) > 1 and piece[-1] == piece[0]
            plain = _unescaped(piece[1:-1] if is_closed else piece[1:])
            yield _Scalar(plain, plain if is_closed else TORN)
        else:
            yield _Scalar(piece, TORN if match.end() == len(text) else _meant(piece))


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    try:
        found = orjson.loads(f'"{text}"')
    except ValueError:
        return text.replace("\\", "")
    return str(found)


def _meant(word: str) -> Any:
    """What stands without quotes."""
    plain = word.casefold()
    if plain in NOTHING or len(word) > NUMBER_CHARS_MAX:
        return None
    if plain in TRUTHS:
        return TRUTHS[plain]
    if INTEGER.fullmatch(word):
        return int(word)
    return float(word) if DECIMAL.fullmatch(word) else word
