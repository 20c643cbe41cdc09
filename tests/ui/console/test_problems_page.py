"""Problems: what can be decided is decided in place, and what a charger sent is shown word for word to whom cards are shown."""

from __future__ import annotations

import re

import pytest

from appliance.db import problems as rows
from appliance.db.engine.unit import Database
from appliance.db.sessions import session_list
from appliance.domain.events import MeterRead, TransactionEnded, TransactionStarted
from appliance.domain.identifiers import SessionId, StationId
from appliance.domain.meter import Reading
from appliance.domain.problem import ProblemKind
from appliance.domain.roles import Role
from appliance.services import problems
from appliance.services.sessions import metering, starting, stopping
from tests.ui.console_fixture import HOUR_MS, NOW_MS, ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}
CARD = "04A1B2C3"
SENT = f'["2","x","StopTransaction",{{"transactionId":7,"idTag":"{CARD}"}}]'


def doubtful(db: Database, number: int = 8) -> SessionId:
    """A session whose readings say 4 kWh, and whose stop says 2.5."""
    begin_ms = NOW_MS - 5 * HOUR_MS
    station = StationId(number)
    started = starting.transaction_started(db, station, TransactionStarted(1, CARD, 10_000, begin_ms, begin_ms))
    end_ms = begin_ms + HOUR_MS // 2
    metering.meter_read(db, station, MeterRead(started.ref, 1, (Reading(end_ms - 60_000, 14_000),), end_ms - 60_000))
    stopping.transaction_ended(db, station, TransactionEnded(started.ref, CARD, 12_500, end_ms, "Local", (), end_ms))
    return SessionId(int(started.ref))


async def page(served: ConsoleFixture, role: Role) -> str:
    client = await served.logged_in(role)
    async with client.get("/problems") as answer:
        assert answer.status == 200
        return await answer.text()


async def test_a_manager_decides_in_place_and_is_back_at_the_problems(served: ConsoleFixture) -> None:
    session = await served.store.write(doubtful)
    client = await served.logged_in(Role.MANAGER)
    async with client.get("/problems") as answer:
        html = await answer.text()
    assert re.findall(r'name="energy_wh" value="(\d+)"', html) == ["4000", "2500"]
    assert f'action="/sessions/{session}/acknowledge"' in html

    form = {"energy_wh": "2500", "then": "/problems"}
    async with client.post(f"/sessions/{session}/bill", data=form, headers=OURS, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/problems")
    found = await served.store.read(session_list.show, session)
    assert found is not None
    assert (found.state, found.energy_wh) == ("ended", 2500)
    async with client.get("/problems") as answer:
        assert 'name="energy_wh"' not in await answer.text()


async def test_nothing_is_billed_in_place_either_and_leads_back(served: ConsoleFixture) -> None:
    session = await served.store.write(doubtful)
    client = await served.logged_in(Role.MANAGER)

    path = f"/sessions/{session}/acknowledge"
    async with client.post(path, data={"then": "/problems"}, headers=OURS, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/problems")


@pytest.mark.parametrize("role", [Role.CASHIER, Role.INSTALLER])
async def test_who_may_not_decide_sees_no_button(served: ConsoleFixture, role: Role) -> None:
    await served.store.write(doubtful)
    html = await page(served, role)

    assert "The readings say 4.000 kWh" in html
    assert 'name="energy_wh"' not in html
    assert "Bill nothing" not in html


async def test_sessions_that_wait_are_one_row_with_the_buttons_of_each(served: ConsoleFixture) -> None:
    sessions = [await served.store.write(doubtful, number) for number in (2, 4, 8)]
    html = await page(served, Role.MANAGER)
    (row,) = [one for one in html.split('<li class="trouble') if "3 sessions could not be billed by themselves" in one]
    for session in sessions:
        assert row.count(f'action="/sessions/{session}/bill"') == 2
        assert row.count(f'action="/sessions/{session}/acknowledge"') == 1
    assert await served.store.read(rows.count_open) == await served.store.read(rows.count_rows) + 2


@pytest.mark.parametrize(("role", "shown"), [(Role.CASHIER, CARD), (Role.INSTALLER, "••B2C3")])
async def test_what_was_sent_is_shown_with_the_card_to_whom_cards_are_shown(
    served: ConsoleFixture, role: Role, shown: str
) -> None:
    details = {"station": 8, "note": f'"{CARD}" is too long', "text": SENT}
    await served.store.write(raise_one, ProblemKind.UNREADABLE, "station:8", details)
    client = await served.logged_in(role)
    for path in ("/problems", "/stations/CS-08"):
        async with client.get(path) as answer:
            html = await answer.text()
        (sent,) = re.findall(r'<pre dir="ltr">(.*?)</pre>', html, re.DOTALL)
        assert "StopTransaction" in sent
        assert shown in sent
        assert (CARD in html) == (role is Role.CASHIER)


def raise_one(db: Database, kind: ProblemKind, subject: str, details: dict[str, object]) -> None:
    problems.raise_problem(db, kind, subject, NOW_MS, **details)
