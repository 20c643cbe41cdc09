"""What does not fit: mended, stored for review, or refused with the code of OCPP 1.6."""

from __future__ import annotations

import asyncio
import random

import orjson
import pytest

from appliance.db.engine.unit import Database
from appliance.ocpp.admission.endpoint import FRAME_BYTES_MAX
from appliance.ocpp.connection.connection import MESSAGES_BURST
from appliance.ocpp.settings import StationSettings
from tests.ocpp.raw import CARD, Client, Server, connected, start_payload, stop_payload

NOW = "2026-11-23T05:00:00Z"


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("Nonsense", {}, "NotImplemented"),
        ("Reset", {"type": "Hard"}, "NotSupported"),
        ("Authorize", {}, "OccurenceConstraintViolation"),
        ("Authorize", {"idTag": {"no": "text"}}, "TypeConstraintViolation"),
        ("Authorize", {"idTag": None}, "TypeConstraintViolation"),
        ("FirmwareStatusNotification", {"status": "Sleeping"}, "PropertyConstraintViolation"),
        ("SecurityEventNotification", {"type": "Reboot", "timestamp": "yesterday"}, "PropertyConstraintViolation"),
        ("DataTransfer", [], "FormationViolation"),
    ],
)
async def test_error_codes(client: Client, action: str, payload: object, code: str) -> None:
    assert await client.refusal(action, payload) == code


async def test_a_strict_station_is_told_of_a_wrong_type(client: Client, settings: StationSettings) -> None:
    settings.strict_stations = {"CS-1"}

    assert await client.refusal("Authorize", {"idTag": 12345}) == "TypeConstraintViolation"
    assert await client.refusal("Authorize", {"idTag": "x" * 21}) == "PropertyConstraintViolation"
    assert await client.refusal("Authorize", {"idTag": "x", "extra": 1}) == "OccurenceConstraintViolation"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("[2]", [4, "-1", "GenericError"]),
        ('[2,{"a":1},"Heartbeat",{}]', [4, "-1", "GenericError"]),
        ("[2,null,7,{}]", [4, "-1", "GenericError"]),
        ('[2,"a"]', [4, "a", "FormationViolation"]),
        ('[2,"a",["Heartbeat"],{}]', [4, "a", "FormationViolation"]),
        ('[2,"a","Authorize",[]]', [4, "a", "FormationViolation"]),
        ('[2,"a","Authorize",{"idTag":}', [4, "a", "FormationViolation"]),
        ('[2,"a","Authorize",{"idTag":"\\ud800"}]', [4, "a", "FormationViolation"]),
        ('[2,"a","Authorize",{"idTag":NaN}]', [4, "a", "FormationViolation"]),
        ("nonsense", [4, "-1", "GenericError"]),
        ("[" * 20_000, [4, "-1", "GenericError"]),
        ('[2,"a","' + "x" * 5000 + '",{}]', [4, "a", "NotImplemented"]),
    ],
)
async def test_broken_calls(client: Client, text: str, answer: list[object]) -> None:
    assert (await client.exchange(text))[:3] == answer


@pytest.mark.parametrize("text", ["[]", "{}", "17", "null", "[1]", '[5,"a","b","c",{}]', '[6,"a","Heartbeat",{}]', "[3]",
                                  '[3,"unknown",{}]', '[4,"unknown","GenericError","",{}]', '[3,"x",{"a":}'])  # fmt: skip
async def test_frames_that_want_no_answer_are_kept_and_ignored(client: Client, server: Server, text: str) -> None:
    """J 1.6, 4.1.3."""
    await client.send(text)

    assert "currentTime" in await client.call("Heartbeat", {})
    ignored = (await server.log_of(1))[0]
    assert text in (ignored.request, ignored.answer)
    assert ignored.violation


@pytest.mark.parametrize("message_id", ["7", "1.5", '"' + "x" * 300 + '"', '""', '"ключ"'])
async def test_message_ids_are_echoed_as_they_came(client: Client, message_id: str) -> None:
    answer = await client.exchange(f'[2,{message_id},"Heartbeat",{{}}]')

    assert answer[0] == 3
    assert orjson.dumps(answer[1]).decode() == message_id


