"""A charge over OCPP 1.6 on a real websocket: registration, the transaction's messages, repeats, and what cannot be read."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.clock import system_clock
from appliance.domain.identifiers import StationId
from appliance.domain.units import parse_rfc3339, rfc3339
from appliance.ocpp.connection.message_log import EVIDENCE_CHARS_KEPT, KNOCK_CHARS_KEPT, KNOCKS_LOGGED_MAX
from appliance.services.stations import admission
from tests.ocpp.raw import CARD, Client, Server, connected, handshake_status, start_payload, stop_payload

METER_VALUES = {
    "connectorId": 1,
    "meterValue": [
        {
            "timestamp": "2026-11-23T05:00:00Z",
            "sampledValue": [
                {"value": "1500", "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
                {"value": "7.36", "measurand": "Power.Active.Import", "unit": "kW"},
            ],
        }
    ],
}


async def test_a_known_station_is_accepted_at_its_cold_boot(client: Client, server: Server) -> None:
    """TC_001."""
    answer = await client.boot()

    assert (answer["status"], answer["interval"]) == ("Accepted", server.settings.heartbeat_interval_s)
    now_ms = parse_rfc3339(answer["currentTime"])
    assert now_ms is not None
    assert abs(now_ms - system_clock()) < 60_000
    assert await server.rows("SELECT vendor, model FROM station") == [("Vendor", "Model")]


async def test_heartbeat_is_answered_with_the_time_in_utc(client: Client) -> None:
    answer = await client.call("Heartbeat", {})

    assert list(answer) == ["currentTime"]
    assert answer["currentTime"].endswith("Z")


async def test_a_charge_ends_in_a_bill(client: Client, server: Server) -> None:
    """TC_004_1, as far as the server sees it."""
    assert await client.call("Authorize", {"idTag": CARD}) == {"idTagInfo": {"status": "Accepted"}}
    started = await client.start(meter_wh=1000)
    assert started["idTagInfo"] == {"status": "Accepted"}
    assert started["transactionId"] > 0
    values = {**METER_VALUES, "transactionId": started["transactionId"]}
    assert await client.call("MeterValues", values) == {}
    stopped = await client.call("StopTransaction", stop_payload(started["transactionId"], 6000, idTag=CARD))

    assert stopped == {"idTagInfo": {"status": "Accepted"}}
    rows = await server.rows("SELECT state, energy_wh, fee_minor, stop_reason FROM session")
    assert rows == [("ended", 5000, 6000, "Local")]
    assert await server.rows("SELECT energy_wh, power_w FROM sample") == [(1500, 7360)]


async def test_a_stop_without_a_card_is_answered_without_id_tag_info(client: Client) -> None:
    started = await client.start()

    assert await client.call("StopTransaction", stop_payload(started["transactionId"])) == {}


async def test_an_unknown_card_gets_a_transaction_number_and_no_permission(client: Client) -> None:
    """TC_023_1 and TC_037_3."""
    assert await client.call("Authorize", {"idTag": "UNKNOWN"}) == {"idTagInfo": {"status": "Invalid"}}
    started = await client.start("UNKNOWN")

    assert started["idTagInfo"] == {"status": "Invalid"}
    assert started["transactionId"] > 0


async def test_a_card_in_use_is_told_so_at_the_second_start_only(client: Client) -> None:
    await client.start()

    assert await client.call("Authorize", {"idTag": CARD}) == {"idTagInfo": {"status": "Accepted"}}
    assert (await client.start(connector=2))["idTagInfo"] == {"status": "ConcurrentTx"}


async def test_status_of_a_connector_is_kept(client: Client, server: Server) -> None:
    """TC_024: a lock failure, and the station's own words."""
    status = {"connectorId": 2, "errorCode": "ConnectorLockFailure", "status": "Faulted", "info": "bolt"}
    assert await client.call("StatusNotification", {**status, "vendorErrorCode": "E17"}) == {}

    rows = await server.rows("SELECT evse, connector, status, error_code, info FROM connector")
    assert rows == [(2, 1, "Faulted", "ConnectorLockFailure", "bolt (E17)")]


