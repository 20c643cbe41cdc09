"""Who says nothing, or not enough, is not waited for: on every listener, with TLS and without, in the product's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import uvloop

from appliance.domain.clock import system_clock
from appliance.host import listeners
from appliance.host.addresses import Address
from appliance.host.listeners import Listeners, listen
from appliance.host.tls.contexts import server_context
from appliance.host.tls.site import ensure
from appliance.ui.api.app import PAGES as API
from appliance.ui.console.app import create_console
from appliance.ui.driver.app import create_drivers
from appliance.ui.frame.redirect import create_redirect
from tests.api.site import Running, open_site
from tests.support.wire import ENDS_S, HOST, UNPROVED, head, statuses, trickle

SILENCE_S = 0.5
DROP_S = 0.05
CONTINUE = 100


@dataclass(frozen=True, slots=True)
class House:
    """A site and its listeners."""

    site: Running
    faces: Listeners


@asynccontextmanager
async def open_house(folder: Path) -> AsyncIterator[House]:
    """All listeners there can be."""
    certificate = ensure(folder, ("localhost",), (HOST,), system_clock())
    async with AsyncExitStack() as stack:
        site = await stack.enter_async_context(open_site(folder))
        faces = Listeners()
        for face, application in (
            ("stations", site.listener.application),
            ("stations-tls", site.listener.application),
            ("console", create_console(site.console, more=API)),
            ("console-tls", create_console(site.console, more=API)),
            ("drivers", create_drivers(site.console)),
            ("console-redirect", create_redirect(site.console, 1)),
        ):
            tls = server_context(certificate) if face.endswith("-tls") else None
            await listen(stack, faces, face, application, Address(HOST, 0), tls)
        yield House(site, faces)


UNANSWERED = (
    (b"", b""),
    (head("GET", "/")[:-4], b""),
    (head("GET", "/")[:-2] + b"X: ", b"x"),
)
"""What is sent, and what then drips."""
ANSWERED_ONCE = (
    (head("GET", "/"), b""),
    (head("GET", "/", "Connection: keep-alive", version="1.0"), b""),
    (head("GET", "/") + head("GET", "/")[:-2] + b"X: ", b"x"),
    (head("POST", "/nowhere", "Content-Length: 5000"), b"x"),
    (head("POST", "/nowhere", "Content-Length: 5000", "Expect: 100-continue"), b""),
    (head("POST", "/nowhere", "Transfer-Encoding: chunked"), b"1\r\nx\r\n"),
)
"""The same with a request that is answered, though not all of it came."""
NO_TLS = ((b"", b""), (b"\x16\x03\x01\x02\x00", b"\x01"))
"""The same where a handshake is awaited."""


def test_whoever_keeps_quiet_is_let_go_and_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners, "SILENCE_S", SILENCE_S)
    uvloop.run(beside_the_silent(tmp_path))


async def beside_the_silent(folder: Path) -> None:
    """A station, a live page and a desk on another computer, which are quiet as long, and hear and are heard afterwards."""
    async with open_house(folder) as house, aiohttp.ClientSession() as session:
        owner = await house.site.client()
        await owner.post("/stations", {"id": "CS-01"})
        station = await session.ws_connect(f"{house.faces.urls['stations']}CS-01", protocols=("ocpp1.6",))
        desk = await owner.join("office")
        page = await owner.stream()

        await asyncio.gather(*(let_go(house, face) for face in house.faces.ports))

        await desk.send_str("hello")
        assert await desk.receive_str(timeout=ENDS_S) == "heard hello"
        await station.send_str('[2,"1","Heartbeat",{}]')
        assert (await station.receive_str(timeout=ENDS_S)).startswith('[3,"1"')
        await owner.post("/stations", {"id": "CS-02"})
        async with asyncio.timeout(ENDS_S):
            while not (await page.content.readline()).startswith(b"event: "):
                pass
        page.close()
        await station.close()
        await desk.close()


async def let_go(house: House, face: str) -> None:
    """Every kind of silence at one listener, all at once, ends by the listener's hand."""
    port = house.faces.ports[face]
    tls = UNPROVED if face.endswith("-tls") else None
    no_tls = asyncio.gather(*(trickle(port, *sent, DROP_S) for sent in NO_TLS if tls))
    unanswered = asyncio.gather(*(trickle(port, *sent, DROP_S, tls) for sent in UNANSWERED))
    answered = asyncio.gather(*(trickle(port, *sent, DROP_S, tls) for sent in ANSWERED_ONCE))

    await no_tls
    assert await unanswered == [b""] * len(UNANSWERED)
    for said in await answered:
        assert len([status for status in statuses(said) if status != CONTINUE]) == 1
