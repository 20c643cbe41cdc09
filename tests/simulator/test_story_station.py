"""The station that the stories of other tests are told with: its own verbs, against a small central system."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.simulator.central_system import CentralSystem
from tests.support.station import CallError, Offline, Station


@pytest.fixture(name="station")
async def _station(system: CentralSystem) -> AsyncIterator[Station]:
    async with Station.connected(system.url, "CS-01", power_w=7200) as station:
        yield station


async def test_story_of_a_charge_is_told(station: Station, system: CentralSystem) -> None:
    boot = await station.boot()
    await station.plug_in()
    status = await station.present_card("04AABBCC")
    await station.charge(energy_wh=7200)
    await station.present_card("04AABBCC")
    await station.unplug()

    assert boot["status"] == status == "Accepted"
    assert [each.action for each in system.received if each.action != "StatusNotification"] == [
        "BootNotification",
        "Authorize",
        "StartTransaction",
        "MeterValues",
        "MeterValues",
        "MeterValues",
        "StopTransaction",
    ]
    statuses = [each["status"] for each in system.found("StatusNotification", connectorId=1)]
    assert statuses == ["Available", "Preparing", "Charging", "Finishing", "Available"]
    stop = system.found("StopTransaction")[0]
    assert stop["meterStop"] - system.found("StartTransaction")[0]["meterStart"] == 7200
    assert stop["transactionId"] == 1
    assert station.unacknowledged == []


async def test_times_only_grow_and_a_charge_takes_its_time(station: Station, system: CentralSystem) -> None:
    await station.plug_in()
    await station.present_card("04AABBCC")
    await station.charge(energy_wh=7200)
    first, *_, last = [each["meterValue"][0]["timestamp"] for each in system.found("MeterValues")]
    begin = system.found("StartTransaction")[0]["timestamp"]

    assert begin < first < last
    assert begin[:10] <= last[:10]
    assert begin[11:13] != last[11:13]


async def test_refused_card_starts_nothing(station: Station, system: CentralSystem) -> None:
    system.answers["Authorize"] = {"idTagInfo": {"status": "Blocked"}}
    await station.plug_in()

    assert await station.present_card("04AABBCC") == "Blocked"
    assert system.found("StartTransaction") == []


async def test_what_is_not_acknowledged_is_sent_again_with_the_same_id(station: Station, system: CentralSystem) -> None:
    await station.plug_in()
    await station.present_card("04AABBCC")
    await station.go_offline()
    await station.charge(energy_wh=600, samples=1)
    await station.unplug()
    kept = [each.message_id for each in station.unacknowledged]
    await station.come_back()

    assert not station.unacknowledged
    assert [each.message_id for each in system.received[-2:]] == kept
    assert [each.action for each in system.received[-2:]] == ["MeterValues", "StopTransaction"]


async def test_start_made_offline_gets_its_id_before_the_stop_is_told(station: Station, system: CentralSystem) -> None:
    await station.go_offline()
    await station.plug_in()
    assert await station.present_card("04AABBCC") == "Offline"
    await station.unplug()
    await station.come_back()

    assert (await system.expect("StopTransaction"))["transactionId"] == 1


async def test_line_that_breaks_before_the_answer_leaves_the_message_unacknowledged(
    station: Station, system: CentralSystem
) -> None:
    system.answers["StopTransaction"] = None
    await station.plug_in()
    await station.present_card("04AABBCC")

    async def drop() -> None:
        await system.expect("StopTransaction")
        await system.drop()

    task = asyncio.create_task(drop())
    await station.stop_transaction()
    await task

    assert [each.action for each in station.unacknowledged] == ["StopTransaction"]
    assert not station.online


async def test_frame_is_sent_twice_with_the_same_or_a_new_id(station: Station, system: CentralSystem) -> None:
    await station.call("Heartbeat", {})
    await station.send_twice()
    await station.send_twice(new_id=True)

    first, second, third = (each.message_id for each in system.received)
    assert first == second != third


async def test_wrong_frames_get_their_answer_raw(station: Station, system: CentralSystem) -> None:
    system.answers["Nonsense"] = ("NotImplemented", "never heard of it")

    assert await station.send_raw('[2,"7","Nonsense",{}]') == '[4,"7","NotImplemented","never heard of it",{}]'
    with pytest.raises(CallError, match="NotImplemented") as raised:
        await station.call("Nonsense", {})
    assert raised.value.code == "NotImplemented"


async def test_close_of_the_server_is_seen_with_its_code(station: Station, system: CentralSystem) -> None:
    await station.call("Heartbeat", {})
    await system.drop()

    assert await station.closed_by_server() == 1001
    with pytest.raises(Offline):
        await station.call("Heartbeat", {})


async def test_calls_of_the_server_are_answered_as_scripted(station: Station, system: CentralSystem) -> None:
    station.answers["RemoteStartTransaction"] = lambda asked: {
        "status": "Rejected" if asked["connectorId"] > 1 else "Accepted"
    }

    assert await system.call("RemoteStartTransaction", {"idTag": "A", "connectorId": 2}) == {"status": "Rejected"}
    assert await system.call("RemoteStartTransaction", {"idTag": "A", "connectorId": 1}) == {"status": "Accepted"}
    assert (await station.expect_call("RemoteStartTransaction"))["connectorId"] == 2
    assert (await station.expect_call("RemoteStartTransaction"))["connectorId"] == 1


async def test_answer_can_come_late(station: Station, system: CentralSystem) -> None:
    station.answer_late("UnlockConnector")
    asked = asyncio.create_task(system.call("UnlockConnector", {"connectorId": 1}))
    await station.expect_call("UnlockConnector")
    assert not asked.done()
    await station.release("UnlockConnector")

    assert await asked == {"status": "Unlocked"}


async def test_handshake_that_is_refused_raises_its_status(system: CentralSystem) -> None:
    system.refuse_with = 404
    station = Station(system.url, "CS-99")
    try:
        with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
            await station.connect()
    finally:
        await station.close()

    assert raised.value.status == 404


async def test_password_is_sent(system: CentralSystem) -> None:
    system.password = b"0123456789abcdef"
    async with Station.connected(system.url, "CS-01", password=b"0123456789abcdef") as station:
        assert (await station.boot())["status"] == "Accepted"
