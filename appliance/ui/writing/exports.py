"""Tables as files for spreadsheets: CSV as the reader's country writes it, and XLSX with real numbers, dates and durations.

Both are written row by row, so that a hundred thousand rows need no more memory than one. What people typed stays text:
a name that begins like a formula is never one.
"""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, auto
from typing import IO, Any, Protocol
from urllib.parse import quote

import xlsxwriter
from aiohttp import hdrs, web

from appliance.ui.writing.formats import Formats

FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n", *"＝＋－＠")  # these are the full-width ones
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV Injection), also after blanks and signs that nobody sees."""
CHUNK_BYTES = 1 << 16
CELL_CHARS_MAX = 32_767
SHEET_NAME_CHARS_MAX = 31
UTF_8_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Without it, some spreadsheets read Bengali as noise."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Kind(Enum):
    """What a column's values are, and how they come in."""

    TEXT = auto()
    COUNT = auto()
    """An integer."""
    MONEY = auto()
    """Minor units."""
    ENERGY = auto()
    """Wh; written in kWh."""
    DURATION = auto()
    """Seconds."""
    DAY = auto()
    """`2026-11-23`."""
    MOMENT = auto()
    """UTC milliseconds; written on the site's clock, to the second."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column; its head says the unit."""

    head: str
    kind: Kind = Kind.TEXT


Row = Sequence[Any]
"""One value for each column; None leaves a cell empty."""


@dataclass(frozen=True, slots=True)
class Table:
    """What is exported: `rows` come in batches; `totals` is asked for a last row when all of them are written."""

    name: str
    """Of the file, without its ending."""
    title: str
    columns: Sequence[Column]
    rows: AsyncIterator[Sequence[Row]]
    totals: Callable[[], Row] | None = None


class Writer(Protocol):
    """Takes rows and gives bytes."""

    content_type: str

    def head(self) -> bytes:
        """The file's beginning."""
        ...

    def add(self, rows: Sequence[Row]) -> bytes:
        """What can be sent already."""
        ...

    def finish(self, totals: Row | None) -> IO[bytes]:
        """The rest."""
        ...


async def send(request: web.Request, table: Table, ending: str, fmt: Formats) -> web.StreamResponse:
    """Answer with the table as a file. `ending` is `csv` or `xlsx`; anything else is not found."""
    writers: dict[str, type[CsvWriter | XlsxWriter]] = {"csv": CsvWriter, "xlsx": XlsxWriter}
    if ending not in writers:
        raise web.HTTPNotFound
    name = f"{table.name}.{ending}"
    response = web.StreamResponse(
        headers={
            "Content-Type": writers[ending].content_type,
            "Content-Disposition": f"attachment; filename=\"{name}\"; filename*=UTF-8''{quote(name)}",
        }
    )
    await response.prepare(request)
    if request.method == hdrs.METH_HEAD:
        return response
    writer: Writer = await asyncio.to_thread(writers[ending], table, fmt)
    await response.write(writer.head())
    async for rows in table.rows:
        await response.write(await asyncio.to_thread(writer.add, rows))
    with await asyncio.to_thread(writer.finish, table.totals() if table.totals else None) as rest:
        while chunk := await asyncio.to_thread(rest.read, CHUNK_BYTES):
            await response.write(chunk)
    await response.write_eof()
    return response


class CsvWriter:
    """Separated by `;` where the comma is the decimal mark, else by `,`; UTF-8 with a mark."""

    content_type = "text/csv; charset=utf-8"

    def __init__(self, table: Table, fmt: Formats) -> None:
        self._columns = table.columns
        self._fmt = fmt
        self._decimal = "," if fmt.decimal == "," else "."
        self._text = io.StringIO()
        self._csv = csv.writer(self._text, delimiter=";" if self._decimal == "," else ",", lineterminator="\r\n")

    def head(self) -> bytes:
        """The mark and the heads."""
        self._text.write(UTF_8_MARK)
        self._csv.writerow([column.head for column in self._columns])
        return self._take()

    def add(self, rows: Sequence[Row]) -> bytes:
        """Some rows."""
        self._csv.writerows([self._cells(row) for row in rows])
        return self._take()

    def finish(self, totals: Row | None) -> IO[bytes]:
        """The sums."""
        return io.BytesIO(self.add([totals]) if totals is not None else b"")

    def _cells(self, row: Row) -> list[str]:
        return [self._cell(value, column.kind) for value, column in zip(row, self._columns, strict=True)]

    def _cell(self, value: Any, kind: Kind) -> str:
        if value is None:
            return ""
        match kind:
            case Kind.MONEY:
                return self._plain(value, self._fmt.exponent)
            case Kind.ENERGY:
                return self._plain(value, 3)
            case Kind.DURATION:
                return f"{value // 3600}:{value // 60 % 60:02}:{value % 60:02}"
            case Kind.MOMENT:
                return f"{_on_site(value, self._fmt):%Y-%m-%d %H:%M:%S}"
            case Kind.TEXT:
                text = str(value)
                return f"'{text}" if begins_formula(text) else text
            case _:
                return str(value)

    def _plain(self, number: int, decimals: int) -> str:
        return f"{Decimal(number).scaleb(-decimals):f}".replace(".", self._decimal)

    def _take(self) -> bytes:
        written = self._text.getvalue().encode()
        self._text.seek(0)
        self._text.truncate()
        return written


