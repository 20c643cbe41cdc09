"""A card reader on another PC, as a service there. It takes the machine away from the site, so it comes last."""

from __future__ import annotations

import ssl
from pathlib import Path

import aiohttp
import pytest

from appliance.domain.cards.tag import Kind
from appliance.simulator.nfc import catalogue
from appliance.simulator.nfc.reader import SimulatedReader
from tests.machine.box import OFFLINE, Box, until_card, until_desk, until_job
from tests.machine.machine import HOST
from tests.scenarios.test_remote_desk import open_away

pytestmark = pytest.mark.machine

NAME = "office"


async def test_reader_on_another_pc_works_for_a_site(bare: Box, simulated: SimulatedReader, tmp_path: Path) -> None:
    machine, card = bare.machine, catalogue.make(Kind.NTAG213)
    bare.install("--uninstall")
    async with open_away(tmp_path, "--console-tls", "127.0.0.1:0", "--tls-names", HOST) as site:
        console = site.server.urls["console"]
        async with aiohttp.ClientSession() as anybody, anybody.get(f"{console}/ca.crt", ssl=False) as answer:
            (tmp_path / "ca.pem").write_bytes(await answer.read())
        bare.bring(tmp_path / "ca.pem", "/root/ca.pem")
        bare.bring(site.token_file, "/root/token")
        await site.open(ssl.create_default_context(cafile=tmp_path / "ca.pem"))

        address = f"https://{HOST}:{console.rpartition(':')[2].rstrip('/')}"
        desk = ("--desk", "--server", address, "--ca", "/root/ca.pem", "--token-file", "/root/token", "--name", NAME)
        bare.install(*desk, *OFFLINE, "--non-interactive")
        await until_desk(site, "ready", NAME)
        job = await site.issue()
        simulated.lay(card)
        await until_job(site, job, "done", NAME)
        assert (await until_card(site, card.uid.hex().upper(), NAME))["ours"]

        process = until_joined(bare)
        machine.run(f"kill -KILL {process}")
        until_joined(bare, besides=process)
        machine.reboot()
        until_joined(bare)
        await until_desk(site, "ready", NAME)
        machine.run("systemd-analyze security --threshold=15 --no-pager forecourt-desk.service")
        assert machine.run("stat --format '%U:%G %a' /etc/forecourt/desk-token") == "root:root 600\n"

        bare.install("--uninstall")
        assert machine.run("systemctl list-units --all --no-legend 'forecourt*'") == ""


def until_joined(bare: Box, besides: str = "0") -> str:
    """Wait until the service works for the site; its process."""
    process = bare.until_serving(besides, "forecourt-desk")
    bare.machine.until(f"journalctl --boot --no-pager _PID={process} | grep Joined")
    return process
