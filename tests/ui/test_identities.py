"""Stations whose identities are percent-encoded on the wire: connected, shown, commanded and asked for like any other."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from urllib.parse import quote, urljoin

import aiohttp
import orjson
import pytest
from yarl import URL

from appliance.services.stations import admission
from tests.api.site import open_site
from tests.ocpp.raw import basic
from tests.ui.console_fixture import ConsoleFixture, open_console

IDENTITIES = ["RDAM 123", "A/B-1", "CP#1", "50%", "CP?1", "a&b=c", "CP+1", "%2F", "ক/খ", "x;y", 'q"<b>', "..a", "CS-1"]
PAGES = ["", "/messages", "/messages.jsonl", "/variables", "/call", "/security", "/retire", "/1/start", "/1/unlock"]
HREF = re.compile(r'(?:href|action|formaction|data-[a-z-]+)="(/[^"]*)"')


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[ConsoleFixture]:
    async with open_console(tmp_path) as console:
        yield console


@pytest.mark.parametrize("identity", IDENTITIES)
async def test_every_page_of_a_station_is_found_and_leads_to_its_others(served: ConsoleFixture, identity: str) -> None:
    await served.store.write(admission.register, identity, "Far end", None, None, served.by)
    client, path = await served.logged_in(), f"/stations/{quote(identity, safe='')}"
    links: set[str] = set()
    for page in PAGES:
        answer = await client.get(path + page, allow_redirects=False)
        assert answer.status in (200, 302, 303), (page, answer.status)
        if answer.content_type == "text/html" and answer.status == 200:
            text = await answer.text()
            links |= {unescape(link) for link in HREF.findall(text) if "/stations/" in link}

    own = {link for link in links if link.startswith(path)}
    assert own
    for link in own:
        assert (await client.get(link, allow_redirects=False)).status in (200, 302, 303, 405), link


@pytest.mark.parametrize("identity", IDENTITIES)
async def test_a_form_of_a_station_is_taken_and_leads_back(served: ConsoleFixture, identity: str) -> None:
    await served.store.write(admission.register, identity, "Far end", None, None, served.by)
    client, path = await served.logged_in(), f"/stations/{quote(identity, safe='')}"
    answer = await client.post(
        f"{path}/name", data={"name": "Near end"}, headers={"Sec-Fetch-Site": "same-origin"}, allow_redirects=False
    )

    assert answer.status == 303
    back = await client.get(urljoin(path, answer.headers["Location"]))
    assert (back.status, "Near end" in await back.text()) == (200, True)


@pytest.mark.parametrize("identity", IDENTITIES)
async def test_it_connects_with_its_password_and_the_api_finds_and_commands_it(tmp_path: Path, identity: str) -> None:
    encoded = quote(identity, safe="")
    async with open_site(tmp_path) as site:
        api = await site.client()
        made = await api.post("/stations", {"id": identity, "password": "correct horse"})
        assert (made.status, made["id"]) == (201, identity)
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(
                URL(f"{site.stations_url}{encoded}", encoded=True),
                protocols=("ocpp1.6",),
                headers=basic(identity, "correct horse"),
            ) as socket,
        ):
            await socket.send_str('[2,"b","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]')
            assert '"Accepted"' in await socket.receive_str()
            found = await api.get(f"/stations/{encoded}")
            assert (found["id"], found["online"], found["vendor"]) == (identity, True, "V")
            work = asyncio.ensure_future(api.post(f"/stations/{encoded}/reset", {}))
            call = orjson.loads(await socket.receive_str(timeout=10))
            await socket.send_str(f'[3,"{call[1]}",{{"status":"Accepted"}}]')
            assert (await work).status == 200
        assert (await api.get("/sessions", station=identity)).status == 200
