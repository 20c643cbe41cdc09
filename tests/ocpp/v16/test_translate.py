"""OCPP 1.6 in the domain's words, message by message, without a server."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
import pytest

from appliance.domain.authorization import Authorization, AuthorizationStatus
from appliance.domain.events import TransactionStarted
from appliance.domain.meter import Reading
from appliance.domain.units import rfc3339
from appliance.ocpp.reading.normalise import normalise
from appliance.ocpp.reading.quirks import NONE, Quirks, quirks_of
from appliance.ocpp.reading.redact import BLANK, redacted, redacted_text
from appliance.ocpp.v16 import translate
from appliance.ocpp.v16.lenient import LENIENCY
from appliance.ocpp.v16.schemas import schemas
from appliance.ocpp.version import Unreadable
from tests.support.statuses import status_changed

NOW_MS = 1_795_410_060_000
AT_MS = 1_795_410_000_000
AT = "2026-11-23T05:00:00Z"


def read(*samples: Mapping[str, object], quirks: Quirks = NONE) -> Reading:
    (reading,) = translate.readings([{"timestamp": AT, "sampledValue": list(samples)}], NOW_MS, quirks)
    return reading


@pytest.mark.parametrize(
    ("sample", "field", "value"),
    [
        ({"value": "1234"}, "energy_wh", 1234),
        ({"value": "1.2345", "unit": "kWh"}, "energy_wh", 1235),
        ({"value": "7.36", "measurand": "Power.Active.Import", "unit": "kW"}, "power_w", 7360),
        ({"value": "-20", "measurand": "Power.Active.Import", "unit": "W"}, "power_w", -20),
        ({"value": "31.9", "measurand": "Current.Import"}, "current_ma", 31_900),
        ({"value": "230.4", "measurand": "Voltage", "unit": "V"}, "voltage_mv", 230_400),
        ({"value": "55", "measurand": "SoC", "unit": "V", "location": "EV"}, "soc_percent", 55),
        ({"value": "10", "measurand": "Current.Import", "phase": "L1", "unit": "A"}, "current_ma", 10_000),
        *(({"value": "1234", "unit": unit}, "energy_wh", 1234) for unit in ("Wh", "WH", "wh", " Wh", "W.h", "W-h", "")),
        *(
            ({"value": "1.5", "unit": unit}, "energy_wh", 1500)
            for unit in ("Kwh", "kwh", "KWH", "kWh ", "kW h", "k.Wh")
        ),
        *(({"value": "0.0015", "unit": unit}, "energy_wh", 1500) for unit in ("MWh", "mwh", "MWH")),
        *(
            ({"value": "7.36", "measurand": "Power.Active.Import", "unit": unit}, "power_w", 7360)
            for unit in ("KW", "kw ")
        ),
        ({"value": "16", "measurand": "Current.Import", "unit": "a"}, "current_ma", 16_000),
        ({"value": "230", "measurand": "Voltage", "unit": ""}, "voltage_mv", 230_000),
        ({"value": "120", "measurand": "Energy.Active.Import.Interval", "unit": "wh"}, "interval_wh", 120),
        ({"value": "0.12", "measurand": "Energy.Active.Import.Interval", "unit": "kWh"}, "interval_wh", 120),
        ({"value": "9", "measurand": "Energy.Active.Import.Interval"}, "by_clock", False),
        ({"value": "9", "measurand": "Energy.Active.Import.Interval", "context": "Sample.Clock"}, "by_clock", True),
        ({"value": "9", "context": "Sample.Clock"}, "by_clock", False),
        ({"value": "10500,5"}, "energy_wh", 10_501),
        ({"value": "10500 Wh"}, "energy_wh", 10_500),
        ({"value": "10,5", "unit": "kWh"}, "energy_wh", 10_500),
        ({"value": "10,5 kWh"}, "energy_wh", 10_500),
        ({"value": "10.5 kWh", "unit": "Wh"}, "energy_wh", 10_500),
        ({"value": "7,4 kW", "measurand": "Power.Active.Import"}, "power_w", 7_400),
        ({"value": "55 %", "measurand": "SoC"}, "soc_percent", 55),
    ],
)
def test_a_sample_finds_its_field(sample: dict[str, object], field: str, value: int) -> None:
    reading = read(sample)

    assert getattr(reading, field) == value
    assert reading.others is None


@pytest.mark.parametrize(
    "sample",
    [
        {"value": "", "unit": "Wh"},
        {"value": "-5", "unit": "Wh"},
        {"value": "10,500"},
        {"value": "10500 A"},
        {"value": "1e400"},
        {"value": "NaN"},
        {"value": "9" * 40},
        {"value": "101", "measurand": "SoC"},
        {"value": "20", "measurand": "Temperature", "unit": "Celsius"},
        {"value": "16", "measurand": "Current.Offered", "unit": "A"},
        {"value": "3132", "format": "SignedData"},
        {"value": "5", "unit": "varh"},
    ],
)
def test_what_has_no_field_is_kept_as_it_was_sent(sample: dict[str, object]) -> None:
    reading = read(sample)

    assert reading.energy_wh is reading.power_w is reading.soc_percent is None
    assert reading.others is not None
    assert orjson.loads(reading.others) == [sample]


def test_three_phases_of_power_are_added_up_and_kept() -> None:
    phases = [
        {"value": "1000", "measurand": "Power.Active.Import", "phase": phase, "unit": "W"}
        for phase in ("L1", "L2", "L3")
    ]
    reading = read(*phases)

    assert reading.power_w == 3000
    assert reading.others is not None
    assert orjson.loads(reading.others) == phases


def test_three_phases_of_current_are_kept_apart() -> None:
    reading = read(*({"value": "10", "measurand": "Current.Import", "phase": phase} for phase in ("L1", "L2", "L3")))

    assert reading.current_ma is None
    assert reading.others is not None


def test_a_total_counts_before_its_phases() -> None:
    total = {"value": "3000", "measurand": "Power.Active.Import"}
    phase = {"value": "1000", "measurand": "Power.Active.Import", "phase": "L1"}

    for samples in ((total, phase), (phase, total)):
        reading = read(*samples)
        assert reading.power_w == 3000
        assert reading.others is not None
        assert orjson.loads(reading.others) == [phase]


def test_the_register_at_the_outlet_is_the_one_that_is_billed() -> None:
    inlet, outlet = {"value": "1100", "location": "Inlet"}, {"value": "1000", "location": "Outlet"}

    assert read(inlet, outlet).energy_wh == read(outlet, inlet).energy_wh == 1000


def test_of_begin_and_end_in_one_moment_the_end_counts() -> None:
    begin, end = {"value": "1000", "context": "Transaction.Begin"}, {"value": "6000", "context": "Transaction.End"}

    assert read(begin, end).energy_wh == read(end, begin).energy_wh == 6000


@pytest.mark.parametrize(
    ("stamp", "at_ms"),
    [
        (AT, AT_MS),
        ("2014-12-31T23:59:59Z", NOW_MS),
        (rfc3339(NOW_MS + 86_400_001), NOW_MS),
        (rfc3339(NOW_MS + 86_400_000), NOW_MS + 86_400_000),
        ("yesterday", NOW_MS),
        (None, NOW_MS),
        (17, NOW_MS),
    ],
)
def test_a_time_that_cannot_be_right_is_the_time_of_receipt(stamp: object, at_ms: int) -> None:
    assert translate.believable(stamp, NOW_MS, NONE) == at_ms


def test_a_connector_is_an_evse_and_0_is_the_station() -> None:
    payload = {"connectorId": 2, "status": "Charging", "errorCode": "NoError", "timestamp": AT}

    assert translate.status_changed(payload, NOW_MS) == status_changed(2, "Charging", AT_MS, NOW_MS)
    station = translate.status_changed({**payload, "connectorId": 0}, NOW_MS)
    assert (station.evse, station.connector) == (0, 0)
    with pytest.raises(Unreadable):
        translate.status_changed({**payload, "connectorId": 1000}, NOW_MS)


def test_a_start_is_read_with_its_card_in_normal_form() -> None:
    payload = {"connectorId": 1, "idTag": "04:a1:b2:c3", "meterStart": 5, "timestamp": AT}

    assert translate.transaction_started(payload, NOW_MS) == TransactionStarted(1, "04A1B2C3", 5, AT_MS, NOW_MS)


def test_garbage_behind_a_card_of_twenty_characters_is_cut_off() -> None:
    """lbbrhzn/ocpp#1803."""
    assert translate.id_token({"idTag": "12345678901234567890?"}) == "12345678901234567890"