@pytest.mark.parametrize("text", ['[2,"a","Heartbeat"]', '[2,"a","Heartbeat",null]', '[2,"a","Heartbeat",{},1]'])
async def test_a_call_of_another_length_is_read_if_it_is_clear(client: Client, server: Server, text: str) -> None:
    assert (await client.exchange(text))[:2] == [3, "a"]
    assert (await server.log_of(1))[0].violation == "not [2, id, action, {}]"


# --- never refused for their form ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frame",
    [
        '[2,"a","StartTransaction",{}]',
        '[2,"a","StartTransaction",[]]',
        '[2,"a","StartTransaction",{"connectorId":1,[,{',
        '[2,"a","StartTransaction",{"connectorId":1,"idTag":"04A1B2C3","meterStart":NaN,"timestamp":"2026-11-23T05:00:00Z"}]',
        '[2,"a","StartTransaction",{"connectorId":1,"idTag":"04A1B2C3","meterStart":-5,"timestamp":"2026-11-23T05:00:00Z"}]',
    ],
)
async def test_a_start_that_cannot_be_read_gets_a_number_and_waits_for_review(
    client: Client, server: Server, frame: str
) -> None:
    answer = await client.exchange(frame)

    assert answer[2]["idTagInfo"] == {"status": "Invalid"}
    assert answer[2]["transactionId"] > 0
    assert await client.exchange(frame) == answer
    (logged, *_) = await server.log_of(1)
    assert logged.request == frame
    assert logged.violation


@pytest.mark.parametrize("action", ["StopTransaction", "MeterValues", "StatusNotification"])
@pytest.mark.parametrize("payload", [{}, [], {"connectorId": "x", "transactionId": {}, "meterValue": 7, "status": 4}])
async def test_transaction_messages_are_acknowledged_whatever_they_hold(
    client: Client, action: str, payload: object
) -> None:
    assert await client.call(action, payload) == {}


async def test_a_boot_that_cannot_be_read_is_a_boot(client: Client) -> None:
    assert (await client.call("BootNotification", {}))["status"] == "Accepted"
    assert (await client.call("BootNotification", []))["status"] == "Accepted"


async def test_a_stop_without_a_reading_is_billed_by_the_readings_before(client: Client, server: Server) -> None:
    started = await client.start(meter_wh=1000)
    number = started["transactionId"]
    values = [{"timestamp": NOW, "sampledValue": [{"value": "3500"}]}]
    await client.call("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": values})
    await client.call("StopTransaction", {"transactionId": number, "timestamp": NOW})

    assert await server.rows("SELECT state, energy_wh FROM session") == [("ended", 2500)]


# --- mended ----------------------------------------------------------------------------------------------------------------


async def test_a_start_with_the_usual_mistakes_is_read(client: Client, server: Server) -> None:
    payload = {
        "connectorId": "1",
        "idTag": "04:a1:b2:c3",
        "meterStart": 1000.0,
        "timestamp": "2026-11-23 08:00:00+03",
        "reservationId": None,
        "unknown": 1,
    }
    answer = await client.call("StartTransaction", payload)

    assert answer["idTagInfo"] == {"status": "Accepted"}
    assert await server.rows("SELECT evse, id_token, meter_start_wh, started_at_ms FROM session") == [
        (1, CARD, 1000, 1795410000000)
    ]
    violation = (await server.log_of(1))[0].violation
    assert violation is not None
    for rule in ("connectorId: not a whole number", "meterStart: not a whole", "timestamp:", "reservationId: null"):
        assert rule in violation


