"""The roots of the site as the console offers them, and the one press that gives chargers their own."""

from __future__ import annotations

import argparse
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.domain.roles import Role
from appliance.host.certificate import SiteCertificates
from tests.host.test_certificates import now_ms
from tests.host.test_certificates_for_stations import ANY, older_site
from tests.ui.console_fixture import ConsoleFixture, open_console

FROM_HERE = {"Sec-Fetch-Site": "same-origin"}
QUESTION = "Encrypted chargers that do not connect"
UNDERSTOOD = {"understood": "1"}


@dataclass(frozen=True, slots=True)
class Older:
    """A site whose chargers were given the browsers' root."""

    served: ConsoleFixture
    certificates: SiteCertificates


@pytest.fixture(name="older")
async def _older(tmp_path: Path) -> AsyncIterator[Older]:
    older_site(tmp_path)
    arguments = argparse.Namespace(console_tls=ANY, stations_tls=ANY, tls_names="")
    certificates = SiteCertificates(arguments, tmp_path, now_ms)
    await certificates.renew()
    async with open_console(tmp_path, certificates=certificates) as served:
        yield Older(served, certificates)


async def test_an_older_site_is_asked_once_and_its_chargers_get_their_own(older: Older) -> None:
    owner, before = await older.served.logged_in(Role.OWNER), older.certificates.stations()
    assert QUESTION in await (await owner.get("/stations/new")).text()

    await owner.post("/stations/new/root", headers=FROM_HERE)
    assert older.certificates.stations() == before
    answer = await owner.post("/stations/new/root", data=UNDERSTOOD, headers=FROM_HERE)
    page = await answer.text()

    root = older.certificates.stations()
    assert root is not None
    assert root != before
    assert QUESTION not in page
    assert root.fingerprint in page
    assert await (await owner.get("/stations-ca.crt")).read() == root.pem
    assert "Gave chargers a certificate authority of their own" in await (await owner.get("/audit")).text()

    await owner.post("/stations/new/root", data=UNDERSTOOD, headers=FROM_HERE)
    assert older.certificates.stations() == root


async def test_whoever_may_not_press_it_is_told_who_may(older: Older) -> None:
    manager = await older.served.logged_in(Role.MANAGER)

    page = await (await manager.get("/stations/new")).text()

    assert QUESTION in page
    assert "/stations/new/root" not in page
    assert (await manager.post("/stations/new/root", data=UNDERSTOOD, headers=FROM_HERE)).status == 403
    assert older.certificates.share_root()


async def test_anybody_may_download_a_root_and_no_key(older: Older) -> None:
    for path, root in (("/ca.crt", older.certificates.browsers()), ("/stations-ca.crt", older.certificates.stations())):
        assert root is not None
        answer = await older.served.anybody().get(path)
        assert await answer.read() == root.pem
        assert b"PRIVATE" not in root.pem
        assert "attachment" in answer.headers["Content-Disposition"]


async def test_without_tls_there_is_nothing_to_download(tmp_path: Path) -> None:
    async with open_console(tmp_path) as served:
        for path in ("/ca.crt", "/stations-ca.crt"):
            assert (await served.anybody().get(path)).status == 404


async def test_what_a_certificate_leaves_out_is_said_where_it_is_shown(tmp_path: Path) -> None:
    older_site(tmp_path)
    later = argparse.Namespace(console_tls=ANY, stations_tls=ANY, tls_names="park.example,203.0.113.9")
    certificates = SiteCertificates(later, tmp_path, now_ms)
    await certificates.renew()
    async with open_console(tmp_path, certificates=certificates) as served:
        owner = await served.logged_in(Role.OWNER)
        # Chargers of an older site are shown a certificate under the same authority.
        for page in ("/settings", "/stations/new"):
            assert left_out(await (await owner.get(page)).text()) >= {"park.example", "203.0.113.9"}
        await certificates.part_stations()
        assert left_out(await (await owner.get("/stations/new")).text()) == set(), "their own has no such limits"


async def test_whoever_sets_a_site_up_is_told_too(tmp_path: Path) -> None:
    older_site(tmp_path)
    certificates = SiteCertificates(
        argparse.Namespace(console_tls=ANY, stations_tls=None, tls_names="park.example"), tmp_path, now_ms
    )
    await certificates.renew()
    async with open_console(tmp_path, filled=False, certificates=certificates) as served:
        assert "park.example" in left_out(await (await served.anybody().get("/setup")).text())


async def test_nothing_is_said_where_nothing_is_left_out(tmp_path: Path) -> None:
    certificates = SiteCertificates(
        argparse.Namespace(console_tls=ANY, stations_tls=ANY, tls_names="park.example"), tmp_path, now_ms
    )
    await certificates.renew()
    async with open_console(tmp_path, certificates=certificates) as served:
        owner = await served.logged_in(Role.OWNER)
        for page in ("/settings", "/stations/new"):
            html = await (await owner.get(page)).text()
            assert "Fingerprint (SHA-256):" in html
            assert left_out(html) == set()


def left_out(html: str) -> set[str]:
    """The names and addresses of which a page says that a certificate does not vouch for them."""
    found = re.search("It does not vouch for ([^:]+): this box had these only later", html)
    return set(found[1].split(", ")) if found is not None else set()
