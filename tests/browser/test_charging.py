"""The board while cars come, charge and go: tiles that change by themselves, start and stop in two clicks, the session's page."""

from __future__ import annotations

import time

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import OWNER, Connect, Site, Visit, live
from tests.browser.onlooker import Onlooker
from tests.browser.program import PASSWORD
from tests.support.station import Station

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CARD = "04A1B2C3"
PRICE_MINOR_PER_KWH = 2000
TABS_MAX = 80


@pytest_asyncio.fixture(name="yard", scope="module", loop_scope="module")
async def _yard(site: Site) -> Site:
    """A price, somebody with money and a card, and somebody without."""
    tariff = await site.post(
        "/tariffs",
        {"name": "Day", "energy_minor_per_kwh": PRICE_MINOR_PER_KWH, "idle_minor_per_minute": 100, "tax_percent": 0},
    )
    await site.post(f"/tariffs/{tariff['id']}/default", {})
    group = await site.post("/groups", {"name": "Customers", "policy": "prepaid"})
    for name, uid, paid_minor in (("Rahima Khatun", CARD, 90_000), ("Abdul Malek", "04FFEE01", 0)):
        person = await site.post("/people", {"name": name, "phone": "", "group_id": group["id"]})
        await site.post("/cards", {"uid": uid, "person_id": person["id"]})
        if paid_minor:
            await site.post(f"/people/{person['id']}/topups", {"amount_minor": paid_minor, "method": "cash"})
    return site


@pytest_asyncio.fixture(name="gate", loop_scope="module")
async def _gate(yard: Site, connect: Connect) -> Station:
    """A charger of this test's own, with a car plugged in. Its name on the board is its identity."""
    identity = f"GATE-{len((await yard.get('/stations'))['items']) + 1}"
    await yard.post("/stations", {"id": identity, "name": identity})
    station = await connect(identity)
    await station.plug_in()
    return station


def tile_of(page: Page, station: Station) -> Locator:
    """Its tile on the board."""
    return page.get_by_role("article").filter(has=page.get_by_role("heading", name=station.identity))


async def start_from_tile(page: Page, station: Station, name: str) -> None:
    """Two clicks: on the tile, on the person."""
    await live(page)
    await tile_of(page, station).get_by_role("link", name="Start…").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name, telephone or card").fill(name)
    # Those who charged here last stood there before; what is pressed while the list changes is not pressed.
    await expect(dialog.get_by_text("Charged here last")).to_be_hidden()
    await expect(dialog.locator("li")).to_have_count(1)
    await dialog.locator("li", has_text=name).get_by_role("button").click()


async def begin(station: Station) -> None:
    """What a charger does after it has accepted a remote start."""
    asked = await station.expect_call("RemoteStartTransaction")
    await station.start_transaction(asked["idTag"], connector=asked["connectorId"])


async def test_tile_follows_the_charger_without_a_reload(visit: Visit, gate: Station) -> None:
    page = await visit()
    await page.goto("/")
    await live(page)
    await page.evaluate("() => { document.body.dataset.loaded = 'once'; }")
    delays_ms = []
    for status, word in (
        ("Available", "Free"),
        ("Preparing", "Plugged in"),
        ("Faulted", "Fault"),
        ("Available", "Free"),
    ):
        began_s = time.perf_counter()
        await gate.status(status, error_code="GroundFailure" if status == "Faulted" else "NoError")
        await tile_of(page, gate).get_by_text(word, exact=True).wait_for()
        delays_ms.append(round((time.perf_counter() - began_s) * 1000))
    print(f"from StatusNotification to the tile: {delays_ms} ms")  # noqa: T201
    await expect(page.locator("body")).to_have_attribute("data-loaded", "once")


