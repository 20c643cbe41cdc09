"""What is written can be read again, in each language; what has no unit is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.errors import Invalid
from appliance.ui.frame.language import LANGUAGES, speak
from appliance.ui.writing.durations import read_duration, write_duration
from appliance.ui.writing.formats import formats
from tests.ui.console_fixture import SITE


@given(st.integers(0, 10_000_000), st.sampled_from(sorted(LANGUAGES)))
def test_what_is_written_is_read_again(seconds: int, language: str) -> None:
    speak(language)
    fmt = formats(SITE.currency, SITE.exponent, SITE.zone)

    assert read_duration(write_duration(seconds, fmt), "x") == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30 min", 1800), ("12 h", 43_200), ("90s", 90), ("1h30m", 5400), ("1 h 30 min", 5400), ("2 days", 172_800), ("0", 0), ("১২ ঘণ্টা", 43_200),
        ("৩০ মিনিট", 1800), ("1 Hour, 5 Minutes", 3900),
    ],
)  # fmt: skip
def test_it_is_read_as_people_write_it(text: str, seconds: int) -> None:
    assert read_duration(text, "x") == seconds


@pytest.mark.parametrize("text", ["", "30", "min", "-5 min", "1.5 h", "30 parsecs", "12 h 3", "12:30"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_duration(text, "x")


def test_it_reads_as_people_say_it() -> None:
    speak("en")
    fmt = formats(SITE.currency, SITE.exponent, SITE.zone)

    assert [write_duration(one, fmt) for one in (0, 90, 1800, 43_200, 86_400, 172_800, 604_800)] == [
        "0 s", "1 min 30 s", "30 min", "12 h", "24 h", "2 days", "7 days",
    ]  # fmt: skip