async def test_one_bad_sample_does_not_lose_its_siblings(client: Client, server: Server) -> None:
    started = await client.start(meter_wh=0)
    moment = {
        "timestamp": NOW,
        "sampledValue": [
            {"value": "7", "measurand": "Energy.Active.Import.Register", "unit": "kWh"},
            {"measurand": "SoC"},
            None,
            {"value": 50, "measurand": "soc", "unit": "Percent"},
            {"value": "warm", "measurand": "Temperature", "unit": "Celcius"},
        ],
    }
    empty = {"timestamp": NOW, "sampledValue": []}
    await client.call(
        "MeterValues", {"connectorId": 1, "transactionId": started["transactionId"], "meterValue": [moment, empty]}
    )

    rows = await server.rows("SELECT energy_wh, soc_percent, others FROM sample")
    assert [row[:2] for row in rows] == [(7000, 50)]
    assert orjson.loads(rows[0][2]) == [{"value": "warm", "measurand": "Temperature", "unit": "Celcius"}]


async def test_a_lone_meter_value_is_a_list_of_one(client: Client, server: Server) -> None:
    started = await client.start(meter_wh=0)
    value = {"timestamp": NOW, "sampledValue": {"value": "900"}}
    await client.call("MeterValues", {"connectorId": 1, "transactionId": started["transactionId"], "meterValue": value})

    assert await server.rows("SELECT energy_wh FROM sample") == [(900,)]


async def test_a_status_in_a_stations_own_words_is_kept(client: Client, server: Server) -> None:
    await client.call("StatusNotification", {"connectorId": 1, "status": "available", "errorCode": "Error"})
    await client.call("StatusNotification", {"connectorId": 2, "status": "Sleeping"})

    rows = await server.rows("SELECT evse, status, finer_status, error_code FROM connector ORDER BY evse")
    assert rows == [(1, "Available", "", "OtherError"), (2, "", "Sleeping", "NoError")]


# --- what websockets forbid ------------------------------------------------------------------------------------------------


async def test_a_frame_that_is_too_large_closes_with_1009_and_is_a_problem(server: Server, client: Client) -> None:
    await client.send('[2,"a","Heartbeat",{"x":"' + "x" * FRAME_BYTES_MAX + '"}]')

    assert await client.closed() == 1009
    await server.until(lambda: len(server.listener.registry) == 0)
    (details,) = await server.rows("SELECT details FROM problem WHERE kind = 'violation'")
    assert orjson.loads(details[0])["what"] == "too_long"
    rows = await server.rows("SELECT violation FROM message_log WHERE action = ''")
    assert len(rows) == 1
    assert rows[0][0].startswith("too_long: ")


async def test_nul_in_texts_does_not_reach_the_database(client: Client, server: Server) -> None:
    await client.call("BootNotification", {"chargePointVendor": "A\0B", "chargePointModel": "\0"})
    await client.send('[2,"a","x\0')
    await client.receive()

    assert await server.rows("SELECT vendor, model FROM station") == [("AB", "")]
    assert await server.rows("SELECT count(*) FROM message_log WHERE instr(request, char(0)) > 0") == [(0,)]


# --- our own failure -------------------------------------------------------------------------------------------------------


async def test_a_unit_that_raises_is_an_internal_error_and_the_connection_stays(client: Client, server: Server) -> None:
    def break_it(db: Database) -> None:
        db.execute("CREATE TRIGGER broken BEFORE INSERT ON session BEGIN SELECT RAISE(ABORT, 'broken'); END")

    await server.store.write(break_it)
    frame = orjson.dumps([2, "s", "StartTransaction", start_payload()]).decode()
    assert (await client.exchange(frame))[:3] == [4, "s", "InternalError"]
    assert await server.rows("SELECT subject FROM problem WHERE kind = 'station_error'") == [("station:1",)]

    await server.store.write(lambda db: db.execute("DROP TRIGGER broken").fetchall())
    answer = await client.exchange(frame)
    assert (answer[0], answer[2]["idTagInfo"]) == (3, {"status": "Accepted"})


# --- noise -----------------------------------------------------------------------------------------------------------------

