"""The OpenAPI 3.1 document of the API, made from the same table that serves it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson

from appliance import __version__
from appliance.ui.api.card_desk.shapes import DESK_CARD, DESK_JOB, DESK_NAME, READER
from appliance.ui.api.checks import Parameter
from appliance.ui.api.events import EVENT
from appliance.ui.api.operations import IDEMPOTENCY_KEY, PREFIX, PROBLEM, REPLAYED, Operation
from appliance.ui.api.shapes import Schema
from appliance.ui.frame.roles import ROUTES

ABOUT = """The site for other programs: JSON over HTTP with a bearer token (`forecourt token create`).

Amounts are `…_minor`: whole minor units of the site's currency, which stands beside them as `currency`. Energies are `…_wh`,
times RFC 3339 in UTC. Lists come in pages: `?limit=` and `?after=` with the `next` of the page before. Errors are
`application/problem+json`. A call that moves money, or asks a card desk to, needs an `Idempotency-Key`; repeated with the same key and body it gives
the stored answer and moves nothing again."""

DESCRIPTIONS = {
    400: "The body is not JSON, or the Idempotency-Key is missing.",
    401: "No token, or one that does not hold.",
    403: "The role of the token may not do this.",
    404: "There is no such thing.",
    409: "The state of things does not allow it.",
    408: "The body did not arrive within a minute.",
    413: "More than 64 KiB.",
    415: "Not application/json.",
    422: "A field or parameter cannot be used; `field` names it.",
    429: "That was wrong several times: it is not looked at before some seconds are over.",
    502: "The station refused, or does not know the command.",
    503: "The station is busy, too many ask at once, or the site's sealing key is missing.",
    504: "The station did not answer; whether it obeyed is not known.",
}
IN_PATH = re.compile(r"\{(\w+)\}")
CHANGING = (400, 408, 409, 413, 415, 422)
COMMANDING = (409, 502, 503, 504)


class Document:
    """The document, made once."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.content = describe(operations)
        self.json = orjson.dumps(self.content)


