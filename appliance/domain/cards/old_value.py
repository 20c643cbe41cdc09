"""The balance that an earlier local system has written on a MIFARE Classic card: where it stands, how it is written, and how it is emptied.

A value block holds the number three times, once of them inverted, and its address (MF1S50, 8.6.2.1); others write a plain number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

BLOCK_BYTES = 16
VALUE_BYTES = 4
LENGTH_MAX = 8
BLOCKS_OF_4K = 256
UNIT_MAX = 100_000


class Form(StrEnum):
    """How the number is written; these words are stored."""

    VALUE = "value"
    """A value block."""
    LITTLE = "little"
    """A plain number, the lowest byte first."""
    BIG = "big"
    """The same, the highest byte first."""


@dataclass(frozen=True, slots=True)
class OldLayout:
    """Where the balance stands, and what one of its number is worth."""

    block: int
    """Counted from 0 over all sectors: sector 2 begins with block 8."""
    key_b: bool = False
    """It is opened with key B."""
    form: Form = Form.VALUE
    offset: int = 0
    length: int = VALUE_BYTES
    unit_minor: int = 1

    def read(self, data: bytes) -> int | None:
        """The balance in minor units; None where no such number stands there."""
        if len(data) != BLOCK_BYTES:
            return None
        if self.form is Form.VALUE:
            plain, inverted, again = data[:4], data[4:8], data[8:12]
            address = data[12:13] == data[14:15] == bytes((data[13] ^ 0xFF,)) == bytes((data[15] ^ 0xFF,))
            if plain != again or plain != bytes(byte ^ 0xFF for byte in inverted) or not address:
                return None
            number = int.from_bytes(plain, "little", signed=True)
        else:
            part = data[self.offset : self.offset + self.length]
            number = int.from_bytes(part, "little" if self.form is Form.LITTLE else "big")
        return number * self.unit_minor if number >= 0 else None

    def emptied(self, data: bytes) -> bytes:
        """The same block with nothing on it; what stands beside the number stays."""
        if self.form is Form.VALUE:
            return bytes(4) + b"\xff" * 4 + bytes(4) + data[12:]
        return data[: self.offset] + bytes(self.length) + data[self.offset + self.length :]

    def written(self) -> str:
        """As `read_layout` takes it."""
        place = "" if self.form is Form.VALUE else f" offset={self.offset} length={self.length}"
        return f"block={self.block} key={'B' if self.key_b else 'A'} form={self.form}{place} unit={self.unit_minor}"


NAMES = frozenset({"block", "key", "form", "offset", "length", "unit"})


def read_layout(text: str) -> OldLayout | None:
    """`block=8 key=A form=value unit=100`; None for "".

    Raises:
        ValueError: It is none.
    """
    if not text.strip():
        return None
    pairs = [piece.partition("=") for piece in re.split(r"[\s,;]+", text.strip())]
    found = {name: value for name, _sign, value in pairs}
    if not found.keys() <= NAMES or len(found) != len(pairs) or "block" not in found:
        raise ValueError("other words")
    key = found.get("key", "A").upper()
    layout = OldLayout(
        int(found["block"]), key == "B", Form(found.get("form", Form.VALUE)), int(found.get("offset", "0")),
        int(found.get("length", str(VALUE_BYTES))), int(found.get("unit", "1")),
    )  # fmt: skip
    fits = layout.offset >= 0 and 1 <= layout.length <= LENGTH_MAX and layout.offset + layout.length <= BLOCK_BYTES
    if key not in ("A", "B") or not fits or not 1 <= layout.unit_minor <= UNIT_MAX or is_trailer(layout.block):
        raise ValueError("no such place")
    return layout


def is_trailer(block: int) -> bool:
    """Whether nothing can stand there: the maker's block, and those with the keys, which a slip would lock for ever."""
    small = block < 128
    return not 0 < block < BLOCKS_OF_4K or block % (4 if small else 16) == (3 if small else 15)