async def test_session_is_started_and_stopped_from_its_tile_in_two_clicks_each(
    visit: Visit, yard: Site, gate: Station
) -> None:
    page = await visit()
    await page.goto("/")
    await start_from_tile(page, gate, "Rahima Khatun")
    await expect(page.get_by_role("status")).to_contain_text("the charger has accepted")
    await begin(gate)
    tile = tile_of(page, gate)
    await expect(tile).to_contain_text("Charging")
    await expect(tile).to_contain_text("Rahima Khatun")

    await gate.charge(1_500, samples=1)
    await expect(tile).to_contain_text("1.50 kWh")
    await expect(tile).to_contain_text("৳30.00")
    await gate.charge(2_000, samples=2)
    await expect(tile).to_contain_text("3.50 kWh")
    await expect(tile).to_contain_text("৳70.00")
    await expect(tile).to_contain_text("7.4 kW")

    await live(page)
    await tile.get_by_role("link", name="Stop").click()
    await page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    await expect(page.get_by_role("status")).to_contain_text("the charger is stopping")
    await gate.expect_call("RemoteStopTransaction")
    await gate.stop_transaction(reason="Remote")
    await expect(tile).to_contain_text("Please unplug")

    await tile.get_by_role("link", name="Details").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Rahima Khatun")
    answer = page.locator(".figures")
    await expect(answer).to_contain_text("3.50 kWh")
    await expect(answer).to_contain_text("৳70.00")
    bill = page.locator("section", has=page.get_by_role("heading", name="What it costs"))
    await expect(bill.get_by_role("row", name="Energy")).to_contain_text("3.500 kWh × ৳20.00")
    await expect(bill.get_by_role("row", name="In all")).to_contain_text("৳70.00")
    curve = page.locator("section", has=page.get_by_role("heading", name="Power"))
    await expect(curve.get_by_role("img", name="Power during the session")).to_be_visible()
    await expect(curve.locator("polyline.chart-line")).to_have_count(1)
    numbers = page.locator("details", has_text="The same as numbers")
    await numbers.locator("summary").click()
    await expect(numbers.get_by_role("row")).to_have_count(4)
    session = (await yard.get("/sessions"))["items"][0]
    assert (session["energy_wh"], session["fee_minor"], session["stop_reason"]) == (3500, 7000, "Remote")


async def test_refusal_of_the_charger_is_shown_and_no_money_stays_held(visit: Visit, yard: Site, gate: Station) -> None:
    gate.answers["RemoteStartTransaction"] = {"status": "Rejected"}
    page = await visit()
    await page.goto("/")
    await start_from_tile(page, gate, "Rahima Khatun")
    await expect(page.locator(".note.is-failed")).to_contain_text(gate.identity)
    rahima = next(one for one in (await yard.get("/people"))["items"] if one["name"] == "Rahima Khatun")
    assert rahima["available_minor"] == rahima["balance_minor"]


async def test_start_for_somebody_without_money_is_refused_in_words(
    visit: Visit, gate: Station, onlooker: Onlooker
) -> None:
    page = await visit()
    await page.goto("/")
    await start_from_tile(page, gate, "Abdul Malek")
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_role("heading", name="Start charging for whom?")).to_be_visible()
    onlooker.expect_refusals(409)


async def test_session_is_started_by_keyboard_alone(visit: Visit, gate: Station) -> None:
    page = await visit(None)
    await page.goto("/login")
    await expect(page.get_by_label("Log-in name")).to_be_focused()
    await page.keyboard.type(OWNER)
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("Password")).to_be_focused()
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Test yard").wait_for()

    await live(page)
    await page.keyboard.press("/")
    await expect(page.get_by_role("searchbox").first).to_be_focused()
    await page.keyboard.type(gate.identity)
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", level=1, name=gate.identity).wait_for()
    await live(page)
    await tab_to(page, "main a", "Start…")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog").get_by_role("searchbox")).to_be_focused()
    await page.keyboard.type("Rahima")
    await page.get_by_role("dialog").get_by_role("button", name="Rahima Khatun").wait_for()
    await tab_to(page, "dialog button", "Rahima Khatun")
    await page.keyboard.press("Enter")
    await begin(gate)
    await expect(page.get_by_role("status")).to_contain_text("the charger has accepted")
    await gate.stop_transaction()


async def tab_to(page: Page, kind: str, text: str) -> None:
    """Press Tab until the link or button with this text has the focus, which must be visible."""
    for _ in range(TABS_MAX):
        await page.keyboard.press("Tab")
        if await page.locator(f"{kind}:focus", has_text=text).count():
            assert await page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") != "none"
            return
    pytest.fail(f"Tab never comes to {text}")


async def test_session_is_started_with_javascript_switched_off(visit: Visit, gate: Station) -> None:
    page = await visit(java_script_enabled=False)
    await page.goto("/")
    await tile_of(page, gate).get_by_role("link", name="Start…").click()
    await page.get_by_label("Name, telephone or card").fill("Rahima")
    await page.locator(".ask").get_by_role("button", name="Search").click()
    await page.get_by_role("button", name="Rahima Khatun").click()
    await begin(gate)
    await expect(page.get_by_role("status")).to_contain_text("the charger has accepted")
    await gate.stop_transaction()
