"""JSON that is nested deep, as it was stored or as a browser sends it: no page fails for it."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from appliance.db.stations import message_log
from appliance.domain.identifiers import StationId
from tests.ui.console_fixture import NOW_MS, ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}


def nested(depth: int) -> str:
    """Lists and objects in turn."""
    return '[{"x":' * (depth // 2) + "7" + "}]" * (depth // 2)


@pytest.mark.parametrize("depth", [10, 250, 260, 1_000, 30_000])
async def test_the_page_of_messages_shows_what_is_nested_deep(served: ConsoleFixture, depth: int) -> None:
    client = await served.logged_in()
    frame = f'[2,"deep-{depth}","StopTransaction",{nested(depth)}]'
    row = (StationId(1), NOW_MS, "in", "StopTransaction", frame, nested(depth), "unreadable")
    await served.store.write(message_log.record, row)

    for page in ("messages", "messages.jsonl"):
        async with client.get(f"/stations/CS-01/{page}") as answer:
            assert answer.status == 200
            assert f"deep-{depth}" in await answer.text()


@pytest.mark.parametrize(("depth", "status"), [(240, "echo"), (260, "This is no JSON"), (3_000, "This is no JSON")])
async def test_a_call_is_written_by_hand_as_deep_as_frames_are_read(
    served: ConsoleFixture, depth: int, status: str
) -> None:
    client = await served.logged_in()
    form = {"action": "DataTransfer", "payload": f'{{"data":{nested(depth)}}}'}

    async with client.post("/stations/CS-01/call", data=form, headers=OURS) as answer:
        assert answer.status == 200
        assert status in await answer.text()


@pytest.mark.parametrize("note", ["[" * 1_500, "[" * 300 + "]" * 300, "5", "null", "[1]", '{"a":1,"b":2}', "[[],[]]"])
async def test_a_note_that_is_none_of_ours_is_no_note(served: ConsoleFixture, note: str) -> None:
    client = await served.logged_in()
    client.session.cookie_jar.update_cookies({"note": quote(note)}, served.server.make_url("/"))

    async with client.get("/stations") as answer:
        assert answer.status == 200
