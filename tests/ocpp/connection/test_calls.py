"""Our own calls: one at a time, in line, with a time-out, answers that come late, connections that go away."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from appliance.domain.id_token import IdToken
from appliance.domain.identifiers import StationId
from appliance.ocpp.connection.calls import CALLS_WAITING_MAX
from appliance.ocpp.settings import StationSettings
from appliance.ocpp.v16.outgoing import Outgoing16
from appliance.services.ports.stations import CommandAnswer, CommandFailed, Variable, VariableName
from tests.ocpp.raw import Client, Server, connected

STATION = StationId(1)


async def answered(client: Client, work: Any, answer: object) -> tuple[str, Any, Any]:
    """Run a command whose call is answered so: action, payload, and what the command came to."""
    task = asyncio.ensure_future(work)
    kind, message_id, action, payload = await client.receive()
    assert kind == 2
    await client.send(orjson.dumps([3, message_id, answer]).decode())
    return action, payload, await task


ACCEPTED = {"status": "Accepted"}
YES = CommandAnswer(accepted=True, status="Accepted")


@pytest.mark.parametrize(
    ("command", "arguments", "action", "payload"),
    [
        (
            "remote_start",
            (1, IdToken("04A1B2C3")),
            "RemoteStartTransaction",
            {"connectorId": 1, "idTag": "04A1B2C3"},
        ),  # TC_010
        ("remote_start", (0, IdToken("04A1B2C3")), "RemoteStartTransaction", {"idTag": "04A1B2C3"}),
        ("remote_stop", (17,), "RemoteStopTransaction", {"transactionId": 17}),  # TC_012
        ("unlock", (2, 1), "UnlockConnector", {"connectorId": 2}),  # TC_017
        ("set_operative", (0, False), "ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}),
        ("set_operative", (3, True), "ChangeAvailability", {"connectorId": 3, "type": "Operative"}),
        ("clear_cache", (), "ClearCache", {}),  # TC_061
        (
            "trigger",
            ("MeterValues", 1),
            "TriggerMessage",
            {"requestedMessage": "MeterValues", "connectorId": 1},
        ),  # TC_054
        ("trigger", ("Heartbeat",), "TriggerMessage", {"requestedMessage": "Heartbeat"}),
        ("set_variable", (VariableName("A"), "60"), "ChangeConfiguration", {"key": "A", "value": "60"}),  # TC_021
    ],
)
async def test_commands(
    client: Client, server: Server, command: str, arguments: Any, action: str, payload: Any
) -> None:
    work = getattr(server.listener.commands, command)(STATION, *arguments)

    assert await answered(client, work, ACCEPTED) == (action, payload, YES)


@pytest.mark.parametrize(("hard", "kind"), [(True, "Hard"), (False, "Soft")])
async def test_reset(client: Client, server: Server, hard: bool, kind: str) -> None:
    """TC_013 and TC_014."""
    work = server.listener.commands.reset(STATION, hard=hard)

    assert await answered(client, work, ACCEPTED) == ("Reset", {"type": kind}, YES)


@pytest.mark.parametrize("boots_first", [False, True], ids=["drops the line", "boots beside the old line"])
async def test_a_station_that_drops_the_line_in_answer_to_a_reset_has_obeyed(
    client: Client, server: Server, boots_first: bool
) -> None:
    work = asyncio.create_task(server.listener.commands.reset(STATION, hard=True))
    assert (await client.receive())[2] == "Reset"
    if not boots_first:
        await client.socket.close()
    async with connected(server) as again:
        assert (await again.boot())["status"] == "Accepted"

        assert await work == CommandAnswer(accepted=True, status="Accepted")


async def test_a_station_that_only_drops_the_line_has_not_unlocked(client: Client, server: Server) -> None:
    work = asyncio.create_task(server.listener.commands.unlock(STATION, 1, 1))
    await client.receive()
    await client.socket.close()

    with pytest.raises(CommandFailed, match="lost"):
        await work


@pytest.mark.parametrize(
    ("word", "accepted"),
    [("Accepted", True), ("Scheduled", True), ("Rejected", False), ("UnlockFailed", False), (None, False)],
)
async def test_the_stations_word_is_passed_on(client: Client, server: Server, word: str | None, accepted: bool) -> None:
    """TC_026 and TC_030."""
    work = server.listener.commands.unlock(STATION, 1, 1)

    _, _, answer = await answered(client, work, {"status": word})
    assert answer == CommandAnswer(accepted=accepted, status=word or "")


async def test_all_settings(client: Client, server: Server) -> None:
    """TC_019_1, with numbers and 0 or 1 where some stations put them."""
    keys = [
        {"key": "HeartbeatInterval", "value": 300, "readonly": 0},
        {"key": "SupportedFeatureProfiles", "value": "Core", "readonly": True},
        {"key": "AuthorizationKey", "value": "0011223344", "readonly": False},
        {"key": "Nothing", "readonly": False},
    ]
    work = server.listener.commands.get_variables(STATION, [])

    action, payload, found = await answered(client, work, {"configurationKey": keys})
    assert (action, payload) == ("GetConfiguration", {})
    assert found == [
        Variable(VariableName("HeartbeatInterval"), "300", readonly=False),
        Variable(VariableName("SupportedFeatureProfiles"), "Core", readonly=True),
        Variable(VariableName("AuthorizationKey"), None, readonly=False),
        Variable(VariableName("Nothing"), None, readonly=False),
    ]
    assert "0011223344" not in str(await server.log_of(1))


async def test_what_has_a_component_is_not_asked_for(client: Client, server: Server) -> None:
    commands, component = server.listener.commands, VariableName("Enabled", "TariffCostCtrlr")

    _, payload, _ = await answered(client, commands.get_variables(STATION, [component, VariableName("A")]), {})
    assert payload == {"key": ["A"]}
    assert str(component) == "TariffCostCtrlr.Enabled"
    with pytest.raises(CommandFailed, match="component"):
        await commands.set_variable(STATION, component, "true")


async def test_a_new_password_is_not_in_the_message_log(client: Client, server: Server) -> None:
    """TC_073."""
    work = server.listener.commands.set_variable(STATION, VariableName("AuthorizationKey"), "secret-secret-16")

    _, payload, _ = await answered(client, work, ACCEPTED)
    assert payload["value"] == "secret-secret-16"
    assert "secret-secret-16" not in str(await server.log_of(1))


async def test_any_call_can_be_sent_as_it_is(client: Client, server: Server) -> None:
    work = server.listener.commands.raw_call(STATION, "Invented", {"any": ["thing"]})

    assert await answered(client, work, {"odd": 1}) == ("Invented", {"any": ["thing"]}, {"odd": 1})


async def test_commands_that_services_do_not_ask_for_yet(client: Client, server: Server) -> None:
    connection = server.listener.registry.of(STATION)
    assert connection is not None
    outgoing, call = Outgoing16(), connection.calls.call

    sent = await answered(client, outgoing.data_transfer(call, "org.example", "ping", "x"), ACCEPTED)
    assert sent == ("DataTransfer", {"vendorId": "org.example", "messageId": "ping", "data": "x"}, ACCEPTED)
    assert (await answered(client, outgoing.local_list_version(call), {"listVersion": 4}))[2] == 4


async def test_the_station_is_answered_while_it_owes_us_an_answer(client: Client, server: Server) -> None:
    task = asyncio.ensure_future(server.listener.commands.clear_cache(STATION))
    _, message_id, _, _ = await client.receive()

    assert "currentTime" in await client.call("Heartbeat", {})
    await client.send(orjson.dumps([3, message_id, ACCEPTED]).decode())
    assert await task == YES


async def test_calls_go_out_one_at_a_time_in_order(client: Client, server: Server) -> None:
    tasks = [asyncio.ensure_future(server.listener.commands.remote_stop(STATION, number)) for number in range(1, 4)]
    for number in range(1, 4):
        _, message_id, _, payload = await client.receive()
        assert payload == {"transactionId": number}
        # An answer of ours comes back before the next call: it has not been sent yet.
        assert "currentTime" in await client.call("Heartbeat", {})
        await client.send(orjson.dumps([3, message_id, ACCEPTED]).decode())

    assert await asyncio.gather(*tasks) == [YES] * 3


async def test_no_more_calls_wait_than_may(client: Client, server: Server) -> None:
    tasks = [asyncio.ensure_future(server.listener.commands.clear_cache(STATION)) for _ in range(CALLS_WAITING_MAX)]
    await client.receive()

    with pytest.raises(CommandFailed) as failure:
        await server.listener.commands.clear_cache(STATION)
    assert failure.value.kind == "busy"
    await client.socket.close()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    kinds = [outcome.kind for outcome in outcomes if isinstance(outcome, CommandFailed)]
    assert kinds == ["lost"] + ["not_sent"] * (CALLS_WAITING_MAX - 1)


async def test_an_answer_that_does_not_come_is_a_time_out_and_the_next_call_goes_on(
    client: Client, server: Server, settings: StationSettings
) -> None:
    settings.call_timeout_s = 0.01
    with pytest.raises(CommandFailed) as failure:
        await server.listener.commands.clear_cache(STATION)
    assert (failure.value.kind, failure.value.outcome_unknown) == ("timeout", True)

    settings.call_timeout_s = 20
    _, late_id, _, _ = await client.receive()
    task = asyncio.ensure_future(server.listener.commands.unlock(STATION, 1, 1))
    _, message_id, _, _ = await client.receive()
    await client.send(orjson.dumps([3, late_id, {"status": "Rejected"}]).decode())
    await client.send(orjson.dumps([3, message_id, {"status": "Unlocked"}]).decode())

    assert await task == CommandAnswer(accepted=True, status="Unlocked")
    log = await server.log_of(1, direction="out")
    assert [(row.action, row.violation) for row in log] == [
        ("ClearCache", "no answer in 0.01 s"),
        ("ClearCache", "answered too late"),
        ("UnlockConnector", None),
    ]


@pytest.mark.parametrize(
    ("code", "kind"), [("NotImplemented", "unsupported"), ("NotSupported", "unsupported"), ("Whatever", "refused")]
)
async def test_a_call_error_is_passed_on(client: Client, server: Server, code: str, kind: str) -> None:
    task = asyncio.ensure_future(server.listener.commands.clear_cache(STATION))
    _, message_id, _, _ = await client.receive()
    await client.send(orjson.dumps([4, message_id, code, "no", {}]).decode())

    with pytest.raises(CommandFailed) as failure:
        await task
    assert (failure.value.kind, failure.value.code, failure.value.description) == (kind, code, "no")


async def test_an_open_call_is_lost_with_the_connection(client: Client, server: Server) -> None:
    task = asyncio.ensure_future(server.listener.commands.remote_start(STATION, 1, IdToken("X")))
    await client.receive()
    await client.socket.close()

    with pytest.raises(CommandFailed) as failure:
        await task
    assert failure.value.kind == "lost"


async def test_an_open_call_is_lost_when_a_newer_connection_comes(client: Client, server: Server) -> None:
    task = asyncio.ensure_future(server.listener.commands.remote_start(STATION, 1, IdToken("X")))
    await client.receive()
    async with connected(server):
        with pytest.raises(CommandFailed) as failure:
            await task

    assert failure.value.kind == "lost"


async def test_a_station_without_a_connection_is_offline(server: Server) -> None:
    station = await server.register("CS-1")

    assert not server.listener.commands.is_online(station)
    with pytest.raises(CommandFailed) as failure:
        await server.listener.commands.clear_cache(station)
    assert failure.value.kind == "offline"


async def test_what_1_6_cannot_say_is_not_sent(client: Client, server: Server) -> None:
    for work in (
        server.listener.commands.remote_start(STATION, 1, IdToken("x" * 21)),
        server.listener.commands.remote_stop(STATION, "a-text"),
        server.listener.commands.raw_call(STATION, "Any", {"number": 2**70}),
    ):
        with pytest.raises(CommandFailed) as failure:
            await work
        assert failure.value.kind == "not_sent"
    assert "currentTime" in await client.call("Heartbeat", {})