def test_a_stop_without_a_reason_is_local_and_an_unknown_reason_is_kept() -> None:
    payload = {"transactionId": 7, "meterStop": 10, "timestamp": AT}

    assert translate.transaction_ended(payload, NOW_MS).reason == "Local"
    assert translate.transaction_ended({**payload, "reason": "Moonlight"}, NOW_MS).reason == "Moonlight"
    assert translate.transaction_ended({**payload, "meterStop": -1}, NOW_MS).meter_stop_wh is None


@pytest.mark.parametrize(
    ("status", "word"), [("NoCredit", "Blocked"), ("ConcurrentTx", "ConcurrentTx"), ("Expired", "Expired")]
)
def test_1_6_has_no_word_for_no_credit(status: str, word: str) -> None:
    """TC_023."""
    assert translate.id_tag_info(Authorization(AuthorizationStatus(status))) == {"status": word}


def test_a_group_is_the_parent_id_tag() -> None:
    """TC_053."""
    authorization = Authorization(AuthorizationStatus.ACCEPTED, "PERSON7")

    assert translate.id_tag_info(authorization) == {"status": "Accepted", "parentIdTag": "PERSON7"}


# --- quirks ----------------------------------------------------------------------------------------------------------------


def test_quirks_are_found_by_the_beginning_of_vendor_and_model() -> None:
    assert quirks_of("Growatt New Energy", "THOR 11AS-S").distrust_clock
    assert quirks_of("Vendor", "Model") is NONE
    assert quirks_of("", "") is NONE


