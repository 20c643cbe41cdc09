"""Lists of people and cards as spreadsheets write them: bytes of a CSV file to rows of text, whatever wrote it.

What the rows mean, and what they change, is in `card_import`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from appliance.domain.errors import Refusal

FILE_BYTES_MAX = 2_000_000
ROWS_MAX = 5_000
COLUMNS = ("name", "phone", "group", "uid", "label", "valid_until")
OTHER_NAMES = {
    "holder": "name",
    "person": "name",
    "full name": "name",
    "telephone": "phone",
    "mobile": "phone",
    "card": "uid",
    "card uid": "uid",
    "tag": "uid",
    "id tag": "uid",
    "expires": "valid_until",
    "valid until": "valid_until",
    "charges until": "valid_until",
}
"""What columns are called besides, in small letters."""
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")
"""Before these, exports put an apostrophe, so that no spreadsheet computes what people typed."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file as it stands there; `line` is counted as spreadsheets do, the heads being the first."""

    line: int
    name: str = ""
    phone: str = ""
    group: str = ""
    uid: str = ""
    label: str = ""
    valid_until: str = ""


def read(data: bytes, names: Mapping[str, str] | None = None) -> list[Row]:
    """The rows of a file, empty ones left out. `names` are what columns are called in the reader's language.

    Raises:
        Refusal: It is too large, no text, or has no column that can be told.
    """
    if len(data) > FILE_BYTES_MAX:
        raise Refusal("The file is larger than {most} MB.", "Split it.", most=FILE_BYTES_MAX // 1_000_000)
    text = text_of(data)
    known = {**{name: name for name in COLUMNS}, **OTHER_NAMES}
    known |= {_plain(name): column for name, column in (names or {}).items()}
    lines = _lines(text)
    heads = next((cells for _line, cells in lines if any(cells)), None)
    if heads is None:
        raise Refusal("The file is empty.")
    columns = [known.get(_plain(cell)) for cell in heads]
    if not {"name", "uid"} & set(columns):
        raise Refusal(
            "The first line names neither a column “name” nor a column “uid”.",
            "Write these heads into the first line: name, phone, group, uid, label, valid_until.",
        )
    doubled = next((name for name in columns if name is not None and columns.count(name) > 1), None)
    if doubled is not None:
        raise Refusal("Two columns mean the same: {name}.", "Remove one of them.", name=doubled)
    found: list[Row] = []
    for line, cells in lines:
        if not any(cells):
            continue
        if len(found) == ROWS_MAX:
            raise Refusal("The file has more than {most} rows.", "Split it.", most=ROWS_MAX)
        values = {name: cell for name, cell in zip(columns, cells, strict=False) if name is not None}
        found.append(Row(line, **values))
    if not found:
        raise Refusal("Under its heads the file is empty.")
    return found


def text_of(data: bytes) -> str:
    """The text of a file in UTF-8 or, with its mark, UTF-16.

    Raises:
        Refusal: It is neither.
    """
    if data.startswith(b"PK\x03\x04"):
        raise Refusal("This is an Excel workbook, not a CSV file.", "Save it as “CSV UTF-8” in Excel, and choose that.")
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise Refusal("The letters of this file cannot be read.", "Save it as “CSV UTF-8”.") from None
    if "\0" in text:
        raise Refusal("This is no text.", "Choose a CSV file.")
    return text


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and cells. The separator is what the heads have most of."""
    first, _end, rest = text.partition("\n")
    if first.strip().lower().startswith("sep="):
        # Excel's own way of saying it; it counts as a line.
        separator, offset, text = first.strip()[4:5] or ",", 1, rest
    else:
        separator, offset = max(",;\t", key=first.count), 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            yield reader.line_num + offset, [_cell(cell) for cell in cells]
    except csv.Error:
        raise Refusal(
            "Line {line} cannot be read.", "Is a quotation mark open?", line=reader.line_num + offset
        ) from None


def _cell(text: str) -> str:
    text = text.strip()
    return text[1:] if text[:1] == "'" and text[1:2] in FORMULA_BEGINS else text


def _plain(head: str) -> str:
    """A head without what does not matter: `Valid until` and `valid_until` are one."""
    plain = " ".join(head.replace("_", " ").lower().split())
    return "valid_until" if plain == "valid until" else plain
