"""The board for chargers that say only Occupied and tell the rest with the transaction, and for EVSEs with two plugs."""

from __future__ import annotations

import re
from html import unescape
from typing import NamedTuple

import pytest

from appliance.domain.events import ChargingStateChanged, StatusChanged, TransactionEnded, TransactionStarted
from appliance.domain.identifiers import StationId
from appliance.domain.station import ChargingState, ConnectorStatus
from appliance.services.ports.stations import Variable, VariableName
from appliance.services.sessions import starting, stopping
from appliance.services.stations import admission, introduction, qr_codes
from appliance.services.stations import status as status_units
from tests.ui.console_fixture import BY, NOW_MS, ConsoleFixture

FREE, OCCUPIED = ConnectorStatus.AVAILABLE, ConnectorStatus.OCCUPIED
UID = "04A1B2C3"
NOBODY = "04FFFFFF"
MINUTE_MS = 60_000
OURS = {"Sec-Fetch-Site": "same-origin"}


class Charger(NamedTuple):
    """A charger of the yard with two EVSEs: the first has two plugs."""

    served: ConsoleFixture
    id: StationId

    async def told(self, status: ConnectorStatus, evse: int = 1, connector: int = 1, minutes: int = 10) -> None:
        """A status, some minutes ago."""
        at_ms = NOW_MS - minutes * MINUTE_MS
        event = StatusChanged(evse, connector, status, "", "", at_ms, NOW_MS)
        await self.served.store.write(status_units.status_changed, self.id, event)

    async def flows(self, state: ChargingState, evse: int = 1) -> None:
        """What the transaction tells."""
        event = ChargingStateChanged(evse, state, NOW_MS - MINUTE_MS, NOW_MS)
        await self.served.store.write(status_units.charging_state_changed, self.id, event)

    async def start(self, uid: str = UID, evse: int = 1) -> int:
        """A transaction, five minutes ago."""
        at_ms = NOW_MS - 5 * MINUTE_MS
        event = TransactionStarted(evse, uid, 1_000, at_ms, at_ms)
        return int((await self.served.store.write(starting.transaction_started, self.id, event)).ref)

    async def stop(self, ref: int) -> None:
        """Its end, two minutes ago."""
        event = TransactionEnded(ref, UID, 3_000, NOW_MS - 2 * MINUTE_MS, "Local", (), NOW_MS)
        await self.served.store.write(stopping.transaction_ended, self.id, event)

    async def tiles(self) -> dict[str, str]:
        """The HTML of each of its tiles by the numbers of EVSE and connector."""
        page = await (await (await self.served.logged_in()).get("/")).text()
        found = re.findall(rf'<article[^>]*id="tile-{self.id}-(\d-\d)".*?</article>', page, re.DOTALL)
        whole = re.finditer(rf'<article[^>]*id="tile-{self.id}-\d-\d".*?</article>', page, re.DOTALL)
        return dict(zip(found, (unescape(one[0]) for one in whole), strict=True))


@pytest.fixture
async def charger(served: ConsoleFixture) -> Charger:
    """All its plugs are free."""
    station = await served.store.write(admission.register, "CS-20", "Fast", 0, None, BY)
    served.stations.connected.add(station)
    made = Charger(served, station)
    for evse, connector in ((1, 1), (1, 2), (2, 1)):
        await made.told(FREE, evse, connector, minutes=60)
    return made


def words(tile: str) -> str:
    """The text of a tile."""
    return " ".join(re.sub(r"<[^>]+>", " ", tile).split())


def buttons(tile: str) -> list[str]:
    """Where the buttons of a tile lead."""
    return re.findall(r'href="/stations/CS-20/(\d/[^"]+)"', tile)


async def test_a_cable_that_came_waits_for_its_driver(charger: Charger) -> None:
    await charger.told(OCCUPIED, 2)
    tile = (await charger.tiles())["2-1"]

    assert "Plugged in" in words(tile)
    assert buttons(tile) == ["2/start", "2/unlock"]


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (None, "Charging"),
        (ChargingState.CHARGING, "Charging"),
        (ChargingState.SUSPENDED_EV, "Car paused"),
        (ChargingState.SUSPENDED_EVSE, "We paused"),
        (ChargingState.EV_CONNECTED, "Plugged in"),
        (ChargingState.IDLE, "No car"),
    ],
)
async def test_while_a_session_runs_its_charging_state_is_told(
    charger: Charger, state: ChargingState | None, word: str
) -> None:
    await charger.told(OCCUPIED, 2)
    await charger.start(evse=2)
    if state is not None:
        await charger.flows(state, 2)
    tile = (await charger.tiles())["2-1"]

    assert word in words(tile)
    assert "Rahima Khatun" in words(tile)
    assert "2/stop" in buttons(tile)


@pytest.mark.parametrize("state", [None, ChargingState.CHARGING, ChargingState.EV_CONNECTED])
async def test_after_the_session_the_driver_is_asked_to_unplug(charger: Charger, state: ChargingState | None) -> None:
    await charger.told(OCCUPIED, 2)
    ref = await charger.start(evse=2)
    if state is not None:
        await charger.flows(state, 2)
    await charger.stop(ref)
    tile = (await charger.tiles())["2-1"]

    assert "Please unplug" in words(tile)
    assert "2.00 kWh" in words(tile)
    assert buttons(tile) == ["2/unlock"]


async def test_what_runs_on_an_evse_stands_at_the_plug_that_is_occupied(charger: Charger) -> None:
    await charger.told(OCCUPIED, 1, 2)
    await charger.start(NOBODY)
    await charger.flows(ChargingState.CHARGING)
    tiles = await charger.tiles()

    assert "Fast · 1 · 2" in words(tiles["1-2"])
    assert "Charging" in words(tiles["1-2"])
    assert "1/stop" in buttons(tiles["1-2"])
    assert "In use" in words(tiles["1-1"])
    assert buttons(tiles["1-1"]) == []
    assert "Fast · 2" in words(tiles["2-1"])
    assert "Free" in words(tiles["2-1"])


