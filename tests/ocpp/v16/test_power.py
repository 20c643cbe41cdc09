"""How much a station can give, by its settings and by what it offers to the car."""

from __future__ import annotations

import pytest

from appliance.ocpp.reading.quirks import NONE
from appliance.ocpp.v16.power import power_by_settings
from appliance.ocpp.v16.translate import reading
from appliance.services.ports.stations import Variable, VariableName


@pytest.mark.parametrize(
    ("settings", "power_w"),
    [
        ({"MaxChargingPower": "22000"}, 22_000),
        ({"ChargerMaxPower": "150"}, 150_000),
        ({"Charger.MaxPower": "7.4"}, 7_400),
        ({"evb_MaxStationCurrent": "32"}, 23_040),
        ({"Station-MaxCurrent": "16"}, 11_520),
        ({"MaximumChargingCurrent": "32000"}, 23_040),
        ({"MaxCurrent": "500"}, 500_000),
        ({"MaxCurrent": "32", "MaxCurrentOffline": "6"}, 23_040),
        ({"MaxCurrent": "-1"}, None),
        ({"MaxCurrent": "unlimited"}, None),
        ({"MaxCurrent": "2"}, None),
        ({"MaxPower": "99999999"}, None),
        ({"MaxChargingProfilesInstalled": "10", "ConnectorPhaseRotationMaxLength": "2"}, None),
        ({"MaxGridCurrent": "80", "ChargingScheduleMaxPeriods": "24", "HeartbeatInterval": "300"}, None),
    ],
)
def test_settings_of_vendors_tell_it_by_their_names(settings: dict[str, str], power_w: int | None) -> None:
    told = [Variable(VariableName(name), value, readonly=False) for name, value in settings.items()]

    assert power_by_settings([*told, Variable(VariableName("MaxPower"), None, readonly=True)]) == power_w


@pytest.mark.parametrize(
    ("told", "offered_w"),
    [
        ([("Power.Offered", "22000", "W", None)], 22_000),
        ([("Power.Offered", "22", "kW", None)], 22_000),
        ([("Power.Offered", "7360", "W", f"L{phase}") for phase in (1, 2, 3)], 22_080),
        ([("Current.Offered", "32", "A", None)], 23_040),
        ([("Current.Offered", "32", "A", None), ("Voltage", "400", "V", None)], 38_400),
        ([("Current.Offered", "300", "A", None), ("Voltage", "400", "V", None)], 120_000),
        ([("Current.Offered", "0", "A", None), ("Power.Offered", "x", "W", None)], None),
    ],
)
def test_what_is_offered_is_read_and_kept_as_it_was_sent(
    told: list[tuple[str, str, str, str | None]], offered_w: int | None
) -> None:
    sampled = [
        {"measurand": measurand, "value": value, "unit": unit} | ({"phase": phase} if phase else {})
        for measurand, value, unit, phase in told
    ]
    found = reading([*sampled, {"value": "1000"}], 0, NONE)

    assert (found.offered_w, found.energy_wh, found.power_w, found.current_ma) == (offered_w, 1_000, None, None)
    assert found.others is not None
    assert ".Offered" in found.others
