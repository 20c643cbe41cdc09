"""Tariffs with lines, as programs write them."""

from __future__ import annotations

from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.errors import Invalid
from appliance.domain.pricing.checks import check
from appliance.domain.pricing.lines import Terms
from appliance.domain.tariff import Tariff
from appliance.ui.api.checks import object_of, validator
from appliance.ui.api.shapes import form
from appliance.ui.api.tariff_lines import CONDITION_FIELDS, FIELDS, read_terms, write_terms
from appliance.ui.api.tariffs import asked_for
from tests.support.price_lines import line, terms
from tests.support.random_tariffs import random_terms

VALID = validator(form("Terms", ("lines",), **FIELDS).schema)
BERC: dict[str, Any] = {
    "tax_included": False,
    "taxes": [{"code": "vat", "percent": 5}],
    "minimum_minor": 500,
    "lines": [
        {"dimension": "energy", "price_minor_per_kwh": 1214, "taxes": ["vat"], "conditions": {"from_time": "17:00", "to_time": "23:00", "weekdays": [7, 1, 2, 3, 4]}},
        {"dimension": "energy", "price_minor_per_kwh": 865.5, "taxes": ["vat"]},
        {"dimension": "idle_time", "price_minor_per_minute": 2, "conditions": {"from_idle_minutes": 0.5}},
        {"dimension": "charging_time", "price_minor_per_hour": 100, "conditions": {"from_w": 11_000, "to_date": "2027-01-01"}},
        {"dimension": "flat", "price_minor": 50, "conditions": {"methods": ["cash"], "groups": [3], "holidays": True}},
        {"dimension": "duration", "price_minor_per_minute": 1, "conditions": {"from_minutes": 240, "to_time": "24:00"}},
        {"dimension": "reservation", "price_minor": 7},
    ],
}  # fmt: skip


def test_lines_are_read_as_they_are_meant() -> None:
    assert list(VALID(BERC)) == []
    assert read_terms(BERC) == terms(
        line("energy", 1214, "vat", from_time="17:00", to_time="23:00", weekdays=[1, 2, 3, 4, 7]),
        line("energy", "865.5", "vat"),
        line("idle_time", 2, from_idle_s=30),
        line("charging_time", 100, unit="hour", from_w=11_000, to_date="2027-01-01"),
        line("flat", 50, methods=["cash"], groups=[3], holidays=True),
        line("duration", 1, from_minutes=240),
        line("reservation", 7, unit="once"),
        taxes={"vat": 5},
        minimum_minor=500,
    )


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"dimension": "energy"}, "lines.0", "A line has one price"),
        ({"dimension": "energy", "price_minor_per_kwh": 1, "price_minor": 1}, "lines.0", "A line has one price"),
        ({"dimension": "energy", "price_minor": 1}, "lines.0", "does not fit what it charges for"),
        ({"dimension": "energy", "price_minor_per_kwh": 0.0001}, "lines.0.price_minor_per_kwh", "at most 3 decimals"),
        ({"dimension": "flat", "price_minor": 1, "conditions": {"from_time": "7:00"}}, "lines.0.conditions.from_time", "a time of day"),
        ({"dimension": "flat", "price_minor": 1, "conditions": {"to_time": "24:01"}}, "lines.0.conditions.to_time", "a time of day"),
        ({"dimension": "idle_time", "price_minor_per_minute": 1, "conditions": {"from_minutes": 0.01}}, "lines.0.conditions.from_minutes", "whole seconds"),
        ({"dimension": "duration", "price_minor_per_minute": 1, "conditions": {"from_minutes": 9, "to_minutes": 9}}, "lines.0.conditions.to_minutes", "Line 1 never applies"),
        ({"dimension": "energy", "price_minor_per_kwh": 1, "conditions": {"weekdays": [1]}}, "lines", "Tue–Sun 00:00–24:00"),
    ],
)  # fmt: skip
def test_line_that_cannot_be_is_refused_by_its_path(given: dict[str, Any], field: str, said: str) -> None:
    assert list(VALID({"lines": [given]})) == []
    with pytest.raises(Invalid) as caught:
        read_terms({"lines": [given]})
    assert caught.value.field == field
    assert said in str(caught.value)


@given(st.integers(0, 2**32))
def test_what_was_written_is_read_again(seed: int) -> None:
    found = random_terms(Random(seed))
    try:
        check(found)
    except Invalid:
        found = Terms(found.lines[:1], found.taxes, found.tax_included, gaps_are_free=True)
    written = orjson.loads(orjson.dumps(write_terms(found)))
    assert read_terms({name: value for name, value in written.items() if value is not None}) == found


def test_null_is_as_good_as_left_out() -> None:
    """As the answers have it: a program sends back what it was told."""
    nothing = dict.fromkeys(CONDITION_FIELDS)
    lines = [{**one, "conditions": {**nothing, **one.get("conditions", {})}} for one in BERC["lines"]]
    body = {**BERC, "lines": lines, "maximum_minor": None}
    assert list(VALID(body)) == []
    assert read_terms(body) == read_terms(BERC)
    assert asked_for({"name": "flat", "energy_minor_per_kwh": 5, "minimum_minor": None}) == Tariff(0, "flat", 5_000)


def test_a_whole_number_is_one_however_json_writes_it_and_however_deep_it_stands() -> None:
    schema = form("Terms", ("lines",), **FIELDS).schema
    written = (
        b'{"lines":[{"dimension":"energy","price_minor_per_kwh":5,"conditions":{"from_wh":5000.0,"weekdays":[1.0]}}]}'
    )
    conditions = object_of(written, schema, VALID)["lines"][0]["conditions"]
    assert orjson.dumps(conditions) == b'{"from_wh":5000,"weekdays":[1]}'
