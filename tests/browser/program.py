"""The product as a program of its own, for tests in a browser: made with its commands, started on free ports, ended by a signal.

What is looked at with the browser is in `onlooker`; fixtures are in `conftest`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.process import gone

START_S_MAX = 60.0
STOP_S_MAX = 20.0
LOOPBACK = "127.0.0.1:0"
ROOT = Path(__file__).parents[2]
LATELY = "from={:%Y-%m-%d}&to={:%Y-%m-%d}".format(*(datetime.now(UTC) - timedelta(days=days) for days in (14, 0)))
"""Days on which the demo site has charged: on the first of a month the one that runs has nothing to tell yet."""
PASSWORD = "yellow submarine garage"
"""Of everybody on a test's site."""


@dataclass(slots=True)
class Program:
    """A running `forecourt serve`."""

    directory: Path
    process: asyncio.subprocess.Process
    log: Path
    """What it wrote on standard error."""
    addresses: dict[str, str] = field(default_factory=dict)
    """By face: `stations`, `console`, `drivers` and, with HTTPS, `console-redirect`."""
    setup_code: str = ""

    @property
    def console(self) -> str:
        """Where the staff go, without the slash at the end."""
        return self.addresses["console"].rstrip("/")

    @property
    def stations(self) -> str:
        """Where chargers go; their identity comes behind it."""
        return self.addresses["stations"]


async def command(*arguments: str, typed: str = "") -> str:
    """Run one command of the product to its end; what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "appliance", *arguments, cwd=ROOT, env=environment(),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(START_S_MAX):
        printed, complained = await process.communicate(typed.encode())
    assert process.returncode == 0, complained.decode()
    return printed.decode()


async def make_site(directory: Path) -> None:
    """A new site in taka, in Dhaka."""
    await command(
        "init", "--data-dir", str(directory), "--currency", "BDT", "--timezone", "Asia/Dhaka", "--site-name", "Test yard"
    )  # fmt: skip


async def add_operator(directory: Path, login: str, role: str, name: str) -> None:
    """A member of the staff, with `PASSWORD`."""
    arguments = ["--data-dir", str(directory), "--login", login, "--role", role, "--name", name]
    await command("operator", "add", *arguments, typed=PASSWORD + "\n")


@asynccontextmanager
async def serving(directory: Path, *options: str, last_word: str = "drivers") -> AsyncIterator[Program]:
    """Serve the site in `directory` until the block ends; then it must end by itself, and its log be free of tracebacks.

    `last_word`: how the last line begins that it prints when it has started (`set-up` for a site that nobody has set up yet).
    """
    log = directory.with_name(f"{directory.name}.log")
    with log.open("wb") as written:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appliance", "serve", "--data-dir", str(directory),
            "--stations", LOOPBACK, "--console", LOOPBACK, "--drivers", LOOPBACK, *options,
            cwd=ROOT, env=environment(), stdout=asyncio.subprocess.PIPE, stderr=written,
        )  # fmt: skip
    program = Program(directory, process, log)
    try:
        async with asyncio.timeout(START_S_MAX):
            await listen_to(program, last_word)
        yield program
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(STOP_S_MAX):
                await gone(process)
        except TimeoutError:
            process.kill()
            await gone(process)
    logged = log.read_text()
    assert process.returncode == 0, logged
    assert "Traceback" not in logged, logged


async def listen_to(program: Program, last_word: str) -> None:
    """Read the addresses it prints, up to the line that begins with `last_word`."""
    assert program.process.stdout is not None
    word = ""
    while word != last_word:
        line = (await program.process.stdout.readline()).decode().strip()
        assert line, f"it ended while starting:\n{program.log.read_text()}"
        word, _blank, rest = line.partition(" ")
        if word == "set-up":
            program.setup_code = rest.removeprefix("code ")
        else:
            program.addresses[word] = rest


def environment() -> dict[str, str]:
    """Ours without settings of the product's own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("FORECOURT_")}
