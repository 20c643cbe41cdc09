"""What the server asks of chargers by itself, over a real websocket: overdue readings, how they measure, their connectors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from appliance.domain.by import By
from appliance.host.tasks import running
from appliance.services import settings
from appliance.services.stations import admission, power
from appliance.simulator import station as simulated
from appliance.simulator.v16.charge_point import ChargePoint, Options
from tests.support.clocked_site import BY, ClockedSite, clocked_site
from tests.support.station import Payload, Station

CARD = "04AABBCC"
REGISTER = "Energy.Active.Import.Register"


@pytest.fixture(name="site")
async def _site(tmp_path: Path) -> AsyncIterator[ClockedSite]:
    async with clocked_site(tmp_path / "forecourt.db") as site:
        yield site


class Configuration(dict[str, str]):
    """The keys of a station, as it answers and changes them; what is in `fixed` it refuses."""

    def __init__(self, keys: dict[str, str], *, readonly: tuple[str, ...] = (), fixed: tuple[str, ...] = ()) -> None:
        super().__init__(keys)
        self.readonly, self.fixed = readonly, fixed
        self.changed: list[tuple[str, str]] = []

    def on(self, station: Station) -> Configuration:
        """Answer for this station."""
        station.answers["GetConfiguration"] = self.tell
        station.answers["ChangeConfiguration"] = self.change
        return self

    def tell(self, payload: Payload) -> Payload:
        """GetConfiguration."""
        asked = payload.get("key", list(self))
        known = [{"key": key, "readonly": key in self.readonly, "value": self[key]} for key in asked if key in self]
        return {"configurationKey": known, "unknownKey": [key for key in asked if key not in self]}

    def change(self, payload: Payload) -> Payload:
        """ChangeConfiguration."""
        self.changed.append((payload["key"], payload["value"]))
        if payload["key"] in self.fixed or payload["value"] in self.fixed:
            return {"status": "Rejected"}
        self[payload["key"]] = payload["value"]
        return {"status": "Accepted"}


# --- readings ----------------------------------------------------------------------------------------------------------------


async def test_an_overdue_reading_is_asked_for_once_an_interval(site: ClockedSite) -> None:
    asked: list[Payload] = []

    def trigger(payload: Payload) -> Payload:
        asked.append(payload)
        return {"status": "Accepted"}

    await site.person(CARD, 100_000)
    async with site.station() as station:
        station.answers["TriggerMessage"] = trigger
        await station.start_transaction(CARD)
        await site.wait(60)
        assert asked == []
        await site.wait(15)
        assert asked == [{"requestedMessage": "MeterValues", "connectorId": 1}]
        await station.meter_values()
        await site.wait(60)
        assert len(asked) == 1
        assert await site.kinds() == set()
        await site.wait(135)
        assert len(asked) == 4, "it is accepted, and none comes"


@pytest.mark.parametrize("answer", [{"status": "NotImplemented"}, {"status": "Rejected"}, None])
async def test_a_charger_that_sends_none_when_asked_is_not_asked_all_the_time(
    site: ClockedSite, answer: Payload | None
) -> None:
    await site.person(CARD, 10_000_000)
    asked: list[Payload] = []

    def trigger(payload: Payload) -> Payload:
        asked.append(payload)
        assert answer is not None
        return answer

    async with site.station() as station:
        if answer is None:
            station.answers.pop("TriggerMessage")
        else:
            station.answers["TriggerMessage"] = trigger
        await station.start_transaction(CARD)
        await site.wait(600)
        assert len(asked) <= 1
        rows = await site.server.log_of(await site.number_of("CS-1"), action="TriggerMessage")
        assert len(rows) == 1


# --- how it measures ---------------------------------------------------------------------------------------------------------


async def see_to(site: ClockedSite, station: Station) -> None:
    """It boots, and the clock comes round."""
    await station.boot()
    await site.wait(15)


async def test_a_charger_that_measures_well_is_left_as_it_is(site: ClockedSite) -> None:
    async with site.station() as station:
        keys = Configuration({"MeterValueSampleInterval": "30", "MeterValuesSampledData": f"SoC, {REGISTER}"}).on(
            station
        )
        await see_to(site, station)

        assert keys.changed == []
        assert await site.kinds() == set()


@pytest.mark.parametrize(
    ("before", "changed"),
    [
        ({"MeterValueSampleInterval": "0"}, [("MeterValueSampleInterval", "60")]),
        ({"MeterValueSampleInterval": "900"}, [("MeterValueSampleInterval", "60")]),
        (
            {"MeterValuesSampledData": "Power.Active.Import,SoC"},
            [("MeterValuesSampledData", f"{REGISTER},Power.Active.Import,SoC")],
        ),
        (
            {"MeterValuesSampledData": "Power.Active.Import,SoC", "MeterValuesSampledDataMaxLength": "2"},
            [("MeterValuesSampledData", f"{REGISTER},Power.Active.Import")],
        ),
        ({"MeterValuesSampledData": ""}, [("MeterValuesSampledData", REGISTER)]),
    ],
)
async def test_one_that_does_not_is_set_right_and_that_is_on_record(
    site: ClockedSite, before: dict[str, str], changed: list[tuple[str, str]]
) -> None:
    async with site.station() as station:
        keys = Configuration({"MeterValueSampleInterval": "60", "MeterValuesSampledData": REGISTER} | before).on(
            station
        )
        await see_to(site, station)

        assert keys.changed == changed
        assert await site.kinds() == set()
        rows = await site.server.rows("SELECT actor, details FROM audit WHERE action = 'station.set_sampling'")
        assert [row[0] for row in rows] == ["clock"]


async def test_what_is_refused_as_a_whole_is_tried_alone(site: ClockedSite) -> None:
    async with site.station() as station:
        both = f"{REGISTER},SoC"
        keys = Configuration({"MeterValueSampleInterval": "60", "MeterValuesSampledData": "SoC"}, fixed=(both,)).on(
            station
        )
        await see_to(site, station)

        assert keys["MeterValuesSampledData"] == REGISTER
        assert await site.kinds() == set()


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        (Configuration({"MeterValueSampleInterval": "0"}, readonly=("MeterValueSampleInterval",)), "interval"),
        (Configuration({"MeterValueSampleInterval": "0"}, fixed=("MeterValueSampleInterval",)), "interval"),
        (
            Configuration(
                {"MeterValueSampleInterval": "60", "MeterValuesSampledData": "SoC"}, fixed=("MeterValuesSampledData",)
            ),
            "measurands",
        ),
    ],
)
async def test_one_that_cannot_be_set_is_told_until_it_measures(
    site: ClockedSite, keys: Configuration, why: str
) -> None:
    async with site.station() as station:
        keys.on(station)
        await see_to(site, station)
        (problem,) = await site.problems("unwatched")
        assert problem.details["why"] == why

        keys |= {"MeterValueSampleInterval": "60", "MeterValuesSampledData": REGISTER}
        await see_to(site, station)
        assert await site.kinds() == set()


async def test_readings_by_the_clock_are_readings_too(site: ClockedSite) -> None:
    async with site.station() as station:
        Configuration(
            {
                "MeterValueSampleInterval": "0",
                "MeterValuesSampledData": REGISTER,
                "ClockAlignedDataInterval": "60",
                "MeterValuesAlignedData": REGISTER,
            }
        ).on(station)
        await see_to(site, station)

        assert await site.kinds() == set()


async def test_nothing_is_changed_where_staff_do_not_allow_it(site: ClockedSite) -> None:
    await site.store.write(settings.change, "set_sampling", "0")
    async with site.station() as station:
        keys = Configuration({"MeterValueSampleInterval": "0", "MeterValuesSampledData": REGISTER}).on(station)
        await see_to(site, station)

        assert keys.changed == []
        assert await site.kinds() == {"unwatched"}


async def test_a_charger_that_says_nothing_of_it_is_judged_by_what_it_does(site: ClockedSite) -> None:
    async with site.station() as station:
        await see_to(site, station)

        assert await site.kinds() == set()


async def test_the_simulated_charger_is_set_so_that_it_can_be_watched(site: ClockedSite) -> None:
    """Set to send nothing, it is set right; then a session of whoever pays beforehand is measured, and not reckoned."""
    await site.server.register("CS-1")
    await site.person(CARD, 100_000)
    box = simulated.Station.of(site.clock, power_w=11_000)
    point = ChargePoint(box, Options(f"{site.server.url}/ocpp", "CS-1", sample_interval_s=0, tick_s=0.01))
    async with running(point.run(), "simulated charger"):
        await point.registered.wait()
        await site.until(lambda: has_booted(site))
        await site.wait(15)
        await point.until(lambda: point.configuration.text("MeterValueSampleInterval") == "60")
        assert await site.kinds() == set()

        point.charger.plug_in(1, simulated.Battery.charged(20))
        await point.charger.present_card(CARD, 1)
        await point.until(lambda: (found := point.charger.places[0].transaction) is not None and found.id is not None)
        for minute in range(1, 6):
            site.at_ms += 60_000
            await site.until(partial(has_samples, site, minute))
            await site.wait(0)
        (session,) = await site.server.rows("SELECT stop_wanted, state FROM session")
        assert session == ("", "running")
        assert await site.kinds() == set()


async def has_booted(site: ClockedSite) -> bool:
    """Whether its boot is in the books."""
    return bool(await site.server.rows("SELECT 1 FROM station WHERE booted_at_ms IS NOT NULL"))


async def has_samples(site: ClockedSite, least: int) -> bool:
    """Whether so many readings have come."""
    return len(await site.server.rows("SELECT 1 FROM sample")) >= least


# --- its connectors ------------------------------------------------------------------------------------------------------------


async def knock_and_approve(site: ClockedSite, station: Station) -> Any:
    """It knocks, boots, is told to wait, and is let in."""
    await station.connect()
    assert (await station.boot())["status"] == "Pending"
    number = await site.number_of(station.identity)
    await site.store.write(admission.approve, number, "Gate", By(BY, site.at_ms))
    await station.expect_call("TriggerMessage")
    return number


async def connectors(site: ClockedSite) -> list[Any]:
    return await site.server.rows("SELECT evse, status FROM connector ORDER BY evse")


async def test_one_that_does_not_boot_again_is_asked_and_then_believed_by_its_settings(site: ClockedSite) -> None:
    station = Station(site.server.url + "/ocpp", "CS-9", clock=site.clock, connectors=2)
    Configuration(
        {"NumberOfConnectors": "2", "MeterValueSampleInterval": "0"}, readonly=("MeterValueSampleInterval",)
    ).on(station)
    try:
        number = await knock_and_approve(site, station)
        for asked in (
            {"requestedMessage": "BootNotification"},
            {"requestedMessage": "StatusNotification"},
            {"requestedMessage": "StatusNotification", "connectorId": 1},
        ):
            assert await connectors(site) == []
            await site.wait(15 if asked["requestedMessage"] == "StatusNotification" else 30)
            assert await station.expect_call("TriggerMessage") == asked
        assert (await station.expect_call("TriggerMessage"))["connectorId"] == 2
        await site.wait(15)

        assert await connectors(site) == [(1, ""), (2, "")]
        (problem,) = await site.problems("no_connectors")
        assert (problem.subject, problem.details["tried"]) == (f"station:{number}", ["boot", "status", "count"])
        assert "unwatched" in await site.kinds(), "how it measures is read, too"

        await station.status("Available", connector=1)
        await site.wait(15)
        assert await site.problems("no_connectors") == []
        assert await connectors(site) == [(1, "Available"), (2, "")]
    finally:
        await station.close()


async def test_one_that_tells_after_a_step_is_left_alone(site: ClockedSite) -> None:
    station = Station(site.server.url + "/ocpp", "CS-9", clock=site.clock)
    try:
        await knock_and_approve(site, station)
        await site.wait(30)
        await station.boot()
        await site.wait(120)

        assert await connectors(site) == [(1, "Available")]
        assert await site.kinds() == set()
    finally:
        await station.close()


async def test_one_that_tells_only_of_itself_has_one_connector_and_nothing_is_wrong(site: ClockedSite) -> None:
    station = Station(site.server.url + "/ocpp", "CS-9", clock=site.clock)
    try:
        await knock_and_approve(site, station)
        station.connectors.clear()
        await station.boot()
        await site.wait(120)

        assert await connectors(site) == [(1, "")]
        assert await site.kinds() == set()
    finally:
        await station.close()


async def test_one_that_understands_none_of_it_has_one_connector(site: ClockedSite) -> None:
    station = Station(site.server.url + "/ocpp", "CS-9", clock=site.clock)
    try:
        await knock_and_approve(site, station)
        station.answers.clear()
        await site.wait(120)

        assert await connectors(site) == [(1, "")]
        assert await site.kinds() == {"no_connectors"}
    finally:
        await station.close()


# --- how much they can give ----------------------------------------------------------------------------------------------------


async def test_after_its_boot_a_station_is_read_for_how_much_it_can_give(site: ClockedSite) -> None:
    async with site.station(connectors=2) as station:
        Configuration({"evb_MaxStationCurrent": "63", "HeartbeatInterval": "300"}).on(station)
        for connector in (1, 2):
            await station.status("Available", connector=connector)
        await site.wait(15)

        rows = await site.server.rows("SELECT evse, power_told_w FROM connector ORDER BY evse")
        assert rows == [(1, 49_896), (2, 49_896)]


async def test_one_that_does_not_say_stays_unknown(site: ClockedSite) -> None:
    async with site.station() as station:
        Configuration({"HeartbeatInterval": "300"}).on(station)
        await station.status("Available")
        await site.wait(15)

        assert await site.server.rows("SELECT power_told_w FROM connector") == [(0,)]


async def test_a_session_that_nobody_watches_lasts_as_long_as_its_connector_allows(site: ClockedSite) -> None:
    """10 kWh at 22 kW last for 1636 s."""
    await site.person(CARD, 10 * 1200)
    async with site.station() as station:
        await station.status("Available")
        await site.store.write(power.say, await site.number_of("CS-1"), 1, 22_000, By(BY, site.at_ms))
        begun = await station.start_transaction(CARD)
        seconds = 0
        while not (await site.session(begun.id))["stop_wanted"]:
            await site.wait(15)
            seconds += 15

        assert 1_500 <= seconds <= 1_636
