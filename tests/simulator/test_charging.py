"""The story of a charge, told in OCPP 1.6 by the simulated station."""

from __future__ import annotations

from appliance.simulator.station import Battery
from appliance.simulator.v16.charge_point import ChargePoint
from tests.simulator.central_system import CentralSystem
from tests.simulator.conftest import Clock, Running


async def test_station_boots_and_tells_the_status_of_each_connector(point: ChargePoint, system: CentralSystem) -> None:
    assert system.received[0].action == "BootNotification"
    assert system.received[0].payload["chargePointSerialNumber"] == "CS-1"
    assert [(each["connectorId"], each["status"]) for each in system.found("StatusNotification")] == [
        (0, "Available"),
        (1, "Available"),
        (2, "Available"),
    ]


async def test_charge_by_card_is_told_from_authorize_to_stop(
    point: ChargePoint, system: CentralSystem, clock: Clock
) -> None:
    point.charger.plug_in(1, Battery.charged(20))
    await point.charger.present_card("04AABBCC", 1)
    start = await system.expect("StartTransaction")
    clock.ahead_ms += 3_600_000
    reading = await system.expect("MeterValues")
    await point.charger.present_card("04aabbcc", 1)
    stop = await system.expect("StopTransaction")
    point.charger.unplug(1)
    await system.expect("StatusNotification", 2, connectorId=1, status="Available")

    assert system.found("Authorize") == [{"idTag": "04AABBCC"}]
    assert start["connectorId"] == 1
    assert start["idTag"] == "04AABBCC"
    assert start["meterStart"] == 0
    assert reading["transactionId"] == 1
    measured = {each["measurand"]: each for each in reading["meterValue"][0]["sampledValue"]}
    assert 7150 <= int(measured["Energy.Active.Import.Register"]["value"]) <= 7200
    assert measured["Power.Active.Import"]["value"] == "7200"
    assert measured["SoC"]["unit"] == "Percent"
    assert stop["transactionId"] == 1
    assert stop["idTag"] == "04aabbcc"
    assert stop["reason"] == "Local"
    assert 7150 <= stop["meterStop"] <= 7210
    statuses = [each["status"] for each in system.found("StatusNotification", connectorId=1)]
    assert statuses[0] == statuses[-1] == "Available"
    assert statuses.index("Charging") < statuses.index("Finishing")


async def test_power_limits_of_a_car_that_fills_up_end_in_suspended_ev(
    point: ChargePoint, system: CentralSystem, clock: Clock
) -> None:
    point.charger.plug_in(1, Battery.charged(90, capacity_wh=10_000))
    await point.charger.present_card("04AABBCC", 1)
    await system.expect("StartTransaction")
    clock.ahead_ms += 4 * 3_600_000
    await system.expect("StatusNotification", connectorId=1, status="SuspendedEV")

    assert 990 <= point.station.evses[0].register_wh <= 1010


async def test_refused_card_starts_nothing(point: ChargePoint, system: CentralSystem) -> None:
    system.answers["Authorize"] = {"idTagInfo": {"status": "Blocked"}}
    point.charger.plug_in(1)

    authorization = await point.charger.present_card("04AABBCC", 1)

    assert authorization.status == "Blocked"
    assert point.charger.places[0].transaction is None
    assert system.found("StartTransaction") == []


async def test_start_that_is_not_accepted_ends_as_deauthorized(point: ChargePoint, system: CentralSystem) -> None:
    system.answers["StartTransaction"] = {"transactionId": 7, "idTagInfo": {"status": "ConcurrentTx"}}
    point.charger.plug_in(1)
    await point.charger.present_card("04AABBCC", 1)

    stop = await system.expect("StopTransaction")

    assert stop["transactionId"] == 7
    assert stop["reason"] == "DeAuthorized"
    assert "idTag" not in stop


async def test_start_that_is_not_accepted_is_only_suspended_when_so_configured(
    point: ChargePoint, system: CentralSystem
) -> None:
    await system.call("ChangeConfiguration", {"key": "StopTransactionOnInvalidId", "value": "false"})
    system.answers["StartTransaction"] = {"transactionId": 7, "idTagInfo": {"status": "Invalid"}}
    point.charger.plug_in(1)
    await point.charger.present_card("04AABBCC", 1)

    await system.expect("StatusNotification", connectorId=1, status="SuspendedEVSE")

    assert point.charger.places[0].transaction is not None


async def test_unplugging_ends_the_transaction(point: ChargePoint, system: CentralSystem) -> None:
    point.charger.plug_in(1)
    await point.charger.present_card("04AABBCC", 1)
    await system.expect("StartTransaction")
    point.charger.unplug(1)

    assert (await system.expect("StopTransaction"))["reason"] == "EVDisconnected"


async def test_card_before_the_plug_begins_when_the_car_comes(point: ChargePoint, system: CentralSystem) -> None:
    await point.charger.present_card("04AABBCC", 2)
    await system.expect("StatusNotification", connectorId=2, status="Preparing")
    point.charger.plug_in(2)

    assert (await system.expect("StartTransaction"))["connectorId"] == 2


async def test_authorization_lapses_when_no_car_comes(point: ChargePoint, system: CentralSystem, clock: Clock) -> None:
    await point.charger.present_card("04AABBCC", 2)
    await system.expect("StatusNotification", connectorId=2, status="Preparing")
    clock.ahead_ms += 61_000
    await system.expect("StatusNotification", 2, connectorId=2, status="Available")
    point.charger.plug_in(2)
    await system.expect("StatusNotification", 2, connectorId=2, status="Preparing")

    assert system.found("StartTransaction") == []