@pytest.mark.parametrize(
    ("action", "payload", "answer"),
    [
        ("DataTransfer", {"vendorId": "org.example"}, {"status": "UnknownVendorId"}),  # TC_064
        ("FirmwareStatusNotification", {"status": "Idle"}, {}),
        ("DiagnosticsStatusNotification", {"status": "Uploaded"}, {}),
        ("SecurityEventNotification", {"type": "Reboot", "timestamp": "2026-11-23T05:00:00Z"}, {}),
        ("LogStatusNotification", {"status": "Idle"}, {}),
        ("SignedFirmwareStatusNotification", {"status": "Installed"}, {}),
        ("SignCertificate", {"csr": "-----BEGIN"}, {"status": "Rejected"}),
    ],
)
async def test_other_messages_are_answered_and_kept(
    client: Client, server: Server, action: str, payload: object, answer: object
) -> None:
    assert await client.call(action, payload) == answer

    assert [(row.action, row.violation) for row in await server.log_of(1)] == [(action, None)]


# --- repeats ---------------------------------------------------------------------------------------------------------------


async def test_the_same_frame_again_is_answered_the_same(client: Client, server: Server) -> None:
    frame = orjson.dumps([2, "17", "StartTransaction", start_payload()]).decode()
    first = await client.exchange(frame)

    assert await client.exchange(frame) == first
    assert len(await server.rows("SELECT id FROM session")) == 1


async def test_the_same_frame_again_after_a_restart_is_answered_the_same(server: Server) -> None:
    await server.register("CS-1")
    frame = orjson.dumps([2, "17", "StartTransaction", start_payload()]).decode()
    async with connected(server) as client:
        first = await client.exchange(frame)
        stop = orjson.dumps([2, "18", "StopTransaction", stop_payload(first[2]["transactionId"])]).decode()
        stopped = await client.exchange(stop)
    await server.restart()

    async with connected(server) as client:
        assert await client.exchange(stop) == stopped
        assert await client.exchange(frame) == first
    assert await server.rows("SELECT state FROM session") == [("ended",)]
    again = [one.action for one in await server.log_of(1) if one.violation == "the same frame again"]
    assert again == ["StopTransaction", "StartTransaction"]


async def test_a_repeat_while_the_first_is_being_committed_waits_for_the_same_answer(
    client: Client, server: Server
) -> None:
    frame = orjson.dumps([2, "17", "StartTransaction", start_payload()]).decode()
    held, go_on = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(db: Database) -> None:
        """Keeps the writer busy until the repeat has come."""
        loop.call_soon_threadsafe(held.set)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(20)

    holding = server.store.write(hold)
    await held.wait()
    async with connected(server) as second:
        await client.send(frame)
        await client.socket.ping()
        await second.send(frame)
        go_on.set()
        await holding
        answer = await second.receive()

    assert answer[0] == 3
    rows = await server.rows("SELECT id FROM session")
    assert rows == [(answer[2]["transactionId"],)]


async def test_a_repeated_start_under_another_message_id_is_the_same_transaction(client: Client) -> None:
    payload = start_payload()
    first = await client.call("StartTransaction", payload)

    assert await client.call("StartTransaction", payload) == first


async def test_a_start_with_an_impossible_time_stays_the_same_when_it_comes_again(
    client: Client, server: Server
) -> None:
    payload = {**start_payload(), "timestamp": "1970-01-01T00:00:09Z"}
    first = await client.call("StartTransaction", payload)

    assert await client.call("StartTransaction", payload) == first
    ((started_at_ms,),) = await server.rows("SELECT started_at_ms FROM session")
    assert abs(started_at_ms - system_clock()) < 60_000


async def test_a_boot_under_an_old_message_id_is_a_new_boot(client: Client, server: Server) -> None:
    """Libraries count their messages from 1 after each start."""
    frame = '[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]'
    server.now_ms = lambda: 1_800_000_000_000
    await client.exchange(frame)
    server.now_ms = lambda: 1_800_000_090_000

    assert (await client.exchange(frame))[2]["currentTime"] == rfc3339(1_800_000_090_000)


