"""The message log: one row for each exchange, read by page."""

from __future__ import annotations

import orjson

from appliance.db.engine.unit import Database
from appliance.db.stations import message_log
from appliance.domain.identifiers import StationId
from appliance.ocpp.connection.message_log import KEPT_CHARS
from tests.ocpp.raw import Client, Server, nothing


async def test_a_call_and_its_answer_are_one_row(client: Client, server: Server) -> None:
    await client.call("Heartbeat", {})

    (row,) = await server.log_of(1)
    assert (row.direction, row.action, row.violation) == ("in", "Heartbeat", None)
    assert row.request == '[2,"m1","Heartbeat",{}]'
    assert row.answer is not None
    assert orjson.loads(row.answer)[:2] == [3, "m1"]


async def test_pages_go_back_in_time_and_filter(client: Client, server: Server) -> None:
    for _ in range(5):
        await client.call("Heartbeat", {})
    await client.call("Authorize", {"idTag": 5})
    await server.store.write(nothing)
    read, station = server.store.read, StationId(1)

    first = await read(message_log.page, station, None, 4)
    second = await read(message_log.page, station, first.before_id, 4)
    assert [row.action for row in first.messages] == ["Authorize"] + ["Heartbeat"] * 3
    assert len(second.messages) == 2
    assert second.before_id is None
    assert len((await read(message_log.page, station, action="Authorize")).messages) == 1
    assert len((await read(message_log.page, station, direction="out")).messages) == 0
    assert len((await read(message_log.page, station, violations_only=True)).messages) == 1
    assert len((await read(message_log.page, StationId(2))).messages) == 0


async def test_a_page_looks_back_so_far_and_says_where_to_go_on(client: Client, server: Server) -> None:
    await client.call("Heartbeat", {})

    def add_much_later(db: Database) -> None:
        row = (
            "INSERT INTO message_log (id, station_id, at_ms, direction, action, request) VALUES (?, 1, 1, 'in', '', '')"
        )
        db.execute(row, (message_log.ROWS_SCANNED_MAX * 2,))

    await server.store.write(nothing)
    await server.store.write(add_much_later)
    pages, before = [], None
    while True:
        page = await server.store.read(message_log.page, StationId(1), before)
        pages.append(len(page.messages))
        before = page.before_id
        if before is None:
            break

    assert sum(pages) == 2
    assert len(pages) > 1


async def test_of_what_tells_of_no_transaction_only_the_beginning_is_kept(client: Client, server: Server) -> None:
    await client.call("DataTransfer", {"vendorId": "x", "data": "y" * 60_000})
    await client.call(
        "MeterValues",
        {
            "connectorId": 1,
            "meterValue": [{"timestamp": "2026-11-30T10:00:00Z", "sampledValue": [{"value": "1"}] * 2_000}],
        },
    )
    await server.store.write(nothing)

    lengths = [len(row.request) for row in await server.log_of(1)]
    assert lengths == [KEPT_CHARS, KEPT_CHARS]


async def test_secrets_in_what_a_charger_sends_are_blanked(client: Client, server: Server) -> None:
    await client.call("DataTransfer", {"vendorId": "x", "data": '{"WifiPsk":"s3cret"}'})
    await client.call("DataTransfer", {"vendorId": "x", "data": "apn.key=s3cret;" + "y" * 60_000})
    await server.store.write(nothing)

    for row in await server.log_of(1):
        assert "s3cret" not in row.request
        assert "•••" in row.request


async def test_without_room_nothing_is_logged_and_calls_are_answered(client: Client, server: Server) -> None:
    server.settings.logs_messages = False
    answer = await client.call("DataTransfer", {"vendorId": "x"})
    await server.store.write(nothing)

    assert answer == {"status": "UnknownVendorId"}
    assert (await server.store.read(message_log.page, StationId(1))).messages == []
