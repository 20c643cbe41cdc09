"""A power cut under load: the machine goes dark between two instructions, and what it had not handed to its disk is gone."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.machine.box import DATA, Box
from tests.reliability.evidence import differences
from tests.reliability.fleet import Fleet, fill
from tests.support.process import make_site, run

pytestmark = pytest.mark.machine

STATIONS = 20
MESSAGES = 400
BACK_S = 600.0
FINISH_S = 120.0


async def test_power_cut_under_load_loses_nothing_that_was_acknowledged(
    box: Box, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = box.machine
    make_site(tmp_path / "before", lambda books: fill(books, STATIONS))
    made = run("backup", tmp_path / "before", tmp_path / "filled.db")
    assert made.returncode == 0, made.stderr
    box.bring(tmp_path / "filled.db", "/srv/filled.db")
    machine.run("chmod 0755 /srv; chmod 0644 /srv/filled.db; install -d -o forecourt -m 0700 /srv/books")
    machine.run(f"forecourt backup {DATA} /srv/books/kept.db && systemctl stop forecourt")
    machine.run(f"forecourt restore /srv/filled.db {DATA} && systemctl start forecourt")

    try:
        async with Fleet(f"ws://{machine.address(9000)}/ocpp/", STATIONS) as fleet:
            await until_acknowledged(fleet, MESSAGES)
            began_s = time.monotonic()
            machine.cut_power()
            fleet.booted.clear()
            await asyncio.to_thread(machine.switch_on)
            async with asyncio.timeout(BACK_S):
                await fleet.booted.wait()
            back_s = time.monotonic() - began_s
            await until_acknowledged(fleet, fleet.messages + MESSAGES)
            await fleet.finish(FINISH_S)
        with capsys.disabled():
            print(f"\n{fleet.messages} messages; a station accepted again {back_s:.0f} s after the power cut")  # noqa: T201

        (tmp_path / "after").mkdir()
        machine.run(f"rm -f /srv/books/after.db; forecourt backup {DATA} /srv/books/after.db")
        box.fetch("/srv/books/after.db", tmp_path / "after/forecourt.db")
        assert differences(tmp_path / "after", fleet) == []
        _, said = machine.attempt(f"forecourt doctor --data-dir {DATA}")
        assert "The server is running." in said
        # Stations that are away are a problem of the console's, and none of the machine's.
        assert [line for line in said.splitlines() if line.startswith("- ") and "The console shows" not in line] == []
    finally:
        # Whatever is found, the stories that follow need their own site.
        machine.run(
            f"systemctl stop forecourt && forecourt restore /srv/books/kept.db {DATA} && systemctl start forecourt"
        )


async def until_acknowledged(fleet: Fleet, messages: int) -> None:
    """Wait until the stations have had so many answers."""
    while True:
        if fleet.messages >= messages:
            return
        await asyncio.sleep(0.1)