def test_a_clock_that_is_not_trusted_is_not_asked() -> None:
    assert translate.believable(AT, NOW_MS, Quirks(distrust_clock=True)) == NOW_MS


def test_a_register_that_no_meter_shows_is_no_reading() -> None:
    most = translate.REGISTER_WH_MAX

    assert translate.register({"meterStop": most}, "meterStop", NONE) == most
    assert translate.register({"meterStop": most + 1}, "meterStop", NONE) is None
    assert read({"value": str(most + 1)}).energy_wh is None
    assert read({"value": str(most), "unit": "kWh"}).energy_wh is None
    kilo = Quirks(energy_factor=1000)
    assert translate.register({"meterStop": most // 1000}, "meterStop", kilo) == most
    assert translate.register({"meterStop": most // 1000 + 1}, "meterStop", kilo) is None
    assert read({"value": str(most // 1000)}, quirks=kilo).energy_wh == most
    assert read({"value": str(most // 1000 + 1)}, quirks=kilo).energy_wh is None


def test_a_register_with_a_wrong_unit_is_put_right() -> None:
    quirks = Quirks(energy_factor=1000)

    assert read({"value": "7"}, quirks=quirks).energy_wh == 7000
    assert translate.register({"meterStop": 7}, "meterStop", quirks) == 7000


# --- the tolerant reader -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "payload", "mended", "fix"),
    [
        ("Authorize", {"idTag": 12345}, {"idTag": "12345"}, "idTag: not written as text"),
        ("Authorize", {"idTag": "04:A1:B2:C3:D4:E5:F6:07:08:09"}, {"idTag": "04A1B2C3D4E5F6070809"}, "longer than 20"),
        ("Heartbeat", {"x": 1}, {"x": 1}, ""),
        ("BootNotification", {"chargePointModel": "m" * 23}, {"chargePointVendor": "", "chargePointModel": "m" * 20},
         "chargePointModel: longer than 20; chargePointVendor: missing"),
        ("StatusNotification", {"connectorId": True, "status": "CHARGING", "errorCode": "noerror"},
         {"status": "Charging", "errorCode": "NoError"}, "connectorId: not a number, ignored"),
        ("StopTransaction", {"transactionId": "7", "meterStop": 10.5, "timestamp": "2026-11-23T05:00:00"},
         {"transactionId": 7, "meterStop": 11, "timestamp": "2026-11-23T05:00:00.000Z"}, "meterStop: not a whole number"),
        ("StopTransaction", {"transactionId": 7, "meterStop": "12,6 kWh"},
         {"transactionId": 7, "meterStop": 12_600}, "meterStop: 12,6 kWh read as 12600 Wh"),
        ("StopTransaction", {"transactionId": "7 Wh", "meterStop": "12,600"}, {}, "meterStop: not a number, ignored"),
        ("StopTransaction", {"transactionId": -1, "meterStop": -1, "reason": "deauthorised"},
         {"transactionId": -1, "meterStop": -1, "reason": "DeAuthorized"}, "reason: deauthorised read as DeAuthorized"),
    ],
)  # fmt: skip
def test_mistakes_are_mended_and_named(
    action: str, payload: dict[str, object], mended: dict[str, object], fix: str
) -> None:
    found, fixes = normalise(payload, schemas().requests[action], LENIENCY)

    if action != "Heartbeat":
        assert found == mended
    assert fix in str(fixes)


def test_a_fix_that_is_needed_often_is_named_once() -> None:
    samples = [{"value": number} for number in range(50)]
    payload = {"connectorId": 1, "meterValue": [{"timestamp": AT, "sampledValue": samples}]}
    _, fixes = normalise(payload, schemas().requests["MeterValues"], LENIENCY)

    assert str(fixes).count("not written as text") == 1


def test_any_unit_passes_the_schema_and_fractions_of_an_ampere_too() -> None:
    sample = {"value": "50", "measurand": "Frequency", "unit": "Hertz"}
    values = {"connectorId": 1, "meterValue": [{"timestamp": "2026-11-23T05:00:00Z", "sampledValue": [sample]}]}
    profile = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.25}]},
    }

    assert schemas().violation("MeterValues", values) is None
    assert schemas().violation("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile}) is None


# --- secrets -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        {"key": "AuthorizationKey", "value": "s3cret"},
        {"configurationKey": [{"key": "authorizationkey", "readonly": False, "value": "s3cret"}]},
        {"location": "ftp://user:s3cret@10.0.0.1/x"},
        {"setVariableData": [{"variable": {"name": "BasicAuthPassword"}, "attributeValue": "s3cret"}]},
        {"wifiPassword": "s3cret"},
        {"key": "WifiPsk", "value": "s3cret"},
        {"configurationKey": [{"key": "Modem.ApnKey", "readonly": True, "value": "s3cret"}]},
        {"key": "wifi_psk", "value": "s3cret"},
        {"key": "SIM-PIN", "value": "s3cret"},
        {"apn": {"apn": "internet", "simPin": "s3cret", "apnPassword": "s3cret"}},
        {"vpn": {"server": "10.0.0.1", "user": "a", "key": "s3cret", "type": "IPSec"}},
        {"setVariableData": [{"variable": {"name": "WiFi WPA2 Key"}, "attributeValue": "s3cret"}]},
        {"credentials": {"user": "a", "of": ["s3cret"]}},
        {"data": '{"WifiPsk": "s3cret"}'},
        {"data": "ssid=yard;psk=s3cret;channel=6"},
        {"url": "https://10.0.0.1/x?api_key=s3cret&x=1"},
    ],
)
def test_secrets_are_blanked(payload: dict[str, object]) -> None:
    assert "s3cret" not in str(redacted(payload))
    assert BLANK in str(redacted(payload))
    assert "s3cret" not in redacted_text(orjson.dumps(payload).decode())


def test_what_is_no_secret_stays() -> None:
    payload = {
        "key": "HeartbeatInterval", "value": "300", "url": "ftp://10.0.0.1/x", "idTag": "04A1B2C3", "errorCode": "NoError",
        "vendorErrorCode": "0x12", "unknownKey": ["UnlockConnectorOnEVSideDisconnect", "AuthorizeRemoteTxRequests"],
        "idToken": {"idToken": "04A1B2C3", "type": "ISO14443"}, "configurationKey": [{"key": "WebSocketPingInterval", "value": "9"}],
    }  # fmt: skip

    assert redacted(payload) == payload
    assert redacted_text(orjson.dumps(payload).decode()) == orjson.dumps(payload).decode()


@pytest.mark.parametrize("field", ["errorCode", "status"])
@pytest.mark.parametrize("written", ["04A1B2C3D4E5F6", "tag 04:A1:B2:C3", "idTag=DRIVER8"])
def test_what_everybody_reads_of_a_status_tells_no_card(field: str, written: str) -> None:
    payload = {"connectorId": 2, "status": "Faulted", "errorCode": "OtherError", field: written}

    read = translate.status_changed(payload, NOW_MS)

    told = f"{read.info} {read.error_code} {read.finer}"
    assert "••" in told
    assert not {"04A1", "04:A1", "DRI"} & {told[at : at + size] for at in range(len(told)) for size in (3, 4, 5)}


def test_a_vendors_code_is_kept_as_it_was_told() -> None:
    """It may look like a card's number: whoever may see those reads it, and for the others it is masked where it is shown."""
    payload = {
        "connectorId": 2,
        "status": "Faulted",
        "errorCode": "OtherError",
        "info": "relay",
        "vendorErrorCode": "0000F0A1",
    }

    assert translate.status_changed(payload, NOW_MS).info == "relay (0000F0A1)"


def test_what_everybody_reads_of_a_stop_tells_no_card() -> None:
    ended = translate.transaction_ended({"transactionId": 7, "meterStop": 5, "reason": "card 04A1B2C3D4E5F6"}, NOW_MS)

    assert ended.reason == "card ••E5F6"