class XlsxWriter:
    """One sheet, written to a temporary file row by row; nothing can be sent before it is whole."""

    content_type = XLSX

    def __init__(self, table: Table, fmt: Formats) -> None:
        self._columns = table.columns
        self._fmt = fmt
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - handed to whoever reads it, who closes it.
        self._book = xlsxwriter.Workbook(
            self._file,
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_numbers": False,
                "strings_to_urls": False,
            },
        )
        self._sheet = self._book.add_worksheet(_sheet_name(table.title))
        self._cell_formats = {kind: self._format(kind) for kind in Kind}
        self._total_formats = {kind: self._format(kind, bold=True, top=1) for kind in Kind}
        self._row = 0

    def head(self) -> bytes:
        """The heads, which stay when the rest is scrolled."""
        for number, column in enumerate(self._columns):
            self._sheet.set_column(number, number, max(_width(column), len(column.head) + 2))
        self._sheet.freeze_panes(1, 0)
        bold = self._book.add_format({"bold": True, "bottom": 1})
        for number, column in enumerate(self._columns):
            self._sheet.write_string(0, number, column.head, bold)
        self._row = 1
        return b""

    def add(self, rows: Sequence[Row]) -> bytes:
        """Some rows."""
        for row in rows:
            self._write(row, self._cell_formats)
        return b""

    def finish(self, totals: Row | None) -> IO[bytes]:
        """The sums, and the whole file."""
        if self._row > 1:
            self._sheet.autofilter(0, 0, self._row - 1, len(self._columns) - 1)
        if totals is not None:
            self._write(totals, self._total_formats)
        self._book.close()
        self._file.seek(0)
        return self._file

    def _write(self, row: Row, formats: dict[Kind, Any]) -> None:
        for number, (value, column) in enumerate(zip(row, self._columns, strict=True)):
            if value is not None:
                self._cell(number, value, column.kind, formats[column.kind])
        self._row += 1

    def _cell(self, number: int, value: Any, kind: Kind, form: Any) -> None:
        row = self._row
        # In totals a column may say a word where the others have numbers.
        if kind is Kind.TEXT or (isinstance(value, str) and kind is not Kind.DAY):
            self._sheet.write_string(row, number, str(value)[:CELL_CHARS_MAX], form)
        elif kind is Kind.DAY:
            day = _day(str(value))
            if day is None:
                self._sheet.write_string(row, number, str(value), form)
            else:
                self._sheet.write_datetime(row, number, day, form)
        elif kind is Kind.MOMENT:
            self._sheet.write_datetime(row, number, _on_site(value, self._fmt).replace(tzinfo=None), form)
        elif kind is Kind.DURATION:
            self._sheet.write_number(row, number, Decimal(value) / 86_400, form)
        else:
            decimals = {Kind.MONEY: self._fmt.exponent, Kind.ENERGY: 3}.get(kind, 0)
            self._sheet.write_number(row, number, Decimal(value).scaleb(-decimals), form)

    def _format(self, kind: Kind, **more: object) -> Any:
        money = "#,##0" + ("." + "0" * self._fmt.exponent if self._fmt.exponent else "")
        written = {
            Kind.COUNT: "#,##0",
            Kind.MONEY: money,
            Kind.ENERGY: "#,##0.000",
            Kind.DURATION: "[h]:mm:ss",
            Kind.DAY: "yyyy-mm-dd",
            Kind.MOMENT: "yyyy-mm-dd hh:mm:ss",
        }
        return self._book.add_format({**({"num_format": written[kind]} if kind in written else {}), **more})


def begins_formula(text: str) -> bool:
    """Whether a spreadsheet might reckon instead of showing the text."""
    shown = text.lstrip(" \N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}\N{ZERO WIDTH SPACE}\N{ZERO WIDTH NO-BREAK SPACE}")
    return shown.startswith(FORMULA_BEGINS)


def _on_site(at_ms: int, fmt: Formats) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, fmt.zone)


def _day(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).replace(tzinfo=None)
    except ValueError:
        return None


def _width(column: Column) -> int:
    return {Kind.TEXT: 24, Kind.MOMENT: 20, Kind.COUNT: 10}.get(column.kind, 13)


def _sheet_name(title: str) -> str:
    """What XLSX allows in a sheet's name."""
    return "".join(character for character in title if character not in "[]:*?/\\'")[:SHEET_NAME_CHARS_MAX] or "1"