async def test_second_card_of_the_same_group_may_stop(point: ChargePoint, system: CentralSystem) -> None:
    system.answers["Authorize"] = {"idTagInfo": {"status": "Accepted", "parentIdTag": "FAMILY"}}
    point.charger.plug_in(1)
    await point.charger.present_card("04AABBCC", 1)
    await system.expect("StartTransaction")
    await point.charger.present_card("04DDEEFF", 1)

    assert (await system.expect("StopTransaction"))["idTag"] == "04DDEEFF"


async def test_stranger_may_not_stop(point: ChargePoint, system: CentralSystem) -> None:
    point.charger.plug_in(1)
    await point.charger.present_card("04AABBCC", 1)

    assert (await point.charger.present_card("04DDEEFF", 1)).status == "Occupied"
    assert point.charger.places[0].transaction is not None


async def test_fault_ends_the_transaction_and_is_told_with_its_code(point: ChargePoint, system: CentralSystem) -> None:
    point.charger.plug_in(1)
    await point.charger.present_card("04AABBCC", 1)
    await system.expect("StartTransaction")
    point.charger.break_down(1, "GroundFailure")

    assert (await system.expect("StatusNotification", status="Faulted"))["errorCode"] == "GroundFailure"
    assert (await system.expect("StopTransaction"))["reason"] == "Other"


async def test_what_happens_offline_is_told_in_order_after_reconnection_without_a_boot(
    point: ChargePoint, system: CentralSystem, clock: Clock
) -> None:
    point.charger.plug_in(1)
    await point.charger.present_card("04AABBCC", 1)
    await system.expect("StartTransaction")
    await point.outbox.emptied()
    system.refuse_with = 503
    await system.drop()
    await point.until(lambda: not point.registered.is_set())
    clock.ahead_ms += 60_000
    await point.until(lambda: len(point.outbox) >= 1)
    await point.charger.present_card("04AABBCC", 1)
    await point.charger.present_card("04AABBCC", 1)
    begun_offline = point.charger.places[0].transaction
    point.charger.unplug(1)
    system.refuse_with = None
    await system.expect("StopTransaction", 2)

    transactional = [
        (each.action, each.payload.get("transactionId"))
        for each in system.received
        if each.action in {"StartTransaction", "MeterValues", "StopTransaction"}
    ]
    assert begun_offline is not None
    assert transactional == [
        ("StartTransaction", None),
        ("MeterValues", 1),
        ("StopTransaction", 1),
        ("StartTransaction", None),
        ("StopTransaction", 2),
    ]
    assert len(system.found("BootNotification")) == 1


async def test_unknown_card_starts_nothing_offline(point: ChargePoint, system: CentralSystem) -> None:
    system.refuse_with = 503
    await system.drop()
    await point.until(lambda: not point.registered.is_set())
    point.charger.plug_in(1)

    assert (await point.charger.present_card("04AABBCC", 1)).status == "Invalid"


async def test_message_that_fails_is_sent_again_until_it_is_taken(point: ChargePoint, system: CentralSystem) -> None:
    point.configuration.write("TransactionMessageRetryInterval", "0")
    answers = [("InternalError", ""), ("InternalError", ""), {"transactionId": 9, "idTagInfo": {"status": "Accepted"}}]
    system.answers["StartTransaction"] = lambda _: answers.pop(0)
    point.charger.plug_in(1)
    await point.charger.present_card("04AABBCC", 1)
    await system.expect("StartTransaction", 3)
    point.charger.unplug(1)

    assert (await system.expect("StopTransaction"))["transactionId"] == 9


async def test_message_that_always_fails_is_given_up_and_the_rest_goes_on(
    point: ChargePoint, system: CentralSystem
) -> None:
    point.configuration.write("TransactionMessageRetryInterval", "0")
    point.configuration.write("TransactionMessageAttempts", "2")
    system.answers["StartTransaction"] = ("InternalError", "")
    point.charger.plug_in(1)
    await point.charger.present_card("04AABBCC", 1)
    point.charger.unplug(1)

    assert (await system.expect("StopTransaction"))["transactionId"] == -1
    assert len(system.found("StartTransaction")) == 2


async def test_pending_station_boots_again_and_says_nothing_else(system: CentralSystem, running: Running) -> None:
    pending = {"status": "Pending", "currentTime": "2026-11-01T00:00:00Z", "interval": 1}
    answers = [pending, pending | {"status": "Rejected"}, pending | {"status": "Accepted", "interval": 300}]
    system.answers["BootNotification"] = lambda _: answers.pop(0)
    async with running(system.url):
        await system.expect("StatusNotification")

    assert [each.action for each in system.received][:4] == ["BootNotification"] * 3 + ["StatusNotification"]


async def test_forgotten_station_introduces_itself_again(point: ChargePoint, system: CentralSystem) -> None:
    system.answers["Authorize"] = ("SecurityError", "not accepted")
    await point.charger.present_card("04AABBCC", 1)
    await system.expect("BootNotification", 2)

    assert len(system.found("BootNotification")) == 2


async def test_password_is_sent_as_basic_authentication(system: CentralSystem, running: Running) -> None:
    system.password = b"0123456789abcdef"
    async with running(system.url, password=b"0123456789abcdef"):
        await system.expect("BootNotification")

    assert system.headers[0]["Authorization"].startswith("Basic ")
