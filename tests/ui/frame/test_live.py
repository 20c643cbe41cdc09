"""Live pages: what changes reaches every browser that shows it, once, and nothing else does."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from aiohttp import ClientResponse

from appliance.domain.by import By
from appliance.domain.identifiers import StationId
from appliance.domain.roles import Role
from appliance.services.announce import StationChanged
from appliance.services.operators import log_ins, operators, tokens
from appliance.services.stations import status
from appliance.ui.frame import live
from appliance.ui.frame.live import LIVE, STREAMS_OF_ONE_MAX, WAITING_MAX, Channel, Stream, event
from tests.support.statuses import status_changed
from tests.ui.console_fixture import ConsoleFixture


async def next_event(stream: ClientResponse) -> tuple[str, Any]:
    """The next event that is no heartbeat."""
    name = ""
    while True:
        line = (await stream.content.readline()).decode()
        assert line, "the stream has ended"
        if line.startswith("event: "):
            name = line[7:].strip()
        elif line.startswith("data: "):
            return name, orjson.loads(line[6:])


async def watch(served: ConsoleFixture, views: str = "board", role: Role = Role.OWNER) -> ClientResponse:
    """A stream, after its first event: everything as it is."""
    client = await served.logged_in(role)
    stream = await client.get("/live", params=[("view", view) for view in views.split()])
    assert stream.status == 200
    return stream


async def set_status(served: ConsoleFixture, station: int, word: str) -> None:
    """A StatusNotification."""
    changed = status_changed(1, word, served.now_ms + 1, served.now_ms + 1)
    await served.store.write(status.status_changed, StationId(station), changed)


async def test_a_stream_begins_with_everything_as_it_is(served: ConsoleFixture) -> None:
    name, fragments = await next_event(await watch(served))

    assert name == "fragments"
    assert {"figures", "knocking", "tile-1-1-1", "tile-1-2-1", "tile-7-1-1"} <= set(fragments)


async def test_a_status_reaches_the_board_and_only_what_changed_is_sent(served: ConsoleFixture) -> None:
    stream = await watch(served)
    await next_event(stream)

    await set_status(served, 2, "Charging")
    _, fragments = await next_event(stream)

    assert set(fragments) == {"tile-2-1-1"} | (set(fragments) & {"figures"})
    assert "Charging" in fragments["tile-2-1-1"]


async def test_the_fragment_is_what_the_page_shows(served: ConsoleFixture) -> None:
    stream = await watch(served)
    _, fragments = await next_event(stream)
    page = await (await (await served.logged_in()).get("/")).text()

    assert fragments["tile-1-1-1"].strip() in page
    assert fragments["figures"].strip() in page


async def test_many_changes_at_once_are_one_event(served: ConsoleFixture) -> None:
    stream = await watch(served)
    await next_event(stream)

    for word in ("Charging", "SuspendedEV", "Charging", "Finishing"):
        await set_status(served, 2, word)
        served.now_ms += 1
    _, fragments = await next_event(stream)

    assert "Please unplug" in fragments["tile-2-1-1"]


async def test_who_may_do_less_is_sent_fewer_buttons(served: ConsoleFixture) -> None:
    _, for_owner = await next_event(await watch(served, role=Role.OWNER))
    _, for_viewer = await next_event(await watch(served, role=Role.VIEWER))

    assert "/stop" in for_owner["tile-1-1-1"]
    assert "/stop" not in for_viewer["tile-1-1-1"]


async def test_several_views_share_one_stream(served: ConsoleFixture) -> None:
    stream = await watch(served, "board problems station:CS-04")
    ids: set[str] = set()
    for _ in range(3):
        ids |= set((await next_event(stream))[1])

    assert {"figures", "open-problems", "station-now"} <= ids


async def test_twenty_screens_are_rendered_for_once(served: ConsoleFixture) -> None:
    streams = [await watch(served) for _ in range(20)]
    for stream in streams:
        await next_event(stream)

    assert len(served.server.app[LIVE].channels()) == 1
    await set_status(served, 2, "Charging")
    sent = [orjson.dumps((await next_event(stream))[1]) for stream in streams]
    assert len(set(sent)) == 1


async def test_the_last_one_to_leave_ends_the_channel(served: ConsoleFixture) -> None:
    stream = await watch(served)
    await next_event(stream)
    live = served.server.app[LIVE]
    assert len(live.channels()) == 1

    stream.close()
    async with asyncio.timeout(20):
        while live.channels():
            # A closed connection is noticed at the next write.
            await set_status(served, 2, "Charging" if served.now_ms % 2 else "Preparing")
            served.now_ms += 1
            await asyncio.sleep(0.05)


async def test_who_leaves_just_as_something_changes_leaves_nothing_behind(served: ConsoleFixture) -> None:
    """Whatever turn of the loop the two meet in."""
    await next_event(await watch(served))
    (watched,) = served.server.app[LIVE].channels()
    channel, stream = Channel(watched._console, watched.view, watched._key), Stream()
    for turns in range(10):
        await channel.join(stream)
        await asyncio.sleep(0)
        channel.hear([StationChanged(1, 1)])
        for _ in range(turns):
            await asyncio.sleep(0)
        async with asyncio.timeout(20):
            await channel.leave(stream)


async def test_who_comes_just_as_the_last_one_leaves_is_told_what_happens(served: ConsoleFixture) -> None:
    """The next page of the same browser asks for the view while that is being rendered for the page before."""
    before = await watch(served)
    await next_event(before)
    (channel,) = served.server.app[LIVE].channels()
    (leaving,) = channel.streams
    async with channel._rendering:
        stream = await watch(served)
        leaving.push(None)
        assert (await before.content.read()).strip() == b""

    await next_event(stream)
    await set_status(served, 2, "Charging")
    async with asyncio.timeout(20):
        _, fragments = await next_event(stream)

    assert "tile-2-1-1" in fragments


async def test_a_browser_that_does_not_keep_up_is_cut_off() -> None:
    stream = Stream()
    for number in range(WAITING_MAX + 1):
        stream.push(event("fragments", {"n": str(number)}))

    assert stream.dead


async def test_nobody_watches_without_a_log_in(served: ConsoleFixture) -> None:
    answer = await served.anybody().get("/live?view=board", headers={"Accept": "text/event-stream"})

    assert answer.status == 403


@pytest.mark.parametrize("end", ["log out", "disable"])
async def test_a_log_in_that_ended_is_shown_nothing_more_however_busy_the_site_is(
    served: ConsoleFixture, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "RECHECK_S", 0.0)
    owner = await served.operator(Role.OWNER, "other")
    client = await served.logged_in(Role.GUARD)
    token = next(cookie.value for cookie in client.session.cookie_jar if cookie.key == "sid")
    visit = await served.store.read(log_ins.visit, tokens.hash_token(token), served.now_ms)
    assert visit is not None
    stream = await client.get("/live", params=[("view", "board")])
    await next_event(stream)

    if end == "log out":
        await served.store.write(log_ins.log_out, visit.log_in, served.now_ms)
    else:
        await served.store.write(operators.disable, visit.operator, by=By(f"operator:{owner}", served.now_ms))

    await set_status(served, 1, "Faulted")

    assert await next_event(stream) == ("ended", {})
    assert (await stream.content.read()).strip() == b""


async def test_the_server_stops_although_somebody_watches(served: ConsoleFixture) -> None:
    stream = await watch(served)
    await next_event(stream)

    await served.server.app[LIVE].close()

    assert (await stream.content.read()).strip() == b""


async def test_one_log_in_does_not_take_all_streams_and_one_that_left_is_free_at_once(served: ConsoleFixture) -> None:
    client, other = await served.logged_in(Role.VIEWER), await served.logged_in(Role.VIEWER)
    open_ones = [await client.get("/live?view=board") for _ in range(STREAMS_OF_ONE_MAX)]
    assert {one.status for one in open_ones} == {200}
    assert (await client.get("/live?view=board")).status == 503
    assert (await other.get("/live?view=board")).status == 200

    for one in open_ones:
        one.close()
    async with asyncio.timeout(10):
        while (await client.get("/live?view=board")).status != 200:  # noqa: ASYNC110 - as a browser tries again.
            await asyncio.sleep(0)
