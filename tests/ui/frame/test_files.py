"""Stylesheet, scripts and pictures: small on the wire, kept for a year under an address that their content makes."""

from __future__ import annotations

import gzip
import re

from appliance.ui.frame.files import ADDRESS, FILES, STATIC, address_of
from tests.ui.console_fixture import ConsoleFixture

AS_SENT = {"Accept-Encoding": "gzip, deflate, br"}
PLAIN = {"Accept-Encoding": "identity"}


async def test_every_file_is_sent_compressed_and_kept_for_a_year(served: ConsoleFixture) -> None:
    client = served.anybody()
    for path in STATIC.iterdir():
        async with client.get(address_of(path.name), headers=AS_SENT) as answer:
            assert answer.status == 200
            assert answer.headers["Content-Encoding"] == "gzip"
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert int(answer.headers["Content-Length"]) == len(FILES[path.name].gzipped)
            assert await answer.read() == path.read_bytes()
        async with client.get(address_of(path.name), headers=PLAIN) as answer:
            assert "Content-Encoding" not in answer.headers
            assert int(answer.headers["Content-Length"]) == len(path.read_bytes())


async def test_pages_name_files_by_their_address_only(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    named: set[str] = set()
    for page in ("/", "/login", "/stations/CS-01", "/desk"):
        async with client.get(page) as answer:
            named.update(re.findall(r'(?:src|href)="(/static/[^"]+)"', await answer.text()))

    assert named >= {address_of("app.css"), address_of("app.js"), address_of("icon.svg")}
    assert {path.split("/")[2] for path in named} == {ADDRESS}


async def test_a_page_of_another_release_finds_its_files_and_keeps_them_no_longer(served: ConsoleFixture) -> None:
    client = served.anybody()
    for path in ("/static/app.css", "/static/0123456789ab/app.css"):
        async with client.get(path) as answer:
            assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")
            etag = answer.headers["ETag"]
        async with client.get(path, headers={"If-None-Match": etag}) as answer:
            assert (answer.status, await answer.read()) == (304, b"")


async def test_nothing_else_is_served_beside_them(served: ConsoleFixture) -> None:
    client = served.anybody()
    for path in ("/static/", "/static/nothing.css", f"/static/{ADDRESS}/../templates/base.html", "/static/..%2fapp.py"):
        async with client.get(path) as answer:
            assert answer.status == 404, path


def test_a_file_is_compressed_once_and_for_all() -> None:
    for name, file in FILES.items():
        assert gzip.decompress(file.gzipped) == file.plain == (STATIC / name).read_bytes()
