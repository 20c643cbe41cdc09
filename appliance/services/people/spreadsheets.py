"""Lists of people and cards as spreadsheets write them: bytes of a CSV file to rows of text, whatever wrote it.

What the rows mean, and what they change, is in `card_import`.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from appliance.domain.errors import Refusal

FILE_BYTES_MAX = 2_000_000
ROWS_MAX = 5_000
COLUMNS = ("name", "phone", "group", "uid", "label", "valid_until")
OTHER_NAMES = {
    "name": "holder person fullname cardholder driver customer user username member employee displayname",
    "phone": "telephone mobile tel phonenumber mobilenumber mobilephone cell cellphone contactnumber",
    "group": "groupname customergroup usergroup team",
    "uid": "carduid rfiduid taguid rfid rfidtag rfidcard rfidcode rfidnumber rfidid rfidtagid idtag idtoken token tagid tag card cardid cardnumber cardno "
    "nfcuid nfcid nfc chipid chipuid hexuid uidhex uidnumber serialnumber evcoid emaid contractid autochargeid mac macaddress vid",
    "label": "description comment remark note alias printednumber visualnumber",
    "valid_until": "validuntil expires expiry expirydate expiration expirationdate expiresat chargesuntil validto validthru validthrough enddate",
}
"""What columns are called besides, in small letters without anything between."""
ASIDE = re.compile(r"[(\[].*?[)\]]")
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
    lines = _lines(text)
    heads = next((cells for _line, cells in lines if any(cells)), None)
    if heads is None:
        raise Refusal("The file is empty.")
    columns = columns_of(heads, names or {})
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


def columns_of(heads: Sequence[str], names: Mapping[str, str]) -> list[str | None]:
    """What each head means; None for what is not read. `names` are what columns are called in the reader's language."""
    own = {_plain(name): name for name in COLUMNS} | {_plain(name): column for name, column in names.items()}
    other = {word: column for column, words in OTHER_NAMES.items() for word in words.split()}
    plain = [_plain(head) for head in heads]
    found = [own.get(head) or other.get(head) for head in plain]
    if "uid" in (own.get(head) for head in plain):
        # What is called “Card” or “Tag” beside it is something else, as the number printed on it.
        return [
            None if column == "uid" and head not in own else column for head, column in zip(plain, found, strict=True)
        ]
    return found


def _plain(head: str) -> str:
    """A head without what does not matter: `Valid until`, `valid_until` and `UID (hex)` are `validuntil` and `uid`."""
    return "".join(letter for letter in ASIDE.sub("", head).casefold() if letter.isalnum() or is_mark(letter))


def is_mark(letter: str) -> bool:
    """Whether it belongs to the letter before it, as vowels do in Bengali."""
    return unicodedata.category(letter) in ("Mn", "Mc")
