"""The order in which people look for names: as they count."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.order import natural


def in_order(*names: str) -> list[str]:
    return sorted(names, key=natural)


def test_numbers_are_counted_and_not_spelled() -> None:
    assert in_order("CP10", "CP2", "cp1", "CP 3") == ["CP 3", "cp1", "CP2", "CP10"]
    assert in_order("Gate 1-10", "Gate 1-9", "Gate 10-1", "Gate 2-1") == [
        "Gate 1-9",
        "Gate 1-10",
        "Gate 2-1",
        "Gate 10-1",
    ]
    assert in_order("007", "8", "06") == ["06", "007", "8"]


def test_bengali_digits_count_the_same() -> None:
    assert in_order("গেট ১০", "গেট ২", "গেট ১") == ["গেট ১", "গেট ২", "গেট ১০"]
    assert natural("Gate ১০") == natural("gate 10")


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.text(max_size=5))
def test_any_two_numbers_stand_as_they_are_counted(one: int, other: int, name: str) -> None:
    words = name + " "
    assert (natural(f"{words}{one}") < natural(f"{words}{other}")) == (one < other)
