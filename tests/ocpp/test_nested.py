"""Frames that are nested deep: unreadable like any other, and no transaction message among them is lost."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from appliance.domain.identifiers import StationId
from appliance.services.ports.stations import CommandFailed, FailureKind
from tests.ocpp.raw import Client, Server

DEEP = [260, 1_000, 100_000]


def nested(depth: int) -> str:
    """Lists and objects in turn."""
    return '[{"x":' * (depth // 2) + "null" + "}]" * (depth // 2)


@pytest.mark.parametrize("depth", [10, 240])
async def test_a_call_with_a_field_that_means_nothing_is_read_without_it(client: Client, depth: int) -> None:
    answer = await client.exchange(f'[2,"a","Heartbeat",{{"more":{nested(depth)}}}]')

    assert answer[:2] == [3, "a"]


@pytest.mark.parametrize("depth", [10, 250, *DEEP])
async def test_a_call_that_may_be_refused_is_answered_and_the_next_one_too(
    client: Client, server: Server, depth: int
) -> None:
    answer = await client.exchange(f'[2,"a","Authorize",{{"idTag":{nested(depth)}}}]')

    assert answer[:2] == [4, "a"]
    assert answer[2] == ("TypeConstraintViolation" if depth == 10 else "FormationViolation")
    assert "currentTime" in await client.call("Heartbeat", {})
    (logged, *_) = await server.log_of(1)
    assert logged.violation
    assert await server.rows("SELECT kind FROM problem WHERE kind = 'station_error'") == []


@pytest.mark.parametrize("text", ["[" * 1_000 + "]" * 1_000, '{"a":' * 1_000 + "1" + "}" * 1_000])
async def test_what_is_no_call_and_nested_deep_is_answered_like_any_nonsense(client: Client, text: str) -> None:
    assert (await client.exchange(text))[:3] == [4, "-1", "GenericError"]


@pytest.mark.parametrize("depth", DEEP)
async def test_a_start_that_is_nested_deep_gets_a_number_and_waits_for_review(
    client: Client, server: Server, depth: int
) -> None:
    frame = f'[2,"a","StartTransaction",{{"connectorId":1,"x":{nested(depth)}}}]'
    answer = await client.exchange(frame)

    assert answer[2]["idTagInfo"] == {"status": "Invalid"}
    assert answer[2]["transactionId"] > 0
    assert await client.exchange(frame) == answer
    assert await server.rows("SELECT count(*) FROM session") == [(1,)]
    assert await server.rows("SELECT kind FROM problem") == [("unreadable",)]


@pytest.mark.parametrize("depth", DEEP)
@pytest.mark.parametrize("action", ["StopTransaction", "MeterValues", "StatusNotification", "BootNotification"])
async def test_a_message_that_is_never_refused_is_kept_and_answered(
    client: Client, server: Server, action: str, depth: int
) -> None:
    frame = f'[2,"a","{action}",{{"transactionId":1,"x":{nested(depth)}}}]'
    answer = await client.exchange(frame)

    assert answer[:2] == [3, "a"]
    (logged, *_) = await server.log_of(1)
    assert (logged.action, logged.answer) == (action, orjson.dumps(answer).decode())
    assert frame.startswith(logged.request.removesuffix("…"))
    assert logged.violation
    kinds = {kind for (kind,) in await server.rows("SELECT kind FROM problem")}
    assert kinds == ({"unreadable", "stray_stop"} if action == "StopTransaction" else {"unreadable"})


@pytest.mark.parametrize("depth", DEEP)
@pytest.mark.parametrize("beginning", ['[3,"{}",', '[4,"{}","GenericError","",'])
async def test_an_answer_that_is_nested_deep_is_kept_and_ends_our_wait(
    client: Client, server: Server, beginning: str, depth: int
) -> None:
    work = asyncio.ensure_future(server.listener.commands.raw_call(StationId(1), "DataTransfer", {}))
    message_id = (await client.receive())[1]
    await client.send(beginning.replace("{}", message_id) + f'{{"x":{nested(depth)}}}]')

    with pytest.raises(CommandFailed, match="not JSON") as failed:
        await work
    assert failed.value.kind is FailureKind.UNREADABLE
    (logged,) = await server.log_of(1)
    assert logged.answer is not None
    assert logged.answer.startswith(beginning[:4])
    assert logged.violation
    assert "not JSON" in logged.violation


async def test_an_answer_of_a_usual_depth_reaches_who_asked(client: Client, server: Server) -> None:
    work = asyncio.ensure_future(server.listener.commands.raw_call(StationId(1), "DataTransfer", {}))
    message_id = (await client.receive())[1]
    await client.send(f'[3,"{message_id}",{{"x":{nested(240)}}}]')

    assert orjson.dumps(await work) == f'{{"x":{nested(240)}}}'.encode()
