"""Ten thousand frames that are torn, deep or slipped, among them every start and stop: each is answered, no money is lost, and staff see all.

A slip leaves all that a frame says readable, so its session ends with its energy; a tear may not, so then it is only answered.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from appliance.db.stations import message_log
from appliance.domain.by import By
from appliance.domain.clock import system_clock
from appliance.domain.roles import Role
from appliance.domain.units import rfc3339
from appliance.services import integrity
from appliance.services.operators import log_ins, operators, tokens
from appliance.services.stations import admission
from tests.api.site import Running, open_site
from tests.ocpp.raw import nothing

FRAMES = 10_000
STATIONS = 10
SEED = 20261130
ANSWER_S = 60.0
AT_MS = 1_795_000_000_000
APART_MS, LASTS_MS = 600_000, 1_200_000
"""Each frame is so much later than the one before, and each session lasts so long."""
STARTED_WH, STOPPED_WH = 100, 2_600
"""Of a meter that counts each session by itself; the first stop. Each takes a little less than the one before, as shows it."""
PAGES_OF = 2
"""Of so many stations every page of messages is opened."""


def deep(chance: random.Random) -> str:
    depth = chance.choice([20, 250, 300, 2_000])
    return chance.choice(['[{"x":' * depth + "1" + "}]" * depth, "[" * depth, '{"a":' * depth])


def in_front(text: str, piece: str) -> str:
    """`piece` as the first field of the payload."""
    at = text.index("{") + 1
    return text[:at] + piece + text[at:]


SLIPS: list[Callable[[random.Random, str], str]] = [
    lambda chance, text: text.replace(',"', ' "', 1) if chance.random() < 0.5 else text.replace(',"', ',,"'),
    lambda _, text: text.replace("}]", ",}]"),
    lambda _, text: text.replace('"', "'"),
    lambda _, text: text[:-1],
    lambda _, text: text[:-2] + " ",
    lambda _, text: text + "\0\r\n",
    lambda _, text: "\ufeff" + text,
    lambda _, text: text.replace(':"', ':"\x01'),
    lambda _, text: text + text,
    lambda _, text: in_front(text, '"reservationId":NaN,'),
    lambda _, text: in_front(text, '"x":"\\ud800",'),
    lambda chance, text: in_front(text, f'"x":{deep(chance)},'),
    lambda _, text: text.replace('":', '" '),
    lambda _, text: text.replace("[2,", "[2 ").replace('",', '" '),
]


def torn(chance: random.Random, text: str) -> str:
    """Cut, or with a few letters of its own in the wrong place."""
    kind = chance.random()
    if kind < 0.4:
        return text[: chance.randrange(len(text))]
    if kind < 0.6:
        return f'[2,"d{chance.random()}","{chance.choice(["MeterValues", "DataTransfer", "Authorize"])}",{deep(chance)}'
    at, begin = chance.randrange(len(text)), chance.randrange(len(text))
    return text[:at] + text[begin : begin + chance.randrange(8)] + text[at + chance.randrange(4) :]


@dataclass(slots=True)
class Charger:
    """One station, which charges again and again, and writes none of it right."""

    socket: aiohttp.ClientWebSocketResponse
    chance: random.Random
    card: str
    sent: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    sessions: dict[int, int] = field(default_factory=dict)
    """Each with what it took."""

    async def run(self, frames: int) -> None:
        while self.sent < frames:
            at_ms = AT_MS + self.sent * APART_MS
            at, until = rfc3339(at_ms), rfc3339(at_ms + LASTS_MS)
            start = {"connectorId": 1, "idTag": self.card, "meterStart": STARTED_WH, "timestamp": at}
            number = (await self.slip("StartTransaction", start))["transactionId"]
            sample = {"timestamp": at, "sampledValue": [{"value": "1500"}]}
            values = self.call("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": [sample]})
            for _ in range(self.chance.randrange(1, 5)):
                await self.send(torn(self.chance, values))
            stopped_wh = STOPPED_WH - len(self.sessions)
            await self.slip("StopTransaction", {"transactionId": number, "meterStop": stopped_wh, "timestamp": until})
            self.sessions[number] = stopped_wh - STARTED_WH

    def call(self, action: str, payload: dict[str, Any]) -> str:
        return orjson.dumps([2, f"m{self.sent}", action, payload]).decode()

    async def slip(self, action: str, payload: dict[str, Any]) -> Any:
        """Send it with a slip; the payload of its answer."""
        text = self.call(action, payload)
        slipped = self.chance.choice(SLIPS)(self.chance, text)
        answers = await self.send(slipped)
        if len(answers) != 1 or answers[0][:2] != [3, orjson.loads(text)[1]]:
            raise AssertionError(f"{slipped[:300]!r} was answered {answers}")
        return answers[0][2]

    async def send(self, text: str) -> list[Any]:
        """Send a frame; its answers."""
        self.sent += 1
        await self.socket.send_frame(text.encode("utf-8", "surrogatepass"), aiohttp.WSMsgType.TEXT)
        await self.socket.send_str(f'[2,"pulse-{self.sent}","Heartbeat",{{}}]')
        answers = []
        while True:
            message = await self.socket.receive(timeout=ANSWER_S)
            assert message.type is aiohttp.WSMsgType.TEXT, (text[:300], message)
            answer = orjson.loads(message.data)
            if answer[1] == f"pulse-{self.sent}":
                break
            answers.append(answer)
        self.outcomes["silence" if not answers else f"answered {answers[0][0]}"] += 1
        if len(answers) > 1 or any("InternalError" in answer for answer in answers):
            self.wrong.append(f"{text[:300]!r} was answered {answers}")
        return answers


async def browser(site: Running) -> dict[str, str]:
    """The cookie of an owner."""
    by = By("console", system_clock())
    operator = await site.store.write(
        operators.add, login="owner", name="Owner", role=Role.OWNER, password_hash="-", language="", by=by
    )
    token = tokens.new_token()
    await site.store.write(log_ins.log_in, operator, token, address="127.0.0.1", browser="a test", now_ms=by.at_ms)
    return {"sid": token}


@pytest.mark.timeout(300)
async def test_ten_thousand_torn_frames_lose_no_money_and_are_all_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_site(tmp_path) as site:
        api = await site.client()
        group = (await api.post("/groups", {"name": "Guests", "policy": "prepaid"}))["id"]
        await api.post("/tariffs", {"name": "Day", "energy_minor_per_kwh": 2000})
        chargers = []
        for number in range(STATIONS):
            person = (await api.post("/people", {"name": f"Driver {number}", "group_id": group}))["id"]
            await api.pay(f"/people/{person}/topups", {"amount_minor": 100_000_000, "method": "cash"})
            card = f"04A1B2{number:02}"
            await api.post("/cards", {"uid": card, "person_id": person})
            await site.store.write(admission.register, f"CS-{number}", "", None, None, By("console", system_clock()))
            socket = await site.session.ws_connect(f"{site.stations_url}CS-{number}", protocols=("ocpp1.6",))
            chargers.append(Charger(socket, random.Random(SEED + number), card))
        async with asyncio.TaskGroup() as tasks:
            for charger in chargers:
                tasks.create_task(charger.run(FRAMES // STATIONS))
        for charger in chargers:
            await charger.socket.close()
        await site.store.write(nothing)

        outcomes = sum((charger.outcomes for charger in chargers), Counter[str]())
        with capsys.disabled():
            print(f"\n{outcomes.total():,} torn frames: {dict(outcomes)}")  # noqa: T201
        assert outcomes.total() >= FRAMES
        assert [wrong for charger in chargers for wrong in charger.wrong] == []
        assert [record.message for record in caplog.records if record.exc_info] == []

        ended = await site.store.read(
            lambda db: db.execute(
                "SELECT id, state, energy_wh, fee_minor FROM session WHERE card_id IS NOT NULL"
            ).fetchall()
        )
        told = {number: wh for charger in chargers for number, wh in charger.sessions.items()}
        assert [row for row in ended if row[1:] != ("ended", told[row[0]], told[row[0]] * 2)] == []
        assert {row[0] for row in ended} == set(told)
        assert await site.store.read(integrity.verify, None, 0) == []

        cookies = await browser(site)
        for number in range(PAGES_OF):
            assert await shown(site, f"CS-{number}", cookies) > FRAMES // STATIONS


async def shown(site: Running, identity: str, cookies: dict[str, str]) -> int:
    """How many messages the pages of a station show, each opened."""
    station = (
        await site.store.read(
            lambda db: db.execute("SELECT id FROM station WHERE identity = ?", (identity,)).fetchone()
        )
    )[0]
    count, before = 0, None
    while True:
        address = f"{site.url}/stations/{identity}/messages" + (f"?before={before}" if before else "")
        async with site.session.get(address, cookies=cookies, allow_redirects=False) as response:
            assert response.status == 200, (address, response.status)
            await response.read()
        page = await site.store.read(message_log.page, station, before)
        count, before = count + len(page.messages), page.before_id
        if before is None:
            return count
