"""The board of many connectors: cells by place, what needs a hand above them, filters that count, and a field to find."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from appliance.db.engine.unit import Database
from appliance.domain.identifiers import StationId
from appliance.domain.roles import Role
from appliance.services.announce import StationChanged
from appliance.services.stations import admission
from appliance.services.stations import status as status_units
from appliance.ui.console.board import board
from appliance.ui.console.board.groups import TILES_MAX
from appliance.ui.console.board.states import HAND, Need, State, need_of, state_of
from appliance.ui.wording.words import CHARGING_STATES, FINER, OFFLINE, STARTING, STATUSES, STOPPING
from tests.ui.console_fixture import BY, HOUR_MS, MINUTE_MS, NOW_MS, ConsoleFixture, status

OURS = {"Sec-Fetch-Site": "same-origin"}
YARD = 10
"""Connectors that the fixture's yard has."""


async def grow(served: ConsoleFixture, stations: int, plugs: int = 2, prefix: str = "Deck") -> None:
    """So many stations more, all free."""

    def unit(db: Database) -> set[StationId]:
        made = set()
        for number in range(1, stations + 1):
            station = admission.register(db, f"{prefix}-{number}", f"{prefix} {number}", 0, None, BY)
            status_units.connected(db, station, "1.6", "192.168.2.1", NOW_MS - HOUR_MS)
            for evse in range(1, plugs + 1):
                status(db, station, evse, "Available", 60)
            made.add(station)
        return made

    served.stations.connected |= await served.store.write(unit)


async def page_of(client: TestClient[Any, Any], path: str = "/") -> str:
    async with client.get(path) as answer:
        assert answer.status == 200
        return await answer.text()


