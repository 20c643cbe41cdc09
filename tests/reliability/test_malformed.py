"""Ten thousand frames that are wrong: each is answered or its sender disconnected, and then money still moves."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import WSCloseCode, WSMsgType

from appliance.ocpp.admission.endpoint import FRAME_BYTES_MAX
from tests.reliability.fleet import PAID_IN_MINOR, card, fill
from tests.support.books import Books
from tests.support.process import ServerProcess, look_into, make_site

FRAMES = 10_000
STATIONS = 40
SEED = 20261123
ANSWER_S = 30.0
RSS_GROWTH_KIB_MAX = 60_000
AT, LATER = "2026-11-23T06:00:00Z", "2026-11-23T06:30:00Z"
GUEST = "04A1B2C3"
"""The card of most wrong frames. It may charge: or else cards would be tried out here, and each answer would take five seconds."""
SAMPLE = {"value": "1500", "measurand": "Energy.Active.Import.Register", "unit": "Wh", "context": "Sample.Periodic"}
VALID: list[tuple[str, dict[str, Any]]] = [
    ("BootNotification", {"chargePointVendor": "Forecourt", "chargePointModel": "Fuzz"}),
    ("Heartbeat", {}),
    ("Authorize", {"idTag": "04A1B2C3"}),
    ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": AT}),
    ("StartTransaction", {"connectorId": 1, "idTag": "04A1B2C3", "meterStart": 1000, "timestamp": AT}),
    ("StopTransaction", {"transactionId": 1, "meterStop": 2000, "timestamp": AT, "reason": "Local"}),
    (
        "MeterValues",
        {"connectorId": 1, "transactionId": 1, "meterValue": [{"timestamp": AT, "sampledValue": [SAMPLE]}]},
    ),
    ("DataTransfer", {"vendorId": "x", "messageId": "y", "data": "z"}),
    ("FirmwareStatusNotification", {"status": "Installed"}),
    ("DiagnosticsStatusNotification", {"status": "Uploaded"}),
]
NEVER_REFUSED = {
    "BootNotification", "Heartbeat", "StatusNotification", "StartTransaction", "StopTransaction", "MeterValues",
}  # fmt: skip
NASTY: list[str] = [
    "null", "true", "false", "0", "-1", "1e999", "-1e999", "NaN", "Infinity", str(2**31), str(2**53), str(2**63), str(2**70),
    str(-(2**70)), "1.5", "1e-400", '""', '" "', '"\\u0000"', '"\\ud800"', '"\\udfff\\ud800"', '"\u202e"', '"' + "9" * 400 + '"',
    '"-1"', '"\u0661\u0662\u0663"', '"1_000"', '"0x10"', '"NaN"', '"1970-01-01T00:00:00Z"', '"9999-12-31T23:59:59Z"',
    '"0001-01-01T00:00:00+14:00"', '"2026-02-30T25:61:61Z"', '"yesterday"', "[]", "{}", "[[]]", '{"":{}}', "[null]",
    "[" * 2000 + "]" * 2000, '{"a":' * 1500 + "1" + "}" * 1500, '"' + "x" * 5000 + '"', '"; DROP TABLE session; --"',
    '"<script>alert(1)</script>"', '"../../../etc/passwd"', '"%s%n{0}"',
]  # fmt: skip
RAW: list[str] = [
    "", " ", "\0", "null", "true", "42", '"text"', "{}", "[]", "[2]", '[2,"a"]', '[2,"a","Heartbeat"]', '[2,"a","Heartbeat",{}',
    '[2,"a","Heartbeat",{}]]', '[2,"a","Heartbeat",{},{}]', '[2,"a","Heartbeat",[]]', '[2,"a","Heartbeat",null]', '[2,"a",null,{}]',
    '[2,null,"Heartbeat",{}]', '[2,{},"Heartbeat",{}]', '[2,["a"],"Heartbeat",{}]', '[2,true,"Heartbeat",{}]', '[2,1,"Heartbeat",{}]',
    '[2,1.5,"Heartbeat",{}]', '[2,"","Heartbeat",{}]', '["2","a","Heartbeat",{}]', '[2.0,"a","Heartbeat",{}]', '[-2,"a","Heartbeat",{}]',
    '[3,"nobody",{}]', '[3,"nobody"]', "[3]", "[4]", '[4,"nobody","GenericError","",{}]', '[4,"nobody"]', '[5,"a",{}]', '[6,"a","Send",{}]',
    "[99]", "[null]", "[[2]]", '[2,"a","NoSuchAction",{}]', '[2,"a","RemoteStartTransaction",{"idTag":"x"}]', '[2,"a","heartbeat",{}]',
    '[2,"a","Heartbeat ",{}]', '[2,"a","__class__",{}]', "hello", "<xml/>", "GET / HTTP/1.1", "[" * 30000, '{"a":' * 8000,
    "[2," + "9" * 5000 + ',"Heartbeat",{}]', '[2,"' + "i" * 5000 + '","Heartbeat",{}]', '[2,"a","' + "A" * 5000 + '",{}]',
    '[2,"a","StartTransaction",{"connectorId":1,"connectorId":2,"idTag":"x","meterStart":0,"timestamp":"' + AT + '"}]',
]  # fmt: skip


@dataclass(slots=True)
class Tally:
    """What became of the frames."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def frames(chance: random.Random, count: int) -> Iterator[bytes | str]:
    """Wrong frames, and some that are right all the same; bytes are sent as a binary frame."""
    yield from RAW
    for number in range(count - len(RAW)):
        action, payload = chance.choice(VALID)
        text = orjson.dumps([2, f"m{number}", action, payload]).decode()
        kind = chance.random()
        if kind < 0.55:
            yield with_a_nasty_value(chance, text)
        elif kind < 0.75:
            yield mutilated(chance, text)
        elif kind < 0.80:
            yield text[: chance.randrange(len(text))]
        elif kind < 0.85:
            at = chance.randrange(len(text))
            yield text[:at] + chance.choice(NASTY)[:3000] + text[at:]
        elif kind < 0.87:
            yield text[:-1] + " " * FRAME_BYTES_MAX + "]"
        elif kind < 0.89:
            yield chance.randbytes(chance.randrange(1, 200))
        elif kind < 0.94:
            yield without_a_field(chance, number, action, payload)
        else:
            yield orjson.dumps([2, f"m{number}", chance.choice(VALID)[0], payload]).decode()


