"""Who may, and what a request must look like before anybody asks what it means."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from appliance.db import operators
from appliance.db.engine.store import nothing
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.problem import ProblemKind
from appliance.services import problems
from appliance.services.operators import tokens
from appliance.services.operators.failed_log_ins import PROBLEM_FROM
from appliance.ui.api.app import OPERATIONS
from appliance.ui.api.operations import Operation
from appliance.ui.frame.roles import ROUTES
from tests.api.site import Client, Running

ROLES = ("owner", "manager", "cashier", "guard", "installer", "viewer")


def path_of(operation: Operation) -> str:
    """With the number or name of nothing in it."""
    return re.sub(r"\{\w+\}", "404404", operation.path)


async def test_each_role_may_use_its_routes_and_no_others(site: Running) -> None:
    for role in ROLES:
        client = await site.client(role)
        for operation in OPERATIONS:
            body: dict[str, object] | None = {} if operation.takes is not None else None
            answer = await client.call(operation.method, path_of(operation), body=body)
            allowed = role in ROUTES[operation.method, operation.route]
            assert (answer.status != 403) == allowed, f"{role} {operation.method} {operation.path}: {answer.body}"


async def test_without_a_token_every_call_is_401_and_says_how_to_ask(site: Running) -> None:
    for client in (site.nobody(), Client(site.session, site.url, "fc_made_up")):
        for operation in OPERATIONS:
            answer = await client.call(operation.method, path_of(operation))
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert answer["detail"]


async def test_a_revoked_token_opens_nothing(site: Running, api: Client) -> None:
    assert (await api.get("/stations")).status == 200
    await site.store.write(tokens.revoke_token, 1, by=By("console", 1))
    assert (await api.get("/stations")).status == 401


async def test_a_path_that_is_none_is_404_and_a_wrong_method_405_as_problems(api: Client) -> None:
    nothing = await api.get("/nothing")
    wrong = await api.call("DELETE", "/people")
    for answer, status in ((nothing, 404), (wrong, 405)):
        assert (answer.status, answer["status"]) == (status, status)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert {"type", "title", "detail"} <= set(answer.body)
    assert "POST" in wrong.headers["Allow"]


@pytest.mark.parametrize(
    ("raw", "content_type", "status"),
    [
        (b'{"name"', "application/json", 400),
        (b"", "application/json", 400),
        (b'{"name": "\\ud800"}', "application/json", 400),
        (b'{"name": "\xff"}', "application/json", 400),
        (b'{"name": NaN}', "application/json", 400),
        (b"[" * 30_000, "application/json", 400),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b'{"name": "x"}', "text/plain", 415),
        (b"name=x", "application/x-www-form-urlencoded", 415),
        (b'{"name": "' + b"x" * 70_000 + b'"}', "application/json", 413),
    ],
)
async def test_what_is_not_a_json_object_of_a_reasonable_size_is_refused(
    api: Client, raw: bytes, content_type: str, status: int
) -> None:
    answer = await api.call("POST", "/groups", raw=raw, headers={"Content-Type": content_type})
    assert (answer.status, answer["status"]) == (status, status)


async def test_an_unknown_field_or_parameter_is_named(api: Client) -> None:
    body = await api.post("/groups", {"name": "x", "policy": "free", "colour": 1, "size": 2})
    assert (body.status, body["field"]) == (422, "colour")
    assert "colour, size" in body["detail"]
    query = await api.get("/people", colour="red")
    assert (query.status, query["field"]) == (422, "colour")


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "x"},
        {"limit": ""},
        {"limit": "-1"},
        {"after": str(2**64)},
        {"closed": "maybe"},
        [("limit", "1"), ("limit", "2")],
    ],
)
async def test_a_parameter_that_cannot_be_is_refused(api: Client, query: object) -> None:
    answer = await api.call("GET", "/people", query=query)
    assert answer.status == 422
    assert answer["field"] in {"limit", "after", "closed"}


@pytest.mark.parametrize("key", ["", "x" * 300, "ключ", "a\tb"])
async def test_a_key_that_cannot_be_one_is_refused(api: Client, key: str) -> None:
    answer = await api.post("/people/1/topups", {"amount_minor": 5}, key=key)
    assert (answer.status, answer["field"]) == (422, "Idempotency-Key")


async def test_bytes_that_are_no_text_in_a_header_are_no_failure_of_ours(site: Running) -> None:
    address = urlsplit(site.url)
    for header in (b"Authorization: Bearer \xff\xfe", b"Cookie: sid=\xff\xfe"):
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(
            b"GET /api/v1/stations HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + header + b"\r\n\r\n"
        )
        status = (await reader.readline()).split()[1]
        assert status in {b"400", b"401"}
        writer.close()
        await writer.wait_closed()


async def test_tokens_that_open_nothing_leave_a_trace_and_twenty_are_a_problem(site: Running, api: Client) -> None:
    revoked = await site.store.write(tokens.create_token, "display", "viewer", by=By("console", 1))
    number = await number_of(site, revoked)
    await site.store.write(tokens.revoke_token, number, by=By("console", 1))
    for token in (revoked, *(f"guess-{turn}" for turn in range(PROBLEM_FROM - 1))):
        assert (await Client(site.session, site.url, token).get("/stations")).status == 401
    rows = await kept(site, "SELECT action, subject, details FROM audit WHERE action LIKE 'token.use%' ORDER BY seq")
    told = await kept(site, "SELECT subject, details FROM problem WHERE kind = 'log_ins_failed'")

    assert [row[:2] for row in rows] == [("token.use_revoked", f"token:{number}")], "one of an address a minute"
    assert "guess" not in str(rows) + str(told)
    assert [subject for subject, _ in told] == ["tokens"]
    assert '"times":20' in told[0][1]
    sentences = [one["sentence"] for one in (await api.get("/problems"))["items"]]
    assert any("20 requests with a token that nobody has" in one for one in sentences)


async def test_a_token_that_was_never_made_is_on_record_as_that(site: Running) -> None:
    assert (await Client(site.session, site.url, "guess").get("/stations")).status == 401

    assert await kept(site, "SELECT action, subject FROM audit WHERE actor = 'stranger'") == [
        ("token.use_unknown", "site")
    ]


async def test_who_sends_no_token_or_sends_it_where_none_is_read_leaves_no_trace(site: Running) -> None:
    for _turn in range(2 * PROBLEM_FROM):
        await site.nobody().get("/stations")
        async with site.session.get(f"{site.url}/people", headers={"Authorization": "Bearer of-no-use"}):
            pass

    assert await kept(site, "SELECT * FROM audit WHERE actor = 'stranger'") == []
    assert await kept(site, "SELECT * FROM problem WHERE kind = 'log_ins_failed'") == []


async def kept(site: Running, sql: str) -> list[Any]:
    """What is in the database, once all that was queued is written."""
    await site.store.write(nothing)
    return await site.store.read(lambda db: db.execute(sql).fetchall())


async def number_of(site: Running, token: str) -> int:
    """Which token it is in the books."""
    found = await site.store.read(operators.token, tokens.hash_token(token))
    assert found is not None
    return found.id


@pytest.mark.parametrize(("role", "whole"), [("cashier", True), ("installer", False)])
async def test_what_a_charger_sent_is_shown_with_its_card_to_whom_cards_are_shown(
    site: Running, role: str, whole: bool
) -> None:
    sent = '["CALL","x","StopTransaction",{"transactionId":7,"idTag":"04A1B2C3"}]'
    await site.store.write(_unreadable, sent)
    client = await site.client(role)
    ((problem),) = (await client.get("/problems"))["items"]
    rows = (await client.get("/problems/rows"))["items"]

    assert ("04A1B2C3" in str(problem)) == whole
    assert "StopTransaction" in str(problem["details"]["text"])
    assert ("04A1B2C3" in str(rows)) == whole


def _unreadable(db: Database, sent: str) -> None:
    note = '"04A1B2C3" is no number'
    problems.raise_problem(db, ProblemKind.UNREADABLE, "station:1", 1, station=1, note=note, text=sent)
