"""The OpenAPI document: valid, complete, and what the roles say."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from jsonschema_rs import Draft202012Validator
from openapi_spec_validator import validate

from appliance import __version__
from appliance.domain.roles import Role
from appliance.ui.api.app import DOCUMENT, OPERATIONS, PAGES
from appliance.ui.api.operations import Operation
from appliance.ui.frame.roles import ROUTES
from tests.api.site import PREFIX, Running

REPOSITORY = Path(__file__).parents[2]
PAGED_BY = ("limit", "after")


async def test_the_document_says_which_version_this_is_to_no_stranger(site: Running) -> None:
    status, text = await site.nobody().ask(f"{PREFIX}/openapi.json")
    assert status == 401
    assert __version__ not in text


@pytest.mark.parametrize("role", list(Role))
async def test_the_document_is_served_to_every_role_and_valid(site: Running, role: Role) -> None:
    status, text = await (await site.client(role)).ask(f"{PREFIX}/openapi.json")
    assert status == 200
    document = json.loads(text)
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_route_is_described_and_every_described_one_exists() -> None:
    registered = {
        (route.method, route.path) for page in PAGES for route in page.routes if route.path.startswith(PREFIX)
    }
    described = {
        (method.upper(), PREFIX + path) for path, methods in DOCUMENT.content["paths"].items() for method in methods
    }
    assert registered == described


def test_every_route_has_its_roles() -> None:
    assert {(operation.method, operation.route) for operation in OPERATIONS} <= set(ROUTES)
    here = {route for route in ROUTES if route[1].startswith(PREFIX)}
    assert here == {
        (route.method, route.path) for page in PAGES for route in page.routes if route.path.startswith(PREFIX)
    }


def test_every_call_that_moves_money_asks_for_a_key() -> None:
    needed = {operation.path for operation in OPERATIONS if operation.key == "needed"}
    assert needed == {
        "/people/{id}/topups",
        "/people/{id}/refunds",
        "/people/{id}/corrections",
        "/pools/{id}/topups",
        "/pools/{id}/refunds",
        "/pools/{id}/corrections",
        "/sessions/{id}/close",
        "/sessions/{id}/acknowledge",
        "/sessions/{id}/bill",
        "/shifts",
        "/shifts/{id}/movements",
        "/shifts/{id}/close",
        "/desks/{id}/issue",
        "/desks/{id}/take-over",
        "/desks/{id}/recharge",
        "/desks/{id}/decommission",
        "/desks/{id}/jobs/{job}/undo",
        "/vouchers/{code}/sell",
        "/vouchers/{code}/redeem",
    }


def test_every_example_is_what_its_call_takes() -> None:
    schemas = DOCUMENT.content["components"]["schemas"]
    examples = {name: schema["examples"] for name, schema in schemas.items() if "examples" in schema}
    assert {"CardIssue", "CardRecharge", "NewCardLimits", "NewShift", "ShiftCount", "ShiftMovement"} <= set(examples)
    for name, given in examples.items():
        for example in given:
            assert not list(Draft202012Validator(schemas[name]).iter_errors(example)), name


def test_the_guide_says_of_every_call_what_it_takes_and_whom_it_serves() -> None:
    guide = (REPOSITORY / "docs/API.md").read_text(encoding="utf-8").splitlines()
    assert [row for row in map(row_of, OPERATIONS) if row not in guide] == []


def row_of(operation: Operation) -> str:
    """A row of the table in docs/API.md."""
    fields = names_of(operation.takes.schema.get("properties", {}) if operation.takes else ())
    query = names_of(one.name for one in operation.query if one.name not in PAGED_BY)
    roles = ROUTES[operation.method, operation.route]
    who = "all" if roles == set(Role) else ", ".join(role for role in Role if role in roles)
    summary = f"{operation.summary} (needs a key)" if operation.key == "needed" else operation.summary
    return f"| `{operation.method} {operation.path}` | {summary} | {fields} | {query} | {who} |"


def names_of(names: Iterable[str]) -> str:
    """As a cell of that table."""
    return ", ".join(f"`{name}`" for name in names)
