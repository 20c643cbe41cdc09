"""What the central system asks of the simulated station, and what comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.domain.units import rfc3339
from appliance.simulator.v16.charge_point import ChargePoint
from tests.simulator.central_system import CentralSystem
from tests.simulator.conftest import Clock


async def begin(point: ChargePoint, system: CentralSystem) -> None:
    """A transaction on connector 1."""
    point.charger.plug_in(1)
    await point.charger.present_card("04AABBCC", 1)
    await system.expect("StatusNotification", connectorId=1, status="Charging")
    await system.expect("StartTransaction")
    await point.outbox.emptied()


async def test_remote_start_and_stop(point: ChargePoint, system: CentralSystem) -> None:
    point.charger.plug_in(2)
    started = await system.call("RemoteStartTransaction", {"idTag": "04AABBCC", "connectorId": 2})
    start = await system.expect("StartTransaction")
    await point.outbox.emptied()
    stopped = await system.call("RemoteStopTransaction", {"transactionId": 1})
    stop = await system.expect("StopTransaction")

    assert (started["status"], stopped["status"]) == ("Accepted", "Accepted")
    assert (start["connectorId"], start["idTag"]) == (2, "04AABBCC")
    assert stop["reason"] == "Remote"
    assert system.found("Authorize") == []


async def test_remote_start_without_connector_chooses_where_a_car_waits(
    point: ChargePoint, system: CentralSystem
) -> None:
    point.charger.plug_in(2)
    await system.call("RemoteStartTransaction", {"idTag": "04AABBCC"})

    assert (await system.expect("StartTransaction"))["connectorId"] == 2


async def test_remote_start_authorizes_first_when_so_configured(point: ChargePoint, system: CentralSystem) -> None:
    await system.call("ChangeConfiguration", {"key": "AuthorizeRemoteTxRequests", "value": "true"})
    system.answers["Authorize"] = {"idTagInfo": {"status": "Invalid"}}
    point.charger.plug_in(1)
    await system.call("RemoteStartTransaction", {"idTag": "04AABBCC", "connectorId": 1})
    await system.expect("Authorize")

    assert system.found("StartTransaction") == []


async def test_remote_start_is_rejected_where_a_transaction_runs(point: ChargePoint, system: CentralSystem) -> None:
    await begin(point, system)

    answer = await system.call("RemoteStartTransaction", {"idTag": "04DDEEFF", "connectorId": 1})

    assert answer == {"status": "Rejected"}


async def test_remote_stop_of_an_unknown_transaction_is_rejected(point: ChargePoint, system: CentralSystem) -> None:
    assert await system.call("RemoteStopTransaction", {"transactionId": 4711}) == {"status": "Rejected"}


@pytest.mark.parametrize(("kind", "reason"), [("Soft", "SoftReset"), ("Hard", "HardReset")])
async def test_reset_ends_transactions_and_boots_again(
    point: ChargePoint, system: CentralSystem, kind: str, reason: str
) -> None:
    await begin(point, system)
    answer = await system.call("Reset", {"type": kind})
    stop = await system.expect("StopTransaction")
    await system.expect("BootNotification", 2)

    assert answer == {"status": "Accepted"}
    assert stop["reason"] == reason
    assert [each.connection for each in system.received if each.action == "BootNotification"] == [1, 2]


async def test_unlock_ends_the_transaction(point: ChargePoint, system: CentralSystem) -> None:
    await begin(point, system)
    answer = await system.call("UnlockConnector", {"connectorId": 1})

    assert answer == {"status": "Unlocked"}
    assert (await system.expect("StopTransaction"))["reason"] == "UnlockCommand"
    assert await system.call("UnlockConnector", {"connectorId": 5}) == {"status": "NotSupported"}


async def test_unlock_fails_with_a_broken_lock(point: ChargePoint, system: CentralSystem) -> None:
    point.charger.break_down(1, "ConnectorLockFailure")

    assert await system.call("UnlockConnector", {"connectorId": 1}) == {"status": "UnlockFailed"}


async def test_availability_changes_at_once_or_after_the_transaction(point: ChargePoint, system: CentralSystem) -> None:
    await begin(point, system)
    answer = await system.call("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"})
    await system.expect("StatusNotification", connectorId=2, status="Unavailable")
    point.charger.unplug(1)
    await system.expect("StatusNotification", connectorId=1, status="Unavailable")
    await system.expect("StatusNotification", connectorId=0, status="Unavailable")
    again = await system.call("ChangeAvailability", {"connectorId": 1, "type": "Operative"})

    assert answer == {"status": "Scheduled"}
    assert again == {"status": "Accepted"}
    assert await system.call("ChangeAvailability", {"connectorId": 9, "type": "Operative"}) == {"status": "Rejected"}


async def test_configuration_is_told_and_changed(point: ChargePoint, system: CentralSystem) -> None:
    every = await system.call("GetConfiguration", {})
    one = await system.call("GetConfiguration", {"key": ["NumberOfConnectors", "Nonsense"]})

    assert {"HeartbeatInterval", "SupportedFeatureProfiles"} <= {each["key"] for each in every["configurationKey"]}
    assert "AuthorizationKey" not in {each["key"] for each in every["configurationKey"]}
    assert one == {
        "configurationKey": [{"key": "NumberOfConnectors", "readonly": True, "value": "2"}],
        "unknownKey": ["Nonsense"],
    }


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("MeterValueSampleInterval", "60", "Accepted"),
        ("metervaluesampleinterval", "60", "Accepted"),
        ("MeterValueSampleInterval", "-1", "Rejected"),
        ("NumberOfConnectors", "9", "Rejected"),
        ("Nonsense", "1", "NotSupported"),
    ],
)
async def test_change_of_a_key_is_answered_by_what_it_is(
    point: ChargePoint, system: CentralSystem, key: str, value: str, status: str
) -> None:
    assert await system.call("ChangeConfiguration", {"key": key, "value": value}) == {"status": status}


async def test_new_sample_interval_is_kept(point: ChargePoint, system: CentralSystem, clock: Clock) -> None:
    await system.call("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "1000"})
    await begin(point, system)
    clock.ahead_ms += 999_000
    await point.until(lambda: point.station.evses[0].register_wh > 1900)
    assert system.found("MeterValues") == []
    clock.ahead_ms += 2_000

    await system.expect("MeterValues")


async def test_new_heartbeat_interval_is_kept(point: ChargePoint, system: CentralSystem) -> None:
    await system.call("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "1"})

    await system.expect("Heartbeat")


async def test_new_password_is_used_for_a_new_connection(point: ChargePoint, system: CentralSystem) -> None:
    key = "00112233445566778899aabbccddeeff"
    await system.call("ChangeConfiguration", {"key": "AuthorizationKey", "value": key})
    system.password = bytes.fromhex(key)
    await system.until(lambda: len(system.headers) == 2)
    await system.call("TriggerMessage", {"requestedMessage": "Heartbeat"})

    await system.expect("Heartbeat")


@pytest.mark.parametrize(
    ("message", "action"),
    [
        ("BootNotification", "BootNotification"),
        ("Heartbeat", "Heartbeat"),
        ("StatusNotification", "StatusNotification"),
        ("MeterValues", "MeterValues"),
        ("DiagnosticsStatusNotification", "DiagnosticsStatusNotification"),
        ("FirmwareStatusNotification", "FirmwareStatusNotification"),
    ],
)
async def test_triggered_message_is_sent(point: ChargePoint, system: CentralSystem, message: str, action: str) -> None:
    before = len(system.found(action))
    answer = await system.call("TriggerMessage", {"requestedMessage": message})
    await system.expect(action, before + 1)

    assert answer == {"status": "Accepted"}


async def test_trigger_for_an_unknown_connector_is_rejected(point: ChargePoint, system: CentralSystem) -> None:
    payload = {"requestedMessage": "StatusNotification", "connectorId": 3}

    assert await system.call("TriggerMessage", payload) == {"status": "Rejected"}


async def test_diagnostics_and_firmware_walk_through_their_states(point: ChargePoint, system: CentralSystem) -> None:
    answer = await system.call("GetDiagnostics", {"location": "ftp://127.0.0.1/"})
    await system.expect("DiagnosticsStatusNotification", status="Uploaded")
    await system.call("UpdateFirmware", {"location": "ftp://127.0.0.1/x", "retrieveDate": "2026-01-01T00:00:00Z"})
    await system.expect("FirmwareStatusNotification", status="Installed")

    assert answer == {"fileName": "CS-1.log"}
    assert [each["status"] for each in system.found("FirmwareStatusNotification")] == [
        "Downloading",
        "Downloaded",
        "Installing",
        "Installed",
    ]


async def test_local_list_decides_offline(point: ChargePoint, system: CentralSystem) -> None:
    accepted = {"idTag": "04AABBCC", "idTagInfo": {"status": "Accepted"}}
    full = {"listVersion": 5, "updateType": "Full", "localAuthorizationList": [accepted]}
    assert await system.call("GetLocalListVersion", {}) == {"listVersion": 0}
    assert await system.call("SendLocalList", full) == {"status": "Accepted"}
    assert await system.call("SendLocalList", full | {"updateType": "Differential"}) == {"status": "VersionMismatch"}
    assert await system.call("GetLocalListVersion", {}) == {"listVersion": 5}
    system.refuse_with = 503
    await system.drop()
    await point.until(lambda: not point.registered.is_set())
    point.charger.plug_in(1)
    await point.charger.present_card("04AABBCC", 1)

    assert point.charger.places[0].transaction is not None


async def test_reservation_keeps_the_connector_for_its_card(
    point: ChargePoint, system: CentralSystem, clock: Clock
) -> None:
    payload = {
        "connectorId": 1,
        "expiryDate": rfc3339(clock() + 600_000),
        "idTag": "04AABBCC",
        "reservationId": 3,
    }
    reserved = await system.call("ReserveNow", payload)
    await system.expect("StatusNotification", connectorId=1, status="Reserved")
    stranger = await point.charger.present_card("04DDEEFF", 1)
    point.charger.plug_in(1)
    await point.charger.present_card("04AABBCC", 1)
    start = await system.expect("StartTransaction")

    assert reserved == {"status": "Accepted"}
    assert stranger.status == "Reserved"
    assert start["reservationId"] == 3


async def test_reservation_expires_or_is_cancelled(point: ChargePoint, system: CentralSystem, clock: Clock) -> None:
    payload = {"expiryDate": rfc3339(clock() + 600_000), "idTag": "04AABBCC"}
    await system.call("ReserveNow", payload | {"connectorId": 1, "reservationId": 3})
    await system.call("ReserveNow", payload | {"connectorId": 2, "reservationId": 4})
    await system.expect("StatusNotification", connectorId=2, status="Reserved")
    cancelled = await system.call("CancelReservation", {"reservationId": 3})
    await system.expect("StatusNotification", 2, connectorId=1, status="Available")
    clock.ahead_ms += 601_000
    await system.expect("StatusNotification", 2, connectorId=2, status="Available")

    assert cancelled == {"status": "Accepted"}
    assert await system.call("CancelReservation", {"reservationId": 3}) == {"status": "Rejected"}
    assert await system.call("ReserveNow", payload | {"connectorId": 0, "reservationId": 5}) == {"status": "Rejected"}


def profile(purpose: str, limit: float, **fields: Any) -> dict[str, Any]:
    """A charging profile with one limit in W."""
    return {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative",
        "chargingSchedule": {
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
        },
    } | fields


async def test_charging_profile_limits_the_power(point: ChargePoint, system: CentralSystem, clock: Clock) -> None:
    await begin(point, system)
    payload = {"connectorId": 1, "csChargingProfiles": profile("TxProfile", 3000.0, transactionId=1)}
    assert await system.call("SetChargingProfile", payload) == {"status": "Accepted"}
    await point.until(lambda: point.station.evses[0].limit_w == 3000)
    clock.ahead_ms += 60_000
    await point.until(lambda: point.station.evses[0].power_w == 3000)
    schedule = await system.call("GetCompositeSchedule", {"connectorId": 1, "duration": 600, "chargingRateUnit": "W"})
    assert await system.call("ClearChargingProfile", {"id": 1}) == {"status": "Accepted"}
    await point.until(lambda: point.station.evses[0].limit_w is None)

    assert schedule["chargingSchedule"]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 3000}]
    assert await system.call("ClearChargingProfile", {"id": 1}) == {"status": "Unknown"}


async def test_limit_of_zero_suspends(point: ChargePoint, system: CentralSystem) -> None:
    await begin(point, system)
    await system.call(
        "SetChargingProfile", {"connectorId": 0, "csChargingProfiles": profile("ChargePointMaxProfile", 0.0)}
    )

    await system.expect("StatusNotification", connectorId=1, status="SuspendedEVSE")


async def test_profile_for_a_transaction_that_does_not_run_is_rejected(
    point: ChargePoint, system: CentralSystem
) -> None:
    payload = {"connectorId": 1, "csChargingProfiles": profile("TxProfile", 3000.0)}

    assert await system.call("SetChargingProfile", payload) == {"status": "Rejected"}


async def test_other_commands_are_answered(point: ChargePoint, system: CentralSystem) -> None:
    assert await system.call("ClearCache", {}) == {"status": "Accepted"}
    assert await system.call("DataTransfer", {"vendorId": "nobody"}) == {"status": "UnknownVendorId"}


async def test_nonsense_does_not_end_the_station(point: ChargePoint, system: CentralSystem) -> None:
    for text in ("", "no JSON", "[]", "[2]", "{}", '[2,"1",["list"],{}]', '[3,"unknown",{}]', "[" * 100_000):
        await system.send_text(text)
    answer = await system.send_frame([2, "odd", "NoSuchAction", {}])
    wrong = await system.send_frame([2, "wrong", "Reset", {"type": "Sideways"}])

    assert answer[0] == wrong[0] == 4
    assert await system.call("ClearCache", {}) == {"status": "Accepted"}
    assert len(system.found("BootNotification")) == 1
