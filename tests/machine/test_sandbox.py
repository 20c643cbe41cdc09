"""The service's sandbox on a real kernel: what it keeps out, and that nothing which the product needs is among it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from appliance.domain.cards.tag import Kind
from appliance.simulator.nfc import catalogue
from appliance.simulator.nfc.reader import SimulatedReader
from tests.browser.program import PASSWORD
from tests.machine.box import DATA, Box, until_card

pytestmark = pytest.mark.machine

UNIT = Path(__file__).parents[2] / "systemd/forecourt.service"
EXPOSURE_TENTHS_MAX = 15
CARD = "04C0FFEE654321"
LOGGED = "/etc/systemd/system/forecourt.service.d/stories.conf"
REFUSED = 'dmesg | grep type=1326 | sed \'s/.* comm="\\([^"]*\\)".* \\(syscall=[0-9]*\\).*/\\1 \\2/\' | sort --unique'

# In the service's control group the same is allowed as to the service itself.
AS_THE_SERVICE = """python3 - <<'END'
import os, socket
with open("/sys/fs/cgroup/system.slice/forecourt.service/cgroup.procs", "w") as group:
    group.write(str(os.getpid()))
def attempted(action):
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "done"
def send(host):
    # Of a TCP connection that is not allowed one hears nothing.
    with socket.socket(type=socket.SOCK_DGRAM) as line:
        line.sendto(b"", (host, 9))
for host in ("192.0.2.1", "127.0.0.1"):
    print(host, attempted(lambda: send(host)))
for path in ("/dev/vda", "/dev/ttyS0", "/dev/null"):
    print(path, attempted(lambda: os.close(os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK))))
END"""


def test_exposure_of_the_running_service_is_at_most_one_and_a_half_of_ten(box: Box) -> None:
    said = box.machine.run(f"systemd-analyze security --threshold={EXPOSURE_TENTHS_MAX} --no-pager forecourt.service")

    assert "Overall exposure level for forecourt.service" in said


def test_it_can_reach_nothing_but_the_premises_and_no_hardware_but_readers(box: Box) -> None:
    # Documentation's own network, which is nowhere: only whether one may try is asked.
    box.machine.run("ip route replace 192.0.2.0/24 via 10.0.2.2")

    assert dict(line.split() for line in box.machine.run(AS_THE_SERVICE).splitlines()) == {
        "192.0.2.1": "PermissionError",
        "127.0.0.1": "done",
        "/dev/vda": "PermissionError",
        "/dev/ttyS0": "PermissionError",
        "/dev/null": "done",
    }


@pytest.fixture
def watched(box: Box) -> Iterator[Box]:
    """What the service's filter would refuse is allowed for a while, and written into the kernel's log."""
    box.machine.run(f"install -D -m 0644 /dev/stdin {LOGGED}", given=f"[Service]\nSystemCallFilter=\n{logs()}\n")
    # A certificate that is not there is made at the start.
    box.machine.run(f"rm {DATA}/tls/site.pem && systemctl daemon-reload && systemctl restart forecourt")
    yield box
    box.machine.run(f"rm {LOGGED} && systemctl daemon-reload && systemctl restart forecourt")


async def test_filter_refuses_no_system_call_that_the_product_makes(watched: Box, simulated: SimulatedReader) -> None:
    machine = watched.machine
    options = " ".join(f'--property "{line}"' for line in logs().split("\n"))
    machine.run(f"systemd-run --quiet --wait {options} nice true")
    add = f"forecourt operator add --data-dir {DATA} --login nasrin --role owner --name Nasrin"
    machine.run(add, given=f"{PASSWORD}\n")

    await asyncio.gather(visit(watched), charge(watched), tap(watched, simulated))
    machine.run("systemctl restart forecourt")

    # The one that proves that refusals would be seen.
    assert machine.run(REFUSED) == "nice syscall=141\n"
    assert "Traceback" not in watched.journal()


def logs() -> str:
    """The unit's filter the other way round."""
    filters = [
        line.partition("=")[2]
        for line in UNIT.read_text(encoding="utf-8").splitlines()
        if line.startswith("SystemCallFilter=")
    ]
    return "\n".join(f"SystemCallLog={text[1:] if text.startswith('~') else f'~{text}'}" for text in filters)


async def visit(box: Box) -> None:
    """Somebody of the staff logs in, takes tables home, and brings one."""
    console = f"https://{box.machine.address(8443)}"
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=await asyncio.to_thread(lambda: box.tls)),
        cookie_jar=aiohttp.CookieJar(unsafe=True),
        headers={"Sec-Fetch-Site": "same-origin", "Origin": console},
    ) as staff:
        async with staff.post(f"{console}/login", data={"login": "nasrin", "password": PASSWORD}) as answer:
            assert answer.status == 200
        for path in ("/", "/sessions.csv", "/sessions.xlsx", "/reports.xlsx", "/cards.xlsx", "/problems", "/settings"):
            async with staff.get(console + path, allow_redirects=False) as answer:
                assert answer.status == 200, path
                await answer.read()
        form = aiohttp.FormData()
        form.add_field("file", b"uid,name\n04AABBCCDDEE01,Karim\n", filename="cards.csv", content_type="text/csv")
        async with staff.post(f"{console}/cards/import", data=form) as answer:
            assert "Karim" in await answer.text()


async def charge(box: Box) -> None:
    """A charge, with a card that has money."""
    async with box.site() as site:
        person = await site.person("Jamal Hossain", "prepaid", CARD)
        await site.pay_in(person, 60_000)
        station = await site.station("GATE-2")
        await station.plug_in()
        assert await station.present_card(CARD) == "Accepted"
        await station.charge(7_200)
        await station.present_card(CARD)
        await station.unplug()


async def tap(box: Box, simulated: SimulatedReader) -> None:
    """A card on the reader."""
    card = catalogue.make(Kind.NTAG213)
    simulated.lay(card)
    async with box.site() as site:
        await until_card(site, card.uid.hex().upper())
