"""Lists of cards as files: the dry run, the button, and the file that can be read back."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestClient

from appliance.db.cards import cards
from appliance.db.people import people_search
from appliance.domain.identifiers import CardId
from appliance.domain.roles import Role
from appliance.services.cards import cards as card_units
from tests.ui.console_fixture import BY, NOW_MS, ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}
LIST = """name;phone;uid;label;valid_until
Salma Begum;+880 17 1;04E1B2C3;<b>;2027-12-31
Rahima Khatun;;04F1B2C3;;
Karim Ahmed;;04A1B2C3;;
"""
Browser = TestClient[Any, Any]


async def bring(client: Browser, data: bytes, name: str = "cards.csv") -> tuple[int, str]:
    """Choose a file and press the button."""
    form = FormData()
    form.add_field("file", io.BytesIO(data), filename=name, content_type="text/csv")
    async with client.post("/cards/import", data=form, headers=OURS) as answer:
        return answer.status, await answer.text()


async def run(client: Browser, html: str) -> tuple[int, str]:
    """Press the button of a dry run."""
    found = re.search(r'action="(/cards/import/[^"]+)"', html)
    assert found is not None
    async with client.post(found[1], headers=OURS) as answer:
        return answer.status, await answer.text()


def figures(html: str) -> dict[str, int]:
    """What the dry run sums up."""
    pairs = re.findall(r"<strong>(\d+)</strong><span>([^<]+)</span>", html)
    return {word: int(number) for number, word in pairs}


async def test_a_list_is_told_first_and_done_by_the_button(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    status, html = await bring(client, LIST.encode())

    assert status == 200
    assert figures(html) == {"new people": 1, "new cards": 2, "changes": 0, "as they are": 0, "left out": 1}
    assert "This card belongs to Rahima Khatun already." in html
    assert "&lt;b&gt;" in html
    assert "31 Dec 2027" in html
    assert await served.store.read(cards.by_uid, "04E1B2C3") is None

    _status, after = await run(client, html)
    assert "Imported: 1 new person, 2 new cards." in after
    made = await served.store.read(cards.by_uid, "04E1B2C3")
    assert made is not None
    assert (made.person, made.label) == ("Salma Begum", "<b>")
    # Pressed again, it says the same and does nothing.
    count = len(await served.store.read(people_search.people))
    assert "Imported: 1 new person, 2 new cards." in (await run(client, html))[1]
    assert len(await served.store.read(people_search.people)) == count


async def test_the_same_file_again_would_change_nothing(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    await run(client, (await bring(client, LIST.encode()))[1])
    _status, html = await bring(client, LIST.encode())

    assert figures(html)["as they are"] == 2
    assert "Nothing would change." in html
    assert "/cards/import/" not in html


async def test_an_import_is_in_the_audit_list_once(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.OWNER)
    await run(client, (await bring(client, LIST.encode()))[1])
    async with client.get("/audit?action=card.") as answer:
        html = await answer.text()
    assert html.count("Imported a list: 1 new person, 2 new cards, 0 changes") == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "No file was chosen."),
        (b"PK\x03\x04", "This is an Excel workbook"),
        (b"hello\nworld\n", "The first line names neither"),
        (b"name\n" + b"x" * 2_100_000, "larger than 2 MB"),
    ],
)
async def test_a_file_that_is_no_list_is_refused_with_the_reason(
    served: ConsoleFixture, data: bytes, words: str
) -> None:
    client = await served.logged_in(Role.MANAGER)
    status, html = await bring(client, data)

    assert status == 409
    assert words in html


async def test_a_form_without_a_file_is_refused_with_the_reason(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    async with client.post("/cards/import", data={"file": "name"}, headers=OURS) as answer:
        assert answer.status == 409
        assert "No file was chosen." in await answer.text()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"name"),
        ("multipart/form-data; boundary=abc", b"name"),
        ("multipart/form-data; boundary=abc", b"--abc\r\nno head\r\n\r\n--abc--"),
        ("multipart/mixed; boundary=abc", b"--abc--"),
        ("text/csv", b"name\nRahima\n"),
    ],
)
async def test_what_no_browser_sends_is_refused(served: ConsoleFixture, kind: str, body: bytes) -> None:
    client = await served.logged_in(Role.MANAGER)
    async with client.post("/cards/import", data=body, headers={**OURS, "Content-Type": kind}) as answer:
        assert answer.status == 409


async def test_a_list_is_done_only_by_who_brought_it(served: ConsoleFixture) -> None:
    manager, other = await served.logged_in(Role.MANAGER), await served.logged_in(Role.OWNER)
    _status, html = await bring(manager, LIST.encode())

    assert (await run(other, html))[0] == 404
    assert await served.store.read(cards.by_uid, "04E1B2C3") is None


async def test_a_list_is_forgotten_when_others_come(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    _status, html = await bring(client, LIST.encode())
    for _number in range(8):
        await bring(client, LIST.encode())

    status, answer = await run(client, html)
    assert status == 404
    assert "Choose the file again" in answer


@pytest.mark.parametrize("language", ["en", "bn"])
async def test_the_exported_list_can_be_read_back_and_changes_nothing(served: ConsoleFixture, language: str) -> None:
    client = await served.logged_in(Role.MANAGER)
    await served.store.write(
        card_units.change, CardId(3), BY, label="=car 7", transactions_max=1, expires_at_ms=NOW_MS + 10**10
    )
    async with client.post("/account/language", data={"language": language}, headers=OURS) as answer:
        assert answer.status == 200
    async with client.get("/cards.csv") as answer:
        assert answer.status == 200
        data = await answer.read()
    assert b"04A1B2C3" in data
    form = FormData()
    form.add_field("file", io.BytesIO(data), filename="cards.csv")
    async with client.post("/cards/import", data=form, headers=OURS) as answer:
        html = await answer.text()
        assert answer.status == 200, html

    numbers = re.findall(r"<strong>([\d০-৯]+)</strong>", html)
    assert [int(number) for number in numbers] == [0, 0, 0, 4, 0]


async def test_the_export_follows_the_filters_and_comes_as_a_workbook_too(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    await served.store.write(card_units.block, CardId(3), "lost", BY)
    async with client.get("/cards.csv", params={"state": "blocked"}) as answer:
        lines = (await answer.text()).strip().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith('0003,"Green Taxi, car 7"')
    assert ",blocked,lost," in lines[1]
    async with client.get("/cards.xlsx") as answer:
        assert (await answer.read()).startswith(b"PK")


async def test_cashiers_neither_import_nor_export(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    assert (await bring(client, LIST.encode()))[0] == 403
    for path in ("/cards/import", "/cards.csv", "/cards.xlsx"):
        async with client.get(path) as answer:
            assert answer.status == 403
    async with client.get("/cards") as answer:
        html = await answer.text()
    assert "/cards/import" not in html
    assert "/cards.csv" not in html
