"""What another site makes a browser send, and under which names the console answers."""

from __future__ import annotations

import pytest

from appliance.domain.roles import Role
from appliance.ui.frame.security import is_ours
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


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("192.168.1.10:8080", True), ("192.168.1.10", True), ("[fe80::1]:8080", True), ("[::1]", True),
        ("localhost:8080", True), ("LOCALHOST", True), ("yard.example", True), ("yard.example.", True),
        ("evil.example", False), ("evil.example:8080", False), ("192.168.1.10.evil.example", False), ("", False),
    ],
)  # fmt: skip
def test_the_console_answers_to_its_own_names_only(host: str, ours: bool) -> None:
    assert is_ours(host, frozenset({"yard.example"})) is ours


async def test_another_name_is_misdirected(served: ConsoleFixture) -> None:
    answer = await served.anybody().get("/login", headers={"Host": "evil.example"})

    assert answer.status == 421


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
