"""`forecourt simulate`, as a process of its own and in a real terminal."""

from __future__ import annotations

import argparse
import asyncio
import os
import pty
import sys
from pathlib import Path

import pytest

from appliance.cli.simulate import add_arguments, simulate
from appliance.simulator.output import EXIT_USAGE
from tests.simulator.central_system import CentralSystem, listening

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (
    "import argparse, sys; from appliance.cli.simulate import add_arguments, simulate;"
    "parser = argparse.ArgumentParser(); add_arguments(parser); sys.exit(simulate(parser.parse_args()))"
)
WAIT_S = 30


async def start(*arguments: str, terminal: int | None = None) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        *arguments,
        cwd=ROOT,
        stdin=terminal if terminal is not None else asyncio.subprocess.DEVNULL,
        stdout=terminal if terminal is not None else asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def finished(process: asyncio.subprocess.Process) -> tuple[int, str]:
    async with asyncio.timeout(WAIT_S):
        output, _ = await process.communicate()
    return process.returncode or 0, (output or b"").decode()


async def test_one_charge_for_a_script_ends_with_success(system: CentralSystem) -> None:
    process = await start("--url", system.url, "--id", "CS-9", "--once", "--energy", "500", "--speed", "2000")
    code, output = await finished(process)

    start_, stop = system.found("StartTransaction")[0], system.found("StopTransaction")[0]
    assert code == 0, output
    assert stop["meterStop"] - start_["meterStart"] >= 500
    assert "Charged" in output
    assert "Traceback" not in output


async def test_refused_card_ends_with_failure_and_a_sentence(system: CentralSystem) -> None:
    system.answers["Authorize"] = {"idTagInfo": {"status": "Blocked"}}
    code, output = await finished(await start("--url", system.url, "--id", "CS-9", "--once", "--card", "04AABBCC"))

    assert code == 1
    assert "Card 04AABBCC may not charge here: Blocked." in output


async def test_refused_station_ends_with_failure_and_a_sentence() -> None:
    async with listening(refuse_with=404) as system:
        code, output = await finished(await start("--url", system.url, "--id", "CS-9", "--once"))

    assert code == 3
    assert "refused CS-9 with 404" in output
    assert "Traceback" not in output


async def test_password_comes_from_a_file_and_is_never_printed(system: CentralSystem, tmp_path: Path) -> None:
    system.password = b"0123456789abcdef"
    (tmp_path / "password").write_bytes(b"0123456789abcdef\n")
    process = await start(
        *("--url", system.url, "--id", "CS-9", "--once", "--energy", "10", "--speed", "2000"),
        *("--password-file", str(tmp_path / "password")),
    )
    code, output = await finished(process)

    assert code == 0, output
    assert "0123456789abcdef" not in output


async def test_station_is_worked_by_keys(system: CentralSystem) -> None:
    ours, theirs = pty.openpty()
    process = await start("--url", system.url, "--id", "CS-9", terminal=theirs)
    os.close(theirs)
    loop, seen = asyncio.get_running_loop(), bytearray()

    def read() -> None:
        try:
            seen.extend(os.read(ours, 4096))
        except OSError:
            loop.remove_reader(ours)

    loop.add_reader(ours, read)
    try:
        await system.expect("StatusNotification", connectorId=1)
        os.write(ours, b"p")
        await system.expect("StatusNotification", connectorId=1, status="Preparing")
        os.write(ours, b"c")
        await system.expect("StartTransaction")
        os.write(ours, b"c")
        await system.expect("StopTransaction")
        os.write(ours, b"f")
        await system.expect("StatusNotification", connectorId=1, status="Faulted")
        os.write(ours, b"fu")
        await system.expect("StatusNotification", 2, connectorId=1, status="Available")
        os.write(ours, b"q")
        code, _ = await finished(process)
    finally:
        loop.remove_reader(ours)
        os.close(ours)

    assert code == 0
    assert "connector 1 Charging" in seen.decode(errors="replace")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--url", "http://127.0.0.1/"], "must begin with ws://"),
        (["--card", "0" * 21], "1 to 20 characters"),
        (["--power", "0"], "--power must be at least"),
        (["--password-file", "/nonexistent"], "There is no file"),
    ],
)
def test_argument_that_makes_no_sense_is_refused_with_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)

    code = simulate(parser.parse_args(["--url", "ws://127.0.0.1:9/ocpp/", "--id", "CS-9", *arguments]))

    assert code == EXIT_USAGE
    assert sentence in capsys.readouterr().out
