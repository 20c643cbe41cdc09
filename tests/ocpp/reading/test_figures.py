"""Numbers that are formatted for people."""

from __future__ import annotations

import pytest

from appliance.ocpp.reading.figures import energy_wh


@pytest.mark.parametrize(
    ("text", "wh"),
    [
        ("10500", 10_500),
        ("10500,0", 10_500),
        ("10500,5", 10_501),
        ("10,5 kWh", 10_500),
        ("10.523 kWh", 10_523),
        ("0,523 kWh", 523),
        ("1234,567 kWh", 1_234_567),
        ("10500 Wh", 10_500),
        ("10500Wh", 10_500),
        (" 10500 WH ", 10_500),
        ("-5 Wh", -5),
        ("10,500", None),
        ("10,500 kWh", None),
        ("10.500,5", None),
        ("1,234,567", None),
        ("10500 kW", None),
        ("10500 1", None),
        ("Wh", None),
        ("", None),
        ("٣ Wh", None),
    ],
)
def test_a_register_for_people_is_read_if_it_means_one_number(text: str, wh: int | None) -> None:
    assert energy_wh(text) == wh
