"""What four laws ask of a price, in their own figures: Bangladesh, India, Germany, the United States.

The prices of Bangladesh are those of tariff class LT-D3 (battery charging) of the BERC as a third party prints them: an example, to be
checked against the commission's own before anybody bills by it.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from appliance.domain.pricing.checks import check
from appliance.domain.pricing.reckoning import price
from tests.support.price_lines import amounts, line, session, terms

DHAKA, KOLKATA, BERLIN, CHICAGO = map(ZoneInfo, ("Asia/Dhaka", "Asia/Kolkata", "Europe/Berlin", "America/Chicago"))
BERC = terms(
    line("energy", 1214, "vat", from_time="17:00", to_time="23:00"),
    line("energy", 866, "vat", from_time="23:00", to_time="05:00"),
    line("energy", 768, "vat", from_time="05:00", to_time="09:00"),
    line("energy", 866, "vat", from_time="09:00", to_time="17:00"),
    taxes={"vat": 5},
)


@pytest.mark.parametrize(
    ("start", "minutes", "kwh", "lines", "tax_minor", "total_minor"),
    [
        ("2026-11-30T18:00", 60, 10, [("energy", 12_140)], 607, 12_747),
        ("2026-11-30T16:30", 60, 10, [("energy", 6_070), ("energy", 4_330)], 520, 10_920),
        ("2026-11-30T22:30", 60, 10, [("energy", 6_070), ("energy", 4_330)], 520, 10_920),
        ("2026-12-01T04:45", 30, 8, [("energy", 3_464), ("energy", 3_072)], 327, 6_863),
        ("2026-11-30T17:00", 24 * 60, 48, [("energy", 14_568), ("energy", 10_392), ("energy", 6_144), ("energy", 13_856)], 2_248, 47_208),
    ],
)  # fmt: skip
def test_bangladesh_bills_peak_off_peak_and_super_off_peak(
    start: str, minutes: int, kwh: float, lines: list[tuple[str, int]], tax_minor: int, total_minor: int
) -> None:
    bill = price(session(start, DHAKA, (minutes, kwh, True)), check(BERC), DHAKA)
    assert (amounts(bill), bill.tax_minor, bill.total_minor) == (lines, tax_minor, total_minor)
    # Mushak-6.3: the value without VAT, its rate, the VAT, the total.
    assert [(tax.code, tax.basis_points, tax.tax_minor) for tax in bill.taxes] == [("vat", 500, tax_minor)]
    assert bill.net_minor == sum(minor for _, minor in lines)


def test_india_is_cheaper_in_solar_hours_and_has_18_percent_of_gst() -> None:
    tariff = terms(
        line("energy", 1000, "gst", from_time="09:00", to_time="16:00"), line("energy", 1500, "gst"), taxes={"gst": 18}
    )
    bill = price(session("2026-11-30T15:30", KOLKATA, (60, 7.5, True)), check(tariff), KOLKATA)
    assert amounts(bill) == [("energy", 3_750), ("energy", 5_625)]
    assert (bill.net_minor, bill.tax_minor, bill.total_minor) == (
        9_375,
        1_688,
        11_063,
    )  # 1,687.5 is half, and goes to even.


def test_germany_shows_prices_with_their_tax_and_the_bill_takes_it_out() -> None:
    tariff = terms(
        line("energy", 59, "ust"),
        line("idle_time", 10, "ust", from_idle_minutes=240),
        taxes={"ust": 19},
        tax_included=True,
    )
    usage = session("2026-03-28T23:00", BERLIN, (60, 23.4, True), (300, 0, False))
    bill = price(usage, check(tariff), BERLIN)
    assert amounts(bill) == [("energy", 1_381), ("idle_time", 600)]  # 13.806; and one hour beyond four.
    assert (bill.net_minor, bill.tax_minor, bill.total_minor) == (1_665, 316, 1_981)


def test_united_states_bill_by_the_kwh_to_the_cent() -> None:
    tariff = terms(line("energy", "48.5"))
    bill = price(session("2026-11-01T00:30", CHICAGO, (180, 31.337, True)), check(tariff), CHICAGO)
    assert (amounts(bill), bill.total_minor) == ([("energy", 1_520)], 1_520)  # 15.1984…: $15.20
