"""Pools in the console: made, joined, limited, topped up, looked at and closed; each form once."""

from __future__ import annotations

import re
from html import unescape

from aiohttp.test_utils import TestClient, TestServer

from appliance.db import board
from appliance.db.cards import cards as card_rows
from appliance.db.engine.unit import Database
from appliance.db.people import people
from appliance.domain.cards.limits import Limits
from appliance.domain.events import TransactionStarted
from appliance.domain.identifiers import GroupId, PersonId, StationId
from appliance.domain.roles import Role
from appliance.services import settings
from appliance.services.people import groups, limits, pools
from appliance.services.people.pools import About, Own
from appliance.services.sessions import starting
from appliance.services.wallets import wallets
from appliance.ui.driver.app import create_drivers
from tests.ui.console.people.test_people import get, key_in, post
from tests.ui.console_fixture import BY, ConsoleFixture

RAHIMA = PersonId(1)
NAME = "Green Taxi"


async def made(served: ConsoleFixture, *, own: Own = Own.KEPT) -> PersonId:
    """A pool with Rahima in it."""
    pool = await served.store.write(pools.add, About(NAME, GroupId(1), contact="Mrs Rahman", tax_number="BIN 7"), BY)
    await served.store.write(pools.join, pool, RAHIMA, own, "joins", BY)
    return pool


async def found(served: ConsoleFixture, person: PersonId) -> people.Person:
    one = await served.store.read(people.find, person)
    assert one is not None
    return one


