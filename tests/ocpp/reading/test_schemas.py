"""The schemas of the package, each in the draft that it is written in."""

from __future__ import annotations

import jsonschema_rs
import pytest

from appliance.ocpp.reading.schemas import Schemas, compiled, loaded
from appliance.ocpp.v16.schemas import schemas


@pytest.mark.parametrize("version", ["v16", "v201", "v21"])
def test_requests_and_answers_are_found_by_their_action(version: str) -> None:
    requests, answers = loaded(version)

    assert {"BootNotification", "Heartbeat", "Authorize"} <= requests.keys() & answers.keys()
    assert not [name for name in requests.keys() | answers.keys() if name.endswith(("Request", "Response"))]


def test_each_schema_is_compiled_in_its_draft() -> None:
    validators = schemas().request_validators

    assert isinstance(validators["StartTransaction"], jsonschema_rs.Draft4Validator)
    assert isinstance(validators["SecurityEventNotification"], jsonschema_rs.Draft6Validator)
    later = Schemas(*loaded("v201"), {}).request_validators
    assert all(isinstance(one, jsonschema_rs.Draft6Validator) for one in later.values())


def test_what_only_the_later_draft_has_holds() -> None:
    schema = {"$schema": "http://json-schema.org/draft-06/schema#", "properties": {"x": {"exclusiveMinimum": 0}, "y": {"const": 1}}}  # fmt: skip

    assert compiled(schema).is_valid({"x": 1, "y": 1})
    assert not compiled(schema).is_valid({"x": 0})
    assert not compiled(schema).is_valid({"y": 2})