async def test_messages_are_answered_in_the_order_in_which_they_came(client: Client) -> None:
    sent = []
    for number in range(100):
        action = ("Heartbeat", {}) if number % 3 else ("Authorize", {"idTag": CARD})
        sent.append(f"n{number}")
        await client.send(orjson.dumps([2, f"n{number}", *action]).decode())

    assert [(await client.receive())[1] for _ in sent] == sent


# --- other transactions, and queues ----------------------------------------------------------------------------------------


async def test_a_stop_of_another_stations_transaction_is_answered_and_ignored(client: Client, server: Server) -> None:
    started = await client.start()
    await server.register("CS-2")
    async with connected(server, "/ocpp/CS-2") as other:
        assert await other.call("StopTransaction", stop_payload(started["transactionId"])) == {}

    assert await server.rows("SELECT state FROM session") == [("running",)]


@pytest.mark.parametrize("transaction", [-1, 0])
async def test_a_stop_of_a_transaction_without_a_number_ends_the_one_that_is_open(
    client: Client, server: Server, transaction: int
) -> None:
    """1.6 errata 3.18."""
    await client.start()
    await client.call("StopTransaction", stop_payload(transaction))

    assert await server.rows("SELECT state FROM session") == [("ended",)]


@pytest.mark.parametrize("number", [2**63 - 1, 2**64 - 1, 10**30, -(2**62)])
async def test_a_transaction_number_beyond_all_bounds_is_answered(client: Client, number: int) -> None:
    text = f'[2,"x","StopTransaction",{{"transactionId":{number},"meterStop":1,"timestamp":"2026-11-23T05:00:00Z"}}]'

    assert await client.exchange(text) == [3, "x", {}]


@pytest.mark.parametrize(("field", "status"), [("meterStart", "Invalid"), ("connectorId", "Accepted")])
async def test_a_start_with_a_number_beyond_all_bounds_is_a_session_and_a_problem(
    client: Client, server: Server, field: str, status: str
) -> None:
    text = orjson.dumps([2, "x", "StartTransaction", {**start_payload(), field: 2**64 - 1}]).decode()
    answer = await client.exchange(text)

    assert answer[2]["idTagInfo"] == {"status": status}
    assert answer[2]["transactionId"] > 0
    assert await server.rows("SELECT kind FROM problem WHERE kind = 'unreadable'") == [("unreadable",)]


async def test_a_start_from_a_queue_keeps_its_own_time(client: Client, server: Server) -> None:
    """TC_039: an offline transaction."""
    at_ms = system_clock() - 7_200_000
    await client.start(at_ms=at_ms)

    assert await server.rows("SELECT started_at_ms FROM session") == [(at_ms,)]