def describe(operations: Sequence[Operation]) -> dict[str, Any]:
    """All of it."""
    paths: dict[str, dict[str, Any]] = {}
    shapes = {shape.name: shape for shape in (PROBLEM, EVENT, READER, DESK_CARD, DESK_JOB)}
    for operation in operations:
        named = (operation.gives, operation.takes, *operation.parts)
        shapes |= {shape.name: shape for shape in named if shape is not None}
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    paths["/events"] = {"get": _events()}
    paths["/desks/{id}/events"] = {"get": _desk_events()}
    paths["/desks/join"] = {"get": _join()}
    paths["/openapi.json"] = {"get": _itself()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Forecourt", "version": __version__, "description": ABOUT},
        "servers": [{"url": PREFIX}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {name: shape.schema for name, shape in sorted(shapes.items())},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.answer.__name__,
        "summary": operation.summary,
        "tags": [operation.path.split("/")[1]],
        "x-roles": sorted(ROUTES.get((operation.method, operation.route), ())),
        "parameters": _parameters(operation),
        "responses": {str(operation.status): _success(operation)} | _refusals(operation),
    }
    if operation.takes is not None:
        described["requestBody"] = {
            "required": bool(operation.takes.schema.get("required")),
            "content": {"application/json": {"schema": operation.takes.reference}},
        }
    return described


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found = _in_path(operation.path)
    found += [_query(parameter) for parameter in operation.query]
    if operation.key:
        found.append(
            {
                "name": IDEMPOTENCY_KEY,
                "in": "header",
                "required": operation.key == "needed",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                "description": "A new one for each new request, the same one when it is repeated.",
            }
        )
    return found


def _in_path(path: str) -> list[dict[str, Any]]:
    """Stations and desks go by what they are called, all else by its number."""
    found: list[dict[str, Any]] = []
    for name in IN_PATH.findall(path):
        by_name = name == "id" and path.startswith(("/stations/", "/desks/"))
        schema: Schema = {"type": "string"} if by_name else {"type": "integer"}
        found.append({"name": name, "in": "path", "required": True, "schema": schema})
    return found


def _query(parameter: Parameter) -> dict[str, Any]:
    schema = {name: value for name, value in parameter.schema.items() if name != "description"}
    described: dict[str, Any] = {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "schema": schema,
    }
    if "description" in parameter.schema:
        described["description"] = parameter.schema["description"]
    return described


def _success(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": operation.summary,
        "content": {"application/json": {"schema": operation.schema}},
    }
    if operation.key:
        described["headers"] = {
            REPLAYED: {"description": "true: the stored answer of an earlier request.", "schema": {"type": "string"}}
        }
    return described


def _refusals(operation: Operation) -> dict[str, Any]:
    statuses = {401, 403}
    if "{" in operation.path:
        statuses |= {404}
    if operation.query:
        statuses |= {404, 422}
    if operation.takes is not None:
        statuses |= {404, *CHANGING}
    if operation.key:
        statuses |= {400, 422}
    if operation.method == "DELETE":
        statuses |= {409}
    if operation.codes:
        statuses |= {429, 503}
    if operation.commands:
        statuses |= {*COMMANDING}
    return {str(status): _problem(DESCRIPTIONS[status]) for status in sorted(statuses)}


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/problem+json": {"schema": PROBLEM.reference}}}


def _events() -> dict[str, Any]:
    return {
        "operationId": "watch_events",
        "summary": "What changes, as server-sent events: station, session, person, problems, settings",
        "tags": ["events"],
        "x-roles": sorted(ROUTES.get(("GET", f"{PREFIX}/events"), ())),
        "responses": {
            "200": {
                "description": "A stream; the data of each event is an Event.",
                "content": {"text/event-stream": {"schema": EVENT.reference}},
            },
            **{str(status): _problem(DESCRIPTIONS[status]) for status in (401, 403, 503)},
        },
    }


def _desk_events() -> dict[str, Any]:
    kinds = {
        "reader": "a DeskReader",
        "card": "a DeskCard",
        "gone": "an empty object",
        "progress": "a DeskJob",
        "done": "a DeskJob",
    }
    told = "; ".join(f"`{name}` with {what}" for name, what in kinds.items())
    return {
        "operationId": "watch_desk",
        "summary": "What happens at a desk, as server-sent events: reader, card, gone, progress, done",
        "tags": ["desks"],
        "x-roles": sorted(ROUTES.get(("GET", f"{PREFIX}/desks/{{id}}/events"), ())),
        "parameters": _in_path("/desks/{id}/events"),
        "responses": {
            "200": {
                "description": f"A stream, which begins with how it is now: {told}.",
                "content": {
                    "text/event-stream": {
                        "schema": {
                            "anyOf": [READER.reference, DESK_CARD.reference, DESK_JOB.reference, {"type": "object"}]
                        },
                        "example": 'event: reader\ndata: {"state":"ready","name":"PN532v1.6 at /dev/ttyUSB0", …}\n\n',
                    }
                },
            },
            **{str(status): _problem(DESCRIPTIONS[status]) for status in (401, 403, 404, 503)},
        },
    }


def _join() -> dict[str, Any]:
    return {
        "operationId": "join_desk",
        "summary": "A reader on another computer joins by websocket; `forecourt desk` does that",
        "tags": ["desks"],
        "x-roles": sorted(ROUTES.get(("GET", f"{PREFIX}/desks/join"), ())),
        "parameters": [
            {
                "name": "name",
                "in": "query",
                "required": True,
                "schema": DESK_NAME,
                "description": "What the desk is called.",
            }
        ],
        "responses": {
            "101": {"description": "The websocket is open; a close code of 4409 says why the desk may not join."},
            **{str(status): _problem(DESCRIPTIONS[status]) for status in (400, 401, 403, 422, 503)},
        },
    }


def _itself() -> dict[str, Any]:
    return {
        "operationId": "show_openapi",
        "summary": "This document",
        "tags": ["openapi.json"],
        "responses": {
            "200": {"description": "This document", "content": {"application/json": {"schema": {"type": "object"}}}}
        },
    }
