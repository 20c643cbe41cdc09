"""Those who work there: who sees what, log-ins that end, guesses that are slowed down; problems, messages, the language."""

from __future__ import annotations

import re

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.conftest import OWNER, Connect, Site, Visit, live, log_in
from tests.browser.onlooker import Onlooker
from tests.browser.program import PASSWORD, add_operator

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PHONE = "+880 1712 345678"
GUESSES_MAX = 60


@pytest_asyncio.fixture(name="yard", scope="module", loop_scope="module")
async def _yard(site: Site) -> Site:
    """A cashier and a viewer besides the owner, and somebody with a telephone."""
    await add_operator(site.program.directory, "salma", "cashier", "Salma Begum")
    await add_operator(site.program.directory, "faruk", "viewer", "Faruk Hossain")
    group = await site.post("/groups", {"name": "Staff", "policy": "free"})
    person = await site.post("/people", {"name": "Rahima Khatun", "phone": PHONE, "group_id": group["id"]})
    await site.post("/cards", {"uid": "04A1B2C3", "person_id": person["id"]})
    await site.post("/stations", {"id": "HALL", "name": "Hall"})
    return site


async def test_cashier_sees_people_but_neither_settings_nor_messages(
    visit: Visit, yard: Site, onlooker: Onlooker
) -> None:
    page = await visit("salma")
    await page.goto("/people")
    await expect(page.get_by_role("cell", name=PHONE, exact=True)).to_be_visible()
    navigation = page.get_by_role("navigation", name="Main navigation").first
    offered = {text.strip() for text in await navigation.get_by_role("link").all_inner_texts()}
    assert {"People", "Cards"} <= offered
    assert not {"Settings", "Operators", "Audit list"} & offered
    for path in ("/settings", "/operators", "/stations/HALL/messages"):
        answer = await page.goto(path)
        assert answer is not None
        assert answer.status == 403
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
    onlooker.expect_refusals(403, 403, 403)


async def test_viewer_sees_sessions_without_telephone_numbers(
    visit: Visit, yard: Site, connect: Connect, onlooker: Onlooker
) -> None:
    station = await connect("HALL")
    await station.plug_in()
    await station.present_card("04A1B2C3")
    await station.charge(1_000, duration_s=30)
    page = await visit("faruk")
    for path in ("/", "/sessions", "/sessions/1", "/search?q=Rahima"):
        await page.goto(path)
        assert "1712" not in await page.content()
    await page.goto("/")
    await expect(page.get_by_role("article").first).to_contain_text("Rahima Khatun")
    await expect(page.get_by_role("article").get_by_role("link", name="Stop")).to_have_count(0)
    answer = await page.goto("/people")
    assert answer is not None
    assert answer.status == 403
    onlooker.expect_refusals(403)
    await station.unplug()


async def test_who_logs_out_is_out(visit: Visit, yard: Site) -> None:
    page = await visit(None)
    await log_in(page, "salma")
    await page.goto("/account")
    await page.get_by_role("button", name="Log out").first.click()
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    await page.goto("/people")
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    await page.go_back()
    await page.reload()
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()


async def test_log_in_that_is_ended_from_elsewhere_is_over(visit: Visit, yard: Site) -> None:
    lost, here = await visit(None), await visit(None)
    await log_in(lost, "faruk")
    await lost.get_by_role("link", name="Faruk Hossain").wait_for()
    await log_in(here, "faruk")
    await here.goto("/account")
    others = here.locator("form[action*='/log-ins/']").get_by_role("button", name="Log out")
    while await others.count():
        async with here.expect_navigation():
            await others.first.click()
    await lost.goto("/sessions")
    await expect(lost.get_by_role("heading", name="Log in")).to_be_visible()
    await here.goto("/sessions")
    await expect(here.get_by_role("heading", name="Sessions")).to_be_visible()


