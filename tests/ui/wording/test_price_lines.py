"""A line of a tariff as a sentence, in both languages."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from babel import Locale, UnknownLocaleError
from babel.core import get_global

from appliance.domain.pricing.lines import PriceLine
from appliance.ui.frame.language import speak
from appliance.ui.wording import price_lines, site_week
from appliance.ui.writing.formats import Formats, formats
from tests.support.price_lines import line, moment, terms

DHAKA = ZoneInfo("Asia/Dhaka")
NOON_MS = moment("2026-11-23T12:00", DHAKA)
GROUPS = {3: "Customers", 4: "Green Taxi"}


@pytest.fixture(name="fmt", params=["en", "bn"])
def _fmt(request: pytest.FixtureRequest) -> Formats:
    speak(request.param)
    return formats("BDT", 2, DHAKA)


LINES = [
    (line("energy", 950), "৳9.50 a kWh", "৯.৫০৳ প্রতি kWh"),
    (
        line("energy", 1214, from_time="17:00", to_time="23:00", weekdays=[1, 2, 3, 4, 7]),
        "17:00–23:00 on weekdays: ৳12.14 a kWh",
        "কর্মদিবসে ১৭:০০–২৩:০০: ১২.১৪৳ প্রতি kWh",
    ),
    (
        line("energy", "866.5", from_time="23:00", to_time="05:00"),
        "23:00–05:00 every day: ৳8.665 a kWh",
        "প্রতিদিন ২৩:০০–০৫:০০: ৮.৬৬৫৳ প্রতি kWh",
    ),
    (line("energy", 700, weekdays=[5, 6]), "At weekends: ৳7.00 a kWh", "সাপ্তাহিক ছুটিতে: ৭.০০৳ প্রতি kWh"),
    (
        line("energy", 700, weekdays=[1, 2, 5], from_date="2026-12-01", to_date="2027-03-01"),
        "On Mon–Tue, Fri, 1 Dec 2026 – 28 Feb 2027: ৳7.00 a kWh",
        "সোম–মঙ্গল, শুক্র, ১ ডিসে, ২০২৬ – ২৮ ফেব, ২০২৭: ৭.০০৳ প্রতি kWh",
    ),
    (line("energy", 700, to_date="2027-03-01", holidays=True), "Until 28 Feb 2027, on holidays: ৳7.00 a kWh", None),
    (line("energy", 700, from_wh=20_000), "Beyond 20 kWh: ৳7.00 a kWh", "২০ kWh-এর বেশি হলে: ৭.০০৳ প্রতি kWh"),
    (line("energy", 700, to_wh=2_500), "For the first 2.5 kWh: ৳7.00 a kWh", None),
    (line("energy", 700, from_wh=20_000, to_wh=40_000), "From 20 kWh to 40 kWh: ৳7.00 a kWh", None),
    (line("energy", 700, from_w=22_000), "At 22 kW or more: ৳7.00 a kWh", None),
    (line("energy", 700, to_w=3_700), "At less than 3.7 kW: ৳7.00 a kWh", None),
    (line("charging_time", 50, to_minutes=60), "In the first 1 h: ৳0.50 a minute of charging", None),
    (line("duration", 6000, unit="hour", from_minutes=120), "After the first 2 h: ৳60.00 an hour at the charger", None),
    (line("idle_time", 200), "After charging has ended: ৳2.00 a minute", "চার্জ শেষ হওয়ার পর: ২.০০৳ প্রতি মিনিটে"),
    (line("idle_time", 200, from_idle_minutes=240), "4 h after charging has ended: ৳2.00 a minute", None),
    (line("flat", 2500, methods=["prepaid"]), "Who pays beforehand: ৳25.00 for each session", None),
    (line("reservation", 100, groups=[4, 3]), "For Customers, Green Taxi: ৳1.00 a minute of keeping the place", None),
    (line("reservation", 5000, unit="once", groups=[9]), "For some groups: ৳50.00 for keeping the place", None),
]


@pytest.mark.parametrize(("one", "english", "bengali"), LINES)
def test_a_line_is_a_sentence(fmt: Formats, one: PriceLine, english: str, bengali: str | None) -> None:
    said = str(price_lines.sentence(terms(one), 0, fmt, GROUPS))

    if fmt.locale.language == "en":
        assert said == english
    elif bengali is not None:
        assert said == bengali
    else:
        assert said != english


def test_what_is_left_by_the_lines_above_is_said_so() -> None:
    speak("en")
    tariff = terms(
        line("energy", 1214, from_time="17:00", to_time="23:00"),
        line("energy", 866),
        line("flat", 100),
        line("idle_time", 300, from_idle_minutes=60),
        line("idle_time", 100),
    )

    said = [str(one) for one in price_lines.sentences(tariff, formats("BDT", 2, DHAKA))]
    assert said[1:] == [
        "At all other times: ৳8.66 a kWh",
        "৳1.00 for each session",
        "1 h after charging has ended: ৳3.00 a minute",
        "After charging has ended: ৳1.00 a minute",
    ]


def test_drivers_are_told_with_tax_first_by_kwh_then_by_minute_by_session_and_the_rest() -> None:
    speak("en")
    tariff = terms(
        line("reservation", 100, "vat"), line("flat", 200, "vat"), line("idle_time", 300, "vat"),
        line("duration", 400, "vat"), line("energy", 500, "vat", from_wh=10_000), line("energy", 600, "vat"), taxes={"vat": 10},
    )  # fmt: skip

    said = [str(one) for one in price_lines.in_public(tariff, formats("BDT", 2, DHAKA), NOON_MS)]
    assert said == [
        "At all other times: ৳6.60 a kWh",
        "Beyond 10 kWh: ৳5.50 a kWh",
        "৳4.40 a minute at the charger",
        "After charging has ended: ৳3.30 a minute",
        "৳2.20 for each session",
        "৳1.10 a minute of keeping the place",
    ]


def test_the_kwh_of_this_hour_is_told_first_and_called_so() -> None:
    speak("en")
    fmt = formats("BDT", 2, DHAKA)
    bands = terms(line("energy", 1214, from_time="17:00", to_time="23:00"), line("energy", 866))

    noon, evening = (price_lines.in_public(bands, fmt, NOON_MS + hours * 3_600_000) for hours in (0, 7))
    assert [(one.amount, one.is_now) for one in noon] == [("৳8.66", True), ("৳12.14", False)]
    assert [(one.amount, one.is_now) for one in evening] == [("৳12.14", True), ("৳8.66", False)]
    assert [one.is_now for one in price_lines.in_public(terms(line("energy", 866)), fmt, NOON_MS)] == [False]


def test_weeks_are_those_of_the_cldr_but_the_weekend_of_bangladesh() -> None:
    differing = []
    for zone, country in get_global("zone_territories").items():
        try:
            locale, here = Locale.parse(f"und_{country}"), ZoneInfo(zone)
        except (UnknownLocaleError, LookupError, OSError):
            continue
        days = frozenset(range(locale.weekend_start + 1, locale.weekend_end + 2))
        if (site_week.first_day(here), site_week.weekend(here)) != (locale.first_week_day + 1, days):
            differing.append(country)

    assert set(differing) - {"ZZ"} == {"BD"}, "ZZ is nowhere"
    assert site_week.weekdays(DHAKA) == {1, 2, 3, 4, 7}
    assert site_week.days_in_order(DHAKA) == [7, 1, 2, 3, 4, 5, 6]
