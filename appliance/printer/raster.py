"""Slips as pictures of black dots: printers of receipts have no Bengali, so all text is drawn here."""

from __future__ import annotations

import importlib.resources
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import uharfbuzz as hb

from appliance.domain.slip import Row, Slip, Style

BLACK_FROM: Final = 120
"""Of 255: how much of a dot a stroke must cover; below one half, for thin strokes of small Bengali must not break."""
BITS = bytes(ord("1") if cover >= BLACK_FROM else ord("0") for cover in range(256))
EM_UNITS: Final = 1000
LINE_EMS: Final = 1.45
BASELINE_EMS: Final = 1.05
"""Signs above and below Bengali letters need room."""
GAP: Final = 16
"""Dots between what stands left and what stands right."""
RULE_ROOM: Final = 16
SIGN_ROOM: Final = 90
LEFT, MIDDLE, RIGHT = 0.0, 0.5, 1.0


@dataclass(frozen=True, slots=True)
class Raster:
    """Dots in rows, each row in whole bytes, its first dot the highest bit; 1 is black."""

    width: int
    """A multiple of 8."""
    data: bytes

    @property
    def height(self) -> int:
        """In dots."""
        return len(self.data) * 8 // self.width


@dataclass(frozen=True, slots=True)
class Lettering:
    """How text of a style looks."""

    weight: str
    size: int
    """Of the em, in dots; a millimetre has 8."""
    at: float = LEFT


LETTERING: Final = {
    Style.TITLE: Lettering("SemiBold", 32, MIDDLE),
    Style.AMOUNT: Lettering("SemiBold", 54, MIDDLE),
    Style.MIDDLE: Lettering("Regular", 28, MIDDLE),
    Style.HEADING: Lettering("SemiBold", 30),
    Style.PLAIN: Lettering("Regular", 28),
    Style.SUM: Lettering("SemiBold", 30),
    Style.SMALL: Lettering("Regular", 24),
    Style.SIGN: Lettering("Regular", 24),
}
"""In no weight and size may the loop of ১ close, by which it is told from a comma; in Medium it is closed from the beginning."""


@dataclass(frozen=True, slots=True)
class _Line:
    """Text that fits on one line, with its place."""

    text: str
    lettering: Lettering
    x: int
    y: int
    """Of its baseline, from the top of the slip."""


def draw(slip: Slip, width: int) -> Raster:
    """The picture of a slip on paper of so many dots. It takes tens of milliseconds of the processor."""
    lines, rules, height = _laid_out(slip, width)
    pen = hb.RasterDraw()
    pen.extents = _page(width, height)
    for line in lines:
        _write(pen, line, height)
    rows = _rows(pen.render(), width, height)
    for y in rules:
        rows[y] = rows[y + 1] = b"\xff" * (width // 8)
    return Raster(width, b"".join(rows))


def _laid_out(slip: Slip, width: int) -> tuple[list[_Line], list[int], int]:
    """Lines of text, the tops of lines across the paper, and how high the slip is."""
    lines: list[_Line] = []
    rules: list[int] = []
    y = 0
    for row in slip:
        if row.style in (Style.RULE, Style.SIGN, Style.SUM):
            y += SIGN_ROOM if row.style is Style.SIGN else RULE_ROOM // 2
            rules.append(y)
            y += RULE_ROOM // 2
        if row.style is Style.RULE:
            continue
        lettering = LETTERING[row.style]
        for left, right in _lines(row, lettering, width):
            for text, at in ((left, LEFT if right else lettering.at), (right, RIGHT)):
                if text:
                    x = int((width - _length(text, lettering)) * at)
                    lines.append(_Line(text, lettering, x, y + round(lettering.size * BASELINE_EMS)))
            y += round(lettering.size * LINE_EMS)
    return lines, rules, max(y, 1)


def _lines(row: Row, lettering: Lettering, width: int) -> Iterator[tuple[str, str]]:
    """What stands left and right on each line of a row."""
    left, right = list(_wrapped(row.text, lettering, width)), list(_wrapped(row.right, lettering, width))
    if left and right and _length(left[-1], lettering) + GAP + _length(right[0], lettering) <= width:
        yield from ((text, "") for text in left[:-1])
        yield left[-1], right[0]
        yield from (("", text) for text in right[1:])
    else:
        yield from ((text, "") for text in left)
        yield from (("", text) for text in right)


def _wrapped(text: str, lettering: Lettering, width: int) -> Iterator[str]:
    """Lines no longer than the paper is wide, broken between words, and inside a word that has no place on a line of its own."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if _length(longer, lettering) <= width:
            line = longer
            continue
        if line:
            yield line
        *whole, line = _pieces(word, lettering, width)
        yield from whole
    if line:
        yield line


def _pieces(word: str, lettering: Lettering, width: int) -> Iterator[str]:
    piece = ""
    for cluster in _clusters(word):
        if piece and _length(piece + cluster, lettering) > width:
            yield piece
            piece = ""
        piece += cluster
    yield piece


def _clusters(word: str) -> Iterator[str]:
    """What must not be torn: a letter with its signs, and letters that a virama joins."""
    cluster = ""
    for sign in word:
        joins = unicodedata.category(sign)[0] == "M" or sign in "\u200c\u200d"
        if cluster and not joins and unicodedata.combining(cluster[-1]) != VIRAMA and cluster[-1] != "\u200d":
            yield cluster
            cluster = ""
        cluster += sign
    if cluster:
        yield cluster


VIRAMA: Final = 9
"""The combining class of viramas."""


def _length(text: str, lettering: Lettering) -> int:
    """In dots."""
    units: int = sum(at.x_advance for at in _shaped(text, lettering.weight).glyph_positions)
    return -(-units * lettering.size // EM_UNITS)


def _write(pen: hb.RasterDraw, line: _Line, height: int) -> None:
    """Letters as outlines; the pen counts from the lower edge."""
    shaped, scale = _shaped(line.text, line.lettering.weight), line.lettering.size / EM_UNITS
    x, baseline = float(line.x), float(height - line.y)
    for info, at in zip(shaped.glyph_infos, shaped.glyph_positions, strict=True):
        pen.transform = (scale, 0.0, 0.0, scale, x + at.x_offset * scale, baseline + at.y_offset * scale)
        pen.draw_glyph(_font(line.lettering.weight), info.codepoint)
        x += at.x_advance * scale


def _shaped(text: str, weight: str) -> hb.Buffer:
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    hb.shape(_font(weight), buffer)
    return buffer


def _page(width: int, height: int) -> hb.RasterExtents:
    return hb.RasterExtents(x_origin=0, y_origin=0, width=width, height=height)


def _rows(image: hb.RasterImage, width: int, height: int) -> list[bytes]:
    """From the top; the image has a byte for each dot and begins with its lowest row."""
    stride, cover = image.extents.stride, bytes(image.buffer).translate(BITS)
    starts: Iterable[int] = range((height - 1) * stride, -1, -stride)
    return [int(cover[start : start + width], 2).to_bytes(width // 8, "big") for start in starts]


@cache
def _font(weight: str) -> hb.Font:
    """Hind Siliguri: Bengali and Latin by one hand, with the signs of currencies."""
    file = importlib.resources.files("fontpkg_hind_siliguri") / "files" / f"HindSiliguri-{weight}.ttf"
    return hb.Font(hb.Face(file.read_bytes()))