async def test_each_wrong_password_takes_longer_than_the_last_and_the_right_one_is_heard(
    visit: Visit, yard: Site, onlooker: Onlooker
) -> None:
    page = await visit(None)
    await page.goto("/login")
    waits_s: list[int] = []
    for _ in range(GUESSES_MAX):
        waited_s = await guess(page, "wrong horse battery staple")
        if waited_s and waited_s > max(waits_s, default=0):
            waits_s.append(waited_s)
        if len(waits_s) == 2:
            break
    assert len(waits_s) == 2
    for _ in range(GUESSES_MAX * 10):
        await guess(page, PASSWORD)
        if await page.get_by_role("link", name="Board").count():
            break
    await expect(page.get_by_role("heading", name="Test yard")).to_be_visible()
    assert set(onlooker.refused) == {401, 429}
    onlooker.refused.clear()


async def guess(page: Page, password: str) -> int:
    """Try to log in; how many seconds the page says to wait, 0 if it does not."""
    await page.get_by_label("Log-in name").fill(OWNER)
    await page.get_by_label("Password").fill(password)
    async with page.expect_navigation():
        await page.get_by_role("button", name="Log in").click()
    alert = page.get_by_role("alert")
    told = re.search(r"in (\d+) s", await alert.inner_text()) if await alert.count() else None
    return int(told[1]) if told else 0


async def test_problem_appears_by_itself_with_advice_and_goes_when_it_is_over(
    visit: Visit, yard: Site, connect: Connect
) -> None:
    station = await connect("HALL")
    page = await visit()
    await page.goto("/problems")
    await live(page)
    await station.status("Faulted", error_code="GroundFailure")
    problem = page.get_by_role("listitem").filter(has_text="Ground fault")
    await expect(problem).to_contain_text("Hall")
    await station.status("Available")
    await expect(problem).to_have_count(0)


async def test_message_log_shows_what_charger_and_server_said(visit: Visit, yard: Site, connect: Connect) -> None:
    station = await connect("HALL")
    await station.status("Preparing")
    page = await visit()
    await page.goto("/stations/HALL")
    await page.get_by_role("link", name="Message log").click()
    line = page.locator("li", has_text="StatusNotification").first
    await line.locator("summary").click()
    await expect(line.locator("pre").first).to_contain_text('"status": "Preparing"')
    await page.get_by_label("Sent by").select_option("in")
    await page.get_by_label("Message").select_option("BootNotification")
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator("ol.log li").first).to_contain_text("BootNotification")
    await expect(page.locator("ol.log li", has_text="StatusNotification")).to_have_count(0)
    async with page.expect_download() as coming:
        await page.get_by_role("link", name="Export").click()
    assert (await coming.value).suggested_filename.endswith(".jsonl")


async def test_audit_list_says_who_did_what(visit: Visit, yard: Site) -> None:
    page = await visit()
    await page.goto("/stations/HALL")
    await page.get_by_label("Name on the board").fill("Hall of the north")
    await page.get_by_role("button", name="Rename").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Hall of the north")
    await page.goto("/audit")
    await expect(page.get_by_role("row").nth(1)).to_contain_text("Nasrin Akter")
    await expect(page.get_by_role("row").nth(1)).to_contain_text("it is called Hall of the north now")
    await page.goto("/stations/HALL")
    await page.get_by_label("Name on the board").fill("Hall")
    await page.get_by_role("button", name="Rename").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Hall")


async def test_bengali_is_chosen_under_the_own_name_and_writes_bengali_digits(visit: Visit, yard: Site) -> None:
    page = await visit(None)
    await log_in(page, "salma")
    await page.goto("/account")
    await page.locator("select[name=language]").select_option("bn")
    async with page.expect_navigation():
        await page.locator("form[action='/account/language'] button").click()
    await expect(page.locator("html")).to_have_attribute("lang", "bn")
    await page.goto("/people")
    figures = await page.locator("tfoot").inner_text()
    assert re.search("[০-৯]", figures)
    assert not re.search("[0-9]", figures)
