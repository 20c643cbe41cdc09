"""Guards who take cash: only where the owner says so, out of a drawer of their own, and nothing but top-ups at the till."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.db import ledger, operators
from appliance.db.till import shifts as rows
from appliance.db.wallets import receipts
from appliance.domain.by import By
from appliance.domain.roles import Role
from appliance.services import settings as stored
from appliance.services.operators.authority import NotAllowed
from appliance.services.settings import Settings
from appliance.services.till import shifts as service
from appliance.ui.frame import roles
from tests.ui.console.till.test_till import TO_WALLET, counted, get, hidden, opened, post
from tests.ui.console_fixture import ConsoleFixture, open_console
from tests.ui.frame.test_roles import ask, registered, walk

GUARDS_TAKE_CASH = Settings(guards_take_cash=True)
REFUSED = 403


async def let_guards_take_cash(served: ConsoleFixture) -> None:
    """In the books, too."""
    await served.store.write(stored.change, "guards_take_cash", "1")


async def test_a_guard_finds_no_till_unless_the_owner_says_so(served: ConsoleFixture) -> None:
    guard = await served.logged_in(Role.GUARD)

    assert (await guard.get("/till")).status == REFUSED
    assert 'href="/till"' not in await get(guard, "/")


async def test_a_guard_tops_up_out_of_their_own_drawer_and_hands_it_over(tmp_path: Path) -> None:
    async with open_console(tmp_path, settings=GUARDS_TAKE_CASH) as served:
        await let_guards_take_cash(served)
        await served.logged_in(Role.CASHIER)
        guard = await served.logged_in(Role.GUARD)
        assert 'href="/till"' in await get(guard, "/")
        page = await get(guard, "/till?q=Rahima")
        before = await served.store.write(ledger.newest)
        _status, _path, html = await post(guard, "/people/1/topup", key=hidden(page), **TO_WALLET)
        assert "/till/open?then=" in html
        assert await served.store.write(ledger.newest) == before
        await opened(guard)
        status, path, html = await post(
            guard, "/people/1/topup", key=hidden(await get(guard, "/till?person=1")), **TO_WALLET
        )
        assert (status, path) == (200, "/till")
        shift = await served.store.read(rows.find, 1)
        assert shift is not None
        assert await served.store.read(rows.in_drawer_minor, shift.account) == 200_00 + 500_00
        html = await counted(guard, 1, n50000="1", n10000="2")
        other = await served.store.read(service.successors, shift)
        status, path, _html = await post(
            guard, "/till/shifts/1/close", key=hidden(html), n50000="1", n10000="2",
            seen_seq=hidden(html, "seen_seq"), hand_to=other[0][0],
        )  # fmt: skip
        assert (status, path) == (200, "/till/shifts/1")
        following = await served.store.read(rows.find, 2)
        assert following is not None
        assert (following.actor, following.float.minor) == (other[0][0], 700_00)


async def test_a_guard_is_shown_no_telephone_and_finds_nobody_by_one(tmp_path: Path) -> None:
    async with open_console(tmp_path, settings=GUARDS_TAKE_CASH) as served:
        guard = await served.logged_in(Role.GUARD)
        by_phone = await get(guard, "/till?q=712+345678")
        found = await get(guard, "/till?q=Rahima")

    assert "Nobody here is called that" in by_phone
    assert "Rahima Khatun" in found
    assert "712 345678" not in found
    assert "712345678" not in found


async def test_such_a_guard_may_what_the_table_says_and_is_offered_nothing_else(tmp_path: Path) -> None:
    async with open_console(tmp_path, settings=GUARDS_TAKE_CASH) as served:
        guard = await served.logged_in(Role.GUARD)
        role = roles.standing(Role.GUARD, guards_take_cash=True)
        wrong = [
            (method, path)
            for method, path in sorted(
                registered(served) - {("POST", "/logout"), ("GET", "/live"), ("GET", "/static/{path}")}
            )
            if (await ask(guard, method, path) == REFUSED) is roles.may(role, method, path)
        ]
        _kinds, refused = await walk(guard)
        _kinds, refused_at_till = await walk(guard, "/till?person=1")

    assert wrong == []
    assert refused == refused_at_till == []


async def test_a_guard_prints_the_own_receipts_only(tmp_path: Path) -> None:
    async with open_console(tmp_path, settings=GUARDS_TAKE_CASH) as served:
        await let_guards_take_cash(served)
        cashier, guard = await served.logged_in(Role.CASHIER), await served.logged_in(Role.GUARD)
        await post(cashier, "/people/1/topup", key="k" * 20, **TO_WALLET)
        await opened(guard)
        await post(guard, "/people/1/topup", key="g" * 20, **TO_WALLET)
        numbers = [one.number for one in await served.store.read(receipts.page)]
        theirs = await guard.get(f"/receipts/{min(numbers[:2])}")
        mine = await guard.get(f"/receipts/{max(numbers)}")

    assert (theirs.status, mine.status) == (REFUSED, 200)


async def test_only_the_owner_lets_guards_take_cash(served: ConsoleFixture) -> None:
    await served.logged_in(Role.MANAGER)
    manager = next(one for one in await served.store.read(operators.every) if one.role == Role.MANAGER)

    with pytest.raises(NotAllowed, match="Only the owner says whether guards take cash"):
        await served.store.write(stored.change_by, "guards_take_cash", "1", By(f"operator:{manager.id}", served.now_ms))
