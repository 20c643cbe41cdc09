"""Frames that are not [2, "id", "Action", {}]: what can be read without doubt is read, and no money is lost without a problem."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from appliance.domain.clock import system_clock
from appliance.domain.units import rfc3339
from appliance.ocpp.settings import StationSettings
from appliance.ocpp.v16.version import version
from tests.ocpp.raw import CARD, Client, Server, connected

AT = "2026-11-30T01:00:00Z"
STOP = f'{{"transactionId":%d,"meterStop":6000,"timestamp":"{AT}"}}'
START = f'{{"connectorId":1,"idTag":"{CARD}","meterStart":1000,"timestamp":"{AT}"}}'

READ = [
    '["2","x","StopTransaction",@]',
    '[" 2 ","x","StopTransaction",@]',
    '[[2,"x","StopTransaction",@]]',
    '[[[["2","x","stopTransaction",@]]]]',
    '[2,"x","stopTransaction",@]',
    '[2,"x","STOPTRANSACTION",@]',
    '[2,"x"," StopTransaction\\n",@]',
    '[2,"x","Stop_Transaction",@]',
    '[2,"x","StopTransaction.req",@]',
    '[2,"x","StopTransactionRequest",@]',
    '[2,"x","StopTransaction",null,@]',
    '[2,"x","StopTransaction",@,null]',
    '[2,"x","StopTransaction",@]rubbish',
    '[2,"x","StopTransaction",@]]]]',
    '[2,"x","StopTransaction",@]}"',
    '[2,"x","StopTransaction",@][2,"y","Heartbeat",{}]',
    'rubbish[2,"x","StopTransaction",@]',
    '42\r\n[2,"x","StopTransaction",@]\r\n',
    '2026-11-30 10:00:00 [INFO] sent: [2,"x","StopTransaction",@] [17 ms]',
    '{"seq":1}[2,"x","StopTransaction",@]',
    '3[2,"x","StopTransaction",@]',
    'ï»¿[2,"x","StopTransaction",@]',
    '\u200b[2,"x","StopTransaction",@]\u200b',
    'ключ [2,"x","StopTransaction",@] ключ',
    '\ufeff\0["2","x","stoptransaction",@]\0\0rubbish',
    '{"messageTypeId":2,"uniqueId":"x","action":"StopTransaction","payload":@}',
    '{"MessageTypeId":"2","MessageId":"x","Action":"StopTransactionRequest","Payload":@}',
    '{"action":"StopTransaction","id":"x","data":@}',
    '{"type":"CALL","id":"x","action":"StopTransaction","request":@}',
    '[{"0":2,"1":"x","2":"stopTransaction","3":@}]',
]  # fmt: skip


def framed(frame: str, payload: str) -> str:
    """The frame around a payload."""
    return frame.replace("@", payload)


async def unreadable(server: Server) -> list[dict[str, Any]]:
    rows = await server.rows("SELECT details FROM problem WHERE kind = 'unreadable' ORDER BY id")
    return [orjson.loads(details) for (details,) in rows]


@pytest.mark.parametrize("frame", READ)
async def test_what_can_be_read_without_doubt_is_read_and_counted(client: Client, server: Server, frame: str) -> None:
    number = (await client.start(meter_wh=1000))["transactionId"]

    assert await client.exchange(framed(frame, STOP % number)) == [3, "x", {}]
    assert await server.rows("SELECT state, energy_wh, fee_minor FROM session") == [("ended", 5000, 6000)]
    assert await unreadable(server) == []
    assert server.listener.counters.mended["CS-1"] == 1
    assert (await server.log_of(1))[-1].violation


async def test_quoted_once_more_it_is_the_frame(client: Client, server: Server) -> None:
    number = (await client.start(meter_wh=1000))["transactionId"]
    text = f'[2,"x","StopTransaction",{STOP % number}]'

    assert await client.exchange(orjson.dumps(text).decode()) == [3, "x", {}]
    assert await client.exchange(orjson.dumps([text]).decode()) == [3, "x", {}]
    assert await server.rows("SELECT state, energy_wh FROM session") == [("ended", 5000)]


@pytest.mark.parametrize("frame", [frame.replace("op", "art").replace("OP", "ART") for frame in READ[:11]])
async def test_a_start_too_gets_its_number_and_the_same_one_again(client: Client, server: Server, frame: str) -> None:
    answer = await client.exchange(framed(frame, START))

    assert answer[2]["idTagInfo"] == {"status": "Accepted"}
    assert await client.exchange(framed(frame, START)) == answer
    assert await server.rows("SELECT state, meter_start_wh FROM session") == [("running", 1000)]


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        ('["CALL","x","StopTransaction",@]', [4, "x", "FormationViolation"]),
        ('[null,"x","StopTransaction",@]', [4, "x", "FormationViolation"]),
        ('[true,"x","StopTransaction",@]', [4, "x", "FormationViolation"]),
        ('["x","StopTransaction",@]', [4, "-1", "GenericError"]),
        ('[02,"x","StopTransaction",@]', [4, "-1", "GenericError"]),
        ('[[2,"x","StopTransaction",@],[2,"y","Heartbeat",{}]]', [4, "-1", "GenericError"]),
        ('{"messageTypeId":2,"uniqueId":"x","payload":@}', [4, "x", "NotImplemented"]),
        ('{"action":"StopTransaction","id":"x","payload":@,"body":{}}', [4, "-1", "GenericError"]),
        ('{"type":"StopTransaction","id":"x","data":@}', [4, "-1", "GenericError"]),
        ('{"StopTransaction":@}', [4, "-1", "GenericError"]),
        ("@", [4, "-1", "GenericError"]),
        ("StopTransaction @", [4, "-1", "GenericError"]),
        ('"x","StopTransaction",@]', [4, "-1", "GenericError"]),
        ('[2,true,"StopTransaction",@]', [4, "-1", "GenericError"]),
        ('[2,{"a":1},"StopTransaction",@]', [4, "-1", "GenericError"]),
        ('[2,["x"],"StopTransaction",@]', [4, "-1", "GenericError"]),
        ('[2,"x",@]', [4, "x", "NotImplemented"]),
        ('[2,"x",null,@]', [4, "x", "FormationViolation"]),
        ('[2,"x",["StopTransaction"],@]', [4, "x", "FormationViolation"]),
        ('[2,"StopTransaction","x",@]', [4, "StopTransaction", "NotImplemented"]),
        ('[2,"x","EndTransaction",@]', [4, "x", "NotImplemented"]),
        ('[2,"x","StopTrans', [4, "x", "FormationViolation"]),
        ('[2,"x","Start_Tr\\u00e4nsaction"', [4, "x", "FormationViolation"]),
        ('[2,"x","StopTranxsaction",{":232[000', [4, "x", "FormationViolation"]),
        ('[2,"x","TransactionEvent",{"transactionInfo":@}]', [4, "x", "NotImplemented"]),
        ('[2,"x","DataTransfer",{"vendorId":"v","data":@', [4, "x", "FormationViolation"]),
    ],
)
async def test_what_cannot_be_read_is_refused_and_shown_to_staff(
    client: Client, server: Server, frame: str, answer: list[object]
) -> None:
    number = (await client.start(meter_wh=1000))["transactionId"]
    text = framed(frame, STOP % number)

    assert (await client.exchange(text))[:3] == answer
    ((told),) = await unreadable(server)
    assert told["text"] == text
    assert await server.rows("SELECT state FROM session") == [("running",)]


@pytest.mark.parametrize("kind", ["1", "3", "4", "5", "6", "17"])
async def test_of_a_type_that_wants_no_answer_staff_are_told_all_the_same(
    client: Client, server: Server, kind: str
) -> None:
    """J 1.6, 4.1.3."""
    text = f'[{kind},"x","StopTransaction",{STOP % 7}]'
    await client.send(text)

    assert "currentTime" in await client.call("Heartbeat", {})
    ((told),) = await unreadable(server)
    assert told["text"] == text


@pytest.mark.parametrize(
    "text",
    [
        '[3,"x",{"configurationKey":[{"key":"StopTransactionOnInvalidId","readonly":false,"value":"true"},{"key":"MeterValuesSampledData","readonly":true}]}]',
        '[3,"x",{"configurationKey":[{"key":"StopTransactionOnEVSideDisconnect"',
        '[2,"x","Nonsense",{}]',
        '[2,"x","Authorize",{"idTag":"04A1B2C3"',
        "nonsense",
        "{}",
    ],
)
async def test_what_tells_of_no_money_is_no_problem(client: Client, server: Server, text: str) -> None:
    await client.send(text)
    while (await client.exchange('[2,"last","Heartbeat",{}]'))[1] != "last":
        pass

    assert await unreadable(server) == []


async def test_a_stranger_makes_no_problems_with_it(server: Server) -> None:
    async with connected(server, "/ocpp/STRANGER") as stranger:
        await stranger.exchange(f'["CALL","x","StopTransaction",{STOP % 7}]')

    assert await unreadable(server) == []


async def test_what_follows_a_whole_frame_is_not_lost_without_a_word(client: Client, server: Server) -> None:
    one = (await client.start(meter_wh=1000))["transactionId"]
    second = f'[2,"y","StopTransaction",{STOP % 99}]'

    assert await client.exchange(f'[2,"x","StopTransaction",{STOP % one}]{second}') == [3, "x", {}]
    assert [told["text"] for told in await unreadable(server)] == [second]
    assert await client.exchange('[2,"h","Heartbeat",{}' + second) != []
    assert [told["text"] for told in await unreadable(server)][-1][-1].endswith(second)


async def test_of_many_the_last_few_are_shown(client: Client, server: Server) -> None:
    texts = [f'[2,"x{number}","EndTransaction",{{"transactionId":{number}}}]' for number in range(8)]
    for text in texts:
        await client.exchange(text)

    ((told),) = await unreadable(server)
    assert told["text"] == texts[-5:]
    assert await server.rows("SELECT times FROM problem") == [(8,)]


async def test_what_is_shown_has_an_end_and_no_secrets(client: Client, server: Server) -> None:
    await client.exchange('["CALL","x","StopTransaction",{"AuthorizationKey":"hush","x":"' + "y" * 9000 + '"}]')

    ((told),) = await unreadable(server)
    assert len(str(told["text"])) <= 400
    assert "hush" not in str(told["text"])


# --- the number of a transaction ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ['"%d"', '"000%d"', "%d.0", '"%d.0"', '" %d "', "%de0", "[%d]"])
async def test_a_number_that_can_mean_only_one_transaction_means_it(
    client: Client, server: Server, number: str
) -> None:
    await client.start("04FFFFFF", connector=2)
    meant = (await client.start(meter_wh=1000))["transactionId"]
    payload = f'{{"transactionId":{number % meant},"meterStop":6000,"timestamp":"{AT}"}}'

    assert await client.exchange(f'[2,"x","StopTransaction",{payload}]') == [3, "x", {}]
    assert await server.rows("SELECT id, state FROM session ORDER BY id") == [(1, "running"), (meant, "ended")]
    assert await unreadable(server) == []


@pytest.mark.parametrize("number", ["1.5", '"1.5"', "0.6", '"1,5"', "null", "true", "[1,2]", '"one"', "1e400"])
async def test_a_number_is_never_rounded_to_anothers(client: Client, server: Server, number: str) -> None:
    await client.start("04FFFFFF", connector=2)
    await client.start(meter_wh=1000)

    await client.exchange(f'[2,"x","StopTransaction",{{"transactionId":{number},"meterStop":6000,"timestamp":"{AT}"}}]')
    assert await server.rows("SELECT state FROM session") == [("running",), ("running",)]
    assert len(await unreadable(server)) == 1


@pytest.mark.parametrize(
    ("frame", "message_id"), [('[2,null,"StopTransaction",%s]', ""), ('[2,"StopTransaction",%s]', "StopTransaction")]
)
async def test_a_stop_that_names_no_message_ends_its_session(
    client: Client, server: Server, frame: str, message_id: str
) -> None:
    number = (await client.start(meter_wh=1000))["transactionId"]
    payload = f'{{"transactionId":{number},"meterStop":6000,"timestamp":"{AT}"}}'

    assert await client.exchange(frame % payload) == [3, message_id, {}]
    assert await server.rows("SELECT state, energy_wh FROM session") == [("ended", 5000)]


async def test_readings_of_half_a_transaction_are_this_connectors(client: Client, server: Server) -> None:
    await client.start("04FFFFFF", connector=2)
    number = (await client.start(meter_wh=1000))["transactionId"]
    values = [{"timestamp": rfc3339(system_clock()), "sampledValue": [{"value": "3500"}]}]
    await client.call("MeterValues", {"connectorId": 1, "transactionId": 0.6, "meterValue": values})

    assert await server.rows("SELECT session_id FROM sample") == [(number,)]


@pytest.mark.parametrize(
    "fields",
    [
        '"TransactionID":%d,"MeterStop":6000,"TimeStamp":"{}"',
        '"transaction_id":%d,"meter_stop":6000,"timestamp":"{}"',
        '" transactionId":%d,"meterStop ":6000,"timestamp":"{}"',
        '"transactionIds":%d,"meterStops":6000,"timestamps":"{}"',
        '"transaction_ids":[%d],"meterStop":[6000],"timestamp":["{}"]',
    ],
)
async def test_fields_that_are_spelled_nearly_so_are_those_fields(client: Client, server: Server, fields: str) -> None:
    number = (await client.start(meter_wh=1000))["transactionId"]
    payload = (fields % number).replace("{}", AT)

    assert await client.exchange(f'[2,"x","StopTransaction",{{{payload}}}]') == [3, "x", {}]
    assert await server.rows("SELECT state, energy_wh FROM session") == [("ended", 5000)]
    assert await unreadable(server) == []


async def test_readings_whose_fields_are_written_as_several_are_read(client: Client, server: Server) -> None:
    number = (await client.start(meter_wh=1000))["transactionId"]
    sampled = {"values": ["3.5"], "measurands": "Energy.Active.Import.Register", "units": ["kWh"]}
    moment = {"timestamps": rfc3339(system_clock()), "sampledValues": [sampled]}
    await client.call("MeterValues", {"connectorIds": [1], "transactionIds": number, "meterValues": [moment]})

    assert await server.rows("SELECT session_id, energy_wh FROM sample") == [(number, 3_500)]
    assert await unreadable(server) == []


async def test_a_field_under_its_own_name_is_not_replaced(client: Client, server: Server) -> None:
    number = (await client.start(meter_wh=1000))["transactionId"]
    await client.call(
        "StopTransaction", {"transactionId": number, "meterStop": 6000, "METERSTOP": 9000, "timestamp": AT}
    )

    assert await server.rows("SELECT energy_wh FROM session") == [(5000,)]


# --- readings ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", ["null", "[]", "{}", '{"meterValue":7}', '{"meterValue":[{"value":"3500"}]}', '{"meterValue":"3500"}'])  # fmt: skip
async def test_readings_of_which_none_can_be_read_are_told(client: Client, server: Server, payload: str) -> None:
    text = f'[2,"x","MeterValues",{payload}]'

    assert await client.exchange(text) == [3, "x", {}]
    ((told),) = await unreadable(server)
    assert told["text"] == text


@pytest.mark.parametrize("values", ["[]", f'[{{"timestamp":"{AT}","sampledValue":[]}}]'])
async def test_readings_that_say_nothing_are_none(client: Client, server: Server, values: str) -> None:
    await client.exchange(f'[2,"x","MeterValues",{{"connectorId":1,"meterValue":{values}}}]')

    assert await unreadable(server) == []


# --- slowed down all the same ------------------------------------------------------------------------------------------------


def test_a_message_under_another_spelling_is_known_for_what_it_is() -> None:
    meant = version(StationSettings()).action_meant
    assert [meant(name) for name in ("starttransaction", "AUTHORIZE", "Authorize.req", "Nonsense", "", "req")] == [
        "StartTransaction",
        "Authorize",
        "Authorize",
        None,
        None,
        None,
    ]
