"""A proxy in front of the real server: whose address is seen, counted and kept is said by a trusted one, and by nobody else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from appliance.ui.frame.auth import GUESSES_FREE
from tests.support.books import Books
from tests.support.process import ServerProcess, look_into, make_site, run
from tests.support.wire import HOST, exchange, head, parted

PHONE, OTHER = "203.0.113.7", "203.0.113.8"
CLOSE = "Connection: close"
LOGIN = "nasrin"
PASSWORD = "yellow submarine garage"
TOO_SOON = 429


@asynccontextmanager
async def behind_a_proxy(folder: Path, trusted: str) -> AsyncIterator[ServerProcess]:
    """A server with this setting; the test is the proxy."""

    def fill(books: Books) -> None:
        books.db.execute("INSERT INTO setting (name, value) VALUES ('trusted_proxies', :it)", {"it": trusted})
        books.db.execute("INSERT INTO setting (name, value) VALUES ('host_names', 'charge.example')")

    make_site(folder, fill)
    words = ("operator", "add", "--data-dir", folder, "--login", LOGIN, "--role", "owner")
    assert run(*words, data=f"{PASSWORD}\n").returncode == 0
    server = ServerProcess(folder)
    await server.start()
    try:
        yield server
    finally:
        if server.running.returncode is None:
            await server.stop()
        await server.clean_up()


async def log_in(server: ServerProcess, password: str, address: str, *lines: str) -> tuple[int, str]:
    """What somebody at this address is answered through the proxy: the status, and the cookie of the log-in."""
    body = f"login={LOGIN}&password={password.replace(' ', '+')}"
    sent = head(
        "POST", "/login", CLOSE, "Origin: http://charge.example", f"X-Forwarded-For: {address}", f"Content-Length: {len(body)}",
        "Content-Type: application/x-www-form-urlencoded", *lines, host="charge.example",
    )  # fmt: skip
    port = int(server.urls["console"].rstrip("/").rsplit(":", 1)[1])
    answer = await exchange(port, sent + body.encode())
    status, _headers, _ = parted(answer)
    cookies = re.findall(r"^set-cookie: (.*sid=.*)\r$", answer.decode(), re.IGNORECASE | re.MULTILINE)
    return status, cookies[0] if cookies else ""


def kept(folder: Path, sql: str) -> list[str]:
    """One column of the books of a server that has ended."""
    db = look_into(folder)
    try:
        return [row[0] for row in db.execute(sql).fetchall()]
    finally:
        db.close()


async def test_who_asks_through_a_trusted_proxy_is_counted_and_kept_by_their_own_address(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    async with behind_a_proxy(folder, f"10.0.0.0/8, {HOST}") as server:
        first, cookie = await log_in(server, PASSWORD, f"8.8.8.8, {PHONE}", "X-Forwarded-Proto: https")
        guesses = [(await log_in(server, "wrong", OTHER))[0] for _ in range(GUESSES_FREE + 1)]
        again, _ = await log_in(server, PASSWORD, PHONE)
        assert (first, guesses[-1], again) == (303, TOO_SOON, 303)
        assert cookie.startswith("__Host-sid=")
        assert "Secure" in cookie
        async with aiohttp.ClientSession(headers={"X-Forwarded-For": PHONE}) as session:
            async with session.ws_connect(f"{server.urls['stations']}CS-9", protocols=("ocpp1.6",)):
                pass
            async with session.get(f"{server.urls['console']}/metrics") as answer:
                assert answer.status == 401
        await server.stop()

    assert kept(folder, "SELECT remote_address FROM station WHERE identity = 'CS-9'") == [PHONE]
    assert set(kept(folder, "SELECT address FROM operator_session")) == {PHONE}


async def test_without_the_setting_the_proxy_is_who_asks_and_opens_nothing_that_is_the_boxs_own(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    async with behind_a_proxy(folder, "10.0.0.0/8") as server:
        status, cookie = await log_in(server, PASSWORD, PHONE, "X-Forwarded-Proto: https")
        assert status == 303
        assert cookie.startswith("sid=")
        async with aiohttp.ClientSession() as session:
            for headers, expected in (
                ({}, 200),
                ({"X-Forwarded-For": "127.0.0.1"}, 401),
                ({"Forwarded": "for=127.0.0.1"}, 401),
            ):
                async with session.get(f"{server.urls['console']}/metrics", headers=headers) as answer:
                    assert answer.status == expected
        await server.stop()

    assert set(kept(folder, "SELECT address FROM operator_session")) == {HOST}
