"""docs/TARIFFS.md: its sentences are those of the pages, and its worked examples come to what it says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance.domain.pricing.checks import check
from appliance.domain.pricing.lines import Terms, Usage
from appliance.domain.pricing.reckoning import price
from appliance.ui.console.tariffs.patterns import PATTERNS
from appliance.ui.frame.language import speak
from appliance.ui.wording import price_lines
from appliance.ui.writing.formats import formats
from tests.support.price_lines import line, session, terms

PAPER = (Path(__file__).parents[4] / "docs/TARIFFS.md").read_text(encoding="utf-8")
DHAKA = ZoneInfo("Asia/Dhaka")
BANDS = check(
    terms(
        line("energy", 1214, "VAT", from_time="17:00", to_time="23:00"),
        line("energy", 768, "VAT", from_time="05:00", to_time="09:00"),
        line("energy", 866, "VAT"),
        line("idle_time", 200, "VAT", from_idle_minutes=30),
        taxes={"VAT": 5},
    )
)
EVENING = session("2026-11-23T18:00", DHAKA, (60, 10, True))
WORKED: list[tuple[str, Terms, Usage]] = [
    ("Monday 18:00–19:00, 10 kWh", BANDS, EVENING),
    ("Monday 16:30–17:30, 10 kWh", BANDS, session("2026-11-23T16:30", DHAKA, (60, 10, True))),
    ("Monday 22:00–05:30, 30 kWh", BANDS, session("2026-11-23T22:00", DHAKA, (450, 30, True))),
    (
        "Saturday 15:00–17:00, 14 kWh, then full until 20:00",
        BANDS,
        session("2026-11-28T15:00", DHAKA, (120, 14, True), (180, 0, False)),
    ),
    ("the first again, at least ৳150.00", replace(BANDS, minimum_minor=15_000), EVENING),
    ("the first again, 5 % VAT in the prices", replace(BANDS, tax_included=True), EVENING),
    ("the first again, but nothing was charged", BANDS, session("2026-11-23T18:00", DHAKA, (60, 0, True))),
]
ROW = re.compile(r"^\| (?P<session>[^|]+) \| (?P<reckoned>[^|]+) \| (?P<total>৳[^|]+) \|$", re.MULTILINE)


def test_all_that_is_worked_is_reckoned_here() -> None:
    assert [found["session"] for found in ROW.finditer(PAPER)] == [name for name, _terms, _usage in WORKED]


@pytest.mark.parametrize(("name", "tariff", "usage"), WORKED, ids=lambda one: one if isinstance(one, str) else "")
def test_a_worked_example_comes_to_its_total(name: str, tariff: Terms, usage: Usage) -> None:
    speak("en")
    fmt = formats("BDT", 2, DHAKA)
    (row,) = [found for found in ROW.finditer(PAPER) if found["session"] == name]
    bill = price(usage, tariff, DHAKA)

    assert row["total"] == fmt.money(bill.total_minor)
    amounts = [fmt.number(charged.amount_minor, 2) for charged in bill.lines]
    assert all(amount in row["reckoned"] for amount in amounts)
    assert not bill.tax_minor or f"VAT {fmt.number(bill.tax_minor, 2)}" in row["reckoned"]


def test_its_sentences_are_those_of_the_pages() -> None:
    speak("en")
    said = "\n".join(f"> {one}" for one in price_lines.sentences(BANDS, formats("BDT", 2, DHAKA)))
    assert said in PAPER.split("## Worked examples")[1]
    assert [pattern.word for pattern in PATTERNS.values() if f"* **{pattern.word}**" not in PAPER] == []
