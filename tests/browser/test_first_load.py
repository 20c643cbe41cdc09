"""What a browser that was never here fetches, counted by itself: a driver's page, and the board of two hundred connectors."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Site, Visit
from tests.support.station import Station

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

DRIVER_BYTES_MAX = 30_000
CONSOLE_BYTES_MAX = 60_000
STATIONS = 100


async def fetched(page: Page, address: str) -> dict[str, int]:
    """What came over the wire for the page, heads included, by path (bytes)."""
    client = await page.context.new_cdp_session(page)
    await client.send("Network.enable")
    paths: dict[str, str] = {}
    sizes: dict[str, int] = {}
    client.on("Network.requestWillBeSent", lambda told: paths.update({told["requestId"]: told["request"]["url"]}))
    client.on("Network.loadingFinished", lambda told: sizes.update({told["requestId"]: int(told["encodedDataLength"])}))
    await page.goto(address, wait_until="networkidle" if "/c/" in address else "load")
    await client.detach()
    return {urlsplit(paths[request]).path: size for request, size in sizes.items()}


async def test_a_phone_fetches_less_than_thirty_kilobytes_and_the_next_time_the_page_alone(
    visit: Visit, site: Site
) -> None:
    await site.post("/stations", {"id": "RAMP", "name": "Ramp A", "security_profile": 0})
    station = Station(site.program.stations, "RAMP")
    await station.connect()
    await station.boot()
    await station.close()
    staff = await visit()
    await staff.goto("/stations/RAMP")
    address = await staff.locator("code.address", has_text="/c/").first.inner_text()
    found = re.match(r"http://[\d.:]+/c/[a-z2-7]{8}", address)
    assert found is not None
    phone = await visit(None)

    first = await fetched(phone, found[0])
    second = await fetched(phone, found[0])

    print(first, sum(first.values()))  # noqa: T201  # a figure for whoever reads the run
    assert any(path.endswith("/app.css") for path in first)
    assert sum(first.values()) <= DRIVER_BYTES_MAX
    assert [path for path, size in second.items() if size] == [urlsplit(found[0]).path]


async def test_the_board_of_two_hundred_connectors_takes_less_than_sixty_kilobytes(visit: Visit, site: Site) -> None:
    for number in range(1, STATIONS + 1):
        identity = f"CS-{number:03}"
        await site.post("/stations", {"id": identity, "name": f"Gate {number}", "security_profile": 0})
        station = Station(site.program.stations, identity, connectors=2)
        await station.connect()
        await station.boot()
        await station.close()
    staff = await visit()

    first = await fetched(staff, "/")

    await expect(staff.get_by_text("Gate 100").first).to_be_visible()
    print(first, sum(first.values()))  # noqa: T201  # a figure for whoever reads the run
    assert any(path.endswith("/app.js") for path in first)
    assert sum(first.values()) <= CONSOLE_BYTES_MAX