async def test_the_stop_of_a_long_session_brings_all_its_readings(client: Client, server: Server) -> None:
    """Eight hours, a reading a minute, two values each: what StopTxnSampledData adds to a stop."""
    begin_ms = system_clock() - 8 * 3_600_000
    transaction = (await client.start(at_ms=begin_ms))["transactionId"]
    values = [
        {
            "timestamp": rfc3339(begin_ms + minute * 60_000),
            "sampledValue": [
                {"value": str(1000 + 10 * minute), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
                {"value": "600", "measurand": "Power.Active.Import", "unit": "W", "context": "Sample.Periodic"},
            ],
        }
        for minute in range(480)
    ]
    payload = stop_payload(transaction, transactionData=values)
    assert len(orjson.dumps(payload)) > 100_000
    await client.call("StopTransaction", payload)

    assert await server.rows("SELECT state, energy_wh FROM session") == [("ended", 5_000)]
    assert await server.rows("SELECT count(*) FROM sample") == [(480,)]
    ((logged,),) = await server.rows("SELECT max(length(request)) FROM message_log")
    assert logged == EVIDENCE_CHARS_KEPT


async def test_sessions_that_look_the_same_are_several(client: Client, server: Server) -> None:
    """A clock that stands still, and a meter that begins each session at 0."""
    for _ in range(3):
        start = {"connectorId": 1, "idTag": CARD, "meterStart": 0, "timestamp": "1970-01-01T00:00:00Z"}
        transaction = (await client.call("StartTransaction", start))["transactionId"]
        assert (await client.call("StartTransaction", start))["transactionId"] == transaction
        await client.call("StopTransaction", stop_payload(transaction, 1_000, idTag=CARD))

    assert await server.rows("SELECT state, energy_wh FROM session") == [("ended", 1_000)] * 3


# --- knocking --------------------------------------------------------------------------------------------------------------


async def test_an_unknown_station_is_told_to_wait_and_nothing_else_is_done_for_it(server: Server) -> None:
    async with connected(server, "/ocpp/NEW") as client:
        assert (await client.boot())["status"] == "Pending"
        assert await client.refusal("Heartbeat", {}) == "SecurityError"
        assert await client.refusal("StartTransaction", start_payload()) == "SecurityError"
        assert await client.refusal("Nonsense", {}) == "SecurityError"

    assert await server.rows("SELECT identity, state, vendor FROM station") == [("NEW", "knocking", "Vendor")]
    assert await server.rows("SELECT id FROM session") == []


async def test_who_knocks_cannot_fill_the_log(server: Server) -> None:
    async with connected(server, "/ocpp/NEW") as client:
        for number in range(KNOCKS_LOGGED_MAX):
            await client.send(orjson.dumps([3, f"nobody-asked-{number}", {"x": "x" * 12_000}]).decode())
        assert (await client.boot())["status"] == "Pending"
    async with connected(server, "/ocpp/NEW") as client:
        assert await client.refusal("Nonsense", {}) == "SecurityError"
        await client.send(orjson.dumps([2, "a", "BootNotification", {"x": "x" * 20_000}]).decode())
        assert await client.closed() == 1009

    ((rows, most),) = await server.rows("SELECT count(*), max(length(request)) FROM message_log")
    assert rows == KNOCKS_LOGGED_MAX
    assert most <= KNOCK_CHARS_KEPT
    assert await server.rows("SELECT kind FROM problem") == [("knocking",), ("violation",)]


async def test_a_station_that_is_approved_is_asked_to_boot_and_accepted(server: Server) -> None:
    """TC_001 after Pending."""
    async with connected(server, "/ocpp/NEW") as client:
        assert (await client.boot())["status"] == "Pending"
        await server.store.write(admission.approve, StationId(1), "Gate", By("operator:1", system_clock()))
        kind, message_id, action, payload = await client.receive()
        assert (kind, action, payload) == (2, "TriggerMessage", {"requestedMessage": "BootNotification"})
        await client.send(orjson.dumps([3, message_id, {"status": "Accepted"}]).decode())
        assert (await client.boot())["status"] == "Accepted"


async def test_a_station_that_is_turned_away_loses_its_connection(server: Server) -> None:
    async with connected(server, "/ocpp/NEW") as client:
        await client.boot()
        await server.store.write(admission.dismiss, StationId(1), By("operator:1", system_clock()))

        assert await client.closed() == 1008


async def test_a_retired_station_is_refused(server: Server) -> None:
    station = await server.register("CS-1")
    await server.store.write(admission.retire, station, By("operator:1", system_clock()))

    assert (await handshake_status(server))[0] == 404


async def test_what_was_read_before_a_station_was_retired_does_not_let_it_in(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its registration is still being read when it is retired; and what is read then takes its time."""
    read, early, later, begun = server.store.read, asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slowly(*arguments: Any) -> Any:
        found = await read(*arguments)
        told = later if begun.is_set() else early
        begun.set()
        await told.wait()
        return found

    monkeypatch.setattr(server.store, "read", slowly)
    station = await server.register("CS-1")
    await begun.wait()
    await server.store.write(admission.retire, station, By("operator:1", system_clock()))
    early.set()
    handshake = asyncio.create_task(handshake_status(server))
    await asyncio.wait([handshake], timeout=0.2)
    later.set()

    assert (await handshake)[0] == 404
