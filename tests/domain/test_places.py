"""Where stations stand: as the staff wrote it, else by the beginning that several names share."""

from __future__ import annotations

import pytest

from appliance.domain.places import places, within


def test_stations_that_are_numbered_alike_stand_at_one_place() -> None:
    assert places({1: ("Hall A 1", ""), 2: ("Hall A 12", ""), 3: ("Gate-1", ""), 4: ("Gate-2", ""), 5: ("Roof", "")}) == {
        1: "Hall A", 2: "Hall A", 3: "Gate", 4: "Gate", 5: "",
    }  # fmt: skip


def test_one_that_stands_alone_is_no_place_of_its_own() -> None:
    assert places({1: ("Hall A 1", ""), 2: ("Gate 1", ""), 3: ("Gate 2", "")})[1] == ""
    assert places({1: ("CS-01", "")}) == {1: ""}


def test_what_the_staff_wrote_counts_also_for_one() -> None:
    assert places({1: ("Gate 1", "North"), 2: ("Gate 2", ""), 3: ("Gate 3", "")}) == {1: "North", 2: "Gate", 3: "Gate"}


@pytest.mark.parametrize(
    ("place", "name", "rest"),
    [
        ("Hall A", "Hall A 12 · 2", "12 · 2"),
        ("Gate", "Gate-2", "2"),
        ("North", "Gate 1", "Gate 1"),
        ("Roof", "Roof", "Roof"),
        ("", "Gate 1", "Gate 1"),
    ],
)
def test_within_its_place_a_name_is_short(place: str, name: str, rest: str) -> None:
    assert within(place, name) == rest