async def test_a_pool_is_made_once_however_often_its_form_is_sent(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    key = key_in(await get(client, "/pools/new"))
    fields = {"name": NAME, "group_id": "1", "contact": "Mrs Rahman", "tax_number": "BIN 7", "key": key}
    for _ in range(2):
        status, text = await post(client, "/pools/new", **fields)
        assert status == 200
        assert "Who charges from it" in text
    assert [one.name for one in await served.store.read(people.pools)] == [NAME]


async def test_a_pool_without_a_name_comes_back_with_what_was_typed(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    key = key_in(await get(client, "/pools/new"))
    status, text = await post(client, "/pools/new", name=" ", group_id="1", contact="Mrs Rahman", key=key)
    assert (status, 'value="Mrs Rahman"' in text) == (422, True)


async def test_a_cashier_is_not_offered_to_give_somebodys_money_to_a_pool(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    pool = await served.store.write(pools.add, About(NAME, GroupId(1)), BY)
    asked = await get(client, f"/pools/{pool}/add?person=1")
    assert 'value="moved"' not in asked
    before_minor = (await found(served, RAHIMA)).balance_minor
    status, text = await post(client, f"/pools/{pool}/add", person="1", own="moved", key=key_in(asked))
    assert (status, "A manager moves" in unescape(text)) == (403, True)
    assert (await found(served, RAHIMA)).balance_minor == before_minor


async def test_somebody_joins_with_their_money_or_keeps_it(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    pool = await served.store.write(pools.add, About(NAME, GroupId(1)), BY)
    picked = await get(client, f"/pools/{pool}/add?q=rahima")
    assert f"/pools/{pool}/add?person=1" in picked
    own_minor = (await found(served, RAHIMA)).balance_minor
    asked = await get(client, f"/pools/{pool}/add?person=1")
    assert f"৳{own_minor / 100:.2f}" in asked
    fields = {"person": "1", "own": "moved", "key": key_in(asked)}
    for _ in range(2):
        status, _text = await post(client, f"/pools/{pool}/add", **fields)
        assert status == 200
    assert ((await found(served, pool)).balance_minor, (await found(served, RAHIMA)).balance_minor) == (own_minor, 0)
    refused, text = await post(client, f"/pools/{pool}/add", **fields | {"key": "f" * 32})
    assert (refused, "is in the pool" in unescape(text)) == (409, True)


async def test_whose_balance_it_is_stands_wherever_it_is_shown(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    pool = await made(served)
    own = f"৳{(await found(served, RAHIMA)).balance_minor / 100:.2f} of their own"
    await served.store.write(wallets.top_up, pool, 77_700, "cash", "pool", BY)
    for path in ("/people/1", "/till?person=1", "/desk?person=1"):
        text = unescape(await get(client, path))
        assert "৳777.00" in text, path
        assert "charges from the pool Green Taxi" in text, path
        assert f"{own} rests" in text, path
    listed = await get(client, "/people?q=rahima")
    assert NAME in listed
    page = unescape(await get(client, f"/people/{pool}"))
    assert all(word in page for word in ("Mrs Rahman", "BIN 7", "Rahima Khatun", own))


async def test_the_receipt_says_for_whom_it_is_and_what_was_owed(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    on_account = await served.store.write(groups.add, "Taxis", "postpaid", BY)
    pool = await served.store.write(pools.add, About(NAME, on_account, tax_number="BIN 7"), BY)
    await served.store.write(pools.join, pool, RAHIMA, Own.KEPT, "joins", BY)
    await served.store.write(wallets.correct, pool, -900, "as agreed", "c", BY)
    booked = await served.store.write(wallets.top_up, RAHIMA, 5_000, "cash", "t", BY)
    text = unescape(await get(client, f"/receipts/{booked.receipt}"))
    assert all(word in text for word in (NAME, "Rahima Khatun", "BIN 7", "Of it for what was owed", "৳9.00", "৳41.00"))


async def test_limits_are_a_managers_and_two_at_once_lose_nothing(served: ConsoleFixture) -> None:
    pool = await made(served)
    cashier = await served.logged_in(Role.CASHIER)
    assert (await post(cashier, f"/people/{pool}/limits", day_minor="5"))[0] == 403
    one, two = await served.logged_in(Role.MANAGER), await served.logged_in()
    shown = shown_in(await get(one, f"/people/{pool}/limits"))
    assert (await post(two, f"/people/{pool}/limits", shown=shown, day_minor="500", month_energy_wh="12.5"))[0] == 200
    status, text = await post(one, f"/people/{pool}/limits", shown=shown, day_minor="900")
    assert (status, "500.00" in unescape(text)) == (409, True)
    assert (await post(one, f"/people/{pool}/limits", shown=shown, month_minor="2000"))[0] == 200
    wanted = Limits(day_minor=50_000, month_energy_wh=12_500, month_minor=200_000)
    assert await served.store.read(limits.of, pool) == wanted
    audit = unescape(await get(one, "/audit?action=person."))
    assert "Changed the limits of" in audit
    assert "Money a day: – → ৳500.00" in audit
    assert (await post(one, f"/people/{pool}/limits", day_minor="-3"))[0] == 422


async def test_a_pool_is_closed_once_it_is_empty(served: ConsoleFixture) -> None:
    pool = await made(served, own=Own.MOVED)
    client = await served.logged_in(Role.MANAGER)
    status, text = await post(client, f"/pools/{pool}/close")
    assert (status, "not zero" in text) == (409, True)
    await served.store.write(wallets.refund, pool, (await found(served, pool)).balance_minor, "cash", "rest", BY)
    assert (await post(client, f"/pools/{pool}/close"))[0] == 200
    assert (await found(served, RAHIMA)).pool_id is None
    assert NAME in await get(client, "/pools?closed=1")


async def test_whom_to_call_lists_who_owes_and_whose_money_is_low(served: ConsoleFixture) -> None:
    await served.store.write(settings.change, "low_balance_minor", "60000")
    client = await served.logged_in(Role.CASHIER)
    text = unescape(await get(client, "/debts"))
    assert "Nobody owes anything." in text
    assert "Rahima Khatun" in text
    assert "Karim Ahmed" not in text
    assert "running low" in unescape(await get(client, "/people/1"))


async def test_drivers_of_a_pool_see_its_balance_only_if_they_may(served: ConsoleFixture) -> None:
    pool = await made(served)
    await served.store.write(wallets.top_up, pool, 77_700, "cash", "pool", BY)
    await served.store.write(limits.change, RAHIMA, Limits(day_minor=40_000), BY)
    token = (await served.store.read(card_rows.by_uid, "04A1B2C3")).token  # type: ignore[union-attr]
    async with TestClient(TestServer(create_drivers(served.console))) as phone:
        seen = await (await phone.get(f"/card/{token}", params={"lang": "en"})).text()
        assert all(word in seen for word in ("৳777.00", NAME, "At most ৳400.00 in one day"))
        about = About(NAME, GroupId(1), hides_balance=True)
        await served.store.write(pools.change, pool, about, BY)
        hidden = await (await phone.get(f"/card/{token}", params={"lang": "en"})).text()
    assert "৳777.00" not in hidden
    assert NAME in hidden


def shown_in(html: str) -> str:
    """What a form says that it showed."""
    match = re.search(r'name="shown" value="([^"]*)"', html)
    assert match is not None
    return unescape(match[1])


async def test_the_board_names_the_pool_that_pays(served: ConsoleFixture) -> None:
    await made(served, own=Own.MOVED)

    def begin(db: Database) -> None:
        for station in (3, 2, 1):
            starting.transaction_started(
                db, StationId(station), TransactionStarted(1, "04A1B2C3", 1_000_000, served.now_ms, served.now_ms)
            )

    await served.store.write(begin)
    running = await served.store.read(board.all_running)
    assert f"Rahima Khatun · {NAME}" in {one.person for one in running}
