"""`forecourt desk`: a reader on another computer, in a process of its own, that works for a site in another one."""

from __future__ import annotations

import asyncio
import re
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from appliance.cli.desk import read_token, why_not_connected
from appliance.domain.by import By
from appliance.domain.cards.tag import Kind
from appliance.services.operators import tokens as token_units
from appliance.simulator.nfc import catalogue
from appliance.simulator.nfc.cards import Card
from appliance.simulator.nfc.reader import SimulatedReader
from tests.scenarios.conftest import PATIENCE_S, Json, Site
from tests.support.books import Books
from tests.support.process import ROOT, STOP_S, ReadyServer, environment, gone, make_site, run

NAME = "office"
SITE_READY = f"as “{NAME}”"


class DeskProcess:
    """The other computer."""

    def __init__(self, *words: str | Path) -> None:
        self.words = [str(word) for word in words]
        self.said: list[str] = []
        self.process: asyncio.subprocess.Process

    async def start(self) -> None:
        """Start it."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appliance", "desk", *self.words, cwd=ROOT, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=environment(),
        )  # fmt: skip

    async def until_says(self, words: str) -> None:
        """Read its sentences up to one with these words."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while line := (await self.process.stdout.readline()).decode():
                self.said.append(line.rstrip())
                if words in line:
                    return
        raise AssertionError("\n".join(self.said))

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        if self.process.returncode is None:
            self.process.terminate()
        async with asyncio.timeout(STOP_S):
            return await gone(self.process)

    async def kill(self) -> None:
        """As a power cut does it."""
        self.process.kill()
        await gone(self.process)


class Away(Site):
    """A site without a reader of its own, and a token in a file."""

    token_file: Path

    async def desk(self, simulated: SimulatedReader, *more: str) -> DeskProcess:
        """The other computer, joined."""
        words = ("--server", self.server.urls["console"], "--token-file", self.token_file, "--name", NAME)
        found = DeskProcess(*words, "--reader", simulated.path, *more)
        await found.start()
        self._stack.push_async_callback(found.stop)
        await found.until_says(SITE_READY)
        return found

    async def desks(self) -> dict[str, Json]:
        """What the API says of all desks."""
        return {one["id"]: one for one in (await self.get("/desks"))["items"]}

    async def until_reader(self, state: str | None) -> None:
        """The desk's reader is in this state; None: there is no such desk."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                desk = (await self.desks()).get(NAME)
                if (desk["reader"]["state"] if desk else None) == state:
                    return
                await asyncio.sleep(0.05)

    async def until_state(self, job: int, *states: str) -> Json:
        """The job, once it has come to this."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found: Json = await self.get(f"/desks/{NAME}/jobs/{job}")
                if found["state"] in states:
                    return found
                await asyncio.sleep(0.05)

    async def issue(self) -> int:
        """Ask the desk for a card."""
        fields = {"name": "Rahima Khatun", "topup_minor": 10_000, "method": "cash"}
        return int((await self.post(f"/desks/{NAME}/issue", fields, status=202))["job"])


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[SimulatedReader]:
    """The chip outlives both processes."""
    with SimulatedReader(link=tmp_path / "reader") as reader:
        yield reader


@asynccontextmanager
async def open_away(folder: Path, *options: str) -> AsyncIterator[Away]:
    """A site that serves without a reader, and a token for each role in a file."""
    tokens: dict[str, str] = {}

    def fill(books: Books) -> None:
        books.group("prepaid")
        for role in ("owner", "cashier", "guard"):
            tokens[role] = token_units.create_token(books.db, role, role, by=By("console", books.now_ms))

    make_site(folder / "site", fill)
    for role, token in tokens.items():
        (folder / role).write_text(token + "\n")
        (folder / role).chmod(0o600)
    server = ReadyServer(folder / "site")
    server.options = ["--reader", "none", *options]
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.clean_up)
        await server.start()
        found = Away(server, tokens["owner"], stack)
        found.token_file = folder / "cashier"
        yield found
        assert await found.sound()
        assert "Traceback" not in server.log()


@pytest.fixture
async def away(tmp_path: Path) -> AsyncIterator[Away]:
    """Its console is on plain HTTP, as this computer alone reaches it."""
    async with open_away(tmp_path) as found:
        await found.open()
        yield found


def ntag213() -> Card:
    return catalogue.make(Kind.NTAG213)


async def test_a_reader_on_another_computer_issues_cards_and_goes_without_a_trace(
    away: Away, simulated: SimulatedReader
) -> None:
    assert await away.desks() == {}
    desk = await away.desk(simulated)
    await away.until_reader("ready")
    assert (await away.desks())[NAME]["remote"]
    card = ntag213()
    job = await away.issue()
    simulated.lay(card)
    done = await away.until_state(job, "done")
    assert await away.wallet(done["person_id"]) == (10_000, 10_000)
    assert card.locked
    assert await desk.stop() == 0
    await away.until_reader(None)


