"""Charging through the API, with a station on a real websocket: start, stop, sessions, reports, raw calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from appliance.domain.clock import system_clock
from appliance.services import health
from tests.api.site import Client, Running
from tests.support.station import Station

TIMEOUT_S = 20.0


@pytest.fixture(name="station")
async def _station(site: Running, api: Client) -> AsyncIterator[Station]:
    """CS-01, with two connectors, accepted and online; its site has a tariff of 20.00 a kilowatt-hour."""
    await api.post("/tariffs", {"name": "Day", "energy_minor_per_kwh": 2000, "tax_percent": 5})
    await api.post("/stations", {"id": "CS-01", "name": "Gate"})
    async with Station.connected(site.stations_url, "CS-01", connectors=2) as station:
        await station.boot()
        yield station


@pytest.fixture(name="person")
async def _person(api: Client) -> int:
    """Rahima Khatun, with 1,000.00 and a card."""
    group = await api.post("/groups", {"name": "Customers", "policy": "prepaid"})
    person = await api.post("/people", {"name": "Rahima Khatun", "group_id": group["id"]})
    await api.pay(f"/people/{person['id']}/topups", {"amount_minor": 100_000})
    await api.post("/cards", {"uid": "04A1B2C3", "person_id": person["id"]})
    return int(person["id"])


async def test_a_station_shows_what_it_has_told(api: Client, station: Station) -> None:
    found = await api.get("/stations/CS-01")
    assert (found["online"], found["vendor"], found["model"]) == (True, "Forecourt", "Story")
    assert found["version"].endswith("1.6")
    assert [(plug["id"], plug["evse"], plug["status"]) for plug in found["connectors"]] == [
        (1, 1, "Available"),
        (2, 2, "Available"),
    ]


async def test_a_start_holds_the_money_and_then_asks_the_station(api: Client, station: Station, person: int) -> None:
    await station.plug_in()
    start_request = await api.post("/stations/CS-01/start", {"connector": 1, "person_id": person})
    assert (start_request.status, start_request["state"]) == (202, "requested")
    asked = await station.expect_call("RemoteStartTransaction")
    assert (asked["connectorId"], asked["idTag"]) == (1, "04A1B2C3")
    found = await api.get(f"/people/{person}")
    assert found["available_minor"] < found["balance_minor"] == 100_000

    transaction = await station.start_transaction(asked["idTag"])
    assert transaction.id == start_request["session_id"]
    await station.charge(7_000)
    running = await api.get(f"/sessions/{start_request['session_id']}")
    assert (running["state"], running["energy_wh"], running["fee_minor"]) == ("running", 7_000, 0)
    assert running["cost_minor"] == 14_700

    stopped = await api.post("/stations/CS-01/stop", {"connector": 1})
    assert (stopped.status, stopped.body) == (202, {"session_id": start_request["session_id"], "status": "Accepted"})
    await station.expect_call("RemoteStopTransaction")
    await station.stop_transaction(reason="Remote")
    ended = await api.get(f"/sessions/{start_request['session_id']}")
    assert (ended["state"], ended["energy_wh"], ended["fee_minor"], ended["stop_reason"]) == (
        "ended", 7_000, 14_700, "Remote",
    )  # fmt: skip
    assert (ended["station"], ended["connector"], ended["person_id"], ended["card"]) == ("CS-01", 1, person, "04A1B2C3")
    assert ended["transaction_id"] == ended["id"]
    assert ended["started_at"] < ended["ended_at"]
    found = await api.get(f"/people/{person}")
    assert (found["balance_minor"], found["available_minor"]) == (85_300, 85_300)
    assert (await api.get("/ledger/trial-balance"))["balanced"] is True
    assert len((await api.get(f"/sessions/{ended['id']}/samples"))["items"]) >= 3


async def test_a_whole_uid_is_for_those_who_may_list_cards(
    site: Running, api: Client, station: Station, person: int
) -> None:
    """Who knows a UID can make a copy of the card; who may try UIDs finds out whose they are."""
    await station.plug_in()
    number = (await station.start_transaction("04A1B2C3")).id
    viewer, cashier = await site.client("viewer"), await site.client("cashier")
    assert (await viewer.get(f"/sessions/{number}"))["card"] == "••B2C3"
    assert [row["card"] for row in (await viewer.get("/sessions"))["items"]] == ["••B2C3"]
    assert (await viewer.get("/sessions", card="04A1B2C3")).status == 403
    assert [row["card"] for row in (await cashier.get("/sessions", card="04A1B2C3"))["items"]] == ["04A1B2C3"]


async def test_a_session_is_ended_without_its_station_once(api: Client, station: Station, person: int) -> None:
    await station.plug_in()
    await station.present_card("04A1B2C3")
    await station.charge(7_000)
    (session,) = (await api.get("/sessions"))["items"]
    path = f"/sessions/{session['id']}/close"
    assert (await api.post(path, {})).status == 400

    ended = await api.post(path, {}, key="gone")
    again = await api.post(path, {}, key="gone")
    assert (ended["state"], ended["energy_wh"], ended["fee_minor"], ended["estimated"], ended["note"]) == (
        "ended", 7_000, 14_700, True, "by_hand",
    )  # fmt: skip
    assert again.body == ended.body
    assert (await api.post(path, {}, key="once-more")).status == 404
    found = await api.get(f"/people/{person}")
    assert found["balance_minor"] == found["available_minor"] == 85_300


@pytest.mark.parametrize(("call", "fee_minor"), [("bill", 84_000), ("acknowledge", 0)])
async def test_what_is_in_doubt_is_held_until_a_manager_decides(
    site: Running, api: Client, station: Station, person: int, call: str, fee_minor: int
) -> None:
    await station.plug_in()
    await station.present_card("04A1B2C3")
    await station.charge(40_000, duration_s=20)
    await station.stop_transaction()
    (session,) = (await api.get("/sessions", state="review"))["items"]
    assert (session["note"], session["fee_minor"], session["cost_minor"]) == ("too_fast", 0, 84_000)
    found = await api.get(f"/people/{person}")
    assert found["balance_minor"] == found["available_minor"] + session["held_minor"] == 100_000
    assert session["held_minor"] > 0
    path = f"/sessions/{session['id']}/{call}"
    assert (await (await site.client("cashier")).post(path, {}, key="no")).status == 403

    settled = await api.post(path, {}, key="looked")
    again = await api.post(path, {}, key="looked")

    assert (settled["state"], settled["fee_minor"], settled["cost_minor"]) == ("ended", fee_minor, fee_minor)
    assert again.body == settled.body
    assert (await api.post(path, {}, key="once-more")).status == 409
    found = await api.get(f"/people/{person}")
    assert found["balance_minor"] == found["available_minor"] == 100_000 - fee_minor
    assert (await api.get("/ledger/trial-balance"))["balanced"] is True


async def test_a_program_chooses_one_of_the_figures_of_a_session_in_doubt(
    site: Running, api: Client, station: Station, person: int
) -> None:
    await station.plug_in()
    await station.present_card("04A1B2C3")
    await station.charge(40_000, duration_s=20)
    await station.stop_transaction()
    (session,) = (await api.get("/sessions", state="review"))["items"]
    assert [(one["energy_wh"], one["cost_minor"]) for one in session["figures"]] == [(40_000, 84_000)]
    assert (session["energy_wh"], session["fee_minor"]) == (0, 0), "nobody has decided"
    path = f"/sessions/{session['id']}/bill"
    assert (await api.post(path, {"energy_wh": 39_999}, key="another")).status == 409
    assert (await api.post(path, {"energy_wh": -1}, key="negative")).status == 422

    settled = await api.post(path, {"energy_wh": 40_000}, key="this")

    assert (settled["state"], settled["energy_wh"], settled["figures"]) == ("ended", 40_000, [])


async def test_a_start_repeated_with_its_key_starts_once(api: Client, station: Station, person: int) -> None:
    body = {"connector": 1, "card": "04 a1 b2 c3"}
    answers = await asyncio.gather(*(api.post("/stations/CS-01/start", body, key="s") for _ in range(4)))
    assert {answer.status for answer in answers} == {202}
    assert len({answer["session_id"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    other = await api.post("/stations/CS-01/start", {"connector": 2, "card": "04A1B2C3"}, key="s")
    assert (other.status, other["type"]) == (422, "urn:forecourt:problem:key-reused")
    await station.go_offline()
    assert (await api.post("/stations/CS-01/start", body, key="s")).body == answers[0].body


async def test_a_start_at_an_offline_station_is_refused_and_nothing_is_held(
    api: Client, station: Station, person: int
) -> None:
    await station.close()
    async with asyncio.timeout(TIMEOUT_S):
        while (await api.get("/stations/CS-01"))["online"]:
            pass
    answer = await api.post("/stations/CS-01/start", {"connector": 1, "person_id": person})
    assert answer.status == 409
    assert answer["advice"]
    found = await api.get(f"/people/{person}")
    assert found["available_minor"] == 100_000


async def test_who_may_not_charge_is_refused_with_the_reason(api: Client, station: Station, person: int) -> None:
    poor = await api.post("/people", {"name": "Karim", "group_id": (await api.get(f"/people/{person}"))["group_id"]})
    broke = await api.post("/stations/CS-01/start", {"connector": 1, "person_id": poor["id"]})
    assert (broke.status, broke["type"]) == (409, "urn:forecourt:problem:too-little-money")
    card = (await api.get("/cards", uid="04A1B2C3"))["items"][0]["id"]
    await api.post(f"/cards/{card}/block")
    assert (await api.post("/stations/CS-01/start", {"connector": 1, "card": "04A1B2C3"})).status == 409
    assert (await api.post("/stations/CS-01/start", {"connector": 1, "card": "NOBODYS"})).status == 404
    assert (await api.post("/stations/CS-01/start", {"connector": 9, "person_id": person})).status == 422
    assert (await api.post("/stations/CS-01/start", {"connector": 1})).status == 422
    assert (await api.post("/stations/CS-01/start", {"person_id": person, "card": "04A1B2C3"})).status == 422
    assert (await api.get("/ledger/accounts"))["items"][0]["held_minor"] == 0


async def test_a_refused_start_gives_the_money_back(api: Client, station: Station, person: int) -> None:
    station.answers["RemoteStartTransaction"] = {"status": "Rejected"}
    start_request = await api.post("/stations/CS-01/start", {"connector": 1, "person_id": person})
    await station.expect_call("RemoteStartTransaction")
    async with asyncio.timeout(TIMEOUT_S):
        while (session := await api.get(f"/sessions/{start_request['session_id']}"))["state"] == "requested":
            pass
    assert (session["state"], session["note"]) == ("failed", "rejected")
    assert (await api.get(f"/people/{person}"))["available_minor"] == 100_000


async def test_a_start_that_named_no_connector_is_taken_back_at_any(api: Client, station: Station, person: int) -> None:
    start_request = await api.post("/stations/CS-01/start", {"person_id": person})

    stopped = await api.post("/stations/CS-01/stop", {"connector": 1})

    assert (stopped.status, stopped.body) == (202, {"session_id": start_request["session_id"], "status": "Cancelled"})


async def test_a_wish_is_taken_back_by_stopping_its_session(api: Client, station: Station, person: int) -> None:
    start_request = await api.post("/stations/CS-01/start", {"connector": 1, "person_id": person})
    stopped = await api.post("/stations/CS-01/stop", {"session_id": start_request["session_id"]})
    assert (stopped.status, stopped["status"]) == (202, "Cancelled")
    assert (await api.get(f"/people/{person}"))["available_minor"] == 100_000
    again = await api.post("/stations/CS-01/stop", {"session_id": start_request["session_id"]})
    assert again.status == 404


async def test_sessions_are_found_by_what_they_are(api: Client, station: Station, person: int) -> None:
    for connector in (1, 2):
        await station.plug_in(connector=connector)
        await station.present_card("04A1B2C3", connector=connector)
        await station.charge(10, duration_s=1, connector=connector)
        await station.unplug(connector=connector)
        await asyncio.sleep(0.005)  # No two begin in one millisecond.
    await station.start_transaction("STRANGER", connector=1)
    every = await api.get("/sessions")
    numbers = [row["id"] for row in every["items"]]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 3
    assert [row["id"] for row in (await api.get("/sessions", person=person))["items"]] == numbers[1:]
    assert [row["id"] for row in (await api.get("/sessions", card="04:A1:B2:C3"))["items"]] == numbers[1:]
    assert [row["id"] for row in (await api.get("/sessions", card="stranger"))["items"]] == numbers[:1]
    assert [row["id"] for row in (await api.get("/sessions", state="running"))["items"]] == numbers[:1]
    assert [row["id"] for row in (await api.get("/sessions", station="CS-01"))["items"]] == numbers
    assert (await api.get("/sessions", station="CS-99")).status == 404
    begun = every["items"][1]["started_at"]
    assert [row["id"] for row in (await api.get("/sessions", **{"from": begun}))["items"]] == numbers[:2]
    assert [row["id"] for row in (await api.get("/sessions", to=begun))["items"]] == numbers[2:]
    assert (await api.get("/sessions", to="2020-01-01"))["items"] == []
    page = await api.get("/sessions", limit=2)
    assert [row["id"] for row in (await api.get("/sessions", limit=2, after=page["next"]))["items"]] == numbers[2:]


async def test_a_report_tells_working_time_energy_and_fees_of_each_day(
    api: Client, station: Station, person: int
) -> None:
    await station.plug_in()
    await station.present_card("04A1B2C3")
    await station.charge(2_000, duration_s=0)
    await station.unplug()
    session = (await api.get("/sessions"))["items"][0]
    span = {"from": session["started_at"][:8] + "01", "to": session["started_at"][:8] + "28"}
    span["to"] = span["to"] if session["started_at"][8:10] < "27" else _next_year(span["to"])
    report = await api.get("/reports/stations", **span)
    assert report["rows"] == report["items"]
    assert {row["failed_starts"] for row in report["items"]} == {0}
    assert all(0 <= row["capacity_s"] <= 2 * 86_400 for row in report["items"])
    rows = [row for row in report["items"] if row["energy_wh"]]
    assert [(row["station"], row["energy_wh"], row["fees_minor"], row["sessions"]) for row in rows] == [
        ("CS-01", 2_000, 4_200, 1)
    ]
    assert (report["total"]["energy_wh"], report["total"]["fees_minor"]) == (2_000, 4_200)
    assert (await api.get("/reports/stations", station="CS-01", limit=1, **span))["items"] == report["items"][:1]
    assert (await api.get("/reports/stations", station="CS-99", **span)).status == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "from"),
        ({"from": "2026-11-01"}, "to"),
        ({"from": "2026-11-31", "to": "2026-12-01"}, "from"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "to"),
        ({"from": "2024-11-02", "to": "2026-11-01"}, "to"),
        ({"from": "2026-11-01", "to": "2026-11-01", "day": "1"}, "day"),
    ],
)
async def test_a_report_that_cannot_be_is_refused(api: Client, query: dict[str, str], field: str) -> None:
    answer = await api.get("/reports/stations", **query)
    assert (answer.status, answer["field"]) == (422, field)


async def test_any_call_goes_to_the_station_as_it_is_and_is_audited(
    site: Running, api: Client, station: Station
) -> None:
    station.answers["GetConfiguration"] = {"configurationKey": [], "unknownKey": ["x"]}
    answer = await api.post(
        "/stations/CS-01/calls", {"action": "GetConfiguration", "payload": {"key": ["x"], "odd": 1}}
    )
    assert answer.body == {"result": {"configurationKey": [], "unknownKey": ["x"]}}
    assert await station.expect_call("GetConfiguration") == {"key": ["x"], "odd": 1}
    unknown = await api.post("/stations/CS-01/calls", {"action": "MadeUp"})
    assert (unknown.status, unknown["error"]["code"]) == (200, "NotImplemented")
    actions = await site.store.read(lambda db: [row[0] for row in db.execute("SELECT action FROM audit")])
    assert actions.count("station.raw_call") == 2


@pytest.mark.parametrize(("depth", "status"), [(10, 200), (240, 200), (260, 400), (1_000, 400), (30_000, 400)])
async def test_a_raw_call_is_nested_as_deep_as_frames_are_read(
    api: Client, station: Station, depth: int, status: int
) -> None:
    station.answers["DataTransfer"] = {"status": "Accepted"}
    nested = "[" * depth + "]" * depth
    raw = f'{{"action":"DataTransfer","payload":{{"data":{nested}}}}}'.encode()

    answer = await api.call("POST", "/stations/CS-01/calls", raw=raw, headers={"Content-Type": "application/json"})

    assert answer.status == status
    if status == 200:
        assert answer["result"] == {"status": "Accepted"}


@pytest.mark.parametrize(("role", "card"), [("owner", "04A1B2C3D4E5F6"), ("installer", "••E5F6")])
async def test_what_a_raw_call_brings_back_tells_no_secrets_and_cards_as_the_log_does(
    site: Running, station: Station, role: str, card: str
) -> None:
    keys = {"AuthorizationKey": "secret-secret-16", "WifiPsk": "secret-secret-16", "Url": "psk=secret-secret-16;x"}
    told = [{"key": name, "readonly": False, "value": value} for name, value in keys.items()]
    told.append({"key": "MasterCard", "readonly": False, "value": "04A1B2C3D4E5F6"})
    station.answers["GetConfiguration"] = {"configurationKey": told, "unknownKey": []}
    client = await site.client(role)

    answer = await client.post("/stations/CS-01/calls", {"action": "GetConfiguration"})
    settings = await client.get("/stations/CS-01/variables")

    values = {one["key"]: one["value"] for one in answer["result"]["configurationKey"]}
    assert values == {"AuthorizationKey": "•••", "WifiPsk": "•••", "Url": "psk=•••;x", "MasterCard": card}
    assert {one["name"]: one["value"] for one in settings["items"]}["Url"] is None


@pytest.mark.parametrize("role", ["manager", "cashier", "guard", "viewer"])
async def test_raw_calls_are_for_owners_and_installers_only(site: Running, station: Station, role: str) -> None:
    client = await site.client(role)
    assert (await client.post("/stations/CS-01/calls", {"action": "ClearCache"})).status == 403


async def test_commands_tell_what_the_station_said(api: Client, station: Station) -> None:
    station.answers["UnlockConnector"] = {"status": "UnlockFailed"}
    station.answers["GetConfiguration"] = {
        "configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}],
        "unknownKey": [],
    }
    path = "/stations/CS-01"
    assert (await api.post(f"{path}/unlock", {"connector": 1})).body == {"accepted": False, "status": "UnlockFailed"}
    assert (await api.post(f"{path}/reset", {"kind": "hard"})).body == {"accepted": True, "status": "Accepted"}
    assert (await station.expect_call("Reset"))["type"] == "Hard"
    assert (await api.post(f"{path}/availability", {"operative": False}))["accepted"] is True
    assert await station.expect_call("ChangeAvailability") == {"connectorId": 0, "type": "Inoperative"}
    assert (await api.post(f"{path}/trigger", {"message": "Heartbeat"}))["accepted"] is True
    variables = await api.get(f"{path}/variables", name="HeartbeatInterval")
    assert variables["items"] == [{"component": "", "name": "HeartbeatInterval", "value": "300", "readonly": False}]
    change = {"name": "HeartbeatInterval", "value": "60"}
    assert (await api.call("PUT", f"{path}/variables", body=change))["accepted"] is True


async def test_settings_that_were_asked_for_are_told_and_no_others(api: Client, station: Station) -> None:
    """This charger answers with all that it has, whatever it is asked for, and names no unknown ones."""
    keys = {"HeartbeatInterval": "300", "NumberOfConnectors": "2", "MeterValueSampleInterval": "60"}
    everything = [{"key": key, "readonly": False, "value": value} for key, value in keys.items()]
    station.answers["GetConfiguration"] = {"configurationKey": everything}
    path = "/stations/CS-01/variables"

    def names(answer: Any) -> list[str]:
        return [item["name"] for item in answer["items"]]

    asked = await api.get(f"{path}?name=numberofconnectors&name=Nonsense&name=HeartbeatInterval&name=Nonsense")
    assert (names(asked), asked["unknown"]) == (["NumberOfConnectors", "HeartbeatInterval"], ["Nonsense"])
    asked = await api.get(f"{path}?name=HeartbeatInterval&component=OCPPCommCtrlr")
    assert (names(asked), asked["unknown"]) == ([], ["HeartbeatInterval"]), "in 1.6 a setting has no component"
    asked = await api.get(path)
    assert (names(asked), asked["unknown"]) == (list(keys), [])


async def test_a_transaction_that_nobody_knows_is_stopped_by_its_number(api: Client, station: Station) -> None:
    path = "/stations/CS-01/stop"
    answer = await api.post(path, {"transaction_id": "4711"})
    assert (answer.status, answer.body) == (202, {"session_id": None, "status": "Accepted"})
    assert await station.expect_call("RemoteStopTransaction") == {"transactionId": 4711}
    station.answers["RemoteStopTransaction"] = {"status": "Rejected"}
    assert (await api.post(path, {"transaction_id": "-1"}))["status"] == "Rejected"
    assert await station.expect_call("RemoteStopTransaction") == {"transactionId": -1}

    assert (await api.post(path, {"transaction_id": "abc"})).status >= 400
    assert (await api.post(path, {"transaction_id": " "})).status == 422
    assert (await api.post(path, {"transaction_id": "1", "session_id": 1})).status == 422


async def test_a_transaction_that_is_a_sessions_is_stopped_as_that(api: Client, station: Station) -> None:
    begun = await station.start_transaction("04A1B2C3")
    answer = await api.post("/stations/CS-01/stop", {"transaction_id": str(begun.id)})

    assert answer.body == {"session_id": begun.id, "status": "Accepted"}


async def test_an_evse_is_named_by_its_name_or_its_older_one(api: Client, station: Station, person: int) -> None:
    path = "/stations/CS-01"
    for body in ({"connector": 2}, {"evse": 2}, {"evse": 2, "connector": 1}):
        assert (await api.post(f"{path}/unlock", body))["accepted"] is True
        assert await station.expect_call("UnlockConnector") == {"connectorId": 2}
    assert (await api.post(f"{path}/unlock", {})).status == 422
    await api.post(f"{path}/availability", {"evse": 2, "operative": True})
    assert (await station.expect_call("ChangeAvailability"))["connectorId"] == 2
    start_request = await api.post(f"{path}/start", {"evse": 2, "person_id": person})
    assert (await station.expect_call("RemoteStartTransaction"))["connectorId"] == 2
    session = await api.get(f"/sessions/{start_request['session_id']}")
    assert (session["evse"], session["connector"]) == (2, 2)
    assert (await api.post(f"{path}/stop", {"evse": 2}))["session_id"] == start_request["session_id"]


async def test_a_connector_tells_its_status_in_the_stations_words_and_in_neutral_ones(
    api: Client, station: Station
) -> None:
    await station.status("Finishing", connector=2)
    plug = (await api.get("/stations/CS-01"))["connectors"][1]

    assert (plug["status"], plug["connector_status"], plug["charging_state"]) == (
        "Finishing",
        "Occupied",
        "EVConnected",
    )


async def test_a_knocking_station_is_approved_under_a_name(site: Running, api: Client) -> None:
    async with Station.connected(site.stations_url, "NEW-1") as station:
        assert (await station.boot())["status"] == "Pending"
        assert [row["id"] for row in (await api.get("/stations", state="knocking"))["items"]] == ["NEW-1"]
        problem = (await api.get("/problems"))["items"][0]
        assert (problem["kind"], problem["cleared_at"]) == ("knocking", None)
        assert "NEW-1" in problem["sentence"]
        refused = await api.post("/stations/NEW-1/approve", {"name": "Hall", "peer": "ip 192.168.7.9"})
        assert refused.status == 409
        peer = (await api.get("/stations/NEW-1"))["bound_to"]
        approved = await api.post("/stations/NEW-1/approve", {"name": "Hall", "peer": peer})
        assert (approved["name"], approved["state"]) == ("Hall", "approved")
        async with asyncio.timeout(TIMEOUT_S):
            while (await station.boot())["status"] == "Pending":
                pass
        assert (await api.get("/stations/NEW-1"))["online"] is True
    assert "knocking" not in [row["kind"] for row in (await api.get("/problems"))["items"]]
    assert "knocking" in [row["kind"] for row in (await api.get("/problems", state="cleared"))["items"]]


async def test_like_problems_are_one_row_and_what_lasts_is_put_aside(site: Running, api: Client) -> None:
    for identity in ("CS-10", "CS-01", "CS-9"):
        await api.post("/stations", {"id": identity})
    away_ms = system_clock() + 600_000
    await site.store.write(health.check_stations, frozenset(), 0, away_ms)

    (row,) = [one for one in (await api.get("/problems/rows"))["items"] if one["kind"] == "offline"]
    assert (row["count"], row["stations"]) == (3, ["CS-01", "CS-9", "CS-10"])
    assert row["sentence"] == "3 chargers are offline."
    single = [one for one in (await api.get("/problems"))["items"] if one["kind"] == "offline"]
    assert [one["id"] for one in single] == row["problems"]

    put_aside = await api.post(f"/problems/{row['problems'][0]}/acknowledge")
    assert (put_aside["cleared_at"], put_aside["times"]) == (None, 1)
    assert put_aside["dismissed_at"] is not None
    await site.store.write(health.check_stations, frozenset(), 0, away_ms + 20_000)
    assert [one["id"] for one in (await api.get("/problems", state="dismissed"))["items"]] == row["problems"][:1]
    (row,) = [one for one in (await api.get("/problems/rows"))["items"] if one["kind"] == "offline"]
    assert row["count"] == 2


async def test_a_station_without_its_password_is_turned_away(site: Running, api: Client) -> None:
    await api.post("/stations", {"id": "CS-02", "security_profile": 1, "password": "correct horse"})
    async with Station.connected(site.stations_url, "CS-02", password=b"correct horse") as station:
        assert (await station.boot())["status"] == "Accepted"
    wrong = Station(site.stations_url, "CS-02", password=b"battery staple")
    with pytest.raises(Exception, match="401"):
        await wrong.connect()
    await wrong.close()


def _next_year(day: str) -> str:
    return f"{int(day[:4]) + 1}{day[4:]}" if day[5:7] == "12" else f"{day[:5]}{int(day[5:7]) + 1:02}{day[7:]}"


async def test_what_a_connector_can_give_is_said_and_told(site: Running, api: Client, station: Station) -> None:
    changed = await api.call("PATCH", "/stations/CS-01/connectors/2", body={"power_max_w": 22_000})
    assert [plug["power_max_w"] for plug in changed["connectors"]] == [None, 22_000]
    assert {(plug["power_told_w"], plug["power_seen_w"]) for plug in changed["connectors"]} == {(None, None)}
    for body in ({"power_max_w": 999}, {"power_max_w": "22"}, {}):
        assert (await api.call("PATCH", "/stations/CS-01/connectors/2", body=body)).status == 422
    assert (await api.call("PATCH", "/stations/CS-01/connectors/7", body={"power_max_w": 22_000})).status == 404
    cashier = await site.client("cashier")
    assert (await cashier.call("PATCH", "/stations/CS-01/connectors/2", body={"power_max_w": 7_000})).status == 403

    again = await api.call("PATCH", "/stations/CS-01/connectors/2", body={"power_max_w": None})
    assert [plug["power_max_w"] for plug in again["connectors"]] == [None, None]


async def test_settings_and_codes_tell_cards_as_the_log_does(site: Running, station: Station) -> None:
    status = {"connectorId": 1, "status": "Faulted", "errorCode": "OtherError", "vendorErrorCode": "0000F0A1"}
    await station.call("StatusNotification", status)
    told = {}
    for role in ("owner", "installer"):
        client = await site.client(role)
        found = (await client.get("/stations/CS-01")).body["connectors"]
        told[role] = [one["info"] for one in found if one["info"]]

    assert told == {"owner": ["0000F0A1"], "installer": ["••F0A1"]}
