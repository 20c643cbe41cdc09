"""How a session was priced, as staff read it: on its page, as a file, and reached from every amount."""

from __future__ import annotations

import re

import pytest

from appliance.domain.roles import Role
from tests.ui.console_fixture import ConsoleFixture

ENDED, RUNNING = 3, 1
"""Of the yard: one that is billed, one that runs."""


async def page(served: ConsoleFixture, path: str, role: Role = Role.OWNER) -> tuple[int, str]:
    client = await served.logged_in(role)
    async with client.get(path) as answer:
        return answer.status, await answer.text()


def words(html: str) -> str:
    """What a reader sees, more or less."""
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<main")[2]).split())


async def test_deduction_says_which_readings_by_which_price(served: ConsoleFixture) -> None:
    status, html = await page(served, f"/sessions/{ENDED}/explanation")
    text = words(html)
    assert status == 200
    assert "100.000" in text
    assert "9.870 kWh × ৳18.50 a kWh" in text
    assert "৳182.595, rounded" in text
    assert "Tax 5 % on" in text


async def test_amounts_of_lists_lead_to_it(served: ConsoleFixture) -> None:
    for path in ("/sessions", "/people/1", "/stations/CS-05", f"/sessions/{ENDED}"):
        assert f'href="/sessions/{ENDED}/explanation"' in (await page(served, path))[1], path


async def test_session_that_runs_is_explained_so_far(served: ConsoleFixture) -> None:
    status, html = await page(served, f"/sessions/{RUNNING}/explanation")
    assert status == 200
    assert "so far" in words(html)


async def test_readings_are_a_file(served: ConsoleFixture) -> None:
    status, text = await page(served, f"/sessions/{ENDED}/readings.csv")
    assert status == 200
    assert "109.870" in text


@pytest.mark.parametrize("path", ["/sessions/777/explanation", f"/sessions/{ENDED}/explanation?energy_wh=5"])
async def test_what_is_not_there_is_said(served: ConsoleFixture, path: str) -> None:
    assert (await page(served, path))[0] == 404