PIECES = ["[", "]", "{", "}", ",", ":", '"', "2", "3", "4", "-1", "1e400", "NaN", "null", "true", '"a"', '"StartTransaction"', "\\",
          '"StopTransaction"', '"MeterValues"', '"connectorId"', '"meterValue"', '"timestamp"', "\0", "ü", "9" * 30, '"\\u0000"',
          '"\\ud800"', '"transactionId"', '"idTag"', " ", '{"sampledValue":[{}]}', "[[[[[[", '"BootNotification"', "-"]  # fmt: skip


def noise(random: random.Random) -> str:
    """A frame that is wrong: bits of frames, a good frame that is bent, or wrong values in the right fields."""
    kind = random.randrange(3)
    if kind == 0:
        return "".join(random.choices(PIECES, k=random.randrange(1, 30)))
    values: list[object] = [
        None,
        True,
        -1,
        0,
        2**63,
        2**64 - 1,
        -(2**63),
        1.5,
        "",
        "x" * 300,
        "\0",
        [],
        {},
        [None],
        [[]],
        {"a": {}},
    ]
    action = random.choice(["StartTransaction", "StopTransaction", "MeterValues", "StatusNotification", "Authorize", "Heartbeat",
                            "BootNotification", "DataTransfer", "FirmwareStatusNotification"])  # fmt: skip
    fields = ["connectorId", "idTag", "meterStart", "meterStop", "transactionId", "timestamp", "meterValue", "transactionData", "status",
              "errorCode", "vendorId", "reason", "chargePointVendor"]  # fmt: skip
    payload = {field: random.choice(values) for field in random.sample(fields, random.randrange(8))}
    if random.random() < 0.3:
        sample = {name: random.choice(values) for name in ("value", "measurand", "unit", "phase", "format")}
        payload["meterValue"] = [{"timestamp": random.choice(values), "sampledValue": [sample, random.choice(values)]}]
    text = orjson.dumps([2, f"n{random.randrange(10**9)}", action, payload]).decode()
    if kind == 1:
        at = random.randrange(len(text))
        return text[:at] + random.choice(PIECES) + text[at + random.randrange(5) :]
    return text


async def test_after_a_thousand_malformed_frames_money_still_moves(
    client: Client, server: Server, settings: StationSettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.messages_per_s = 0
    source = random.Random(20261123)
    for _ in range(1000):
        await client.send(noise(source))
        # The heartbeat's answer shows that the frame before it is done with, answered or not.
        await client.send('[2,"still there","Heartbeat",{}]')
        while (await client.receive())[1] != "still there":
            pass
    started = await client.start("04A1B2C3", connector=900, meter_wh=10)
    assert started["idTagInfo"] == {"status": "Accepted"}
    await client.call("StopTransaction", stop_payload(started["transactionId"], 1010))

    rows = await server.rows("SELECT fee_minor FROM session WHERE id = ?", started["transactionId"])
    assert rows == [(1200,)]
    assert [record.message for record in caplog.records if record.exc_info] == []


async def test_a_flood_waits_and_loses_nothing(server: Server, settings: StationSettings) -> None:
    settings.messages_per_s = 1000
    await server.register("CS-1")
    async with connected(server) as client:
        for number in range(300):
            await client.send(f'[2,"{number}","Heartbeat",{{}}]')

        assert [(await client.receive())[1] for _ in range(300)] == [str(number) for number in range(300)]


async def test_a_flood_over_many_connections_waits_as_long(server: Server, settings: StationSettings) -> None:
    settings.messages_per_s = 1
    await server.register("CS-1")
    async with connected(server) as client:
        for number in range(MESSAGES_BURST):
            await client.send(f'[2,"{number}","Heartbeat",{{}}]')
        assert [(await client.receive())[1] for _ in range(MESSAGES_BURST)] == [str(n) for n in range(MESSAGES_BURST)]

    async with connected(server) as again:
        for number in range(5):
            await again.send(f'[2,"{number}","Heartbeat",{{}}]')
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await received(again, 5)


async def received(client: Client, frames: int) -> None:
    for _ in range(frames):
        await client.receive()
