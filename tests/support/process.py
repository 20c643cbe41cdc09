"""The server as a process of its own: started, killed and stopped by a test, on a site that the test has filled."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from appliance.db.engine.open import open_to_write
from appliance.db.engine.unit import Database
from tests.support.books import Books, open_books

ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0
STOP_S = 15.0
NURSERY = """
import json, os, sys
from appliance import server
from appliance.host import late_start
from appliance.__main__ import main
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        sys.exit(main(json.loads(line)))
    print("pid", child, flush=True)
    print("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Has loaded the program once, and lets a new process run it for each line it is given."""
FACES = ("stations", "console", "drivers")


class DidNotStart(Exception):
    """The server ended before it served."""


def run(
    *words: str | Path, data: str = "", timeout_s: float = START_S, prefix: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """One command of the program, with `data` on its standard input."""
    return subprocess.run(
        [*prefix, sys.executable, "-m", "appliance", *map(str, words)],
        cwd=ROOT,
        input=data,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        env=environment(),
    )


def environment() -> dict[str, str]:
    """Nothing of ours from outside: only what is said on the command line counts. Python keeps its bytecode, as installed."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("FORECOURT_") and name != "PYTHONDONTWRITEBYTECODE"
    }


def make_site(data_dir: Path, fill: Callable[[Books], object] | None = None) -> None:
    """A site in a folder, filled while no server has it."""
    data_dir.mkdir(mode=0o700, parents=True)
    books = open_books(data_dir / "forecourt.db")
    if fill is not None:
        books.db.execute("BEGIN")
        fill(books)
        books.db.flush()
        books.db.execute("COMMIT")
    books.db.close()


def look_into(data_dir: Path) -> Database:
    """The database of a site whose server has ended."""
    return open_to_write(data_dir / "forecourt.db")


async def gone(process: asyncio.subprocess.Process) -> int:
    """Wait until a process has ended, and close its pipes: left to the collector, they outlive their event loop."""
    code = await process.wait()
    process._transport.close()  # type: ignore[attr-defined]
    return code


class ServerProcess:
    """`forecourt serve` on a folder. Free ports at the first start, the same ones at each further start."""

    def __init__(
        self,
        data_dir: Path,
        *,
        prefix: Sequence[str] = (),
        options: Sequence[str] = (),
        program: Sequence[str] = (sys.executable, "-m", "appliance"),
    ) -> None:
        self.data_dir = data_dir
        self.log_file = data_dir.parent / f"{data_dir.name}.log"
        self.command = [*prefix, *program]
        self.options = list(options)
        self.urls: dict[str, str] = {}
        self.said: list[str] = []
        self.process: asyncio.subprocess.Process | None = None

    @property
    def running(self) -> asyncio.subprocess.Process:
        """The process that was started last."""
        assert self.process is not None
        return self.process

    def address(self, listener: str) -> str:
        """Where a listener is bound: where it was before, so that stations find it again."""
        return self.urls[listener].split("//")[1].split("/")[0] if listener in self.urls else "127.0.0.1:0"

    async def start(self) -> None:
        """Start, and wait until it serves.

        Raises:
            DidNotStart: It has ended instead; the log says why.
        """
        await self.launch()
        try:
            await self.serves(self.running)
        except DidNotStart:
            await gone(self.running)
            raise

    async def launch(self) -> None:
        """Start, and wait for nothing."""
        with self.log_file.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.command, *self.words(), cwd=ROOT, stdout=subprocess.PIPE, stderr=log, env=environment(),
            )  # fmt: skip

    def words(self) -> list[str]:
        """Its command line."""
        listeners = [word for listener in FACES for word in (f"--{listener}", self.address(listener))]
        return ["serve", "--data-dir", str(self.data_dir), *listeners, *self.options]

    async def serves(self, process: asyncio.subprocess.Process) -> None:
        """Read what it prints until all listeners are there."""
        assert process.stdout is not None
        self.said = []
        async with asyncio.timeout(START_S):
            while line := (await process.stdout.readline()).decode():
                self.said.append(line.rstrip())
                listener, _, url = line.partition(" ")
                if listener in FACES:
                    self.urls[listener] = url.strip()
                if listener == FACES[-1]:
                    return
                if listener == "ended":
                    break
        raise DidNotStart(self.log())

    async def kill(self) -> None:
        """As a power cut does it to a process."""
        self.running.kill()
        await gone(self.running)

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.running.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_S):
            return await gone(self.running)

    async def ended(self) -> int:
        """Wait until it ends by itself; the exit code."""
        async with asyncio.timeout(START_S):
            return await gone(self.running)

    async def clean_up(self) -> None:
        """Leave no process behind, whatever happened."""
        if self.process is not None and self.process.returncode is None:
            await self.kill()

    def log(self) -> str:
        """All that it has logged, over all starts."""
        return self.log_file.read_text(errors="replace")


class ReadyServer(ServerProcess):
    """A server that is restarted so often that Python's imports would be most of it: each start is a fork of one that has them."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.child = 0

    async def start(self) -> None:
        """A new process, without the imports."""
        if self.process is None:
            with self.log_file.open("ab") as log:
                self.process = await asyncio.create_subprocess_exec(
                    sys.executable, "-c", NURSERY, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                    env=environment(), start_new_session=True,
                )  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(self.words()).encode() + b"\n")
        word, _, number = (await self.process.stdout.readline()).decode().partition(" ")
        if word != "pid":
            raise DidNotStart(self.log())
        self.child = int(number)
        await self.serves(self.process)

    async def kill(self) -> None:
        """As a power cut does it to a process."""
        await self._signal(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        return await self._signal(signal.SIGTERM)

    async def clean_up(self) -> None:
        """Leave no process behind, whatever happened: a start that was given up may have one that nobody has heard of."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            await gone(self.process)

    async def ended(self) -> int:
        """Wait until it ends, by itself or by somebody else's signal; the exit code."""
        assert self.process is not None
        assert self.process.stdout is not None
        async with asyncio.timeout(START_S):
            while not (line := (await self.process.stdout.readline()).decode()).startswith("ended "):
                assert line, "the nursery is gone"
        self.child = 0
        return int(line.split()[1])

    async def _signal(self, number: signal.Signals) -> int:
        os.kill(self.child, number)
        return await self.ended()
