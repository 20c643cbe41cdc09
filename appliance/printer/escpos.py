"""ESC/POS, as far as nearly every printer of receipts speaks it: a picture in bands, cut, drawer, status."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from appliance.printer.raster import Raster

ASK_FOR_PAPER: Final = b"\x10\x04\x04"
"""DLE EOT 4: answered at once, by one byte, also while the printer waits for somebody."""
RESET: Final = b"\x1b@"
OPEN_DRAWER: Final = b"\x1bp\x00\x19\xfa"
"""ESC p: a pulse of 50 ms on pin 2, where drawers are connected."""
FEED: Final = b"\x1bd\x05"
"""ESC d: up to where paper is torn off."""
CUT: Final = b"\x1dVB\x00"
"""GS V 66: on to the knife, and cut but for one point."""
ASK_WHETHER_DONE: Final = b"\x1dr\x01"
"""GS r 1: answered, by one byte, when all before it is printed."""
BAND_ROWS: Final = 128
"""Cheap printers have little memory, and lose the rest of a higher picture."""


def page(picture: Raster, *, cuts: bool) -> bytes:
    """What prints a picture, and where the paper ends."""
    return b"".join(_bands(picture)) + (CUT if cuts else FEED)


def _bands(picture: Raster) -> Iterator[bytes]:
    """GS v 0: bytes across and rows down, low byte first."""
    across = picture.width // 8
    for begin in range(0, len(picture.data), across * BAND_ROWS):
        band = picture.data[begin : begin + across * BAND_ROWS]
        yield b"\x1dv0\x00" + across.to_bytes(2, "little") + (len(band) // across).to_bytes(2, "little") + band


def is_about_paper(answer: int) -> bool:
    """Whether a byte answers DLE EOT; if not, it answers GS r."""
    return answer & 0b1001_0011 == 0b0001_0010


def is_out_of_paper(answer: int) -> bool:
    """What an answer to either says."""
    return bool(answer & (0b0110_0000 if is_about_paper(answer) else 0b0000_1100))
