"""Who gets in, under which URL, with which version."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import aiohttp
import orjson
import pytest

from appliance.domain.identifiers import StationId
from appliance.domain.problem import ProblemKind
from appliance.ocpp.admission.credentials import (
    FAILURES_MAX,
    FAILURES_OF_ONE_MAX,
    KEYS_MAX,
    Failures,
    basic_credentials,
    password_matches,
    password_suffices,
)
from appliance.ocpp.admission.endpoint import STRAY_SEEN_MS, STRAYS_MAX, identity_of, is_foreign
from appliance.ocpp.connection.context import raise_problem
from appliance.ocpp.settings import StationSettings
from appliance.services.stations.admission import KNOCKING_MAX, KNOCKING_OF_ADDRESS_MAX
from tests.ocpp.raw import SITE_KEY, Server, basic, connected, handshake_status, hash_password
from tests.support.wire import answer, head

PASSWORD = "0123456789abcdef"


def port_of(server: Server) -> int:
    """Where it listens."""
    return int(server.url.rpartition(":")[2])


def page_opening(origin: str) -> bytes:
    """What a browser sends for a page that opens the websocket of CS-1."""
    return head(
        "GET", "/ocpp/CS-1", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", f"Origin: {origin}",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("/ocpp/CS-1", "CS-1"),
        ("/ocpp/CS-1/", "CS-1"),
        ("//ocpp//CS-1", "CS-1"),
        ("/some/prefix/OCPP/CS-1", "CS-1"),
        ("/ocpp/1.6/CS-1", "CS-1"),
        ("/ocpp/CS-1/CS-1", "CS-1"),
        ("/ocpp/CS-1%20", "CS-1"),
        ("/ocpp/%43S-1", "CS-1"),
        ("/ocpp/%2543S", "%43S"),
        ("/ocpp/RDAM%20123", "RDAM 123"),
        ("/ocpp/A%2FB-1", "A/B-1"),
        ("/ocpp/CP%231", "CP#1"),
        ("/ocpp/50%25", "50%"),
        ("/ocpp/CP%3F1", "CP?1"),
        ("/ocpp/CP+1", "CP+1"),
        ("/ocpp/%2e%2e", None),
        ("/ocpp/%2F", None),
        ("/ocpp/%E0%A6%95", "ক"),
        ("/ocpp/%FF", None),
        ("/ocpp/A%3AB", None),
        ("/ocpp/A%00B", None),
        ("/ocpp/" + "x" * 49, None),
        ("/ocpp/%20", None),
        ("/ocpp/", None),
        ("/ocpp", None),
        ("/CS-1", None),
        ("/", None),
    ],
)
def test_the_identity_is_the_last_part_of_the_path_decoded_once(path: str, identity: str | None) -> None:
    assert identity_of(path) == identity


@pytest.mark.parametrize("path", ["/ocpp/CS-1/", "/x/ocpp/CS-1", "/ocpp/CS-1%20", "/ocpp/CS-1?a=b"])
async def test_other_spellings_of_the_url_lead_to_the_same_station(server: Server, path: str) -> None:
    await server.register("CS-1")
    async with connected(server, path) as client:
        assert (await client.boot())["status"] == "Accepted"


@pytest.mark.parametrize("path", ["/", "/CS1", "/ocpp/", "/ocpp"])
async def test_a_wrong_url_is_told_the_right_one_and_the_staff_too(server: Server, path: str) -> None:
    status, _ = await handshake_status(server, path)
    async with aiohttp.ClientSession() as session, session.get(server.url + path) as response:
        text = await response.text()

    assert status == 404
    assert f"{server.url.replace('http', 'ws')}/ocpp/ followed by their identity" in text
    ((subject, details),) = await server.rows("SELECT subject, details FROM problem WHERE kind = 'wrong_url'")
    assert subject == "address:127.0.0.1"
    assert "/ocpp/" in details


async def test_wrong_urls_from_fifty_addresses_hide_no_other_for_long(server: Server) -> None:
    now_ms = server.now_ms()
    server.now_ms = lambda: now_ms

    async def told() -> list[str]:
        open_ones = "SELECT subject FROM problem WHERE kind = 'wrong_url' AND cleared_at_ms IS NULL ORDER BY id"
        return [subject.removeprefix("address:") for (subject,) in await server.rows(open_ones)]

    scanners = [f"127.0.1.{number}" for number in range(1, STRAYS_MAX + 1)]
    for address in (*scanners, "127.0.0.9"):
        await handshake_status(server, "/CS1", address=address)
    assert await told() == scanners

    now_ms += STRAY_SEEN_MS
    await handshake_status(server, "/CS1", address="127.0.0.9")
    assert await told() == [*scanners[1:], "127.0.0.9"]


# --- web pages ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "host", "foreign"),
    [
        (None, "192.168.1.10:9000", False),
        ("http://192.168.1.10", "192.168.1.10:9000", False),
        ("http://192.168.1.10:8080", "192.168.1.10:9000", False),
        ("https://192.168.1.10:9443", "192.168.1.10", False),
        ("192.168.1.10:9000", "192.168.1.10:9000", False),
        ("HTTP://Forecourt.Local:9000", "forecourt.local.:9000", False),
        ("http://[FD00::1]:9000", "[fd00::1]:9000", False),
        ("file://", "192.168.1.10:9000", False),
        ("", "192.168.1.10:9000", False),
        ("null", "192.168.1.10:9000", True),
        (" NULL ", "null", True),
        ("http://evil.example", "192.168.1.10:9000", True),
        ("http://evil.example:9000", "192.168.1.10:9000", True),
        ("http://192.168.1.10.evil.example", "192.168.1.10", True),
        ("http://192.168.1.10@evil.example", "192.168.1.10", True),
        ("http://192.168.1.1", "192.168.1.10", True),
        ("chrome-extension://abcdef", "192.168.1.10", True),
        ("http://evil.example", "", True),
        ("http://[evil", "192.168.1.10", True),
        ("http://192.168.1.10", "[evil", True),
    ],
)
def test_a_page_is_foreign_unless_it_came_from_the_host_that_is_called(
    origin: str | None, host: str, foreign: bool
) -> None:
    assert is_foreign(origin, host) is foreign


@pytest.mark.parametrize("path", ["/ocpp/CS-1", "/ocpp/NOBODY", "/"])
async def test_a_web_page_cannot_play_a_station_and_the_staff_see_that_one_tried(server: Server, path: str) -> None:
    await server.register("CS-1", 1, PASSWORD)
    headers = {"Origin": "http://evil.example"} | basic("CS-1", PASSWORD)
    status, _ = await handshake_status(server, path, headers=headers)

    assert status == 403
    ((kind, subject, details),) = await server.rows("SELECT kind, subject, details FROM problem")
    assert (kind, subject) == ("foreign_page", "address:127.0.0.1")
    assert "http://evil.example" in details
    assert await server.rows("SELECT 1 FROM station WHERE identity = 'NOBODY'") == []


@pytest.mark.parametrize("origin", ["null", "http://\udcff\udcff", "x" * 4000])
async def test_whatever_a_page_calls_itself_is_told(server: Server, origin: str) -> None:
    status, _ = await answer(port_of(server), page_opening(origin))

    assert status == 403
    assert await server.rows("SELECT kind FROM problem") == [("foreign_page",)]


async def test_what_a_station_says_of_itself_lets_it_in(server: Server) -> None:
    await server.register("CS-1")
    for origin in (server.url, "http://127.0.0.1", "file://"):
        async with connected(server, headers={"Origin": origin}) as client:
            assert (await client.boot())["status"] == "Accepted"


# --- subprotocols ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offered", [("ocpp0.1", "ocpp1.6"), ("ocpp2.1", "ocpp2.0.1", "ocpp1.6"), ("ocpp1.6",)])
async def test_the_first_version_that_both_speak_is_agreed_on(server: Server, offered: tuple[str, ...]) -> None:
    """TC_088."""
    await server.register("CS-1")
    async with connected(server, protocols=offered) as client:
        assert client.socket.protocol == "ocpp1.6"
        assert (await client.boot())["status"] == "Accepted"


@pytest.mark.parametrize("offered", [("ocpp0.1",), ("OCPP1.6",), ("ocpp2.1", "ocpp2.0.1"), ()])
async def test_without_a_common_version_there_is_no_upgrade(server: Server, offered: tuple[str, ...]) -> None:
    """TC_088 as the certification profile has it."""
    await server.register("CS-1")

    assert (await handshake_status(server, protocols=offered))[0] == 400
    ((subject, details),) = await server.rows("SELECT subject, details FROM problem WHERE kind = 'violation'")
    what = "subprotocol" if offered else "no_subprotocol"
    assert subject == f"station:1:{what}"
    found = {"found": ", ".join(offered)} if offered else {}
    assert orjson.loads(details) == {"station": 1, "what": what, "spoken": "ocpp1.6", **found}


@pytest.mark.parametrize("offered", [("ocpp0.1",), ()])
async def test_where_staff_want_it_the_connection_is_closed_after_the_handshake(
    server: Server, settings: StationSettings, offered: tuple[str, ...]
) -> None:
    """TC_088 as J 1.6, 3.1.2 has it."""
    settings.upgrade_always = True
    await server.register("CS-1")
    async with connected(server, protocols=offered) as client:
        assert client.socket.protocol is None
        assert await client.closed() == 1002

    what = "subprotocol" if offered else "no_subprotocol"
    assert await server.rows("SELECT subject FROM problem WHERE kind = 'violation'") == [(f"station:1:{what}",)]
    assert not server.listener.commands.is_online(StationId(1))

    async with connected(server) as client:
        await client.boot()
    assert await server.rows("SELECT id FROM problem WHERE cleared_at_ms IS NULL") == []


async def test_what_kept_a_station_from_connecting_is_over_once_it_connects(server: Server) -> None:
    await server.register("CS-1", 1, PASSWORD)
    await handshake_status(server, headers=basic("CS-1", "wrong"))
    await handshake_status(server, headers=basic("CS-1", PASSWORD), protocols=("ocpp2.0.1",))
    kinds = "SELECT subject FROM problem WHERE kind = 'violation' AND cleared_at_ms IS NULL ORDER BY subject"
    assert await server.rows(kinds) == [("station:1:password",), ("station:1:subprotocol",)]
    async with connected(server, headers=basic("CS-1", PASSWORD)):
        assert await server.rows(kinds) == []


async def test_who_guesses_a_password_elsewhere_stays_a_problem(server: Server) -> None:
    await server.register("CS-1", 1, PASSWORD)
    details = {"station": 1, "what": "password", "found": "192.168.7.99"}
    await server.store.write(raise_problem, ProblemKind.VIOLATION, "station:1:password", server.now_ms(), details)
    async with connected(server, headers=basic("CS-1", PASSWORD)):
        rows = await server.rows("SELECT cleared_at_ms FROM problem")

    assert rows == [(None,)]


async def test_a_station_that_names_no_version_is_let_in_where_one_is_assumed(
    server: Server, settings: StationSettings
) -> None:
    settings.assume_version = "ocpp1.6"
    await server.register("CS-1")
    async with connected(server, protocols=()) as client:
        assert (await client.boot())["status"] == "Accepted"
    assert (await handshake_status(server, protocols=("ocpp9",)))[0] == 400


# --- Basic authentication ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        (PASSWORD.encode(), PASSWORD.encode()),
        (PASSWORD.encode(), PASSWORD.encode().hex().encode()),
        (PASSWORD.encode(), PASSWORD.encode().hex().upper().encode()),
        (PASSWORD.encode().hex().encode(), PASSWORD.encode()),
        (b"\xff\x00binary:password", b"\xff\x00binary:password"),
    ],
)
def test_a_password_fits_as_its_bytes_or_as_their_hexadecimal_text(stored: bytes, sent: bytes) -> None:
    """TC_085, and what chargers do."""
    assert password_matches(SITE_KEY, hash_password(SITE_KEY, stored), sent)


@pytest.mark.parametrize("sent", [b"", b"wrong", PASSWORD.encode()[:-1], PASSWORD.encode() + b"x"])
def test_another_password_does_not_fit(sent: bytes) -> None:
    assert not password_matches(SITE_KEY, hash_password(SITE_KEY, PASSWORD.encode()), sent)
    assert not password_matches(SITE_KEY, None, sent)
    assert not password_matches(SITE_KEY, bytes(32), sent)


@pytest.mark.parametrize("header", [None, "", "Bearer x", "Basic", "Basic !!!", "Basic YWJj"])
def test_a_header_that_is_none_has_no_credentials(header: str | None) -> None:
    assert basic_credentials(header) is None


async def test_the_right_password_lets_in(server: Server) -> None:
    """TC_085."""
    await server.register("CS-1", 1, PASSWORD)
    async with connected(server, headers=basic("CS-1", PASSWORD)) as client:
        assert (await client.boot())["status"] == "Accepted"


@pytest.mark.parametrize(
    "headers", [{}, basic("CS-1", "wrong-password-16"), basic("CS-2", PASSWORD), {"Authorization": "Basic x"}]
)
async def test_a_wrong_password_or_another_name_is_challenged(server: Server, headers: dict[str, str]) -> None:
    await server.register("CS-1", 1, PASSWORD)
    status, answered = await handshake_status(server, headers=headers)

    assert status == 401
    assert answered["WWW-Authenticate"].startswith("Basic realm=")
    assert await server.rows("SELECT kind FROM problem") == [("violation",)]


async def test_a_name_nobody_knows_is_told_the_same_as_a_wrong_password(
    server: Server, settings: StationSettings
) -> None:
    settings.accept_unknown = False

    assert (await handshake_status(server, "/ocpp/NOBODY", headers=basic("NOBODY", PASSWORD)))[0] == 401
    assert (await handshake_status(server, "/ocpp/NOBODY"))[0] == 404


async def test_profile_2_is_refused_without_tls(server: Server) -> None:
    await server.register("CS-1", 2, PASSWORD)

    assert (await handshake_status(server, headers=basic("CS-1", PASSWORD)))[0] == 401


async def test_profile_3_lets_nobody_in_by_a_password(server: Server) -> None:
    station = await server.register("CS-1", 1, PASSWORD)
    await server.store.write(lambda db: db.execute("UPDATE station SET security_profile = 3 WHERE id = ?", (station,)))
    await server.restart()

    assert (await handshake_status(server, headers=basic("CS-1", PASSWORD)))[0] == 401
    assert [password_suffices(profile, tls=tls) for tls in (False, True) for profile in range(4)] == [
        True, True, False, False, True, True, True, False
    ]  # fmt: skip


async def test_too_many_wrong_passwords_are_told_to_wait(server: Server) -> None:
    await server.register("CS-1", 1, PASSWORD)
    for _ in range(FAILURES_MAX):
        assert (await handshake_status(server, headers=basic("CS-1", "wrong")))[0] == 401
    status, headers = await handshake_status(server, headers=basic("CS-1", PASSWORD))

    assert status == 429
    assert 1 <= int(headers["Retry-After"]) <= 60


async def test_where_a_station_was_let_in_before_it_is_not_held_up(server: Server) -> None:
    await server.register("CS-1", 1, PASSWORD)
    async with connected(server, headers=basic("CS-1", PASSWORD)) as client:
        await client.boot()
    for _ in range(FAILURES_MAX + 1):
        assert (await handshake_status(server, headers=basic("CS-1", "wrong")))[0] == 401

    async with connected(server, headers=basic("CS-1", PASSWORD)) as client:
        assert (await client.boot())["status"] == "Accepted"


async def guessed_everywhere(server: Server) -> None:
    """A neighbour tries passwords under its name, from ten addresses, until nobody else may."""
    for number in range(FAILURES_OF_ONE_MAX):
        address = f"127.0.0.{100 + number // FAILURES_MAX}"
        await handshake_status(server, headers=basic("CS-1", "wrong"), address=address)
    assert (await handshake_status(server, headers=basic("CS-1", "wrong"), address="127.0.0.99"))[0] == 429


async def test_guesses_from_everywhere_do_not_keep_out_who_has_the_password(server: Server) -> None:
    await server.register("CS-1", 1, PASSWORD)
    await guessed_everywhere(server)

    for address in ("127.0.0.7", "127.0.0.8"):
        async with connected(server, headers=basic("CS-1", PASSWORD), address=address) as client:
            assert (await client.boot())["status"] == "Accepted"


async def test_where_a_station_is_at_home_is_known_after_a_restart(server: Server) -> None:
    await server.register("CS-1", 1, PASSWORD)
    async with connected(server, headers=basic("CS-1", PASSWORD)) as client:
        await client.boot()
    await server.restart()
    for _ in range(FAILURES_MAX + 1):
        assert (await handshake_status(server, headers=basic("CS-1", "wrong")))[0] == 401

    async with connected(server, headers=basic("CS-1", PASSWORD)) as client:
        assert (await client.boot())["status"] == "Accepted"


def test_one_network_of_ipv6_has_the_guesses_of_one_address() -> None:
    failures = Failures()
    for number in range(FAILURES_MAX):
        failures.add(f"2001:db8::{number:x}", "CS-1", 1000)

    assert failures.retry_after_s("2001:db8::ffff", "CS-1", 2000, proven=True) == 59
    assert failures.retry_after_s("2001:db8:0:1::1", "CS-1", 2000, proven=True) == 0


def test_failures_are_counted_by_pair_by_address_and_by_identity_and_forgotten() -> None:
    failures = Failures()
    for number in range(FAILURES_OF_ONE_MAX):
        failures.add("10.0.0.1", f"CS-{number}", 1000)

    assert failures.retry_after_s("10.0.0.1", "CS-NEW", 2000) == 59
    assert failures.retry_after_s("10.0.0.2", "CS-1", 2000) == 0
    assert failures.retry_after_s("10.0.0.1", "CS-NEW", 61_000) == 0
    # A clock that was set back holds nobody up.
    failures.add("10.0.0.1", "CS-1", 10_000_000)
    assert failures.retry_after_s("10.0.0.1", "CS-1", 5_000) == 0
    for number in range(KEYS_MAX):
        failures.add(f"10.1.{number // 250}.{number % 250}", "CS-1", 1000)
    assert len(failures._times) <= KEYS_MAX


# --- knocking, and room --------------------------------------------------------------------------------------------------------


async def test_no_more_than_fifty_knock_and_who_takes_many_places_gives_one_up(server: Server) -> None:
    async with AsyncExitStack() as stack:
        knocking = [
            await stack.enter_async_context(
                connected(server, f"/ocpp/N{number}", address=f"127.0.0.{1 + number // KNOCKING_OF_ADDRESS_MAX}")
            )
            for number in range(KNOCKING_MAX)
        ]
        assert (await knocking[-1].boot())["status"] == "Pending"
        # Whoever takes many places gives one up, connected or not, to who has none; but not to who has as many.
        async with connected(server, "/ocpp/NEW", address="127.0.0.99") as client:
            assert (await client.boot())["status"] == "Pending"
            assert await knocking[0].closed() == 1008
            assert (await handshake_status(server, "/ocpp/ONE-TOO-MANY", address="127.0.0.1"))[0] == 404
        # Those that knock already may come back.
        async with connected(server, "/ocpp/N7", address="127.0.0.2") as again:
            assert (await again.boot())["status"] == "Pending"
    knock = "SELECT count(*) FROM station WHERE state = 'knocking' AND dismissed_at_ms IS NULL"
    assert await server.rows(knock) == [(KNOCKING_MAX,)]


async def test_one_address_does_not_take_all_the_room(server: Server) -> None:
    async with AsyncExitStack() as stack:
        for number in range(KNOCKING_OF_ADDRESS_MAX):
            await stack.enter_async_context(connected(server, f"/ocpp/N{number}"))
        assert (await handshake_status(server, "/ocpp/ONE-TOO-MANY"))[0] == 404
        async with connected(server, "/ocpp/NEW", address="127.0.0.2") as client:
            assert (await client.boot())["status"] == "Pending"
    # They have gone: the next may come.
    async with connected(server, "/ocpp/ONE-TOO-MANY") as client:
        assert (await client.boot())["status"] == "Pending"
    assert await server.rows("SELECT count(*) FROM station WHERE dismissed_at_ms IS NULL") == [(6,)]


async def test_unknown_stations_are_refused_where_they_may_not_knock(server: Server, settings: StationSettings) -> None:
    settings.accept_unknown = False

    assert (await handshake_status(server, "/ocpp/NEW"))[0] == 404
    assert await server.rows("SELECT id FROM station") == []


async def test_a_station_that_is_registered_while_the_server_runs_is_known(
    server: Server, settings: StationSettings
) -> None:
    settings.accept_unknown = False
    assert (await handshake_status(server))[0] == 404
    await server.register("CS-1")
    async with connected(server) as client:
        assert (await client.boot())["status"] == "Accepted"


async def test_when_full_others_are_told_so(server: Server, settings: StationSettings) -> None:
    settings.connections_max = 1
    await server.register("CS-1")
    await server.register("CS-2")
    async with connected(server) as client:
        await client.boot()
        assert (await handshake_status(server, "/ocpp/CS-2"))[0] == 503
        await client.socket.close()
    async with asyncio.timeout(20):
        while (await handshake_status(server, "/ocpp/CS-2"))[0] != 101:
            pass
