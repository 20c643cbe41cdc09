"""How a charger proves who it is: nothing changes that was not meant to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.services.stations import credentials
from appliance.services.stations.credentials import Asked
from tests.ui.console_fixture import ConsoleFixture, open_console

PAGE = "/stations/CS-02/security"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[ConsoleFixture]:
    async with open_console(tmp_path) as console:
        yield console


async def secured(served: ConsoleFixture) -> tuple[int, bytes | None]:
    sql = "SELECT security_profile, password_hash FROM station WHERE identity = 'CS-02'"
    row: tuple[int, bytes | None] = await served.store.read(lambda db: db.execute(sql).fetchone())
    return row


async def give(served: ConsoleFixture, profile: int, password: bytes = b"correct horse") -> None:
    number = await served.store.read(
        lambda db: db.execute("SELECT id FROM station WHERE identity = 'CS-02'").fetchone()
    )
    await served.store.write(credentials.change, number[0], Asked(profile, password), served.by)


@pytest.mark.parametrize("profile", [1, 2])
async def test_the_page_proposes_what_is(served: ConsoleFixture, profile: int) -> None:
    await give(served, profile)
    client = await served.logged_in()
    text = await (await client.get(PAGE)).text()

    assert 'value="keep" checked' in text
    assert ('name="tls" value="1" checked' in text) == (profile == 2)


@pytest.mark.parametrize(
    ("form", "after"),
    [
        ({"how": "keep", "tls": "1"}, (2, b"correct horse")),
        ({"how": "keep"}, (1, b"correct horse")),
        ({"how": "password", "password": "another one", "tls": "1"}, (2, b"another one")),
        ({"how": "password", "password": "another one"}, (1, b"another one")),
        ({"how": "open"}, (0, None)),
    ],
)
async def test_what_is_sent_holds(
    served: ConsoleFixture, form: dict[str, str], after: tuple[int, bytes | None]
) -> None:
    await give(served, 1)
    client = await served.logged_in()
    answer = await client.post(PAGE, data=form, headers={"Sec-Fetch-Site": "same-origin"}, allow_redirects=False)

    assert answer.status in (200, 303)
    assert await secured(served) == after


async def test_a_charger_without_a_password_is_not_offered_to_keep_one(served: ConsoleFixture) -> None:
    client = await served.logged_in()

    assert 'value="keep"' not in await (await client.get(PAGE)).text()
