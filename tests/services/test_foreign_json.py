"""What is nested too deep is no JSON, whatever reads it."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from appliance.ocpp.reading.redact import redacted, redacted_text
from appliance.services.foreign_json import NESTED_MAX, read_json, read_json_once


def lists(depth: int) -> str:
    """A list in a list in a list …"""
    return "[" * depth + "]" * depth


def objects(depth: int) -> str:
    """Lists and objects in turn."""
    return '{"password":[' * (depth // 2) + "1" + "]}" * (depth // 2)


@pytest.mark.parametrize("nested", [lists, objects])
@pytest.mark.parametrize("depth", [2, NESTED_MAX])
def test_what_can_be_read_can_be_walked_through_and_written_again(nested: Callable[[int], str], depth: int) -> None:
    found = read_json(nested(depth))

    assert orjson.dumps(redacted([[found]]))


@pytest.mark.parametrize("nested", [lists, objects])
@pytest.mark.parametrize("depth", [NESTED_MAX + 2, 1_000, 100_000])
def test_what_is_deeper_is_no_json(nested: Callable[[int], str], depth: int) -> None:
    text = nested(depth)

    for form in (text, text.encode()):
        with pytest.raises(ValueError, match=r"deep|depth|limit"):
            read_json(form)


def test_one_list_too_many_is_too_many() -> None:
    assert read_json(lists(NESTED_MAX))
    with pytest.raises(ValueError, match="nested deeper"):
        read_json(lists(NESTED_MAX + 1))


def test_much_beside_one_another_is_not_deep() -> None:
    assert len(read_json("[" + ",".join(["{}", "[1]"] * 1_000) + "]")) == 2_000


def test_secrets_are_blanked_in_what_is_nested_too_deep() -> None:
    text = '[2,"a","X",{"password":"hunter2","x":' + lists(1_000) + "}]"

    assert "hunter2" not in redacted_text(text)


@pytest.mark.parametrize(
    "text",
    ['{"a": 1, "a": 1}', '{"a": 1, "b": [{"c": 1, "\\u0063": 2}]}', '[{"": 0, "": 1}]'],
)
def test_a_name_that_is_there_twice_is_refused_where_it_can_be_told(text: str) -> None:
    assert read_json(text)
    with pytest.raises(ValueError, match="is there twice"):
        read_json_once(text)


def test_the_same_name_in_two_objects_is_no_repetition() -> None:
    text = '{"a": {"a": 1.5}, "b": [{"a": 12345678901234567}, {"a": null}]}'

    assert read_json_once(text) == read_json(text)
