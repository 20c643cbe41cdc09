"""What is read of messages that are no JSON."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as some

from appliance.ocpp.reading.torn import payload_of
from appliance.ocpp.v16.lenient import LENIENCY

NAMES = some.text(some.characters(exclude_categories=["Cs"]), max_size=10)
SCALARS = some.none() | some.booleans() | some.integers(-(2**53), 2**53) | NAMES
VALUES = some.recursive(SCALARS, lambda inner: some.lists(inner) | some.dictionaries(NAMES, inner), max_leaves=8)
STOP = {"transactionId": 7, "meterStop": 6000}
SLIPS = [
    '{"transactionId":7 "meterStop":6000}',
    '{"transactionId":7,,"meterStop":6000,}',
    '{,"transactionId":7,"meterStop":6000 ',
    '{"transactionId":7;"meterStop":6000}',
    '{"transactionId":7,"meterStop":6000,"reason":"Loc',
    '{"transactionId":7,"meterStop":6000,"timestamp":2',
    '{"transactionId":7,"meterStop":6000}}}]',
    '{"transactionId":7,"meterStop":6000}][2,"b","StopTransaction",{"transactionId":8}]',
    "{'transactionId':7,'meterStop':6000}",
    "{transactionId:7,meterStop:6000}",
    '{"transactionId" 7,"meterStop" 6000}',
    '{"transactionId"=7,"meterStop"=6000}',
    '{"transactionId":007,"meterStop":+6000}',
    '{"transactionId":7,"meterStop":NaN,"meterStop":6000}',
    '{"transactionId":1,"transactionId":7,"meterStop":5,"meterStop":6000}',
    '{"transactionId":7,"meterStop":6000,"x":' + "[" * 300,
    '{"transactionId":7,"x":' + '{"a":' * 300 + "1" + "}" * 300 + ',"meterStop":6000}',
    '{"transactionId":7,"x":[1,{"transactionId":9}},"meterStop":6000}',
    '{"x:1,"transactionId":7,"meterStop":6000}',
    '{"a":"b\\x","transactionId":7,"meterStop":6000}',
    '[{"transactionId":7,"meterStop":6000}',
]


@pytest.mark.parametrize("text", SLIPS)
def test_a_stop_with_a_slip_says_what_it_says(text: str) -> None:
    found = payload_of(text, LENIENCY.telling)

    assert {name: found.get(name) for name in STOP} == STOP


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ("", {}),
        ("{", {}),
        ("no object", {}),
        ('{"meterStop":60', {}),
        ('{"meterStop":"60', {}),
        ('{"idTag":"04A1', {}),
        ('{"a":1.5,"b":-2e3,"c":.5,"d":true,"e":None,"f":Local}', {"a": 1.5, "b": -2000.0, "c": 0.5, "d": True, "e": None, "f": "Local"}),
        ('{"a":[1,2,"x",{"b":[3', {"a": [1, 2, "x", {"b": []}]}),
        ('{"a":"x\\"y","b":"\\u00fc"', {"a": 'x"y', "b": "ü"}),
        ('{"a":,"b":1,:2,"c" "d":3}', {"b": 1, "d": 3}),
        ("{" + '"a":' + "9" * 5000 + "}", {"a": None}),
    ],
)  # fmt: skip
def test_what_can_be_read_and_what_touches_the_torn_end(text: str, payload: dict[str, Any]) -> None:
    assert payload_of(text) == payload


@given(some.dictionaries(NAMES, VALUES, max_size=5))
def test_what_is_not_torn_reads_as_json(payload: dict[str, Any]) -> None:
    assert payload_of(orjson.dumps(payload).decode() + "]") == payload


@given(some.dictionaries(NAMES, some.integers(0, 10**15), max_size=5), some.data())
def test_of_a_frame_that_breaks_off_no_half_number_is_believed(payload: dict[str, int], data: some.DataObject) -> None:
    text = orjson.dumps(payload).decode()
    found = payload_of(text[: data.draw(some.integers(0, len(text)))])

    assert found.items() <= payload.items()


@given(some.text() | some.text(alphabet="[]{}:,\"'\\ 1a", max_size=300))
def test_whatever_comes_is_some_fields(text: str) -> None:
    assert isinstance(payload_of("{" + text), dict)


@pytest.mark.parametrize("unit", ["[", "{", '{"a":', '"', "'", '"\\', "{,", "a:", "}", "idTag:", '"idTag" ', "1 "])
def test_a_megabyte_of_anything_is_read_within_bounds(unit: str) -> None:
    assert isinstance(payload_of("{" + unit * (1_000_000 // len(unit)), LENIENCY.telling), dict)