async def test_a_car_that_parks_stands_at_its_own_plug(charger: Charger) -> None:
    await charger.told(OCCUPIED, 1, 2)
    await charger.stop(await charger.start())
    tiles = await charger.tiles()

    assert "Please unplug" in words(tiles["1-2"])
    assert buttons(tiles["1-2"]) == ["1/unlock?connector=2"]
    assert "In use" in words(tiles["1-1"])


async def test_plugs_are_unlocked_one_by_one(charger: Charger) -> None:
    await charger.told(OCCUPIED, 1, 2)
    client = await charger.served.logged_in()
    page = await (await client.get("/stations/CS-20/1/unlock?connector=1")).text()
    assert 'action="/stations/CS-20/1/unlock?connector=1"' in page
    await client.post("/stations/CS-20/1/unlock?connector=1", headers=OURS)
    await client.post("/stations/CS-20/1/unlock", headers=OURS)

    assert charger.served.stations.asked == [("unlock", charger.id, 1, 1), ("unlock", charger.id, 1, 2)]


@pytest.mark.parametrize("connector", ["x", "-1", "12345", "²"])
async def test_a_plug_has_a_number(charger: Charger, connector: str) -> None:
    client = await charger.served.logged_in()
    answer = await client.post("/stations/CS-20/1/unlock", params={"connector": connector}, headers=OURS)

    assert answer.status == 404
    assert charger.served.stations.asked == []


async def test_a_station_is_asked_for_what_its_version_has(served: ConsoleFixture) -> None:
    client = await served.logged_in()

    async def asked_for(message: str, station: str) -> int:
        answer = await client.post(f"/stations/{station}/trigger", data={"message": message}, headers=OURS)
        return answer.status

    assert "<option>Heartbeat</option></select>" in await (await client.get("/stations/CS-02")).text()
    assert [await asked_for("Humming", "CS-02"), await asked_for("Heartbeat", "CS-02")] == [422, 200]
    assert served.stations.asked == [("trigger", 2, "Heartbeat", None)]


async def test_a_transaction_that_nobody_knows_is_stopped_from_the_stations_page(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    assert 'name="transaction_id"' in await (await client.get("/stations/CS-02")).text()
    answer = await client.post("/stations/CS-02/stop-transaction", data={"transaction_id": "৪৭১১"}, headers=OURS)

    assert "The charger is stopping transaction" in await answer.text()
    assert served.stations.asked == [("remote_stop", 2, "4711")]


async def test_any_version_may_be_asked_of_a_station_that_never_came(served: ConsoleFixture) -> None:
    await served.store.write(admission.register, "CS-21", "", 0, None, BY)
    page = await (await (await served.logged_in()).get("/stations/CS-21")).text()

    assert "<option>Heartbeat</option><option>Humming</option>" in page


async def test_settings_of_components_are_told_apart_and_changed_by_both_names(served: ConsoleFixture) -> None:
    served.stations.variables = [
        Variable(VariableName("Enabled", "TariffCostCtrlr"), "true", readonly=False),
        Variable(VariableName("HeartbeatInterval"), "300", readonly=False),
    ]
    client = await served.logged_in()
    page = await (await client.get("/stations/CS-02/variables")).text()
    form = {"name": "Enabled", "component": "TariffCostCtrlr", "value": "false"}
    said = await (await client.post("/stations/CS-02/variables", data=form, headers=OURS)).text()

    assert re.findall(r"<td><code>(.*?)</code>", page) == ["HeartbeatInterval", "TariffCostCtrlr.Enabled"]
    assert page.count('name="component" value="TariffCostCtrlr"') == 1
    assert ("set_variable", 2, VariableName("Enabled", "TariffCostCtrlr"), "false") in served.stations.asked
    assert "TariffCostCtrlr.Enabled is changed." in said


async def test_pages_name_the_versions_that_are_spoken(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    new = await (await client.get("/stations/new")).text()
    log = await (await client.get("/stations/CS-02/messages")).text()

    assert "Choose OCPP 1.6 / 9.9 JSON (websocket)." in new
    assert "<code>ocpp1.6, ocpp9.9</code>" in new
    assert re.findall(r"<option>(\w+)</option>", log) == [
        "BootNotification",
        "Heartbeat",
        "StatusNotification",
        "Humming",
    ]


async def test_a_connector_that_only_its_chargers_settings_name_can_be_started(served: ConsoleFixture) -> None:
    station = await served.store.write(admission.register, "CS-22", "", 0, None, BY)
    steps = (introduction.Step.BOOT, introduction.Step.STATUS, introduction.Step.COUNT)
    await served.store.write(introduction.without_word, station, 2, steps, NOW_MS)
    served.stations.connected.add(station)
    tiles = await Charger(served, station).tiles()

    assert sorted(tiles) == ["1-1", "2-1"]
    assert "No word yet" in tiles["2-1"]
    assert "/stations/CS-22/2/start" in tiles["2-1"]
    page = await (await (await served.logged_in()).get("/stations/CS-22")).text()
    assert "has not told what its connectors do. Tried: asked to start over (BootNotification);" in page


async def test_an_evse_has_one_sticker_for_all_its_plugs(charger: Charger) -> None:
    codes = await charger.served.store.read(qr_codes.codes, charger.id)
    page = await (await (await charger.served.logged_in()).get("/stations/CS-20")).text()

    assert list(codes) == [1, 2]
    assert [page.count(f"/c/{code}") for code in codes.values()] == [1, 1]