async def test_a_desk_comes_back_by_itself_when_the_site_does(away: Away, simulated: SimulatedReader) -> None:
    desk = await away.desk(simulated)
    await away.server.kill()
    await desk.until_says("tried again")
    await away.server.start()
    await desk.until_says(SITE_READY)
    await away.until_reader("ready")
    card = ntag213()
    job = await away.issue()
    simulated.lay(card)
    await away.until_state(job, "done")


async def test_a_computer_that_dies_in_the_middle_of_a_write_leaves_a_card_that_is_mended_when_it_is_back(
    away: Away, simulated: SimulatedReader
) -> None:
    desk = await away.desk(simulated)
    await away.until_reader("ready")
    card = ntag213()
    simulated.lay(card)
    await desk.until_says("A card was laid")
    simulated.tear_after_writes(3)
    job = await away.issue()
    assert await asyncio.to_thread(simulated.mishap.wait, PATIENCE_S)
    await desk.kill()
    await away.until_state(job, "torn")
    await away.until_reader("looking")
    simulated.lay(card)
    await away.desk(simulated)
    done = await away.until_state(job, "done")
    assert await away.wallet(done["person_id"]) == (10_000, 10_000)


async def test_a_token_that_may_not_work_at_a_desk_is_told_so_and_the_desk_goes_on_trying(
    away: Away, simulated: SimulatedReader
) -> None:
    for token, words in (("guard", "needs the role cashier"), ("nobody", "does not know the token")):
        file = away.token_file.with_name(token)
        if not file.exists():
            file.write_text("fc_nonsense")
        desk = DeskProcess("--server", away.server.urls["console"], "--token-file", file, "--reader", simulated.path)
        await desk.start()
        await desk.until_says(words)
        await desk.until_says("tried again")
        assert await desk.stop() == 0


async def test_keys_do_not_cross_a_network_in_clear_unless_somebody_insists(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("token")
    words = ("desk", "--server", "http://192.0.2.1:8080", "--token-file", file, "--reader", "none")
    refused = await asyncio.to_thread(run, *words)
    assert refused.returncode == 78
    assert "--insecure" in refused.stderr


async def test_a_console_over_https_is_trusted_by_the_authority_of_its_site_alone(
    tmp_path: Path, simulated: SimulatedReader
) -> None:
    async with open_away(tmp_path, "--console-tls", "127.0.0.1:0") as away:
        console, authority = away.server.urls["console"].rstrip("/"), tmp_path / "ca.crt"
        assert console.startswith("https://")
        async with aiohttp.ClientSession() as session, session.get(f"{console}/ca.crt", ssl=False) as answer:
            authority.write_bytes(await answer.read())
        await away.open(ssl.create_default_context(cafile=authority))

        stranger = DeskProcess("--server", console, "--token-file", away.token_file, "--reader", simulated.path)
        await stranger.start()
        await stranger.until_says("its certificate is not trusted")
        assert await stranger.stop() == 0
        assert "SSLContext" not in "".join(stranger.said)

        await away.desk(simulated, "--ca", str(authority))
        await away.until_reader("ready")
        card = ntag213()
        job = await away.issue()
        simulated.lay(card)
        await away.until_state(job, "done")
        assert card.locked


async def test_a_token_that_others_can_read_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    said: list[str] = []
    file = tmp_path / "credentials" / "token"
    file.parent.mkdir()
    file.write_text("fc_token\n")
    file.chmod(0o600)
    assert read_token(file, said.append) == "fc_token"
    assert said == []
    file.chmod(0o644)
    assert read_token(file, said.append) == "fc_token"
    assert [line for line in said if "others on this PC can read" in line] == said != []

    said.clear()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "elsewhere"))
    assert read_token(file, said.append) == "fc_token"
    assert len(said) == 1
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent))
    assert read_token(file, said.append) == "fc_token"
    assert len(said) == 1, "systemd gives it to this service alone"


async def test_why_there_is_no_connection_is_said_in_words(unused_tcp_port: int) -> None:
    for url, words in (
        (f"http://127.0.0.1:{unused_tcp_port}", "Connection refused."),
        ("http://desk.invalid:8080", "."),
    ):
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientError) as refused:
                await session.get(url)
        sentence = why_not_connected(refused.value)
        assert sentence.endswith(words)
        assert not re.search(r"[<>\[\]()]", sentence), sentence
    assert why_not_connected(TimeoutError()) == "no answer within 10 s."
    assert why_not_connected(ConnectionResetError()) == "it broke off."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--server", "192.168.7.2", "--token-file", "/dev/null"), "not the address of a console"),
        (("--server", "http://127.0.0.1:1", "--token-file", "/dev/null"), "no token"),
        (("--server", "http://127.0.0.1:1", "--token-file", "/nowhere"), "cannot be read"),
    ],
)
async def test_what_cannot_work_is_said_at_once_and_not_tried_again(words: tuple[str, ...], said: str) -> None:
    refused = await asyncio.to_thread(run, "desk", *words)
    assert refused.returncode == 78
    assert said in refused.stderr
