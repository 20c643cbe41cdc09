"""Two devices take turns; one that was replaced does not come back."""

from __future__ import annotations

import pytest

from appliance.domain.rivals import TURNS_WITHIN_MS, Boot, Device, rivals


def boots(order: str, apart_ms: int = 60_000) -> list[Boot]:
    return [Boot(Device("Acme", "Wall", name), "10.0.0.7", number * apart_ms) for number, name in enumerate(order)]


@pytest.mark.parametrize("order", ["", "A", "AAAA", "AB", "AABBB", "ABC"])
def test_one_device_at_a_time_is_no_rivalry(order: str) -> None:
    assert rivals(boots(order)) is None


@pytest.mark.parametrize("order", ["ABA", "AABBA", "ABAA", "BABAB"])
def test_two_that_take_turns_are_told(order: str) -> None:
    two = rivals(boots(order))
    assert two is not None
    assert {one.device.serial for one in two} == {"A", "B"}


def test_a_device_that_was_tried_and_put_back_later_is_no_rivalry() -> None:
    assert rivals(boots("ABA", apart_ms=TURNS_WITHIN_MS)) is None


def test_without_serials_the_model_tells_them_apart() -> None:
    wall, pole = Device("Acme", "Wall", ""), Device("Acme", "Pole", "")
    two = rivals([Boot(one, "10.0.0.7", at_ms) for at_ms, one in enumerate((wall, pole, wall))])
    assert two is not None
    assert two[0].device == pole
