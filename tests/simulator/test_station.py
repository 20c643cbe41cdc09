"""The hardware of the simulated station: energy, power and batteries, without any OCPP."""

from __future__ import annotations

from appliance.simulator.connection import delays_s
from appliance.simulator.station import Battery, Evse, Station
from appliance.simulator.v16.profiles import limit_of

HOUR_MS = 3_600_000


def charging(power_w: int = 7200, percent: int = 20) -> Evse:
    return Evse(1, power_w, battery=Battery.charged(percent), closed=True)


def test_hour_at_full_power_is_power_times_an_hour_less_the_ramp() -> None:
    evse = charging()
    evse.advance(HOUR_MS)

    assert 7190 <= evse.register_wh <= 7200
    assert evse.power_w == 7200


def test_energy_does_not_depend_on_how_time_is_cut() -> None:
    whole, pieces = charging(), charging()
    whole.advance(HOUR_MS)
    for _ in range(3600):
        pieces.advance(1000)

    assert whole.register_w_ms == pieces.register_w_ms


def test_nothing_flows_through_an_open_contactor_or_a_fault() -> None:
    opened, faulted = charging(), charging()
    opened.closed = False
    faulted.fault = "GroundFailure"
    opened.advance(HOUR_MS)
    faulted.advance(HOUR_MS)

    assert opened.register_wh == faulted.register_wh == 0


def test_battery_takes_less_above_eighty_percent_and_nothing_when_full() -> None:
    assert Battery.charged(50, power_max_w=11_000).accepts_w == 11_000
    assert 0 < Battery.charged(95, power_max_w=11_000).accepts_w < 6000
    assert Battery.charged(100).accepts_w == 0


def test_limit_is_kept() -> None:
    evse = charging()
    evse.limit_w = 3000
    evse.advance(HOUR_MS)

    assert evse.power_w == 3000


def test_current_is_what_power_voltage_and_phases_make_it() -> None:
    single, three = charging(7360), charging(22_000)
    single.advance(20_000)
    three.advance(20_000)

    assert single.reading(0).current_ma == 7360 * 1_000_000 // 226_000
    assert three.reading(0).phases == 3
    assert three.reading(0).current_ma == 22_000 * 1_000_000 // (226_000 * 3)


def test_speed_multiplies_energy_and_leaves_the_clock_alone() -> None:
    now_ms = 1_000_000
    station = Station.of(lambda: now_ms, power_w=7200, speed=60)
    station.evses[0].battery, station.evses[0].closed = Battery.charged(20), True
    station.advance()
    now_ms += 60_000

    assert station.advance() == now_ms
    assert 7190 <= station.evses[0].register_wh <= 7200


def test_clock_that_runs_backwards_takes_no_energy_back() -> None:
    now_ms = 10 * HOUR_MS
    station = Station.of(lambda: now_ms, power_w=7200)
    station.evses[0].battery, station.evses[0].closed = Battery.charged(20), True
    station.advance()
    now_ms += HOUR_MS
    station.advance()
    before_wh = station.evses[0].register_wh
    now_ms -= 5 * HOUR_MS
    station.advance()

    assert station.evses[0].register_wh == before_wh


def test_waits_between_two_tries_grow_and_stay_below_a_bound() -> None:
    class Middle:
        def uniform(self, low: float, high: float) -> float:
            return (low + high) / 2

    waits = delays_s(Middle())  # type: ignore[arg-type]

    assert [next(waits) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


def schedule(unit: str, *periods: tuple[int, float], **fields: object) -> dict[str, object]:
    return {
        "charging_rate_unit": unit,
        "charging_schedule_period": [{"start_period": start, "limit": limit} for start, limit in periods],
    } | fields


def test_relative_schedule_counts_from_the_transaction() -> None:
    profile = {"charging_profile_kind": "Relative", "charging_schedule": schedule("W", (0, 7000.0), (600, 3000.0))}
    evse = Evse(1, 22_000)

    assert limit_of(profile, evse, 599_000, 0) == 7000
    assert limit_of(profile, evse, 600_000, 0) == 3000


def test_amperes_count_for_each_phase() -> None:
    profile = {"charging_profile_kind": "Relative", "charging_schedule": schedule("A", (0, 10.0))}

    assert limit_of(profile, Evse(1, 22_000), 0, 0) == 6900
    assert limit_of(profile, Evse(1, 7400), 0, 0) == 2300


def test_daily_schedule_comes_again_and_ends_with_its_duration() -> None:
    begin = {"start_schedule": "1970-01-01T06:00:00Z", "duration": 3600}
    profile = {
        "charging_profile_kind": "Recurring",
        "recurrency_kind": "Daily",
        "charging_schedule": schedule("W", (0, 2000.0), **begin),
    }
    evse = Evse(1, 22_000)

    assert limit_of(profile, evse, (24 + 6) * HOUR_MS, None) == 2000
    assert limit_of(profile, evse, (24 + 7) * HOUR_MS, None) is None


def test_profile_says_nothing_outside_its_validity() -> None:
    profile = {
        "charging_profile_kind": "Relative",
        "valid_to": "1970-01-01T01:00:00Z",
        "charging_schedule": schedule("W", (0, 2000.0)),
    }

    assert limit_of(profile, Evse(1, 22_000), HOUR_MS - 1, 0) == 2000
    assert limit_of(profile, Evse(1, 22_000), HOUR_MS, 0) is None
