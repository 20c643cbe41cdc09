"""Under which names pages are shown: the box's own and those of the settings, on every listener and however a name is slipped in."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from appliance.domain.roles import Role
from appliance.host.addresses import Address
from appliance.host.listeners import Listeners, listen
from appliance.services.settings import Settings
from appliance.ui.api.app import PAGES as API
from appliance.ui.console.app import create_console
from appliance.ui.driver.app import create_drivers
from appliance.ui.frame.redirect import create_redirect
from tests.support.wire import HOST, exchange, head, parted
from tests.ui.console_fixture import ConsoleFixture, open_console

MISDIRECTED = 421
CLOSE = "Connection: close"
PATHS = {
    "console": ("/", "/login", "/health", "/metrics", "/static/app.css", "/live?view=board", "/api/v1/people", "/nothing", "/ca.crt"),
    "drivers": ("/", "/c/aaaaaaaa", "/card/000000000000000000000000?p=1&m=2", "/static/app.css", "/nothing"),
    "console-redirect": ("/", "/people"),
}  # fmt: skip
OURS = (
    HOST, f"{HOST}:8080", "localhost", "LOCALHOST:1", "localhost.", "yard.example", "Yard.Example.:443", "192.168.1.10",
    "added.example", "203.0.113.9", "[2001:db8::9]:8443", "[::ffff:127.0.0.1]",
)  # fmt: skip
FOREIGN = (
    "evil.example", "evil.example:8080", "192.168.1.10.evil.example", "10.9.9.9", "[2001:db8::1]", "2130706433",
    "0x7f000001", "127.1", "localhost@evil.example", "localhost evil.example", "localhost,evil.example", "xlocalhost",
    "localhost:", "localhost:port", "localhost:65536", "yard.example:99999", "::1", "", "localhost..", "yard.example/../evil.example",
)  # fmt: skip


@dataclasses.dataclass(slots=True)
class Doors:
    """All listeners that show pages; `settings` may be exchanged."""

    served: ConsoleFixture
    listeners: Listeners
    settings: Settings

    async def ask(self, face: str, sent: bytes) -> tuple[int, dict[str, str], bytes]:
        """What one request is answered."""
        return parted(await exchange(self.listeners.ports[face], sent))


@pytest.fixture(name="doors")
async def _doors(tmp_path: Path) -> AsyncIterator[Doors]:
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(open_console(tmp_path))
        settings = Settings(host_names="added.example, 203.0.113.9, 2001:db8::9")
        addresses = dataclasses.replace(served.console.addresses, hosts=frozenset({"yard.example", "192.168.1.10"}))
        doors = Doors(served, Listeners(), settings)
        console = dataclasses.replace(served.console, addresses=addresses, settings=lambda: doors.settings)
        for face, application in (
            ("console", create_console(console, more=API)),
            ("drivers", create_drivers(console)),
            ("console-redirect", create_redirect(console, 8443)),
        ):
            await listen(stack, doors.listeners, face, application, Address(HOST, 0), None)
        yield doors


async def test_every_path_of_every_listener_is_shown_under_our_names_only(doors: Doors) -> None:
    wrong = []
    for face, paths in PATHS.items():
        for path in paths:
            for host in ("evil.example", "yard.example"):
                status, _, _ = await doors.ask(face, head("HEAD", path, CLOSE, host=host))
                if (status == MISDIRECTED) is (host == "yard.example"):
                    wrong.append((face, path, host, status))

    assert wrong == []


@pytest.mark.parametrize("face", PATHS)
async def test_a_name_counts_however_it_is_written(doors: Doors, face: str) -> None:
    shown = [(await doors.ask(face, head("GET", "/", CLOSE, host=host)))[0] for host in OURS]
    refused = [(await doors.ask(face, head("GET", "/", CLOSE, host=host)))[0] for host in FOREIGN]

    assert MISDIRECTED not in shown
    assert {*refused} <= {MISDIRECTED, 400}


@pytest.mark.parametrize("face", PATHS)
async def test_a_second_name_beside_ours_is_refused(doors: Doors, face: str) -> None:
    for sent in (
        head("GET", "/", "Host: evil.example", CLOSE),
        head("GET", "/", f"Host: {HOST}", CLOSE, host="evil.example"),
        head("GET", "http://evil.example/", CLOSE),
        head("GET", "http://localhost@evil.example/", CLOSE),
        head("GET", "//evil.example/", CLOSE, host="evil.example"),
        b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
    ):
        status, headers, _ = await doors.ask(face, sent)
        assert status in (MISDIRECTED, 400), sent
        assert "evil" not in headers.get("Location", "")


async def test_redirects_lead_to_names_of_ours_alone(doors: Doors) -> None:
    for host, location in (
        ("yard.example:8080", "https://yard.example:8443/people?x=1"),
        ("[2001:db8::9]:8080", "https://[2001:db8::9]:8443/people?x=1"),
        (HOST, f"https://{HOST}:8443/people?x=1"),
    ):
        status, headers, _ = await doors.ask("console-redirect", head("GET", "/people?x=1", CLOSE, host=host))
        assert (status, headers["Location"]) == (308, location)
    _, headers, _ = await doors.ask("console-redirect", head("GET", "//evil.example/", CLOSE))
    assert headers["Location"].startswith(f"https://{HOST}:8443/")
    assert "Location" not in (await doors.ask("console-redirect", head("GET", "/", CLOSE, host="evil.example")))[1]


async def test_whoever_comes_by_another_name_is_told_in_every_language_how_to_add_it(doors: Doors) -> None:
    for face in PATHS:
        _, headers, body = await doors.ask(face, head("GET", "/", CLOSE, host="<b>charge</b>.example"))
        page = body.decode()
        assert headers["Content-Type"].startswith("text/html")
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "&lt;b&gt;charge" in page
        assert "<b>" not in page
        assert "Further names of this box" in page
        assert "এই বক্সের আরও নাম" in page
        assert "yard.example" not in page
        assert HOST not in page


async def test_a_program_is_told_as_programs_are(doors: Doors) -> None:
    _, headers, body = await doors.ask("console", head("GET", "/api/v1/people", CLOSE, host="evil.example"))

    assert headers["Content-Type"] == "application/problem+json"
    assert b'"status":421' in body


async def test_a_name_that_is_added_counts_at_once(doors: Doors) -> None:
    asked = head("GET", "/setup", CLOSE, host="new.example")
    before, _, _ = await doors.ask("console", asked)
    doors.settings = Settings(host_names="new.example")

    assert (before, (await doors.ask("console", asked))[0]) == (MISDIRECTED, 200)


async def test_what_is_no_name_is_not_stored_and_nothing_typed_is_lost(doors: Doors) -> None:
    owner = await doors.served.logged_in(Role.OWNER)
    page = await (await owner.get("/settings")).text()
    assert 'name="host_names"' in page
    assert 'name="trusted_proxies"' in page

    headers = {"Sec-Fetch-Site": "same-origin"}
    fields = _fields(page) | {"host_names": "charge.example, not/one", "trusted_proxies": "10.0.0.0/8"}
    answer = await owner.post("/settings", data=fields, headers=headers)
    said = await answer.text()
    assert "Names or addresses such as" in said
    assert "charge.example, not/one" in said

    fields["host_names"] = "charge.example, 10.9.8.7"
    assert (await owner.post("/settings", data=fields, headers=headers, allow_redirects=False)).status == 303
    assert "charge.example, 10.9.8.7" in await (await owner.get("/audit")).text()


def _fields(page: str) -> dict[str, str]:
    """What a browser would send of the form of all settings, as it was shown."""
    form = page.split('action="/settings">')[1]
    return {
        match[1]: match[2]
        for match in re.finditer(r'<input id="[^"]*" name="([^"]*)" type="[^"]*" value="([^"]*)"', form)
    }
