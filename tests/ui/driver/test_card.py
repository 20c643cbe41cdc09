"""What the link on a card shows to whoever opens it on a phone."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from appliance.db.cards import cards
from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.sessions import session_list
from appliance.domain.by import By
from appliance.domain.cards import content
from appliance.domain.cards.content import ContentState
from appliance.domain.cards.tag import Kind
from appliance.domain.identifiers import PersonId
from appliance.domain.roles import Role
from appliance.domain.statement import month_of
from appliance.services.cards import cards as card_units
from appliance.services.cards import pin as card_pin
from appliance.services.cards.secure_tap import HEAD, SESSION
from appliance.services.people import people, pools
from appliance.services.people.pools import About
from appliance.services.wallets import wallets
from appliance.ui.driver.app import create_drivers
from appliance.ui.frame.auth import GUESSES_FREE
from tests.ui.console_fixture import ACTOR, DESK_KEY, ConsoleFixture

RAHIMA = "04A1B2C3"
DNA = "04DE5F1EACC040"


@pytest.fixture(name="phone")
async def _phone(served: ConsoleFixture) -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(create_drivers(served.console))) as client:
        yield client


async def card_of(served: ConsoleFixture, uid: str) -> Card:
    def find(db: Readable) -> Card:
        found = cards.by_uid(db, uid)
        assert found is not None
        return found

    return await served.store.read(find)


async def page(phone: TestClient[Any, Any], path: str, status: int = 200, **query: str) -> str:
    async with phone.get(path, params={"lang": "en", **query}) as answer:
        assert answer.status == status
        return await answer.text()


async def type_pin(phone: TestClient[Any, Any], path: str, pin: str) -> tuple[int, str]:
    async with phone.post(path, data={"pin": pin}, params={"lang": "en"}) as answer:
        return answer.status, await answer.text()


async def with_pin(served: ConsoleFixture, pin: str, uid: str = RAHIMA) -> str:
    card = await card_of(served, uid)
    await served.store.write(card_pin.set_pin, card.id, card_pin.hash_pin(pin), served.by)
    return f"/card/{card.token}"


async def test_the_holder_sees_the_balance_and_the_last_records(
    served: ConsoleFixture, phone: TestClient[Any, Any]
) -> None:
    html = await page(phone, f"/card/{(await card_of(served, RAHIMA)).token}")

    assert "Rahima" not in html
    assert "Khatun" not in html
    assert "৳" in html
    assert "Hall 2" in html
    assert "Top-up" in html


async def test_a_session_that_runs_has_no_figure_yet_on_the_holders_page(
    served: ConsoleFixture, phone: TestClient[Any, Any]
) -> None:
    html = await page(phone, f"/card/{(await card_of(served, '04B1B2C3')).token}")
    records = [row for row in html.split("<tr>") if "Gate 1" in row]

    assert len(records) == 1
    assert "…" in records[0]
    assert "kWh" not in records[0]


async def test_a_card_with_a_pin_shows_nothing_before_it(served: ConsoleFixture, phone: TestClient[Any, Any]) -> None:
    path = await with_pin(served, "4711")
    closed = await page(phone, path)
    status, wrong = await type_pin(phone, path, "4712")
    opened = await type_pin(phone, path, "৪৭১১")

    assert "Rahima" not in closed
    assert "৳" not in closed
    assert status == 422
    assert "This is not the PIN of the card." in wrong
    assert "৳" not in wrong
    assert opened[0] == 200
    assert "Balance" in opened[1]
    assert "Rahima" not in opened[1]


async def test_the_holder_opens_an_amount_down_to_its_readings_and_nobody_elses(
    served: ConsoleFixture, phone: TestClient[Any, Any]
) -> None:
    mine = (await card_of(served, RAHIMA)).token
    html = await page(phone, f"/card/{mine}")
    link, amount = re.findall(r'href="(/card/[0-9a-f]+/sessions/\d+)">([^<]*)</a>', html)[0]

    opened = await page(phone, link)
    number = int(link.rpartition("/")[2])
    sessions = await served.store.read(session_list.page, session_list.Filter())
    other = next(one.id for one in sessions if one.person_id != PersonId(1))

    assert amount.lstrip("−") in opened
    assert "Rahima" not in opened
    assert await page(phone, f"/card/{mine}/sessions/{number}") == opened
    await page(phone, f"/card/{mine}/sessions/{other}", 404)
    await page(phone, f"/card/{mine}/sessions/999999", 404)


async def test_the_desk_has_a_link_to_the_statement_that_asks_for_the_pin(
    served: ConsoleFixture, phone: TestClient[Any, Any]
) -> None:
    path = await with_pin(served, "4711")
    cashier = await served.logged_in(Role.CASHIER)
    html = await (await cashier.get("/people/1/statements")).text()
    link = re.findall(r'data-copy="[^"]*">([^<]*/statements/[^<]*)<', html)[0]

    assert f"{path}/statements/" in link
    opened = await page(phone, link[link.index("/card/") :])
    assert "PIN of the card" in opened
    assert "৳" not in opened


async def test_a_session_stands_behind_the_pin_of_the_card(served: ConsoleFixture, phone: TestClient[Any, Any]) -> None:
    sessions = await served.store.read(session_list.page, session_list.Filter(person=PersonId(1)))
    path = f"{await with_pin(served, '4711')}/sessions/{sessions[-1].id}"
    closed = await page(phone, path)
    _status, wrong = await type_pin(phone, path, "4712")
    opened = await type_pin(phone, path, "4711")

    assert "৳" not in closed + wrong
    assert "How session" not in closed + wrong
    assert (opened[0], "How session" in opened[1]) == (200, True)


async def test_who_guesses_the_pin_waits_longer_and_longer(served: ConsoleFixture, phone: TestClient[Any, Any]) -> None:
    path = await with_pin(served, "4711")
    told = [await type_pin(phone, path, f"48{number:02}") for number in range(12)]

    assert told[0][0] == 422
    assert told[-1][0] == 429
    assert (await type_pin(phone, path, "4711"))[0] == 429
    served.now_ms += 3_600_000
    assert (await type_pin(phone, path, "4711"))[0] == 200


async def test_of_many_pins_at_once_only_the_free_guesses_are_compared(
    served: ConsoleFixture, phone: TestClient[Any, Any]
) -> None:
    path = await with_pin(served, "4711")
    pins = [f"48{number:02}" for number in range(39)] + ["4711"]

    told = Counter([status for status, _ in await asyncio.gather(*(type_pin(phone, path, pin) for pin in pins))])

    assert told == Counter({422: GUESSES_FREE, 429: len(pins) - GUESSES_FREE})


async def test_who_guesses_one_pin_keeps_nobody_behind_the_same_address_from_theirs(
    served: ConsoleFixture, phone: TestClient[Any, Any]
) -> None:
    guessed, other = await with_pin(served, "4711"), await with_pin(served, "2580", "04B1B2C3")
    told = [(await type_pin(phone, guessed, f"48{number:02}"))[0] for number in range(12)]

    assert told[-1] == 429
    assert (await type_pin(phone, other, "2580"))[0] == 200


async def test_what_is_no_pin_is_no_guess(served: ConsoleFixture, phone: TestClient[Any, Any]) -> None:
    path = await with_pin(served, "4711")
    told = [await type_pin(phone, path, "47") for _ in range(2 * GUESSES_FREE)]

    assert {status for status, _ in told} == {422}
    assert (await type_pin(phone, path, "4711"))[0] == 200


async def test_the_page_of_a_card_without_a_pin_takes_no_guess_back(
    served: ConsoleFixture, phone: TestClient[Any, Any]
) -> None:
    path = await with_pin(served, "4711")
    open_path = f"/card/{(await card_of(served, '04B1B2C3')).token}"
    statuses = []
    for number in range(12):
        statuses.append((await type_pin(phone, path, f"48{number:02}"))[0])
        assert (await type_pin(phone, open_path, "1234"))[0] == 200

    assert statuses == [422] * GUESSES_FREE + [429] * (12 - GUESSES_FREE)


async def test_a_blocked_card_says_so(served: ConsoleFixture, phone: TestClient[Any, Any]) -> None:
    card = await card_of(served, RAHIMA)
    await served.store.write(card_units.block, card.id, "lost", served.by)

    assert "This card is blocked" in await page(phone, f"/card/{card.token}")


async def test_links_that_are_tried_out_find_nothing_and_take_nothing_from_others_behind_the_same_address(
    served: ConsoleFixture, phone: TestClient[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for number in range(20):
        await page(phone, f"/card/{number:024x}", status=404)

    await page(phone, f"/card/{(await card_of(served, RAHIMA)).token}")
    status, html = await type_pin(phone, await with_pin(served, "4711"), "4711")
    assert (status, "Balance" in html) == (200, True)
    told = [record for record in caplog.records if record.message == "no card has this link"]
    assert len(told) == GUESSES_FREE


async def test_whoever_only_asks_whether_a_tap_is_there_uses_it_up_in_no_way_and_gets_no_ticket(
    served: ConsoleFixture, phone: TestClient[Any, Any]
) -> None:
    path = f"/card/{await served.store.write(give_dna_card, served.now_ms)}"
    for _ in range(2):
        async with phone.head(path, params=signed_tap(7), allow_redirects=False) as answer:
            assert (answer.status, "Location" in answer.headers) == (403, False)

    async with phone.get(path, params=signed_tap(7), allow_redirects=False) as answer:
        assert answer.status == 303


async def test_the_link_of_a_chip_that_signs_each_tap_opens_once(
    served: ConsoleFixture, phone: TestClient[Any, Any]
) -> None:
    token = await served.store.write(give_dna_card, served.now_ms)
    path = f"/card/{token}"

    assert "Hold the card to the phone again" in await page(phone, path, status=403)
    tapped = signed_tap(7)
    async with phone.get(path, params=tapped, allow_redirects=False) as answer:
        assert answer.status == 303
        again = answer.headers["Location"]
    async with phone.get(again) as answer:
        assert "Balance" in await answer.text()
    await page(phone, path, status=403, **tapped)
    await page(phone, path, status=403, **signed_tap(6))
    served.now_ms += 600_000
    async with phone.get(again) as answer:
        assert answer.status == 403
    async with phone.get(path, params=signed_tap(8)) as answer:
        assert answer.status == 200


def give_dna_card(db: Database, now_ms: int) -> str:
    """Karim gets a card that signs."""
    known = cards.by_uid(db, "04B1B2C3")
    assert known is not None
    card = card_units.add(db, DNA, known.person_id, By(ACTOR, now_ms), kind=Kind.NTAG424)
    cards.set_content(db, card, ContentState.WRITTEN)
    return card_units.need(db, card).token


def signed_tap(counter: int) -> dict[str, str]:
    """What the chip appends to its link (NXP AN12196, clause 3)."""
    uid, count = bytes.fromhex(DNA), counter.to_bytes(3, "little")
    meta = content.sun_meta_key(DESK_KEY.site_key)
    encryptor = Cipher(algorithms.AES(meta), modes.CBC(bytes(16))).encryptor()
    hidden = encryptor.update(bytes([HEAD]) + uid + count + bytes(5)) + encryptor.finalize()
    key = content.chip_key(content.keys(DESK_KEY.site_key, DNA), content.SUN_FILE_KEY)
    return {"p": hidden.hex(), "m": cmac(cmac(key, SESSION + uid + count), b"")[1::2].hex()}


def cmac(key: bytes, message: bytes) -> bytes:
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()


async def test_a_card_of_a_pool_that_hides_its_balance_tells_it_nowhere(
    served: ConsoleFixture, phone: TestClient[Any, Any]
) -> None:
    def company(db: Database) -> str:
        group = people.need(db, PersonId(1)).group_id
        pool = pools.add(db, About("Acme", group, hides_balance=True), served.by)
        wallets.top_up(db, pool, 987_600, "card", "paid", served.by)
        card = cards.find(db, card_units.add(db, "04C0FFEE", pool, served.by))
        assert card is not None
        return f"/card/{card.token}"

    path = await served.store.write(company)
    html = await page(phone, path)

    assert "Acme" in html
    assert "Top-up" not in html
    assert "statements" not in html
    assert "9,876" not in html
    await page(phone, f"{path}/statements/{month_of(served.console.clock(), served.console.site.zone)}", 404)
