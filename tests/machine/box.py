"""A machine with the product on it, as its owner sees it: installer, service, command, and its listeners from another computer."""

from __future__ import annotations

import asyncio
import base64
import shlex
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from tests.machine.machine import Machine
from tests.scenarios.conftest import Json, Site
from tests.support.process import ServerProcess

CHECKOUT = "forecourt"
DATA = "/var/lib/forecourt"
SITE = ("--non-interactive", "--currency", "BDT", "--timezone", "Asia/Dhaka", "--site-name", "Gulshan North")
OFFLINE = ("--wheels", "wheels")
DESK = "desk"
PATIENCE_S = 120.0


class Box:
    """See the module."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.token = ""
        """Of an owner."""
        self.said = ""
        """By the first installation."""
        self.took_s = 0.0

    def install(self, *options: str) -> str:
        """install.sh with these options; what it said."""
        return self.machine.run(f"cd /srv/{CHECKOUT} && sudo ./install.sh {shlex.join(options)}", timeout_s=1800)

    def install_once(self) -> None:
        """The first installation, unless it was made; and a token for other programs."""
        if self.said:
            return
        began_s = time.monotonic()
        self.said = self.install(*SITE, *OFFLINE)
        self.took_s = time.monotonic() - began_s
        self.token = self.machine.run(f"forecourt token create --data-dir {DATA} --role owner --name stories").strip()

    def shown(self, name: str, service: str = "forecourt") -> str:
        """A property of the service, as systemd has it."""
        return self.machine.run(f"systemctl show --property {name} --value {service}").strip()

    def until_serving(self, besides: str = "0", service: str = "forecourt") -> str:
        """Wait until the service is ready under another process than `besides`; the process."""
        condition = f'[ "$(systemctl is-active {service})" = active ] && [ "$process" != {besides} ]'
        return self.machine.until(
            f'process=$(systemctl show --property MainPID --value {service}); {condition} && echo "$process"',
            timeout_s=PATIENCE_S,
        ).strip()

    def journal(self) -> str:
        """What the service has said since the machine was switched on, and systemd of it."""
        return self.machine.run("journalctl --unit forecourt --boot --output short-monotonic --no-pager")

    def fetch(self, path: str, into: Path) -> None:
        """Copy a file of the machine to this host."""
        into.write_bytes(base64.b64decode(self.machine.run(f"base64 {shlex.quote(path)}")))

    def bring(self, source: Path, path: str) -> None:
        """Copy a file of this host to the machine."""
        content = base64.b64encode(source.read_bytes()).decode()
        self.machine.run(f"base64 --decode >{shlex.quote(path)}", given=content)

    @property
    def tls(self) -> ssl.SSLContext:
        """Trusts the site's own authority and nobody else."""
        return ssl.create_default_context(cadata=self.machine.run(f"cat {DATA}/tls/ca.pem"))

    @asynccontextmanager
    async def site(self, token: str = "") -> AsyncIterator[Site]:
        """Its API, over HTTPS, and chargers that come over the network."""
        urls = {
            "console": f"https://{self.machine.address(8443)}",
            "stations": f"ws://{self.machine.address(9000)}/ocpp/",
        }
        async with AsyncExitStack() as stack:
            site = Site(cast("ServerProcess", SimpleNamespace(urls=urls)), token or self.token, stack)
            await site.open(await asyncio.to_thread(lambda: self.tls))
            yield site


async def until_desk(site: Site, state: str, name: str = DESK) -> Json:
    """What the API says of the desk, once its reader has come to this state."""

    def found(desks: Json) -> Json:
        return next((desk for desk in desks["items"] if desk["id"] == name), {"reader": {"state": ""}})

    return found(await _until(site, "/desks", lambda desks: found(desks)["reader"]["state"] == state))


async def until_card(site: Site, uid: str, name: str = DESK) -> Json:
    """What the API says of the card that lies there, once it is this one and was read."""
    found = await _until(site, f"/desks/{name}", lambda found: found["card"] and found["card"]["uid"] == uid)
    return cast("Json", found["card"])


async def until_job(site: Site, job: int, state: str, name: str = DESK) -> Json:
    """A job of the desk, once it has come to this."""
    return await _until(site, f"/desks/{name}/jobs/{job}", lambda found: found["state"] == state)


async def _until(site: Site, path: str, settled: Callable[[Json], object]) -> Json:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found: Json = await site.get(path)
            if settled(found):
                return found
            await asyncio.sleep(0.2)
