"""Frames of firmwares that write their JSON by hand: what can be read of them counts, and nothing that means money is lost."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from appliance.domain.identifiers import StationId
from appliance.services.ports.stations import CommandFailed, FailureKind
from appliance.services.sessions import closing
from appliance.services.sessions.in_part import SESSIONS_NAMED_MAX
from tests.ocpp.raw import CARD, Client, Server, start_payload

AT = "2026-11-30T01:00:00Z"
PADDED = [
    "04A1B2C3\0\0\0\0",
    "\0 04A1B2C3",
    "04A1B2C3\r\n",
    "04A1\nB2C3",
    "\x0104A1B2C3\x1f",
    "04A1B2C3" + "\0" * 12,
    "\x7f04A1B2C3",
    "04:A1:B2:C3\t",
]


async def problems_of(server: Server) -> list[tuple[str, dict[str, object]]]:
    rows = await server.rows("SELECT subject, details FROM problem WHERE kind = 'unreadable' ORDER BY id")
    return [(subject, orjson.loads(details)) for subject, details in rows]


# --- control characters ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id_tag", PADDED)
@pytest.mark.parametrize("is_escaped", [False, True])
async def test_a_card_with_control_characters_is_the_card(client: Client, id_tag: str, is_escaped: bool) -> None:
    text = orjson.dumps(id_tag).decode() if is_escaped else f'"{id_tag}"'
    asked = await client.exchange(f'[2,"a","Authorize",{{"idTag":{text}}}]')
    started = await client.exchange(
        f'[2,"s","StartTransaction",{{"connectorId":1,"idTag":{text},"meterStart":7,"timestamp":"{AT}"}}]'
    )

    assert asked == [3, "a", {"idTagInfo": {"status": "Accepted"}}]
    assert started[2]["idTagInfo"] == {"status": "Accepted"}


@pytest.mark.parametrize(("before", "behind"), [("", "\0"), ("", "\r\n"), ("", "\0\0\r\n\0"), ("\ufeff", ""), ("\0\r\n", " "), ("\ufeff \x01", "\x1a")])  # fmt: skip
async def test_what_stands_around_a_frame_means_nothing(client: Client, before: str, behind: str) -> None:
    assert (await client.exchange(f'{before}[2,"a","Heartbeat",{{}}]{behind}'))[:2] == [3, "a"]


async def test_a_setting_with_control_characters_reaches_who_asked(client: Client, server: Server) -> None:
    work = asyncio.ensure_future(server.listener.commands.get_variables(StationId(1), []))
    message_id = (await client.receive())[1]
    key = '{"key":"ChargePointVendor","readonly":true,"value":"ACME\0\n"}'
    await client.send(f'\ufeff[3,"{message_id}",{{"configurationKey":[{key}]}}]\0')

    assert [one.value for one in await work] == ["ACME "]


async def test_texts_of_a_boot_are_kept_without_them(client: Client, server: Server) -> None:
    await client.call("BootNotification", {"chargePointVendor": "AC\u0001ME\n", "chargePointModel": "X\u00851\0\0"})

    assert await server.rows("SELECT vendor, model FROM station") == [("ACME", "X 1")]


# --- slips of a stop -------------------------------------------------------------------------------------------------------

STOPS = [
    '{{"transactionId":{0} "meterStop":6000,"timestamp":"{1}"}}]',
    '{{"transactionId":{0},"meterStop":6000,"timestamp":"{1}",}}]',
    '{{"transactionId":{0},"meterStop":6000,"timestamp":"{1}"',
    '{{"transactionId":{0},"meterStop":6000,"timestamp":"{1}","transactionData":[{{"timestamp":"{1}","sampledValue":[{{"value":"15',
    "{{'transactionId':{0},'meterStop':6000,'timestamp':'{1}'}}]",
    '{{"transactionId":{0},"meterStop":6000,"timestamp":"{1}","reason":NaN}}]',
    "{{transactionId:{0},meterStop:6000}}]",
    '{{"transactionId":"{0}","meterStop":"6000","reason":"\\x"}}]',
    '{{"transactionId":{0},"meterStop":6000,"idTag":"\\ud800"}}]',
    '{{"x":' + "[" * 2000 + ',"transactionId":{0},"meterStop":6000}}]',
    '[{{"transactionId":{0},"meterStop":6000}}]]',
    '"{{\\"transactionId\\":{0},\\"meterStop\\":6000}}"]',
]


@pytest.mark.parametrize("stop", STOPS)
async def test_a_stop_with_a_slip_ends_its_session_and_staff_are_told_which(
    client: Client, server: Server, stop: str
) -> None:
    number = (await client.start(meter_wh=1000))["transactionId"]
    frame = '[2,"x","StopTransaction",' + stop.format(number, AT)

    assert (await client.exchange(frame))[:2] == [3, "x"]
    assert await server.rows("SELECT state, energy_wh, fee_minor FROM session") == [("ended", 5000, 6000)]
    ((subject, details),) = await problems_of(server)
    assert (subject, details["session"]) == (f"session:{number}", number)
    again = await client.start(meter_wh=6000)
    assert again["idTagInfo"] == {"status": "Accepted"}


async def test_the_header_may_be_wrong_too(client: Client, server: Server) -> None:
    number = (await client.start(meter_wh=1000))["transactionId"]

    answer = await client.exchange(f"[2 'x' 'StopTransaction' {{'transactionId':{number} 'meterStop':6000}}")
    assert answer[:2] == [3, "x"]
    assert await server.rows("SELECT state, energy_wh FROM session") == [("ended", 5000)]


@pytest.mark.parametrize("meter", [",", ',"meterStop":60', ',"meterStop":"much"', ',"meterStop":"60'])
async def test_a_stop_without_a_register_that_is_whole_is_billed_by_the_readings_before(
    client: Client, server: Server, meter: str
) -> None:
    number = (await client.start(meter_wh=1000))["transactionId"]
    values = [{"timestamp": AT, "sampledValue": [{"value": "3500"}]}]
    await client.call("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": values})

    assert (await client.exchange(f'[2,"x","StopTransaction",{{"transactionId":{number}{meter}'))[:2] == [3, "x"]
    assert await server.rows("SELECT state, energy_wh FROM session") == [("ended", 2500)]


async def test_a_stop_of_which_only_the_card_can_be_read_ends_what_the_card_began(
    client: Client, server: Server
) -> None:
    await client.start(connector=1)
    await client.start("04FFFFFF", connector=2)

    await client.exchange(f'[2,"x","StopTransaction",{{"idTag":"{CARD}","meterStop":6000,"transactionId":}}]')
    assert await server.rows("SELECT evse, state FROM session ORDER BY evse") == [(1, "ended"), (2, "running")]


async def test_a_stop_of_which_nothing_can_be_read_is_told(client: Client, server: Server) -> None:
    await client.start()

    assert await client.exchange('[2,"x","StopTransaction",{"') == [3, "x", {}]
    ((subject, details),) = await problems_of(server)
    assert (subject, "session" in details) == ("station:1", False)


# --- slips of a start ------------------------------------------------------------------------------------------------------

STARTS = [
    '{{"connectorId":1 "idTag":"{0}","meterStart":1000,"timestamp":"{1}"}}]',
    '{{"connectorId":1,"idTag":"{0}","meterStart":1000,"timestamp":"{1}"',
    "{{'connectorId':1,'idTag':'{0}','meterStart':1000,'timestamp':'{1}'}}]",
    '{{"connectorId":1,"idTag":"{0}","meterStart":1000,"timestamp":"{1}","reservationId":NaN}}]',
    '{{"connectorId":1,"idTag":"{0}","meterStart":1000,"timestamp":"{1}",}}',
]


@pytest.mark.parametrize("start", STARTS)
async def test_a_start_with_a_slip_begins_its_session(client: Client, server: Server, start: str) -> None:
    frame = '[2,"x","StartTransaction",' + start.format(CARD, AT)
    answer = await client.exchange(frame)

    assert answer[2]["idTagInfo"] == {"status": "Accepted"}
    assert await client.exchange(frame.replace('"x"', '"y"')) == [3, "y", answer[2]]
    assert await server.rows("SELECT state, evse, meter_start_wh, started_at_ms FROM session") == [
        ("running", 1, 1000, 1_796_000_400_000)
    ]
    ((subject, _),) = await problems_of(server)
    assert subject == f"session:{answer[2]['transactionId']}"


@pytest.mark.parametrize(
    "tail", ['"3500"}]}]', '"3500"}]}],}]', '"3500"}', '"3500"} {"value":"9', '"3500","unit":NaN}]}]}]', '"3500"}]]}}']
)
async def test_readings_with_a_slip_are_kept_as_far_as_they_are_whole(
    client: Client, server: Server, tail: str
) -> None:
    number = (await client.start(meter_wh=1000))["transactionId"]
    head = f'[2,"x","MeterValues",{{"connectorId":1,"transactionId":{number},"meterValue":[{{"timestamp":"{AT}","sampledValue":[{{"value":'

    assert await client.exchange(head + tail) == [3, "x", {}]
    assert await server.rows("SELECT energy_wh FROM sample") == [(3500,)]
    assert await problems_of(server) == []


# --- what is not read leniently ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frame", ['[2,"a","Authorize",{"idTag":"04A1B2C3",}]', '[2,"a","DataTransfer",{"vendorId":"x"']
)
async def test_what_can_be_sent_again_is_refused(client: Client, frame: str) -> None:
    assert (await client.exchange(frame))[:3] == [4, "a", "FormationViolation"]


async def test_of_a_key_that_comes_twice_the_last_counts(client: Client, server: Server) -> None:
    """As in every JSON reader, so that the strict and the lenient reading of a frame are one."""
    number = (await client.start(meter_wh=1000))["transactionId"]
    await client.exchange(f'[2,"x","StopTransaction",{{"transactionId":{number},"meterStop":1,"meterStop":6000,"timestamp":"{AT}"}}]')  # fmt: skip

    assert await server.rows("SELECT energy_wh FROM session") == [(5000,)]


@pytest.mark.parametrize("answer", ['[3,"{}",{{"status":"Accepted"', '[3,"{}",{{"status":"Accepted",}}]', "[3,'{}',{{}}]",
                                    '[4,"{}","GenericError","no', '[3 "{}" {{}}]'])  # fmt: skip
async def test_our_call_ends_at_once_with_an_answer_that_cannot_be_read(
    client: Client, server: Server, answer: str
) -> None:
    work = asyncio.ensure_future(server.listener.commands.reset(StationId(1), hard=False))
    message_id = (await client.receive())[1]
    await client.send(answer.format(message_id))

    with pytest.raises(CommandFailed) as failed:
        await work
    assert failed.value.kind is FailureKind.UNREADABLE
    assert failed.value.outcome_unknown
    (logged,) = await server.log_of(1)
    assert (logged.action, logged.answer) == ("Reset", answer.format(message_id))


# --- starts that lack something ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "row"),
    [
        ({"idTag": None}, (1, "", 7000, "Invalid")),
        ({"idTag": {"a": 1}}, (1, "", 7000, "Invalid")),
        ({"connectorId": "left"}, (1, CARD, 7000, "Accepted")),
        ({"connectorId": -1}, (1, CARD, 7000, "Accepted")),
        ({"connectorId": None}, (1, CARD, 7000, "Accepted")),
        ({"connectorId": 0}, (1, CARD, 7000, "Accepted")),
        ({"meterStart": None}, (1, CARD, 6500, "Invalid")),
        ({"meterStart": -1}, (1, CARD, 6500, "Invalid")),
        ({"meterStart": "much"}, (1, CARD, 6500, "Invalid")),
        ({"timestamp": "yesterday"}, (1, CARD, 7000, "Accepted")),
        ({"timestamp": None}, (1, CARD, 7000, "Accepted")),
    ],
)
async def test_a_start_with_one_bad_field_keeps_its_good_ones(
    client: Client, server: Server, wrong: dict[str, object], row: tuple[object, ...]
) -> None:
    await client.call("StatusNotification", {"connectorId": 1, "status": "Preparing", "errorCode": "NoError"})
    before = await client.start(meter_wh=6000)
    await client.call("StopTransaction", {"transactionId": before["transactionId"], "meterStop": 6500, "timestamp": AT})
    number = (await client.call("StartTransaction", {**start_payload(meter_wh=7000), **wrong}))["transactionId"]

    sql = 'SELECT evse, id_token, meter_start_wh, "authorization" FROM session WHERE id = ?'
    assert await server.rows(sql, number) == [row]
    await client.call("StopTransaction", {"transactionId": number, "meterStop": 9000, "timestamp": AT})
    energy_wh = await server.rows(
        """SELECT energy_wh FROM session WHERE id = ? AND note <> 'no_start'
        UNION ALL SELECT energy_wh FROM session_figure WHERE session_id = ?""",
        number,
        number,
    )
    assert energy_wh == [(9000 - int(str(row[2])),)]


async def test_a_session_of_which_no_register_is_known_begins_with_the_first_that_is_told(
    client: Client, server: Server
) -> None:
    number = (await client.call("StartTransaction", {**start_payload(), "meterStart": "much"}))["transactionId"]
    values = [{"timestamp": AT, "sampledValue": [{"value": "7200"}]}]
    await client.call("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": values})
    await client.call("StopTransaction", {"transactionId": number, "meterStop": 9000, "timestamp": AT})

    assert await server.rows("SELECT meter_start_wh, energy_wh, fee_minor FROM session") == [(7200, 0, 0)]
    assert await server.rows("SELECT energy_wh FROM session_figure") == [(1800,)], "somebody has to look"


async def test_thirty_times_the_same_unreadable_start_is_one_session_and_one_problem(
    client: Client, server: Server
) -> None:
    answers = {
        (await client.exchange(f'[2,"m{number}","StartTransaction",{{"garbage":'))[2]["transactionId"]
        for number in range(30)
    }

    assert len(answers) == 1
    assert await server.rows("SELECT count(*) FROM session") == [(1,)]
    assert len(await problems_of(server)) == 1


async def test_unreadable_starts_that_differ_are_others_in_the_same_millisecond_too(
    client: Client, server: Server
) -> None:
    server.now_ms = lambda: 1_796_000_400_000
    one, other = [
        (await client.call("StartTransaction", {"idTag": {"x": number}}))["transactionId"] for number in range(2)
    ]
    again = (await client.call("StartTransaction", {"idTag": {"x": 1}}))["transactionId"]

    assert (one != other, again) == (True, other)


async def test_of_starts_at_nobody_knows_which_connector_only_the_last_runs_and_is_a_problem(
    client: Client, server: Server
) -> None:
    for number in range(5):
        await client.call("StartTransaction", {"idTag": {"x": number}})

    assert await server.rows("SELECT state, count(*) FROM session GROUP BY state") == [("ended", 4), ("running", 1)]
    assert await server.rows("SELECT count(*) FROM problem WHERE kind = 'unreadable' AND cleared_at_ms IS NULL") == [(1,)]  # fmt: skip


async def test_what_runs_at_no_connector_ends_after_a_day_of_silence(client: Client, server: Server) -> None:
    await client.call("StartTransaction", {})
    now_ms = server.now_ms() + 25 * 3_600_000
    await server.store.write(closing.close_lost, now_ms)

    assert await server.rows("SELECT state, energy_wh FROM session") == [("ended", 0)]


async def test_of_ever_more_torn_starts_the_first_are_named_and_the_rest_are_counted(
    client: Client, server: Server
) -> None:
    more = 5
    for number in range(SESSIONS_NAMED_MAX + more):
        torn = orjson.dumps([2, f"t{number}", "StartTransaction", start_payload(meter_wh=1000 + number)]).decode()
        answer = await client.exchange(torn[:-1] if number % 2 else torn[:-2])
        assert answer[:2] == [3, f"t{number}"]

    rows = await server.rows("SELECT subject, times FROM problem WHERE kind = 'unreadable' AND cleared_at_ms IS NULL")
    named = [subject for subject, _ in rows if subject.startswith("session:")]
    assert len(named) == SESSIONS_NAMED_MAX
    assert [row for row in rows if row[0] not in named] == [("station:1", more)]
