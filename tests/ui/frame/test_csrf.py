"""What another site makes a browser send, and under which names the console answers."""

from __future__ import annotations

import pytest

from appliance.domain.roles import Role
from tests.ui.console_fixture import ConsoleFixture

REFUSED, DONE = 403, 303


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, DONE),
        ({"Sec-Fetch-Site": "none"}, DONE),
        ({"Sec-Fetch-Site": "cross-site"}, REFUSED),
        ({"Sec-Fetch-Site": "same-site"}, REFUSED),
        ({"Origin": "http://evil.example"}, REFUSED),
        ({"Origin": "null"}, REFUSED),
        ({}, REFUSED),
    ],
)
async def test_only_our_own_pages_change_anything(served: ConsoleFixture, headers: dict[str, str], status: int) -> None:
    client = await served.logged_in()

    answer = await client.post("/account/language", data={"language": "bn"}, headers=headers, allow_redirects=False)

    assert answer.status == status


async def test_on_plain_http_the_origin_must_be_the_host(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    origin = f"http://127.0.0.1:{served.server.port}"

    answer = await client.post(
        "/account/language", data={"language": "bn"}, headers={"Origin": origin}, allow_redirects=False
    )

    assert answer.status == DONE


async def test_the_log_in_form_is_protected_too(served: ConsoleFixture) -> None:
    answer = await served.anybody().post("/login", data={"login": "a", "password": "b"}, headers={"Origin": "http://x"})

    assert answer.status == REFUSED


async def test_every_answer_keeps_the_browser_narrow(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.VIEWER)
    for path in ("/", "/nothing", "/operators", "/static/app.css"):
        headers = (await client.get(path)).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert (await client.get("/")).headers["Cache-Control"] == "no-store"
