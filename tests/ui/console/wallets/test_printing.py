"""Papers on the printer of receipts: what the page shows is what comes out, and what fails loses nothing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson
import pytest
from aiohttp.test_utils import TestClient

from appliance.db import problems
from appliance.domain.by import By
from appliance.domain.cash import Cash
from appliance.domain.identifiers import PersonId
from appliance.domain.problem import ProblemKind
from appliance.domain.roles import Role
from appliance.domain.slip import Row, Slip, Style
from appliance.printer.printer import ReceiptPrinter
from appliance.printer.raster import draw
from appliance.services.settings import Settings
from appliance.services.till import shifts
from appliance.services.wallets import wallets
from appliance.ui.writing.slips import read_slips
from tests.support.fake_printer import FakePrinter, fake_printer
from tests.ui.console_fixture import NOW_MS, ConsoleFixture, open_console

RAHIMA = PersonId(1)
Browser = TestClient[Any, Any]


@pytest.fixture(name="fake")
async def _fake() -> AsyncIterator[FakePrinter]:
    async with fake_printer() as fake:
        fake.says_done = True
        yield fake


@asynccontextmanager
async def printing_console(directory: Path, fake: FakePrinter, **more: Any) -> AsyncIterator[ConsoleFixture]:
    values = Settings(printer=str(fake.place), **more)
    async with open_console(directory, settings=values, printer=ReceiptPrinter()) as served:
        yield served


async def top_up(served: ConsoleFixture, method: str = "cash", actor: str = "operator:1") -> int:
    booked = await served.store.write(
        lambda db: wallets.top_up(db, RAHIMA, 500_00, method, f"print-{method}-{actor}", By(actor, NOW_MS))
    )
    assert booked.receipt is not None
    return booked.receipt


async def troubles(served: ConsoleFixture) -> list[str]:
    """What is known to be wrong with the printer."""
    found = await served.store.read(problems.open_problems)
    return [one.details["why"] for one in found if one.kind == ProblemKind.PRINTER]


async def page(client: Browser, path: str) -> str:
    async with client.get(path) as answer:
        assert answer.status == 200
        return await answer.text()


async def press(client: Browser, html: str, action: str) -> tuple[str, str]:
    """Send the form of a page whose address begins so; where it leads, and what is said there."""
    found = re.search(rf'action="({re.escape(action)}[^"]*)"', html)
    assert found is not None, html
    headers = {"Origin": str(client.make_url("/")).rstrip("/")}
    async with client.post(unescape(found[1]), headers=headers, allow_redirects=False) as answer:
        assert answer.status == 303, await answer.text()
        return unquote(answer.headers["Location"]), orjson.loads(unquote(answer.cookies["note"].value))[1]


def printed(slip: Slip, width: int = 576) -> list[str]:
    picture = draw(slip, width)
    bits = "".join(f"{byte:08b}" for byte in picture.data).replace("0", " ").replace("1", "#")
    return [bits[begin : begin + width] for begin in range(0, len(bits), width)]


@pytest.mark.parametrize("tongue", ["en", "bn"])
async def test_a_receipt_comes_out_as_the_page_shows_it_in_its_language(
    tmp_path: Path, fake: FakePrinter, tongue: str
) -> None:
    async with printing_console(tmp_path, fake) as served:
        client, number = await served.logged_in(Role.CASHIER), await top_up(served)
        html = await page(client, f"/receipts/{number}?language={tongue}&back=/till")
        location, said = await press(client, html, f"/receipts/{number}/print")

    (slip,) = read_slips(html)
    assert fake.papers[0].pictures == [printed(slip)]
    assert ("জমা" if tongue == "bn" else "Top-up") in {row.text for row in slip}
    assert location == "/till"
    assert f"Receipt {number}, ৳500.00: printed." in said


async def test_what_was_just_booked_is_sent_by_the_page_itself_and_an_old_receipt_is_not(
    tmp_path: Path, fake: FakePrinter
) -> None:
    async with printing_console(tmp_path, fake) as served:
        client, number = await served.logged_in(Role.CASHIER), await top_up(served)
        assert "data-send-now" in (just := await page(client, f"/receipts/{number}?print=1&back=/till"))
        assert "data-print-now" not in just
        assert "data-send-now" not in await page(client, f"/receipts/{number}")


async def test_without_a_printer_the_browser_prints_and_nothing_else_is_offered(served: ConsoleFixture) -> None:
    client, number = await served.logged_in(Role.CASHIER), await top_up(served)
    html = await page(client, f"/receipts/{number}?print=1")

    assert "data-print-now" in html
    assert f"/receipts/{number}/print" not in html


async def test_a_printer_that_fails_loses_nothing_and_says_so_until_it_prints(
    tmp_path: Path, fake: FakePrinter
) -> None:
    async with printing_console(tmp_path, fake) as served:
        client, number = await served.logged_in(Role.CASHIER), await top_up(served)
        fake.says = b"\x72"
        html = await page(client, f"/receipts/{number}?print=1&language=bn&back=/till")
        location, said = await press(client, html, f"/receipts/{number}/print")

        assert location == f"/receipts/{number}?again=1&language=bn&back=/till"
        assert "is not printed. The printer has no paper. Put a new roll in" in said
        assert "What was booked is booked." in said
        assert await troubles(served) == ["no_paper"]

        again = await page(client, location)
        assert "Print again" in again
        assert "data-send-now" not in again
        fake.says = b"\x12"
        assert (await press(client, again, f"/receipts/{number}/print"))[0] == "/till"
        assert await troubles(served) == []


@pytest.mark.parametrize(
    ("method", "is_mine", "later_min", "opens"),
    [("cash", True, 0, True), ("mobile", True, 0, False), ("cash", False, 0, False), ("cash", True, 11, False)],
)
async def test_the_drawer_opens_for_cash_that_was_just_moved_by_who_prints(
    tmp_path: Path, fake: FakePrinter, method: str, is_mine: bool, later_min: int, opens: bool
) -> None:
    async with printing_console(tmp_path, fake, printer_drawer=True) as served:
        client = await served.logged_in(Role.CASHIER)
        number = await top_up(served, method, "operator:1" if is_mine else "operator:99")
        served.now_ms += later_min * 60_000
        await press(client, await page(client, f"/receipts/{number}"), f"/receipts/{number}/print")

    assert ("drawer" in fake.papers[0].did) is opens


async def test_the_report_of_a_shift_comes_out_on_narrow_paper_and_is_cut(tmp_path: Path, fake: FakePrinter) -> None:
    async with printing_console(tmp_path, fake, printer_narrow=True, printer_cuts=True) as served:
        client = await served.logged_in(Role.CASHIER)
        shift = await served.store.write(lambda db: shifts.open_shift(db, Cash(100_00), By("operator:1", NOW_MS)).id)
        html = await page(client, f"/till/shifts/{shift}")
        await press(client, html, f"/till/shifts/{shift}/print")

    assert fake.papers[0].pictures == [printed(read_slips(html)[0], 384)]
    assert fake.papers[0].did[-2:] == ["cut", "done?"]


async def test_a_test_is_printed_and_honest(tmp_path: Path, fake: FakePrinter) -> None:
    async with printing_console(tmp_path, fake) as served:
        client = await served.logged_in(Role.MANAGER)
        html = await page(client, "/settings?q=printer")
        assert (await press(client, html, "/settings/printer"))[1].endswith("printed.")
        fake.says_done = False
        assert "Look whether it came out" in (await press(client, html, "/settings/printer"))[1]
        fake.hangs_up_after = 1_000
        assert "went away in the middle" in (await press(client, html, "/settings/printer"))[1]


@pytest.mark.parametrize("change", [lambda html: html.replace("<p ", "<marquee ", 1)])
def test_what_paper_cannot_show_is_not_left_out_in_silence(change: Callable[[str], str]) -> None:
    html = '<article class="slip"><p class="slip-site">Yard</p></article>'
    assert read_slips(html) == [(Row(Style.TITLE, "Yard"),)]
    with pytest.raises(ValueError, match="marquee"):
        read_slips(change(html))


async def test_a_guard_who_takes_cash_prints_their_own_receipts_and_nobody_elses(
    tmp_path: Path, fake: FakePrinter
) -> None:
    async with printing_console(tmp_path, fake, guards_take_cash=True, printer_drawer=True) as served:
        client = await served.logged_in(Role.GUARD)
        await served.store.write(lambda db: shifts.open_shift(db, Cash(100_00), By("operator:1", NOW_MS)))
        own, others = await top_up(served), await top_up(served, actor="operator:99")
        await press(client, await page(client, f"/receipts/{own}"), f"/receipts/{own}/print")
        headers = {"Origin": str(client.make_url("/")).rstrip("/")}
        async with client.post(f"/receipts/{others}/print", headers=headers, allow_redirects=False) as answer:
            assert answer.status == 403

    assert [paper.did[2] for paper in fake.papers] == ["drawer"]
