"""Cards: found, added, blocked, replaced; the money stays with the person."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp.test_utils import TestClient

from appliance.db.cards import aliases as alias_rows
from appliance.db.cards import cards as card_rows
from appliance.db.cards import limits
from appliance.db.cards.cards import Card
from appliance.db.people import people_search
from appliance.db.sessions import session_list
from appliance.domain.cards.limits import NO_LIMITS, Limits
from appliance.domain.identifiers import CardId, PersonId
from appliance.domain.roles import Role
from appliance.services.cards import aliases, pin
from appliance.services.cards import cards as card_units
from appliance.services.cards.limits import SoFar
from appliance.ui.wording import cards
from appliance.ui.writing.formats import formats
from tests.ui.console_fixture import BY, NOW_MS, ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}
Browser = TestClient[Any, Any]


async def post(client: Browser, path: str, **fields: str) -> tuple[int, str]:
    """Status and text of the page that a form ends on."""
    async with client.post(path, data=fields, headers=OURS) as answer:
        return answer.status, await answer.text()


async def get(client: Browser, path: str) -> str:
    """A page that is there."""
    async with client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


def uids_in(html: str) -> set[str]:
    """The cards of a list."""
    return set(re.findall(r"<code>(\w+)</code>", html))


async def card(served: ConsoleFixture, uid: str) -> Card:
    """A card that is there."""
    found = await served.store.read(card_rows.by_uid, uid)
    assert found is not None
    return found


async def test_a_card_is_added_in_any_way_of_writing_its_number(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    status, html = await post(
        client, "/cards/new", person="1", uid="04 f1 b2 c3", label="0042", transactions_max="2", expires="2026-12-31"
    )

    assert status == 200
    assert "Rahima Khatun has a new card" in html
    added = await card(served, "04F1B2C3")
    assert (added.label, added.transactions_max) == ("0042", 2)
    # The card charges on its last day until midnight in Dhaka.
    assert added.expires_at_ms == 1_798_740_000_000


async def test_an_unusual_number_is_asked_about_once(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    for slip in ("04A1B2C", "04A1B2C3D4E5", "Karim Ahmed", "0"):
        status, html = await post(client, "/cards/new", person="1", uid=slip)
        assert status == 422
        assert 'name="unusual"' in html

    status, html = await post(client, "/cards/new", person="1", uid="fleet-car-7", unusual="1")
    assert status == 200
    assert "has a new card" in html
    assert (await card(served, "FLEET-CAR-7")).person == "Rahima Khatun"


async def test_a_reader_that_types_decimals_means_the_uid(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    await post(client, "/cards/new", person="1", uid=str(0xF4F1B2C3))

    assert (await card(served, "F4F1B2C3")).person == "Rahima Khatun"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"uid": ""}, "uid"),
        ({"uid": "x" * 256, "unusual": "1"}, "uid"),
        ({"uid": "04F1B2C3", "expires": "soon"}, "expires"),
        ({"uid": "04F1B2C3", "transactions_max": "0"}, "transactions_max"),
        ({"uid": "04F1B2C3", "transactions_max": "many"}, "transactions_max"),
    ],
)
async def test_what_is_wrong_stands_beside_its_field(
    served: ConsoleFixture, fields: dict[str, str], field: str
) -> None:
    client = await served.logged_in(Role.MANAGER)
    status, html = await post(client, "/cards/new", person="1", **fields)

    assert status == 422
    assert f'id="{field}-wrong"' in html


async def test_blocking_asks_first_and_stops_what_the_card_charges(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    karims = await card(served, "04B1B2C3")
    async with client.get(f"/cards/{karims.id}/block") as answer:
        assert "Block this card?" in await answer.text()

    await post(client, f"/cards/{karims.id}/block", reason="lost")

    blocked = await card(served, "04B1B2C3")
    assert (blocked.blocked_at_ms, blocked.blocked_why) == (NOW_MS, "lost")
    running = await served.store.read(session_list.page, session_list.Filter(person=PersonId(2), state="running"))
    assert [session.stop_wanted for session in running] == ["blocked"]


async def test_a_blocked_card_charges_again_when_unblocked(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    number = (await card(served, "04A1B2C3")).id
    await post(client, f"/cards/{number}/block", reason="")
    status, _ = await post(client, f"/cards/{number}/unblock")

    assert status == 200
    assert (await card(served, "04A1B2C3")).blocked_at_ms is None


async def test_without_a_reader_a_lost_card_is_replaced_by_the_number_of_a_new_one(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    old = await card(served, "04A1B2C3")
    link = f'href="/desk/desk/cards/{old.id}/replace" data-dialog'
    assert link in await get(client, f"/cards/{old.id}")
    assert link in await get(client, "/people/1")

    html = await get(client, f"/desk/desk/cards/{old.id}/replace")

    assert 'name="uid"' in html
    assert "Lay the new card on the reader" not in html


async def replace(client: Browser, old: Card, uid: str) -> tuple[int, str]:
    """Another card instead of a lost one, by its number."""
    path = f"/desk/desk/cards/{old.id}/replace"
    key = re.search(r'name="key" value="([^"]+)"', await get(client, path))
    assert key is not None
    return await post(client, path, key=key[1], uid=uid)


async def test_a_replaced_card_stays_blocked_and_leads_to_the_new_one(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    old = await card(served, "04A1B2C3")
    balance = (await served.store.read(people_search.people, text="Rahima"))[0].balance_minor
    await replace(client, old, "04:F1:B2:C3")

    new = await card(served, "04F1B2C3")
    async with client.get(f"/cards/{old.id}") as answer:
        html = await answer.text()
    assert f'href="/cards/{new.id}"' in html
    status, _ = await post(client, f"/cards/{old.id}/unblock")
    assert status == 409
    assert (await served.store.read(people_search.people, text="Rahima"))[0].balance_minor == balance


async def test_a_number_that_is_taken_replaces_nothing(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    old = await card(served, "04A1B2C3")
    status, html = await replace(client, old, "04B1B2C3")

    assert status == 409
    assert "belongs to somebody already" in html
    assert (await card(served, "04A1B2C3")).blocked_at_ms is None


async def test_the_list_finds_cards_and_shows_only_blocked_ones_when_asked(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    number = (await card(served, "04C1B2C3")).id
    await post(client, f"/cards/{number}/block", reason="reported lost")

    async with client.get("/cards", params={"state": "blocked"}) as answer:
        html = await answer.text()
    assert "04C1B2C3" in html
    assert "04A1B2C3" not in html
    async with client.get("/cards", params={"q": "04:a1"}) as answer:
        html = await answer.text()
    assert "no such card" not in html.lower()
    async with client.get("/cards", params={"q": "nobody at all"}) as answer:
        assert "No such card" in await answer.text()


async def test_a_change_keeps_what_the_form_says(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    number = (await card(served, "04A1B2C3")).id
    await post(client, f"/cards/{number}", label="Blue 7", transactions_max="৩", expires="")

    changed = await card(served, "04A1B2C3")
    assert (changed.label, changed.transactions_max, changed.expires_at_ms) == ("Blue 7", 3, None)


async def test_the_list_is_narrowed_to_what_became_of_cards_and_finds_their_numbers(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    lost, back = await card(served, "04A1B2C3"), await card(served, "04B1B2C3")
    await replace(client, lost, "04F1B2C3")
    await served.store.write(card_units.block, back.id, "returned", BY)

    assert uids_in(await get(client, "/cards?state=lost")) == {"04A1B2C3"}
    assert uids_in(await get(client, "/cards?state=returned")) == {"04B1B2C3"}
    assert uids_in(await get(client, "/cards?state=charging")) == {"04C1B2C3", "04D1B2C3", "04F1B2C3"}
    assert uids_in(await get(client, "/cards?q=0003")) == {"04C1B2C3"}
    assert uids_in(await get(client, "/cards?state=nonsense&sort=number")) == {
        "04A1B2C3", "04B1B2C3", "04C1B2C3", "04D1B2C3", "04F1B2C3"
    }  # fmt: skip
    assert "came back" in await get(client, "/cards?state=returned")


async def test_the_page_of_a_card_says_all_that_is_known_of_it(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    found = await card(served, "04A1B2C3")
    await served.store.write(card_rows.set_kind, found.id, "NTAG213")
    await served.store.write(card_rows.set_deposit, found.id, 100_00)
    await served.store.write(aliases.add, "C3B2", found.id, BY)
    html = await get(client, f"/cards/{found.id}")

    assert "Card 0001" in html
    assert "NTAG213" in html
    assert "৳100.00" in html
    assert f'href="http://192.168.1.10:8081/card/{found.token}"' in html
    assert "C3B2" in html
    assert 'href="/desk/desk/cards/1/rewrite"' in html
    assert "None: it charges any time" in html


async def test_a_name_that_chargers_use_is_forgotten_on_the_page_of_its_card_only(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    found = await card(served, "04A1B2C3")
    await served.store.write(aliases.add, "C3B2", found.id, BY)

    assert (await post(client, "/cards/2/aliases/remove", token="C3B2"))[0] == 404
    assert await served.store.read(alias_rows.find, "C3B2") == found.id
    assert (await post(client, "/cards/1/aliases/remove", token="C3B2"))[0] == 200
    assert await served.store.read(alias_rows.find, "C3B2") is None


async def test_a_pin_is_set_and_taken_away(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    status, html = await post(client, "/cards/1/pin", pin="12")
    assert status == 422
    assert "4 to 8 digits" in html
    assert 'value="12"' not in html

    await post(client, "/cards/1/pin", pin="২৭৪১")
    pin_hash = await served.store.read(card_rows.pin_hash, CardId(1))
    assert pin.matches("2741", pin_hash)
    assert "asks for a PIN" in await get(client, "/cards/1")

    await post(client, "/cards/1/pin/remove")
    assert not (await card(served, "04A1B2C3")).has_pin


async def test_limits_are_typed_kept_and_said_in_words(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    fields = {
        "session_energy_wh": "১২.৫", "day_minor": "1,000", "from_minute": "22:00", "until_minute": "06:00",
        "day-0": "1", "day-4": "1", "where": "some", "station-2": "1",
    }  # fmt: skip
    status, html = await post(client, "/cards/1/limits", **fields)

    assert status == 200
    assert await served.store.read(limits.find, CardId(1)) == Limits(
        session_energy_wh=12_500, day_minor=1_000_00, weekdays=0b10001, from_minute=1320, until_minute=360,
        stations=frozenset({2}),
    )  # fmt: skip
    for words in (
        "At most 12.50 kWh in one session",
        "At most ৳1,000.00 in one day",
        "Only on Monday, Friday",
        "Only from 22:00 to 06:00 on the next day",
        "Only at Ramp A",
    ):
        assert words in html
    form = await get(client, "/cards/1/limits")
    assert 'name="session_energy_wh" type="text" value="12.5"' in form
    assert re.search(r'name="station-2" value="1" checked', form)
    assert not re.search(r'name="day-1" value="1" checked', form)


async def test_beside_each_limit_stands_what_is_used_of_it(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    every_day = {f"day-{day}": "1" for day in range(7)} | {"where": "all"}
    await post(client, "/cards/1/limits", day_energy_wh="20", day_minor="150", session_minor="80", **every_day)
    html = await get(client, "/cards/1")
    assert "9.8 of 20 kWh today" in html
    assert re.search(r"state is-fault.*৳191\.73 of ৳150 today", html)
    assert "in the session that runs" not in html

    await post(client, "/cards/2/limits", session_energy_wh="25.5", until_minute="18:00", **every_day)
    html = await get(client, "/cards/2")
    assert "12.4 of 25.5 kWh in the session that runs" in html
    assert re.search(r"Only from 00:00 to 18:00</span></li>", html)

    assert "9.8 of 20 kWh today" in await get(client, "/desk?card=1")
    assert "today" not in await get(client, "/desk?card=3")


@pytest.mark.parametrize(
    ("most_wh", "used_wh", "words"),
    [
        (10_000, 3_249, "3.2 of 10 kWh today"),
        (10_000, 9_999, "9.9 of 10 kWh today"),
        (10_000, 10_000, "10.0 of 10 kWh today"),
        (12_500, 0, "0.0 of 12.5 kWh today"),
        (250, 119, "0.11 of 0.25 kWh today"),
        (1, 1, "0.001 of 0.001 kWh today"),
    ],
)
def test_what_is_used_has_the_digits_of_its_limit_and_is_never_rounded_up(
    most_wh: int, used_wh: int, words: str
) -> None:
    fmt = formats("BDT", 2, ZoneInfo("Asia/Dhaka"))
    found = cards.bounds(Limits(day_energy_wh=most_wh), {}, fmt, SoFar(used_wh, 0))
    assert [(one.used, one.share >= 1) for one in found] == [(words, used_wh >= most_wh)]


async def test_limits_that_are_all_empty_are_none(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    days = {f"day-{day}": "1" for day in range(7)}
    await post(client, "/cards/1/limits", session_minor="50", where="all", **days)
    status, html = await post(
        client, "/cards/1/limits", session_minor="", from_minute="", until_minute="00:00", where="all", **days
    )

    assert status == 200
    assert "The card has no limits" in html
    assert await served.store.read(limits.find, CardId(1)) == NO_LIMITS


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"session_energy_wh": "much"}, "is not part of a number"),
        ({"day_minor": "0", "day-0": "1"}, "limit above zero"),
        ({}, "at least one day of the week"),
        ({"day-0": "1", "where": "some"}, "at least one charger"),
        ({"day-0": "1", "where": "some", "station-999": "1"}, "no such charger"),
        ({"day-0": "1", "from_minute": "25:00"}, "no time of the day"),
        ({"day-0": "1", "until_minute": "24:30"}, "no time of the day"),
    ],
)
async def test_limits_that_make_no_sense_come_back_with_the_reason(
    served: ConsoleFixture, fields: dict[str, str], words: str
) -> None:
    client = await served.logged_in(Role.MANAGER)
    status, html = await post(client, "/cards/1/limits", **fields)

    assert status == 422
    assert words in html
    assert await served.store.read(limits.find, CardId(1)) == NO_LIMITS


async def test_a_cashier_sees_limits_and_changes_none(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    found = await card(served, "04A1B2C3")

    assert (await post(client, f"/cards/{found.id}/limits", day_energy="10"))[0] == 403
    assert "A manager changes them." in await get(client, f"/cards/{found.id}")


async def test_a_cashier_is_shown_the_label_and_that_the_rest_is_a_managers(served: ConsoleFixture) -> None:
    cashier, manager = await served.logged_in(Role.CASHIER), await served.logged_in(Role.MANAGER)
    html, managers = [await (await client.get("/cards/1")).text() for client in (cashier, manager)]
    assert 'name="transactions_max"' not in html
    assert 'name="transactions_max"' in managers
    assert "A manager sets until when it charges" in html
    form = {"label": "Rahima's", "shown": '{"label": "0001"}'}
    answer = await cashier.post("/cards/1", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status == 200
    assert "Rahima&#39;s" in await answer.text()
    refused = await cashier.post(
        "/cards/1", data=form | {"transactions_max": "9"}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert refused.status in (403, 409)
