"""The stream of events, and what monitoring programs ask."""

from __future__ import annotations

import asyncio
import json
import sqlite3

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from appliance.db.engine.store import nothing
from appliance.domain.by import By
from appliance.services.announce import PersonChanged, SettingsChanged
from appliance.services.operators import tokens
from appliance.ui.api import events
from appliance.ui.api.events import EVENTS, STREAMS_MAX, STREAMS_OF_ONE_MAX, WAITING_MAX
from appliance.ui.frame import monitoring
from tests.api.site import Client, Running
from tests.support.station import Station

TIMEOUT_S = 20.0


async def event_of(response: aiohttp.ClientResponse, name: str) -> dict[str, object]:
    """The data of the next event of this name."""
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            line = await response.content.readline()
            assert line, "the stream has ended"
            if line.strip() == f"event: {name}".encode():
                found: dict[str, object] = json.loads((await response.content.readline()).removeprefix(b"data: "))
                return found


async def test_what_is_committed_is_told(site: Running, api: Client) -> None:
    response = await api.stream()
    assert response.headers["Content-Type"] == "text/event-stream"
    group = await api.post("/groups", {"name": "Customers", "policy": "prepaid"})
    assert (await event_of(response, "settings"))["what"] == "changed"
    person = await api.post("/people", {"name": "Rahima Khatun", "group_id": group["id"]})
    assert (await event_of(response, "person"))["person_id"] == person["id"]
    await api.post("/stations", {"id": "CS-01"})
    assert (await event_of(response, "station"))["station"] == "CS-01"
    async with Station.connected(site.stations_url, "CS-01") as station:
        await station.boot()
        transaction = await station.start_transaction("STRANGER")
        started = await event_of(response, "session")
        assert started == {
            "station": "CS-01",
            "evse": 1,
            "connector": 1,
            "session_id": transaction.id,
            "person_id": None,
            "what": "started",
        }
    response.close()


async def test_streams_are_bounded_and_end_with_the_server(site: Running, api: Client) -> None:
    others = [await site.client("viewer") for _ in range(STREAMS_MAX // STREAMS_OF_ONE_MAX)]
    open_ones = [await one.stream() for one in others for _ in range(STREAMS_OF_ONE_MAX)]
    for response in open_ones:
        await response.content.readline()
    refused = await api.stream()
    assert (refused.status, refused.headers["Retry-After"]) == (503, "10")
    await site.application[EVENTS].close(site.application)
    for response in open_ones:
        async with asyncio.timeout(TIMEOUT_S):
            await response.read()
        assert response.content.at_eof()


async def test_one_token_does_not_take_all_streams_and_those_that_left_are_free_at_once(
    site: Running, api: Client
) -> None:
    for _turn in range(3):
        open_ones = [await api.stream() for _ in range(STREAMS_OF_ONE_MAX)]
        assert [response.status for response in open_ones] == [200] * STREAMS_OF_ONE_MAX
        assert (await api.stream()).status == 503
        other = await (await site.client("viewer")).stream()
        assert other.status == 200
        for response in (*open_ones, other):
            response.close()
        async with asyncio.timeout(TIMEOUT_S):
            while (probe := await api.stream()).status != 200:  # noqa: ASYNC110 - as a client tries again.
                await asyncio.sleep(0)
        probe.close()


async def test_a_token_that_was_revoked_is_told_nothing_more_however_busy_the_site_is(
    site: Running, api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "RECHECK_S", 0.0)
    response = await api.stream()
    await response.content.readline()
    await site.store.write(tokens.revoke_token, 1, by=By("console", 1))
    site.console.hub.announce([SettingsChanged()])

    async with asyncio.timeout(TIMEOUT_S):
        assert (await response.read()).strip() == b""


async def test_a_client_that_does_not_read_is_cut_off(site: Running, api: Client) -> None:
    response = await api.stream()
    await response.content.readline()
    site.console.hub.announce([PersonChanged(number) for number in range(WAITING_MAX + 1)])
    with pytest.raises((aiohttp.ClientError, ConnectionError)):
        async with asyncio.timeout(TIMEOUT_S):
            await response.read()
    again = await api.stream()
    await again.content.readline()
    site.console.hub.announce([SettingsChanged()])
    assert (await event_of(again, "settings"))["what"] == "changed"
    again.close()


async def test_health_is_told_to_anybody_and_details_to_a_token(site: Running, api: Client) -> None:
    status, text = await site.nobody().ask("/health")
    assert (status, json.loads(text)) == (200, {"status": "ok"})
    status, text = await api.ask("/health")
    told = json.loads(text)
    assert (status, told["status"], told["sessions_open"], told["stations_connected"]) == (200, "ok", 0, 0)
    assert told["commit_ms"] >= 0


async def test_health_is_a_real_commit(site: Running) -> None:
    before = site.store.commits
    await site.nobody().ask("/health")
    assert site.store.commits > before
    commit_probe = await site.store.read(lambda db: db.execute("SELECT pulse_at_ms FROM site").fetchone())
    assert commit_probe[0] > 0


async def test_health_is_503_while_nothing_can_be_committed(site: Running) -> None:
    blocker = sqlite3.connect(site.store.path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    status, text = await site.nobody().ask("/health")
    assert (status, json.loads(text)) == (503, {"status": "failing"})
    blocker.execute("ROLLBACK")
    blocker.close()
    await site.store.write(nothing)
    assert (await site.nobody().ask("/health"))[0] == 200


async def test_health_is_503_while_nothing_can_be_read(site: Running, api: Client) -> None:
    with sqlite3.connect(site.store.path, isolation_level=None) as other:
        other.execute("ALTER TABLE problem RENAME TO lost")
        for client in (site.nobody(), api):
            status, text = await client.ask("/health")
            assert (status, json.loads(text)) == (503, {"status": "failing"})
        other.execute("ALTER TABLE lost RENAME TO problem")
    other.close()
    assert (await site.nobody().ask("/health"))[0] == 200


async def test_the_numbers_are_in_the_prometheus_format(site: Running, api: Client) -> None:
    await api.post("/stations", {"id": "CS-01"})
    async with Station.connected(site.stations_url, "CS-01") as station:
        await station.boot()
        await station.call("Heartbeat", {})
        await station.call("Heartbeat", {})
        await api.post("/stations/CS-01/reset")
        status, text = await api.ask("/metrics")
    assert status == 200
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["forecourt_stations_connected",] == 1
    assert samples["forecourt_messages_total", "Heartbeat", "in"] == 2
    assert samples["forecourt_messages_total", "Reset", "out"] == 1
    assert samples["forecourt_writer_commits_total",] > 0
    assert samples["forecourt_healthy",] == 1
    assert samples["forecourt_resident_memory_bytes",] > 1_000_000
    assert samples["forecourt_event_loop_lag_seconds",] >= 0
    assert samples["forecourt_sessions_open",] == 0


async def test_the_numbers_need_a_token_elsewhere_than_on_the_box_itself(site: Running) -> None:
    assert (await site.nobody().ask("/metrics"))[0] == 200
    assert monitoring.is_loopback("127.0.0.1")
    assert monitoring.is_loopback("::1")
    for address in ("192.168.1.7", "10.0.0.1", "", None, "unix"):
        assert not monitoring.is_loopback(address)