def with_a_nasty_value(chance: random.Random, text: str) -> str:
    """One value of a call replaced, by text, for not all of them can be said in Python."""
    marks = [at for at in range(len(text)) if text[at] == ":" and text[at - 1] == '"']
    if not marks:
        return text.replace("{}", '{"extra":' + chance.choice(NASTY) + "}")
    begin = chance.choice(marks) + 1
    end = begin
    depth, quoted = 0, False
    while end < len(text) and (quoted or depth or text[end] not in ",}]"):
        quoted ^= text[end] == '"'
        depth += 0 if quoted else (text[end] in "[{") - (text[end] in "]}")
        end += 1
    return text[:begin] + chance.choice(NASTY) + text[end:]


def mutilated(chance: random.Random, text: str) -> str:
    """A few characters changed, doubled or gone."""
    letters = list(text)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(letters))
        letters[at] = chance.choice(
            ["", letters[at] * 2, chance.choice('{}[]",:0a\\\0\u00e9\u2028'), chr(chance.randrange(1, 0xD7FF))]
        )
    return "".join(letters)


def without_a_field(chance: random.Random, number: int, action: str, payload: dict[str, Any]) -> str:
    """A field gone, and one more that nobody knows."""
    fields = {name: value for name, value in payload.items() if chance.random() < 0.6}
    return orjson.dumps([2, f"m{number}", action, fields | {"unknown": [1, {"a": None}]}]).decode()


class Fuzzer:
    """One station that sends nonsense, and after each frame a heartbeat that must be answered."""

    def __init__(self, session: aiohttp.ClientSession, url: str, tally: Tally) -> None:
        self.session = session
        self.url = url
        self.tally = tally
        self.count = 0

    async def run(self, wrong_frames: list[bytes | str]) -> None:
        socket = await self.connect()
        for frame in wrong_frames:
            if not await self.one(socket, frame):
                socket = await self.connect()
        await socket.close()

    async def connect(self) -> aiohttp.ClientWebSocketResponse:
        return await self.session.ws_connect(self.url, protocols=("ocpp1.6",), compress=0)

    async def one(self, socket: aiohttp.ClientWebSocketResponse, frame: bytes | str) -> bool:
        """Send it and see; whether the connection is still good."""
        self.count += 1
        pulse = f"pulse-{self.count}"
        try:
            if isinstance(frame, bytes):
                await socket.send_bytes(frame)
            else:
                await socket.send_frame(frame.encode("utf-8", "surrogatepass"), WSMsgType.TEXT)
            await socket.send_str(orjson.dumps([2, pulse, "Heartbeat", {}]).decode())
        except ConnectionError:
            pass  # It was closed before the heartbeat was out; what was received says why.
        answers = []
        async with asyncio.timeout(ANSWER_S):
            while True:
                message = await socket.receive()
                if message.type is not WSMsgType.TEXT:
                    self.closed(frame, socket.close_code)
                    return False
                answer = orjson.loads(message.data)
                if answer[0] == 2:
                    continue  # The server's own call, as after a boot.
                if answer[1] == pulse:
                    break
                answers.append(answer)
        self.judge(frame, answers)
        return True

    def closed(self, frame: bytes | str, code: int | None) -> None:
        """Only what no server can read ends a connection, and each with its own code."""
        self.tally.outcomes[f"closed {code}"] += 1
        expected: set[int | None] = set()
        if isinstance(frame, bytes):
            expected = {WSCloseCode.UNSUPPORTED_DATA}
        elif len(frame.encode()) > FRAME_BYTES_MAX:
            # The rest of the frame may still be on its way; then the network drops the code with the connection.
            expected = {WSCloseCode.MESSAGE_TOO_BIG, WSCloseCode.ABNORMAL_CLOSURE}
        if code not in expected:
            self.tally.wrong.append(f"{frame[:200]!r} was closed with {code}")

    def judge(self, frame: bytes | str, answers: list[list[Any]]) -> None:
        """One answer to a call, with its message id; none to what is no call."""
        try:
            sent = orjson.loads(frame)
        except orjson.JSONDecodeError:
            sent = None
        is_call = isinstance(sent, list) and len(sent) > 0 and sent[0] == 2
        self.tally.outcomes["silence" if not answers else f"answered {answers[0][0]}"] += 1
        if len(answers) > 1 or (is_call and not answers):
            self.tally.wrong.append(f"{frame[:200]!r} was answered {answers}")
        elif answers and answers[0][0] == 4 and (answers[0][2] == "InternalError" or len(answers[0]) != 5):
            self.tally.wrong.append(f"{frame[:200]!r} broke something: {answers}")
        elif is_call and sent is not None and len(sent) == 4 and isinstance(sent[1], str) and isinstance(sent[3], dict):
            if answers[0][1] != sent[1]:
                self.tally.wrong.append(f"{frame[:200]!r} was answered to another id: {answers}")
            elif sent[2] in NEVER_REFUSED and answers[0][0] != 3:
                self.tally.wrong.append(f"{frame[:200]!r} was refused: {answers}")


