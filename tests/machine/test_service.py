"""The service under a real systemd: it charges, and it comes back whatever happens to it."""

from __future__ import annotations

import asyncio
import sys

import pytest

from tests.machine.box import Box
from tests.support.process import ROOT, environment

pytestmark = pytest.mark.machine

CARD = "04C0FFEE123456"


async def test_charging_station_charges_and_is_paid(box: Box) -> None:
    async with box.site() as site:
        await site.price(2_000)
        person = await site.person("Karim Uddin", "prepaid", CARD)
        await site.pay_in(person, 60_000)
        await site.post("/stations", {"id": "GATE-1", "name": "Gate", "security_profile": 0})
        station = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "appliance", "simulate", "--url", site.server.urls["stations"], "--id", "GATE-1"),
            *("--card", CARD, "--once", "--energy", "7200", "--power", "22000", "--speed", "600"),
            cwd=ROOT,
            env=environment(),
        )
        assert await station.wait() == 0
        (session,) = [one for one in await site.sessions() if one["station"] == "GATE-1"]
        ended = await site.until_session(int(session["id"]), "ended")
        assert ended["energy_wh"] >= 7_200
        assert (await site.wallet(person))[0] == 60_000 - ended["fee_minor"]
        assert await site.sound()


def test_process_that_hangs_is_killed_by_the_watchdog_and_replaced(box: Box) -> None:
    process = box.until_serving()

    box.machine.run(f"kill -STOP {process}")

    box.until_serving(besides=process)
    assert "Watchdog timeout" in box.journal()


async def test_killed_process_is_replaced_and_serves_again(box: Box) -> None:
    process = box.until_serving()

    box.machine.run(f"kill -KILL {process}")

    box.until_serving(besides=process)
    async with box.site() as site:
        assert await site.sound()


def test_stopping_ends_it_in_order(box: Box) -> None:
    box.machine.run("systemctl stop forecourt")

    assert (box.shown("Result"), box.shown("ExecMainStatus")) == ("success", "0")
    assert "timed out" not in box.journal()
    box.machine.run("systemctl start forecourt")


async def test_after_a_reboot_it_is_there_by_itself(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    box.machine.reboot()

    box.until_serving()
    async with box.site() as site:
        assert await site.sound()
    with capsys.disabled():
        print(f"\n{box.machine.run('systemd-analyze critical-chain --no-pager forecourt.service')}")  # noqa: T201
