"""Whatever is sent, no call fails: not one answer is a 5xx, all are described, and the books balance afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.ui.api.app import OPERATIONS
from appliance.ui.api.operations import Operation
from tests.api.site import Client, keys

WORDS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", "prepaid", "cash", "04A1B2C3", "CS-01", "\x00", "😀" * 30, "%s%n{name}{0}", "'; DROP TABLE x; --"]
    ),
)
NUMBERS = st.one_of(
    st.integers(-5, 5),
    st.sampled_from([2**31, 2**53, 2**63 - 1, 2**63, 2**64, -(2**63), 10**30]),
    st.floats(allow_nan=False, allow_infinity=False),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
PATHS = st.one_of(
    st.integers(0, 6).map(str),
    st.sampled_from(["CS-01", "%00", "%FF", "..", str(2**63), "-1", "1.0", "٣", "a%2Fb", "%F0%9F%98%80"]),
)


def fitting(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What the field takes."""
    kinds = schema.get("type", "object")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if kind == "integer":
        return st.one_of(st.integers(1, 3), st.integers(schema.get("minimum", 0), schema.get("maximum", 9)))
    if kind == "number":
        return st.sampled_from([0, 1, 5.25, 0.001, 99.99])
    if kind == "boolean":
        return st.booleans()
    if kind == "string":
        longest = schema.get("maxLength", 20)
        words = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=longest)
        days = st.sampled_from(["2026-11-23", "2026-11-23T05:00:00Z", "BDT", "CS-01", "04A1B2C3"])
        return days.filter(lambda text: len(text) <= longest) | words
    return VALUES


@st.composite
def requests(draw: st.DrawFn) -> tuple[Operation, str, Any, Any]:
    """An operation, its path, a body and a query: in half of them one thing is wrong, in some everything."""
    operation = draw(st.sampled_from(OPERATIONS))
    path = operation.path.replace("{id}", draw(st.one_of(st.sampled_from(["1", "2", "CS-01"]), PATHS)))
    body: Any = None
    if operation.takes is not None:
        fields = operation.takes.schema["properties"]
        required = operation.takes.schema.get("required", [])
        optional = [name for name in fields if name not in required and draw(st.booleans())]
        body = {name: draw(fitting(fields[name])) for name in [*required, *optional]}
        spoiling = draw(st.integers(0, 9))
        if spoiling >= 5 and fields:
            body[draw(st.sampled_from(sorted(fields)))] = draw(VALUES)
        if spoiling == 9:
            body = draw(VALUES)
    query = {
        parameter.name: str(draw(st.one_of(fitting(parameter.schema), WORDS)))
        for parameter in operation.query
        if parameter.required or draw(st.booleans())
    }
    return operation, path, body, query


@pytest.fixture(name="busy")
async def _busy(api: Client) -> Client:
    """A site with one of everything, so that numbers and names lead somewhere."""
    await api.post("/tariffs", {"name": "Day", "energy_minor_per_kwh": 2000})
    await api.post("/stations", {"id": "CS-01"})
    for policy in ("prepaid", "postpaid", "free"):
        await api.post("/groups", {"name": policy, "policy": policy})
    for number in (1, 2, 3):
        await api.post("/people", {"name": f"Driver {number}", "group_id": number})
        await api.post("/cards", {"uid": f"04A1B2C{number}", "person_id": number})
        await api.pay(f"/people/{number}/topups", {"amount_minor": 10_000})
    return api


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(request=requests())
async def test_whatever_is_sent_nothing_fails(busy: Client, request: tuple[Operation, str, Any, Any]) -> None:
    operation, path, body, query = request
    headers = {"Idempotency-Key": f"key-{next(keys)}"} if operation.key else {}
    answer = await busy.call(operation.method, path, body=body, query=query, headers=headers)
    assert answer.status < 500
    assert (await busy.get("/ledger/trial-balance"))["balanced"] is True