def rss_kib(process: int) -> int:
    """The memory of a process."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("a process has memory")


async def charge(session: aiohttp.ClientSession, url: str) -> int:
    """A whole transaction on a card with money; its number."""
    async with session.ws_connect(url, protocols=("ocpp1.6",), compress=0) as socket:

        async def tell(number: int, action: str, payload: dict[str, Any]) -> Any:
            await socket.send_str(orjson.dumps([2, f"charge-{number}", action, payload]).decode())
            while (answer := orjson.loads((await socket.receive(ANSWER_S)).data))[0] == 2:
                pass  # The server's own call.
            assert answer[:2] == [3, f"charge-{number}"], answer
            return answer[2]

        started = await tell(
            1, "StartTransaction", {"connectorId": 1, "idTag": card(7), "meterStart": 0, "timestamp": AT}
        )
        assert started["idTagInfo"]["status"] == "Accepted"
        transaction = int(started["transactionId"])
        await tell(2, "StopTransaction", {"transactionId": transaction, "meterStop": 3_000, "timestamp": LATER})
        return transaction


def fill_with_guest(books: Books) -> None:
    """The fleet's site, with a guest who pays nothing."""
    fill(books, STATIONS + 1)
    books.card(GUEST, books.person("Guest", group=books.group("free")))


@pytest.mark.timeout(400)
async def test_ten_thousand_wrong_frames_are_each_answered_or_end_their_connection_and_money_still_moves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data_dir = tmp_path / "site"
    make_site(data_dir, fill_with_guest)
    server, tally = ServerProcess(data_dir), Tally()
    every = list(frames(random.Random(SEED), FRAMES))
    try:
        await server.start()
        async with aiohttp.ClientSession() as session:
            url = server.urls["stations"]
            before_kib = rss_kib(server.running.pid)
            async with asyncio.TaskGroup() as group:
                for number in range(STATIONS):
                    fuzzer = Fuzzer(session, f"{url}CS-{number:03}", tally)
                    group.create_task(fuzzer.run(every[number::STATIONS]))
            after_kib = rss_kib(server.running.pid)
            transaction = await charge(session, f"{url}CS-{STATIONS:03}")
        assert await server.stop() == 0
    finally:
        await server.clean_up()

    with capsys.disabled():
        print(f"\n{FRAMES:,} wrong frames: {dict(tally.outcomes)}; memory {before_kib >> 10} -> {after_kib >> 10} MiB")  # noqa: T201
    assert tally.wrong == []
    assert sum(tally.outcomes.values()) == FRAMES
    assert "Traceback" not in server.log()
    assert after_kib - before_kib < RSS_GROWTH_KIB_MAX
    db = look_into(data_dir)
    assert db.execute("SELECT state, fee_minor FROM session WHERE id = ?", (transaction,)).fetchone() == (
        "ended",
        6_000,
    )
    wallet = "SELECT credit_posted - debit_posted FROM account JOIN person ON wallet_id = account.id JOIN card ON person_id = person.id WHERE uid = ?"
    assert db.execute(wallet, (card(7),)).fetchone() == (PAID_IN_MINOR - 6_000,)
    db.close()
