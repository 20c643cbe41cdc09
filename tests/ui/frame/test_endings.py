"""When a log-in ends, and what whoever comes back is told."""

from __future__ import annotations

import pytest

from appliance.db import operators as rows
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.roles import Role
from appliance.services import settings
from appliance.services.operators import operators
from tests.ui.console_fixture import NOW_MS, ConsoleFixture

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
OURS = {"Sec-Fetch-Site": "same-origin"}


async def test_each_role_may_be_idle_for_as_long_as_the_settings_say(served: ConsoleFixture) -> None:
    await served.store.write(settings.change, "idle_cashier_s", "7200")
    cashier = await served.logged_in(Role.CASHIER)
    guard = await served.logged_in(Role.GUARD)
    served.now_ms += HOUR_MS

    async with cashier.get("/here") as answer:
        assert answer.status == 204
    async with guard.get("/problems", allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/login?next=%2Fproblems&ended=unused"
    async with guard.get("/problems") as answer:
        assert "because nothing was done for a while" in await answer.text()


async def test_a_screen_on_a_wall_stays_logged_in_until_somebody_ends_it(served: ConsoleFixture) -> None:
    await served.store.write(settings.change, "idle_viewer_s", "0")
    screen = await served.logged_in(Role.VIEWER)
    served.now_ms += 400 * DAY_MS

    async with screen.get("/") as answer:
        assert answer.status == 200
        assert answer.url.path == "/"
    # It looks, and does nothing.
    async with screen.post("/stations/CS-01/1/stop", headers=OURS) as answer:
        assert answer.status == 403


@pytest.mark.parametrize("role", [role for role in Role if role != Role.VIEWER])
async def test_whoever_can_do_something_is_logged_out_some_time(served: ConsoleFixture, role: Role) -> None:
    least, _most = settings.BOUNDS[f"idle_{role}_s"]

    assert least >= 60


async def test_whose_log_in_is_ended_by_somebody_else_is_told_so(served: ConsoleFixture) -> None:
    guard = await served.logged_in(Role.GUARD)
    async with guard.get("/account") as answer:
        assert answer.status == 200
    await served.store.write(_shut_out)

    async with guard.get("/problems") as answer:
        assert answer.url.path == "/login"
        assert "Your log-in was ended: from another browser" in await answer.text()


async def test_who_never_logged_in_is_told_nothing(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.GUARD)
    async with client.post("/logout", headers=OURS) as answer:
        html = await answer.text()
    assert 'role="status"' not in html
    async with client.get("/problems", allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/login?next=%2Fproblems"


def _shut_out(db: Database) -> None:
    guard = next(one for one in rows.every(db) if one.role == Role.GUARD)
    operators.disable(db, guard.id, by=By("console", NOW_MS))
