"""What a command line means where it says nothing."""

from __future__ import annotations

import pytest

from appliance.cli.parser import read

SITE = {"FORECOURT_DATA_DIR": "site"}


@pytest.mark.parametrize(
    ("words", "environment", "stations"),
    [
        ((), {}, "0.0.0.0:9000"),
        (("--demo",), {}, "127.0.0.1:9000"),
        ((), {"FORECOURT_DEMO": "1"}, "127.0.0.1:9000"),
        (("--demo", "--stations", "0.0.0.0:9000"), {}, "0.0.0.0:9000"),
        (("--demo",), {"FORECOURT_STATIONS": "192.168.1.10:9001"}, "192.168.1.10:9001"),
        ((), {"FORECOURT_STATIONS": ":9001"}, "0.0.0.0:9001"),
    ],
)
def test_a_demo_listens_for_chargers_of_its_own_machine(
    words: tuple[str, ...], environment: dict[str, str], stations: str
) -> None:
    assert str(read(["serve", *words], SITE | environment).stations) == stations
