"""Files for spreadsheets: real numbers, the country's separators, and nothing that becomes a formula."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from appliance.ui.frame import language
from appliance.ui.writing.exports import Column, CsvWriter, Kind, Row, Table, XlsxWriter
from appliance.ui.writing.formats import Formats, formats

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
COLUMNS = (
    Column("Name"),
    Column("Began", Kind.MOMENT),
    Column("Day", Kind.DAY),
    Column("Duration", Kind.DURATION),
    Column("kWh", Kind.ENERGY),
    Column("Fee", Kind.MONEY),
    Column("Number", Kind.COUNT),
)
ROW: Row = ("Rahima Khatun", 1_795_344_600_000, "2026-11-22", 6120, 12_345, -191_73, 7)
DANGEROUS = (
    "=1+2",
    "+880 1712",
    "-5",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    '=cmd|"/c calc"!A1',
    "=HYPERLINK(1)",
    "＝1+2",
    "＋880",
    "－5",
    "＠SUM(A1)",
    "\n=1",
    " =1+2",
    "\N{ZERO WIDTH SPACE}=1",
)


async def nothing() -> AsyncIterator[Sequence[Row]]:
    """No rows: they are handed over by hand here."""
    empty: tuple[Sequence[Row], ...] = ()
    for rows in empty:
        yield rows


def table(*, totals: Row | None = None, columns: Sequence[Column] = COLUMNS) -> Table:
    """A table to be written."""
    return Table("report", "Report: [1]", columns, nothing(), None if totals is None else lambda: totals)


def dhaka(spoken: str = "en", exponent: int = 2) -> Formats:
    """Formats at a site in Dhaka."""
    language.speak(spoken)
    try:
        return formats("BDT", exponent, ZoneInfo("Asia/Dhaka"))
    finally:
        language.speak("en")


def as_csv(
    fmt: Formats, rows: Sequence[Row], *, columns: Sequence[Column] = COLUMNS, totals: Row | None = None
) -> bytes:
    """The whole file."""
    writer = CsvWriter(table(columns=columns), fmt)
    return writer.head() + writer.add(rows) + writer.finish(totals).read()


def as_xlsx(
    fmt: Formats, rows: Sequence[Row], *, columns: Sequence[Column] = COLUMNS, totals: Row | None = None
) -> list[list[tuple[str, str]]]:
    """The cells of the file: kind and content."""
    writer = XlsxWriter(table(columns=columns), fmt)
    writer.head()
    writer.add(rows)
    with writer.finish(totals) as file, zipfile.ZipFile(io.BytesIO(file.read())) as book:
        sheet = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))
        assert not list(sheet.iter(f"{SHEET}f"))
    return [[_cell(cell) for cell in row.iter(f"{SHEET}c")] for row in sheet.iter(f"{SHEET}row")]


def _cell(cell: ET.Element) -> tuple[str, str]:
    text = "".join(cell.itertext())
    return cell.get("t", "n"), text


def test_csv_begins_with_the_mark_and_speaks_plain_numbers() -> None:
    lines = as_csv(dhaka(), [ROW]).decode("utf-8-sig").splitlines()

    assert as_csv(dhaka(), []).startswith(b"\xef\xbb\xbf")
    assert lines[0] == "Name,Began,Day,Duration,kWh,Fee,Number"
    assert lines[1] == "Rahima Khatun,2026-11-22 16:50:00,2026-11-22,1:42:00,12.345,-191.73,7"


def test_csv_has_semicolons_where_the_comma_is_the_decimal_mark() -> None:
    german = replace(dhaka(), decimal=",", group=".")

    assert b"Rahima Khatun;2026-11-22 16:50:00;2026-11-22;1:42:00;12,345;-191,73;7" in as_csv(german, [ROW])


def test_csv_numbers_keep_western_digits_in_bengali_because_spreadsheets_read_no_others() -> None:
    assert b"12.345,-191.73,7" in as_csv(dhaka("bn"), [ROW])


@pytest.mark.parametrize("typed", DANGEROUS)
def test_what_begins_like_a_formula_stays_text_in_csv(typed: str) -> None:
    text = as_csv(dhaka(), [(typed,)], columns=(Column("Name"),)).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))

    assert rows[1] == [f"'{typed}"]


@pytest.mark.parametrize("typed", DANGEROUS)
def test_what_begins_like_a_formula_stays_text_in_xlsx(typed: str) -> None:
    kind, content = as_xlsx(dhaka(), [(typed,)], columns=(Column("Name"),))[1][0]

    assert kind == "inlineStr"
    # XLSX writes a carriage return as _x000D_.
    assert content.replace("_x000D_", "\r").strip() == typed.strip()


def test_xlsx_has_real_numbers_dates_and_durations() -> None:
    heads, row, total = as_xlsx(dhaka(), [ROW], totals=("Total", None, None, 6120, 12_345, -191_73, 1))

    assert [content for _, content in heads] == [column.head for column in COLUMNS]
    assert [kind for kind, _ in row] == ["inlineStr", "n", "n", "n", "n", "n", "n"]
    numbers = [float(content) for _, content in row[1:]]
    # Days since 1899-12-30, on the site's clock.
    assert numbers == pytest.approx([46_348 + 1010 / 1440, 46_348, 6120 / 86_400, 12.345, -191.73, 7])
    assert total[0] == ("inlineStr", "Total")


def test_a_currency_without_minor_unit_has_whole_amounts() -> None:
    assert b",-19173,7" in as_csv(dhaka(exponent=0), [ROW])
    assert as_xlsx(dhaka(exponent=0), [ROW])[1][5] == ("n", "-19173")


def test_empty_cells_stay_empty() -> None:
    empty: tuple[Any, ...] = (None,) * len(COLUMNS)

    assert as_csv(dhaka(), [empty]).decode("utf-8-sig").splitlines()[1] == ",,,,,,"
    assert len(as_xlsx(dhaka(), [empty])) in (1, 2)
