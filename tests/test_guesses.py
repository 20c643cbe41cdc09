"""Whatever can be guessed: docs/SECURITY.md has the list, and each has a bound here, from however many addresses."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import BaseTestServer, TestServer

from appliance.db.cards import cards
from appliance.domain.roles import Role
from appliance.host.owner_key import SEED_BYTES
from appliance.ocpp.admission.credentials import FAILURES_MAX, FAILURES_OF_ONE_MAX
from appliance.ocpp.connection.refused_cards import CARDS_MAX
from appliance.ocpp.settings import StationSettings
from appliance.services.cards import holder_page
from appliance.services.cards import pin as card_pin
from appliance.services.cards.cards import new_token as new_link
from appliance.services.cards.secure_tap import SIGNATURE
from appliance.services.operators import log_ins, set_up, tokens
from appliance.services.stations.commands import PASSWORD_BYTES
from appliance.ui.driver.app import create_drivers
from appliance.ui.frame.auth import DELAY_S_MAX, GUESSES_FREE
from tests.ocpp.raw import Server, basic, connected, handshake_status
from tests.ui.console_fixture import DESK_KEY, PASSWORD, ConsoleFixture, open_console

DOCUMENT = Path(__file__).parents[1] / "docs/SECURITY.md"
OURS = {"Sec-Fetch-Site": "same-origin"}
ADDRESSES = [f"127.0.0.{number}" for number in range(20, 40)]
HEARD = {401, 422}
LATER = 429


@dataclass(frozen=True, slots=True)
class Site:
    """All listeners of one, beside one another."""

    console: ConsoleFixture
    bare: ConsoleFixture
    drivers: BaseTestServer
    stations: Server


@pytest.fixture(name="site")
async def _site(tmp_path: Path) -> AsyncIterator[Site]:
    (tmp_path / "bare").mkdir()
    stations = Server(tmp_path / "stations.db", StationSettings())
    async with open_console(tmp_path) as console, open_console(tmp_path / "bare", filled=False) as bare:
        await stations.start()
        async with TestServer(create_drivers(console.console)) as drivers:
            yield Site(console, bare, drivers, stations)
        await stations.stop()


async def heard(
    server: BaseTestServer, path: str, forms: list[dict[str, str]], headers: dict[str, str] | None = None
) -> int:
    """How many of these, each from an address of its own, were compared; the others are to come later."""
    statuses = []
    for form, address in zip(forms, ADDRESSES, strict=False):
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(address, 0))) as session,
            session.post(
                server.make_url(path), data=form, headers=OURS | (headers or {}), allow_redirects=False
            ) as answer,
        ):
            statuses.append(answer.status)
    assert set(statuses) == {statuses[0], LATER}
    assert statuses[0] in HEARD
    return statuses.count(statuses[0])


async def passwords_of_staff(site: Site) -> None:
    await site.console.operator(Role.OWNER, "nasrin")
    forms = [{"login": "nasrin", "password": f"wrong {number}"} for number, _ in enumerate(ADDRESSES)]
    assert await heard(site.console.server, "/login", forms) == GUESSES_FREE

    site.console.now_ms += DELAY_S_MAX * 1000
    assert await heard(site.console.server, "/login", forms) == 1


async def ones_own_password(site: Site) -> None:
    """Whoever has taken the cookie asks from everywhere."""
    operator, token = await site.console.operator(Role.OWNER, "nasrin"), tokens.new_token()
    await site.console.store.write(
        log_ins.log_in, operator, token, address="10.0.0.1", browser="", now_ms=site.console.now_ms
    )
    forms = [{"current": f"wrong {number}", "password": "seven green umbrellas"} for number, _ in enumerate(ADDRESSES)]
    assert await heard(site.console.server, "/account/password", forms, {"Cookie": f"sid={token}"}) == GUESSES_FREE


async def the_set_up_code(site: Site) -> None:
    code = await site.bare.store.write(set_up.setup_code, site.bare.now_ms)
    assert code is not None
    assert 5 * len(code.replace("-", "")) == 60
    assert len(set_up.SETUP_CODE_LETTERS) == 2**5
    forms = [
        {"code": f"ABCD-EFGH-JK{number:02}", "name": "Mallory", "login": "mallory", "password": PASSWORD}
        for number, _ in enumerate(ADDRESSES)
    ]
    assert await heard(site.bare.server, "/setup", forms) == GUESSES_FREE


async def the_pin_of_a_holders_page(site: Site) -> None:
    store = site.console.store
    card = await store.read(cards.by_uid, "04A1B2C3")
    assert card is not None
    await store.write(card_pin.set_pin, card.id, card_pin.hash_pin("4711"), site.console.by)
    forms = [{"pin": f"48{number:02}"} for number, _ in enumerate(ADDRESSES)]
    assert await heard(site.drivers, f"/card/{card.token}", forms) == GUESSES_FREE

    site.console.now_ms += DELAY_S_MAX * 1000
    assert await heard(site.drivers, f"/card/{card.token}", forms) == 1


async def a_chargers_password(site: Site) -> None:
    assert 8 * PASSWORD_BYTES == 160
    await site.stations.register("CS-1", 1, PASSWORD)

    async def guess(password: str, address: str) -> int:
        return (await handshake_status(site.stations, headers=basic("CS-1", password), address=address))[0]

    for number in range(FAILURES_OF_ONE_MAX):
        assert await guess(f"wrong {number}", f"127.0.1.{1 + number // (FAILURES_MAX - 1)}") == 401
    assert await guess("wrong", "127.0.0.9") == 429
    # Who has guessed once waits for the next guess, even if it is right; who has not is let in.
    assert await guess(PASSWORD, "127.0.1.1") == 429
    assert await guess(PASSWORD, "127.0.0.8") == 101


async def the_number_of_a_card(site: Site) -> None:
    for name in ("CS-1", "CS-2"):
        await site.stations.register(name)
    async with connected(site.stations, "/ocpp/CS-1") as one, connected(site.stations, "/ocpp/CS-2") as other:
        for number in range(CARDS_MAX):
            for client in (one, other):
                answer = await client.call("Authorize", {"idTag": f"04BAD{number:03X}"})
                assert answer["idTagInfo"]["status"] == "Invalid"
    rows = await site.stations.rows("SELECT subject FROM problem WHERE kind = 'cards_tried' ORDER BY subject")
    assert rows == [("station:1",), ("station:2",)]


def long(bits: int, made: Callable[[], str], letters: int) -> Callable[[Site], Awaitable[None]]:
    """Random, and so long that nobody guesses it."""

    async def is_long(_site: Site) -> None:
        found = {made() for _ in range(100)}
        assert len(found) == 100
        (length,) = {len(one) for one in found}
        assert length * (letters.bit_length() - 1) >= bits

    return is_long


async def the_link_of_a_tap(_site: Site) -> None:
    assert SIGNATURE.pattern == "[0-9A-Fa-f]{16}"


async def the_minutes_after_a_tap(site: Site) -> None:
    ticket = holder_page.ticket(DESK_KEY.site_key, "token", site.console.now_ms)
    assert len(ticket.partition(".")[2]) * 4 == 96
    assert not holder_page.ticket_holds(DESK_KEY.site_key, "token", ticket[:-1], site.console.now_ms)
    late_ms = site.console.now_ms + holder_page.TICKET_MS
    assert not holder_page.ticket_holds(DESK_KEY.site_key, "token", ticket, late_ms)


async def the_mark_of_a_browser(site: Site) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(
            site.console.server.make_url("/people"), headers={"Cookie": "known=1.x." + "0" * 64}, allow_redirects=False
        ) as answer,
    ):
        assert answer.status == 303


async def the_words_of_the_owners_key(_site: Site) -> None:
    assert 8 * SEED_BYTES == 128


STORIES: dict[str, Callable[[Site], Awaitable[None]]] = {
    "a password of staff": passwords_of_staff,
    "one's own password, asked for before it is changed": ones_own_password,
    "the set-up code": the_set_up_code,
    "the PIN of a holder's page": the_pin_of_a_holders_page,
    "a charger's password": a_chargers_password,
    "the number of a card, at a charger": the_number_of_a_card,
    "the link of a card": long(96, new_link, 16),
    "the link of a tap": the_link_of_a_tap,
    "the few minutes after a tap": the_minutes_after_a_tap,
    "a token of a program, or of a card desk elsewhere": long(256, tokens.new_token, 64),
    "a log-in's cookie": long(256, tokens.new_token, 64),
    "the mark of a browser": the_mark_of_a_browser,
    "the words of the owner's key": the_words_of_the_owners_key,
}
"""By the first column of the table."""


def test_the_document_names_all_that_can_be_guessed() -> None:
    chapter = DOCUMENT.read_text().partition("### What can be guessed\n")[2].partition("\n### ")[0]
    named = re.findall(r"^\| ([^|]+?) \|", chapter, re.MULTILINE)
    assert named[1:] == list(STORIES)


@pytest.mark.parametrize("what", STORIES)
async def test_guesses_have_a_bound_from_however_many_addresses(site: Site, what: str) -> None:
    await STORIES[what](site)
