"""Chargers let in by staff on the pages: with a password, another device in the place of one, and all of an address turned away."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from appliance.domain.identifiers import StationId
from appliance.domain.peer import Peer
from appliance.domain.roles import Role
from appliance.services.ports.stations import CommandAnswer, CommandFailed, FailureKind
from appliance.services.stations import admission
from tests.ui.console_fixture import ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}
KNOCKING = StationId(10)


async def send(client: TestClient[Any, Any], path: str, **fields: str) -> tuple[int, str]:
    answer = await client.post(path, data=fields, headers=OURS)
    return answer.status, await answer.text()


async def page(client: TestClient[Any, Any], path: str) -> str:
    return await (await client.get(path)).text()


async def row(served: ConsoleFixture, identity: str, columns: str) -> Any:
    sql = f"SELECT {columns} FROM station WHERE identity = ?"
    return await served.store.read(lambda db: db.execute(sql, (identity,)).fetchone())


async def test_approve_proposes_a_password_and_sends_it(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.INSTALLER)
    served.stations.connected.add(KNOCKING)
    assert 'name="password" value="1" checked' in await page(client, "/stations/ACME-0042/approve")
    status, _html = await send(client, "/stations/ACME-0042/approve", name="Gate 9", password="1")

    assert status == 200
    ((command, station, password),) = served.stations.asked
    assert (command, station, len(bytes.fromhex(password))) == ("set_password", KNOCKING, 20)
    # It holds once the charger has shown it: until then it may come as it came before.
    found = await row(served, "ACME-0042", "state, security_profile, password_hash, next_password_hash")
    assert found == ("approved", 0, None, password.encode())
    assert password not in await page(client, "/stations/ACME-0042")


@pytest.mark.parametrize(
    ("answer", "said", "kept"),
    [
        (CommandAnswer(False, "NotSupported"), "This charger cannot do that.", False),
        (CommandFailed(FailureKind.UNSUPPORTED, ""), "does not know this command", False),
        (CommandFailed(FailureKind.TIMEOUT, ""), "did not answer", True),
    ],
)
async def test_a_charger_that_takes_no_password_is_in_all_the_same(
    served: ConsoleFixture, answer: CommandAnswer | CommandFailed, said: str, kept: bool
) -> None:
    client = await served.logged_in(Role.MANAGER)
    served.stations.connected.add(KNOCKING)
    served.stations.answers["set_password"] = answer
    _status, html = await send(client, "/stations/ACME-0042/approve", name="Gate 9", password="1")

    assert "It took no password" in html
    assert said in html
    found = await row(served, "ACME-0042", "state, security_profile, next_password_hash IS NOT NULL")
    assert found == ("approved", 0, kept)


async def test_without_the_tick_no_password_is_sent(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    served.stations.connected.add(KNOCKING)
    await send(client, "/stations/ACME-0042/approve", name="Gate 9")
    assert served.stations.asked == []


async def test_a_password_is_sent_from_the_page_of_a_charger_too(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    _status, html = await send(client, "/stations/CS-01/security", how="send")
    assert "The charger has its new password" in html
    assert "a new password was sent, and not used yet" in await page(client, "/stations/CS-01")
    _status, html = await send(client, "/stations/CS-07/security", how="send")  # It is offline.
    assert "offline" in html


async def test_another_device_is_let_in_by_one_press(served: ConsoleFixture) -> None:
    await served.store.write(admission.bind, StationId(1), Peer("", "02:1a:2b:3c:4d:5e"), served.now_ms)
    peer = Peer("192.168.1.77", "02:1a:2b:3c:4d:99")
    await served.store.write(admission.newcomer, StationId(1), peer, served.now_ms, waits=True)
    client, cashier = await served.logged_in(Role.INSTALLER), await served.logged_in(Role.CASHIER)
    assert "A device at 192.168.1.77 says that it is Gate 1" in await page(client, "/problems")
    assert "It is this charger" in await page(client, "/stations/CS-01")
    assert "It is this charger" not in await page(cashier, "/stations/CS-01")
    assert (await send(cashier, "/stations/CS-01/admit", peer=peer.word))[0] == 403

    assert (await send(client, "/stations/CS-01/admit", peer=peer.word))[0] == 200
    assert await row(served, "CS-01", "bound_to") == (peer.word,)
    assert "It is this charger" not in await page(client, "/stations/CS-01")
    assert (await send(client, "/stations/CS-01/admit", peer=peer.word))[0] == 404
    assert "says that it is" not in await page(client, "/stations/CS-01")


async def test_all_that_knock_from_one_address_are_turned_away_by_one_press(served: ConsoleFixture) -> None:
    for number in range(3):
        await served.store.write(admission.knock, f"X-{number}", "192.168.1.66", served.now_ms)
    client = await served.logged_in(Role.MANAGER)
    html = await page(client, "/stations")
    assert "Turn away all from 192.168.1.66" in html
    assert "Turn away all from 192.168.1.77" not in html

    _status, html = await send(client, "/stations/dismiss", address="192.168.1.66")
    assert "3 chargers at 192.168.1.66 were turned away." in html
    assert "X-1" not in html
    assert "ACME-0042" in html


async def test_how_often_a_charger_was_read_although_its_messages_were_not_right_is_said(
    served: ConsoleFixture,
) -> None:
    client = await served.logged_in(Role.INSTALLER)
    assert "Messages not as they should be" not in await page(client, "/stations/CS-01")
    served.console.counters.mended["CS-01"] = 12

    html = await page(client, "/stations/CS-01")
    assert "12 were read all the same, since this server started" in html
    assert "/stations/CS-01/messages?wrong=1" in html


async def test_staff_say_how_much_a_connector_can_give(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.INSTALLER)
    sql = "SELECT evse, power_max_w FROM connector WHERE station_id = (SELECT id FROM station WHERE identity = 'CS-05') ORDER BY evse"

    async def powers() -> list[tuple[int, int]]:
        return await served.store.read(lambda db: db.execute(sql).fetchall())

    assert 'name="power-1"' in await page(client, "/stations/CS-05")
    status, html = await send(client, "/stations/CS-05/power", **{"power-1": "7,4"})
    assert (status, 'value="7.4"' in html) == (200, True)
    assert (await powers())[0] == (1, 7_400)

    status, html = await send(client, "/stations/CS-05/power", **{"power-1": "9000"})
    assert (status, "between 1 and 4,000 kW" in html, 'value="9000"' in html) == (422, True, True)
    status, html = await send(client, "/stations/CS-05/power", **{"power-1": "much"})
    assert (status, 'value="much"' in html) == (422, True)
    assert (await powers())[0] == (1, 7_400)

    await send(client, "/stations/CS-05/power", **{"power-1": ""})
    assert (await powers())[0] == (1, 0)
    owner = await served.logged_in(Role.OWNER)
    told = await page(owner, "/audit")
    assert "can give" in told
    assert "7.4 kW" in told