def seen(html: str) -> str:
    """What stands there, without marks."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def hands(html: str) -> list[str]:
    return [seen(each) for each in re.findall(r'<li class="hand.*?</li>', html, re.DOTALL)]


def counts(html: str) -> dict[str, int]:
    """The numbers beside the filters."""
    return {name: int(number) for name, number in re.findall(r'<b id="count-(\w*)"[^>]*>(\d+)</b>', html)}


async def test_up_to_two_dozen_connectors_are_tiles_and_more_are_cells(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    await grow(served, 7)
    assert TILES_MAX == YARD + 14
    few = await page_of(client)
    await grow(served, 1, plugs=1, prefix="Mast")
    many = await page_of(client)

    assert (few.count("<article"), few.count('class="cell ')) == (24, 0)
    assert (many.count("<article"), many.count('class="cell ')) == (0, 25)


async def test_cells_stand_by_place_and_alone_ones_last(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    await grow(served, 9)
    await served.store.write(admission.place, StationId(4), "North court", served.by)
    html = await page_of(client)

    places = [seen(each) for each in re.findall(r'<header id="place-\d+">(.*?)</header>', html, re.DOTALL)]
    assert places == [
        "Court 3 connectors · 0 free · 1 needs a hand",
        "Deck 18 connectors · 18 free",
        "Hall 2 connectors · 0 free · 1 needs a hand",
        "North court 1 connector · 0 free · 1 needs a hand",
        "Others 4 connectors · 1 free · 2 charging, 29 kW",
    ]
    assert re.search(r'<b aria-hidden="true">9 · 2</b>', html)
    assert "Deck 9 · 2, Free" in seen(html)


async def test_what_needs_a_hand_stands_above_the_most_urgent_first(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    await grow(served, 9)
    await served.store.write(status, StationId(2), 1, "Charging", 2)
    html = await page_of(client)

    assert hands(html) == [
        "Hall 1 Ground fault: do not touch RCD tripped Why?",
        "Court 1 Last seen 3 min ago CS-07 Why?",
        "Ramp A Charges without a session for 2 min Why?",
        "Hall 2 Finished, the cable is still in Rahima Khatun · finished at 15:02 Unlock",
    ]
    assert html.index('id="hands"') < html.index('class="sieve"') < html.index('class="cells"')


async def test_many_of_one_cause_are_one_row(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    await grow(served, 9)
    gone = [station for station in served.stations.connected if station > 9][:3]
    served.stations.connected -= set(gone)
    served.now_ms += 10 * MINUTE_MS
    html = await page_of(client)

    assert "7 connectors are offline Court 1, Deck (6) Show" in hands(html)
    assert 'href="/?show=offline"' in html


async def test_filters_count_and_none_is_lost(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    await grow(served, 9)
    told = counts(await page_of(client))

    assert told == {
        "": 28, HAND: 3, "fault": 1, "offline": 1, "charging": 2, "paused": 1, "waiting": 1, "unplug": 1, "free": 19, "reserved": 1,
        "closed": 1, "other": 0,
    }  # fmt: skip
    assert sum(told[state] for state in State) == told[""]


async def test_a_filter_is_an_address_and_the_field_hides_what_it_does_not_find(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    await grow(served, 9)

    filtered = await page_of(client, "/?show=fault")
    assert '<div class="sieved" data-show="fault">' in filtered
    assert re.search(r'data-show="fault" aria-current="true"', filtered)
    assert filtered.count('class="cell ') == 28, "all are there, so that they stay live"
    for text, name in (
        ("rahima", "Hall 2"),
        ("DECK 7", "Deck 7 · 1"),
        ("CS-04", "Hall 1"),
        ("ground", ""),
        ("free", "Deck 1"),
    ):
        found = await page_of(client, f"/?find={text}")
        shown = re.findall(r'<li class="cell [^>]*?"(?! hidden)>.*?<span class="unseen">([^,]+),', found)
        assert bool(shown) == bool(name), text
        assert not name or any(each.startswith(name) for each in shown)
    assert 'data-show=""' in await page_of(client, "/?show=nonsense")


async def test_a_few_connectors_have_no_filters_and_faults_stand_first(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    html = await page_of(client)

    assert "sieve-find" not in html
    names = [seen(each) for each in re.findall(r"<h2>(.*?)</h2>", html) if "Hall" in each or "Court" in each]
    assert names[:2] == ["Hall 1", "Court 1"]
    assert "3 things" not in html
    assert re.search(r'<p class="lead answer-of is-fault">.*Hall 1', html)


@pytest.mark.parametrize("role", list(Role))
async def test_a_cell_opens_its_tile(served: ConsoleFixture, role: Role) -> None:
    client = await served.logged_in(role)
    await grow(served, 9)
    html = await page_of(client)
    (path,) = re.findall(r'<a href="([^"]+)" data-dialog title="Gate 1 · 1: Charging"', html)

    tile = await page_of(client, unescape(path))

    assert tile.count("<article") == 1
    assert "12.40" in tile
    assert ("/stations/CS-01/1/stop" in tile) is (role in ("owner", "manager", "cashier", "guard"))
    for wrong in ("/stations/CS-01/9", "/stations/CS-01/1?connector=7", "/stations/NOBODY/1"):
        async with client.get(wrong) as answer:
            assert answer.status == 404


async def test_a_change_exchanges_its_cells_its_place_and_the_numbers_only(served: ConsoleFixture) -> None:
    await grow(served, 9)
    everything = await board.fragments(served.console, "owner", "", None)
    await served.store.write(status, StationId(11), 1, "Faulted", 0)

    parts = await board.fragments(served.console, "owner", "", [StationChanged(StationId(11))])
    different = {name for name, html in parts.items() if everything[name] != html}

    assert [name for name in parts if name.startswith("cell-")] == ["cell-tile-11-1-1", "cell-tile-11-2-1"]
    assert different == {"cell-tile-11-1-1", "place-11", "hands", "count-hand", "count-fault", "count-free"}
    html = await page_of(await served.logged_in())
    for name, part in parts.items():
        assert " ".join(part.split()) in " ".join(html.split()), name


async def test_a_place_is_written_on_the_page_of_the_charger(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.INSTALLER)
    async with client.post("/stations/CS-01/name", data={"place": " North court "}, headers=OURS) as answer:
        assert 'value="North court"' in await answer.text()
    async with client.post("/stations/CS-01/name", data={"name": "Gate 7"}, headers=OURS) as answer:
        assert 'value="North court"' in await answer.text(), "another name leaves it"


def test_every_status_is_counted_under_a_state_that_its_filter_names() -> None:
    known = [*STATUSES.values(), *CHARGING_STATES.values(), *FINER.values(), OFFLINE, STARTING, STOPPING]

    assert {status.word for status in known if state_of(status.word) is State.OTHER} == set()
    assert state_of("Humming") is State.OTHER


@pytest.mark.parametrize(
    ("state", "since_s", "unknown", "need"),
    [
        (State.FAULT, 0, False, Need.FAULT),
        (State.FAULT, None, False, Need.FAULT),
        (State.OFFLINE, 179, False, None),
        (State.OFFLINE, 180, False, Need.OFFLINE),
        (State.OFFLINE, None, False, None),
        (State.UNPLUG, 1799, False, None),
        (State.UNPLUG, 1800, False, Need.UNPLUG),
        (State.CHARGING, 600, False, None),
        (State.CHARGING, 119, True, None),
        (State.CHARGING, 120, True, Need.UNKNOWN),
        (State.FREE, 10**6, True, None),
    ],
)
def test_a_hand_is_needed_after_a_while(state: State, since_s: int | None, unknown: bool, need: Need | None) -> None:
    assert need_of(state, since_s, unknown=unknown) is need
