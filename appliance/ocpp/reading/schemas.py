"""The schemas of OCPP messages, compiled once for each version, and the error codes for what does not fit them.

The schemas are those of the `ocpp` package, less a few of its defects. Mending messages is not done here.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

import jsonschema_rs
import orjson

Payload = dict[str, Any]
Schema = dict[str, Any]

Validator = jsonschema_rs.Draft4Validator | jsonschema_rs.Draft6Validator

DESCRIPTION_CHARS_MAX = 255

OTHER_ERROR = "PropertyConstraintViolation"


class Schemas:
    """All messages of one version of OCPP."""

    def __init__(self, requests: dict[str, Schema], answers: dict[str, Schema], error_codes: dict[str, str]) -> None:
        self.requests = requests
        self.request_validators = {name: compiled(schema) for name, schema in requests.items()}
        self._answers = answers
        self._answer_validators: dict[str, Validator] = {}
        self._error_codes = error_codes

    def violation(self, action: str, payload: Payload) -> tuple[str, str] | None:
        """Error code and sentence for the first thing wrong with a request, or None."""
        validator = self.request_validators[action]
        if validator.is_valid(payload):
            return None
        return self._explain(next(iter(validator.iter_errors(payload))))

    def answer_violation(self, action: str, payload: Payload) -> str | None:
        """What is wrong with the answer to a call of ours, or None. Answers are few, so each is compiled when it first comes."""
        validator = self._answer_validators.get(action)
        if validator is None:
            if action not in self._answers:
                return None
            validator = self._answer_validators[action] = compiled(self._answers[action])
        if validator.is_valid(payload):
            return None
        return self._explain(next(iter(validator.iter_errors(payload))))[1]

    def _explain(self, error: jsonschema_rs.ValidationError) -> tuple[str, str]:
        kind = type(error.kind).__name__.rpartition("_")[2]
        where = ".".join(str(part) for part in error.instance_path)
        sentence = f"{where}: {error.message}" if where else error.message
        return self._error_codes.get(kind, OTHER_ERROR), shortened(sentence)


def shortened(text: str, chars_max: int = DESCRIPTION_CHARS_MAX) -> str:
    """`text`, cut to what a CALLERROR may carry."""
    return text if len(text) <= chars_max else text[: chars_max - 1] + "…"


def loaded(version: str) -> tuple[dict[str, Schema], dict[str, Schema]]:
    """Requests and answers by action, as the package has them."""
    requests, answers = {}, {}
    for file in (resources.files("ocpp") / version / "schemas").iterdir():
        if not file.name.endswith(".json"):
            continue
        name = file.name.removesuffix(".json")
        schema = orjson.loads(file.read_bytes())
        if name.endswith("Response"):
            answers[name.removesuffix("Response")] = schema
        else:
            # 1.6 calls a request by its action alone, 2.x says that it is one.
            requests[name.removesuffix("Request")] = schema
    return requests, answers


def without_multiples(schema: Any) -> None:
    """Drop `multipleOf: 0.1`, in which binary fractions such as 6.3 fail."""
    if isinstance(schema, dict):
        schema.pop("multipleOf", None)
        for part in schema.values():
            without_multiples(part)


def compiled(schema: Schema) -> Validator:
    """A validator of the draft that the schema is written in; `date-time` must be one."""
    draft = str(schema.get("$schema", ""))
    kind = jsonschema_rs.Draft6Validator if "draft-06" in draft else jsonschema_rs.Draft4Validator
    return kind(schema, validate_formats=True)
