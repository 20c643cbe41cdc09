"""The week as a table and the example sessions: drawn and priced out of what bills."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from appliance.domain.pricing.flat import terms_of
from appliance.domain.pricing.reckoning import price
from appliance.domain.tariff import Tariff
from appliance.ui.console.tariffs import tries, week
from appliance.ui.console.tariffs.tries import EXAMPLES, OWN
from appliance.ui.forms.forms import Form
from appliance.ui.frame.language import speak
from appliance.ui.writing.formats import Formats, formats
from tests.support.price_lines import line, terms

SUNDAY = date(2026, 11, 22)
BANDS = Tariff(
    0,
    "Bands",
    terms=terms(
        line("energy", 1214, "VAT", from_time="17:00", to_time="23:00", weekdays=[1, 2, 3, 4, 7]),
        line("energy", 768, "VAT", from_time="05:00", to_time="09:00"),
        line("energy", 866, "VAT"),
        line("idle_time", 200, "VAT", from_idle_minutes=30),
        taxes={"VAT": 5},
    ),
)
FLAT = Tariff(
    0, "Day", energy_milli_per_kwh=950_000, idle_milli_per_minute=200_000, idle_grace_s=1800, tax_basis_points=500
)


@pytest.fixture(name="fmt")
def _fmt() -> Formats:
    speak("en")
    return formats("BDT", 2, ZoneInfo("Asia/Dhaka"))


def test_examples_say_what_they_are_what_they_cost_and_what_they_cost_before(fmt: Formats) -> None:
    found = {one.word: one for one in tries.tried([*EXAMPLES, OWN], BANDS, FLAT, SUNDAY, fmt)}

    evening = found["In the evening"]
    assert evening.what == "Tuesday 18:00–22:00, 28 kWh at 7 kW"
    assert evening.parts == "28.00 kWh × ৳12.14 + tax ৳17.00"
    assert (evening.total, evening.before) == ("৳356.92", "৳279.30")
    over = found["Over-staying"]
    assert over.what == "Saturday 15:00–20:00, 14 kWh at 7 kW, then full for 3 h"
    assert over.parts == "14.00 kWh × ৳8.66 + 2 h 30 min × ৳2.00 + tax ৳21.06"
    assert over.total == "৳442.30"
    assert found["Your own"].parts.startswith("4.00 kWh × ৳12.14 + 2.00 kWh × ৳7.68 + 24.00 kWh × ৳8.66")


@pytest.mark.parametrize("tariff", [BANDS, FLAT])
def test_they_are_priced_as_a_bill_is(tariff: Tariff, fmt: Formats) -> None:
    for example, found in zip(EXAMPLES, tries.tried(EXAMPLES, tariff, None, SUNDAY, fmt), strict=True):
        usage = tries.usage_for(example, SUNDAY, fmt)
        assert found.total == fmt.money(price(usage, terms_of(tariff), fmt.zone).total_minor)
        assert found.before == ""


def test_ones_own_session_is_read_in_any_digits_and_keeps_to_its_bounds() -> None:
    own = tries.own_of(
        Form({"try_day": "৫", "try_from": "০৭:১৫", "try_kw": "২২", "try_charging": "30", "try_idle": "1e9"})
    )

    assert (own.weekday, own.from_minute, own.power_w, own.charging_min, own.idle_min) == (5, 435, 22_000, 30, 0)
    assert tries.own_of(Form({"try_from": "25:00", "try_kw": "-4", "try_day": "9"})) == OWN
    assert tries.own_of(Form(tries.own_values(own))) == own


def test_the_week_is_a_table_of_letters_and_prices_with_a_key(fmt: Formats) -> None:
    assert BANDS.terms is not None
    found = week.week_of(BANDS.terms, date(2026, 11, 25), (date(2026, 11, 24), 18 * 60), fmt)

    assert found is not None
    assert [day.name for day in found.days] == ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    assert [day.is_today for day in found.days] == [False, False, True, *[False] * 4]
    tuesday, friday = found.days[2].cells, found.days[5].cells
    assert [(cell.letter, cell.price, cell.span, cell.is_now) for cell in tuesday] == [
        ("C", "8.66", 20, False), ("B", "7.68", 16, False), ("C", "8.66", 32, False), ("A", "12.14", 24, True), ("C", "", 4, False),
    ]  # fmt: skip
    assert [cell.letter for cell in friday] == ["C", "B", "C"]
    assert tuesday[3].spoken == "17:00–23:00 ৳12.14"
    assert [(key.letter, key.band, key.is_now) for key in found.keys] == [
        ("A", "b1", True),
        ("B", "b3", False),
        ("C", "b2", False),
    ]
    assert sum(cell.span for day in found.days for cell in day.cells) == 7 * week.COLUMNS


def test_hours_without_a_price_are_marked_in_words(fmt: Formats) -> None:
    tariff = terms(
        line("energy", 900, from_time="00:07", to_time="00:08"), line("energy", 800, from_time="09:00", to_time="23:59")
    )
    found = week.week_of(tariff, SUNDAY, (SUNDAY, 0), fmt)

    assert found is not None
    cells = found.days[0].cells
    assert [(cell.band, cell.span) for cell in cells] == [("b0", 1), ("b1", 1), ("b0", 34), ("b3", 59), ("b0", 1)]
    assert cells[2].spoken == "00:08–09:00 no price"
    assert found.keys[-1].words == "no price: free of charge"
    assert week.week_of(terms(line("flat", 100)), SUNDAY, (SUNDAY, 0), fmt) is None


def test_the_holidays_of_the_site_are_in_the_week_and_in_the_prices(fmt: Formats) -> None:
    tariff = terms(line("energy", 500, holidays=True), line("energy", 900))
    days = frozenset({"2026-11-24"})
    found = week.week_of(tariff, SUNDAY, (SUNDAY, 0), fmt, holidays=days)

    assert found is not None
    assert [day.cells[0].letter for day in found.days] == ["B", "B", "A", "B", "B", "B", "B"]
    (evening,) = tries.tried(EXAMPLES[:1], Tariff(0, "Feast", terms=tariff), None, SUNDAY, fmt, days)
    assert evening.total == "৳140.00"
