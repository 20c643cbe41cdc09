"""The command line as a person at the box uses it: in processes of their own, with the server running and not."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance.__main__ import EXIT_HOPELESS
from appliance.db.engine.migrate import migrations
from appliance.domain.errors import Invalid
from appliance.services.operators import operators
from tests.support.books import Books
from tests.support.process import (
    START_S,
    DidNotStart,
    ServerProcess,
    look_into,
    make_site,
    run,
)  # fmt: skip

PASSWORD = "seven green bananas\n"
SITE = ("--currency", "BDT", "--timezone", "Asia/Dhaka")


def rows(data_dir: Path, sql: str) -> list[Any]:
    """What is in the books."""
    db = sqlite3.connect(f"{(data_dir / 'forecourt.db').as_uri()}?mode=ro", uri=True)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A site nobody serves, with a few people in it."""
    folder = tmp_path / "site"

    def fill(books: Books) -> None:
        books.tariff()
        books.card("04A1B2C3", books.person(paid_in=5_000))

    make_site(folder, fill)
    return folder


@pytest.fixture
async def server(data_dir: Path) -> AsyncIterator[ServerProcess]:
    """The same site, served."""
    found = ServerProcess(data_dir)
    await found.start()
    yield found
    await found.clean_up()


# --- making a site ---------------------------------------------------------------------------------------------------------


def test_init_makes_a_site_that_only_its_owner_can_read(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "site"
    done = run("init", "--data-dir", folder, *SITE, "--language", "bn", "--site-name", "Mirpur yard")

    assert (done.returncode, done.stderr) == (0, "")
    assert rows(folder, "SELECT name, currency, exponent, timezone, language, demo FROM site") == [
        ("Mirpur yard", "BDT", 2, "Asia/Dhaka", "bn", 0)
    ]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "forecourt.db").stat().st_mode) == 0o600


def test_init_never_touches_a_site_that_is_there(data_dir: Path) -> None:
    before = (data_dir / "forecourt.db").read_bytes()
    done = run("init", "--data-dir", data_dir, *SITE)

    assert done.returncode == 1
    assert "There is a site" in done.stderr
    assert (data_dir / "forecourt.db").read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        ("--currency", "XYZ", "--timezone", "Asia/Dhaka"),
        ("--currency", "BDT", "--timezone", "Asia/Atlantis"),
        ("--currency", "BDT", "--timezone", "../../etc/passwd"),
        (*SITE, "--language", "tlh"),
        (*SITE, "--site-name", "  "),
    ],
)
def test_init_refuses_with_a_sentence_and_leaves_nothing_behind(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = run("init", "--data-dir", tmp_path / "site", *words)

    assert done.returncode == 1
    assert done.stderr.startswith("forecourt: ")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "site" / "forecourt.db").exists()


# --- letting people in -----------------------------------------------------------------------------------------------------


def test_a_command_without_a_site_says_how_to_make_one(tmp_path: Path) -> None:
    for words in (("token", "create", "--role", "owner", "--name", "x"), ("setup-code",), ("serve",)):
        done = run(*words, "--data-dir", tmp_path)
        assert done.returncode == 1
        assert "forecourt init" in done.stderr
        assert "Traceback" not in done.stderr


def check_access(data_dir: Path) -> None:
    """Tokens, operators and set-up codes, whoever writes."""
    code = run("setup-code", "--data-dir", data_dir)
    assert (code.returncode, len(code.stdout.split())) == (0, 1)

    token = run("token", "create", "--data-dir", data_dir, "--role", "owner", "--name", "billing")
    assert (token.returncode, token.stderr) == (0, "")
    assert token.stdout == token.stdout.split()[0] + "\n"
    assert rows(data_dir, "SELECT name, role FROM api_token") == [("billing", "owner")]
    assert token.stdout.strip().encode() not in (data_dir / "forecourt.db").read_bytes()

    added = run("operator", "add", "--data-dir", data_dir, "--login", "rahima", "--role", "cashier", data=PASSWORD)
    assert (added.returncode, added.stderr) == (0, "")
    assert PASSWORD.strip() not in added.stdout
    assert rows(data_dir, "SELECT login, name, role FROM operator") == [("rahima", "rahima", "cashier")]

    twice = run("operator", "add", "--data-dir", data_dir, "--login", "rahima", "--role", "owner", data=PASSWORD)
    weak = run("operator", "add", "--data-dir", data_dir, "--login", "karim", "--role", "owner", data="secret\n")
    late = run("setup-code", "--data-dir", data_dir)
    for refused in (twice, weak, late):
        assert refused.returncode == 1
        assert refused.stdout == ""
        assert refused.stderr.strip()
        assert "Traceback" not in refused.stderr
    assert len(rows(data_dir, "SELECT 1 FROM operator")) == 1


def test_people_are_let_in_without_a_server(data_dir: Path) -> None:
    check_access(data_dir)


async def test_people_are_let_in_through_the_running_server(server: ServerProcess) -> None:
    await asyncio.to_thread(check_access, server.data_dir)

    assert await server.stop() == 0


async def connected_to(host: str, port: int) -> asyncio.StreamWriter:
    """A connection, once somebody listens."""
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except ConnectionError:
            await asyncio.sleep(0.01)
        else:
            return writer


async def test_commands_find_the_server_as_soon_as_chargers_do(server: ServerProcess) -> None:
    assert await server.stop() == 0
    assert not (server.data_dir / "control.sock").exists()
    await server.launch()
    host, port = server.address("stations").rsplit(":", 1)
    async with asyncio.timeout(START_S):
        writer = await connected_to(host, int(port))

    assert (server.data_dir / "control.sock").is_socket()
    writer.close()
    await server.serves(server.running)


def test_a_socket_that_a_killed_server_left_behind_is_in_nobodys_way(data_dir: Path) -> None:
    left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    left.bind(str(data_dir / "control.sock"))
    left.close()

    assert run("token", "create", "--data-dir", data_dir, "--role", "viewer", "--name", "x").returncode == 0


def test_an_operators_language_is_one_that_pages_have(data_dir: Path) -> None:
    words = ("operator", "add", "--data-dir", data_dir, "--login", "rahima", "--role", "owner")
    refused = run(*words, "--language", "zz", data=PASSWORD)
    assert (refused.returncode, "choose from" in refused.stderr) == (2, True)
    assert run(*words, "--language", "bn", data=PASSWORD).returncode == 0
    assert rows(data_dir, "SELECT language FROM operator") == [("bn",)]
    db = look_into(data_dir)
    with pytest.raises(Invalid, match="en or bn"):
        operators.set_language(db, 1, "zz")
    db.close()


# --- files that cannot be used ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [5_000, 100_000])
def test_a_damaged_database_is_said_in_a_sentence(data_dir: Path, length: int) -> None:
    database = data_dir / "forecourt.db"
    database.write_bytes(database.read_bytes()[:length])
    for words in (("serve",), ("setup-code",), ("operator", "add", "--login", "rahima", "--role", "owner")):
        done = run(*words, "--data-dir", data_dir, data=PASSWORD)
        assert done.returncode == 1
        assert done.stderr.startswith(f"forecourt: The database {database} is damaged:")
        assert f"forecourt restore FILE {data_dir}" in done.stderr


def test_a_database_of_a_newer_release_is_not_given_up(data_dir: Path, tmp_path: Path) -> None:
    db = look_into(data_dir)
    db.execute("PRAGMA user_version = 99")
    db.close()

    doctor = run("doctor", "--data-dir", data_dir)
    assert doctor.returncode == 1
    assert "is of version 99; this release knows up to" in doctor.stdout
    assert "Install the newer release again" in doctor.stdout
    assert "newest backup" not in doctor.stdout
    backup = run("backup", data_dir, tmp_path / "newer.db")
    assert backup.returncode == EXIT_HOPELESS
    assert f"{data_dir}/forecourt.db is of version 99" in backup.stderr
    assert not list(tmp_path.glob("*newer.db*"))


# --- safekeeping -----------------------------------------------------------------------------------------------------------


def check_backup(data_dir: Path, target: Path) -> None:
    """Back up, and see that it is whole."""
    done = run("backup", data_dir, target)
    assert (done.returncode, done.stderr) == (0, "")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    again = run("backup", data_dir, target)
    assert again.returncode == 1
    assert "never written over" in again.stderr
    nowhere = run("backup", data_dir, target.parent / "no" / "folder.db")
    assert nowhere.returncode == 1
    assert "There is no folder" in nowhere.stderr


def test_a_backup_is_restored_into_an_empty_folder(data_dir: Path, tmp_path: Path) -> None:
    check_backup(data_dir, tmp_path / "backup.db")
    done = run("restore", tmp_path / "backup.db", tmp_path / "other")

    assert done.returncode == 0
    sql = "SELECT * FROM transfer"
    assert rows(tmp_path / "other", sql) == rows(data_dir, sql) != []
    assert rows(data_dir, "SELECT backup_at_ms > 0 FROM site") == [(1,)]


async def test_a_backup_is_made_while_the_server_runs(server: ServerProcess, tmp_path: Path) -> None:
    await asyncio.to_thread(check_backup, server.data_dir, tmp_path / "backup.db")

    refused = await asyncio.to_thread(run, "restore", tmp_path / "backup.db", server.data_dir)
    assert refused.returncode == 1
    assert "Another Forecourt works with" in refused.stderr
    assert await server.stop() == 0


def test_what_a_restore_replaces_is_set_aside(data_dir: Path, tmp_path: Path) -> None:
    check_backup(data_dir, tmp_path / "backup.db")
    run("token", "create", "--data-dir", data_dir, "--role", "viewer", "--name", "later")
    done = run("restore", tmp_path / "backup.db", data_dir)

    assert done.returncode == 0
    assert rows(data_dir, "SELECT count(*) FROM api_token") == [(0,)]
    (aside,) = data_dir.glob("forecourt.db.replaced-*")
    db = sqlite3.connect(aside)
    assert db.execute("SELECT name FROM api_token").fetchall() == [("later",)]
    db.close()


def test_a_damaged_backup_is_not_put_in_place(data_dir: Path, tmp_path: Path) -> None:
    check_backup(data_dir, tmp_path / "backup.db")
    content = bytearray((tmp_path / "backup.db").read_bytes())
    at = content.find(b"topup|paid-")
    content[at + 3] ^= 1
    (tmp_path / "backup.db").write_bytes(content)
    before = (data_dir / "forecourt.db").read_bytes()
    done = run("restore", tmp_path / "backup.db", data_dir)

    assert done.returncode == 1
    assert "cannot be trusted" in done.stderr
    assert (data_dir / "forecourt.db").read_bytes() == before


def test_the_doctor_says_what_is_wrong_and_what_to_do(data_dir: Path, tmp_path: Path) -> None:
    ill = run("doctor", "--data-dir", data_dir)
    assert ill.returncode == 1
    assert "No backup was ever made" in ill.stdout
    assert "No server is running" in ill.stdout
    check_backup(data_dir, tmp_path / "backup.db")
    well = run("doctor", "--data-dir", data_dir)
    assert (well.returncode, "All is well." in well.stdout) == (0, True)

    db = look_into(data_dir)
    db.execute("DROP TRIGGER account_guard")
    db.execute("UPDATE account SET credit_posted = credit_posted + 1 WHERE id = 1")
    db.close()
    worse = run("doctor", "--data-dir", data_dir)
    assert worse.returncode == 1
    assert "the trigger account_guard is missing" in worse.stdout
    assert "restore the newest backup" in worse.stdout

    assert "There is no site" in run("doctor", "--data-dir", tmp_path / "nowhere").stdout


def test_verify_says_what_was_changed_and_what_nobody_can_find_until_it_is_accepted(data_dir: Path) -> None:
    well = run("verify", "--data-dir", data_dir)
    assert (well.returncode, "The books are as they were kept." in well.stdout) == (0, True)
    assert "What no program can find:" in well.stdout

    db = look_into(data_dir)
    db.execute(
        "INSERT INTO operator (login, name, role, password_hash, created_at_ms) VALUES ('x', 'X', 'owner', 'x', 1)"
    )
    db.close()
    ill = run("verify", "--data-dir", data_dir)
    assert ill.returncode == 1
    assert "nobody added the operator" in ill.stdout
    assert "nobody added the operator" in run("doctor", "--data-dir", data_dir).stdout
    assert run("verify", "--data-dir", data_dir, "--accept").returncode == 0
    db = look_into(data_dir)
    assert db.execute("SELECT action FROM audit ORDER BY seq DESC LIMIT 1").fetchone() == ("site.accept_books",)
    db.close()
    assert run("verify", "--data-dir", data_dir).returncode == 0


# --- serving ---------------------------------------------------------------------------------------------------------------


async def test_the_server_says_where_it_serves_and_ends_on_sigterm(server: ServerProcess) -> None:
    words = [line.partition(" ") for line in server.said]

    assert [listener for listener, _, _ in words] == ["stations", "console", "drivers"]
    assert words[0][2].startswith("ws://127.0.0.1:")
    assert words[0][2].endswith("/ocpp/")
    assert all(url.startswith("http://127.0.0.1:") for _, _, url in words[1:])
    assert await server.stop() == 0
    assert "Traceback" not in server.log()


async def test_two_servers_do_not_share_a_folder(server: ServerProcess) -> None:
    second = ServerProcess(server.data_dir)
    second.log_file = server.data_dir.parent / "second.log"
    try:
        with pytest.raises(DidNotStart, match="Another Forecourt works with"):
            await second.start()
        assert await second.ended() == 1
    finally:
        await second.clean_up()
    assert server.running.returncode is None
    assert "Traceback" not in second.log()


async def test_a_port_that_is_taken_is_said_in_a_sentence(data_dir: Path) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    server = ServerProcess(data_dir)
    server.urls["console"] = f"http://127.0.0.1:{taken.getsockname()[1]}"
    try:
        with pytest.raises(DidNotStart, match="console cannot listen on"):
            await server.start()
        assert await server.ended() == 1
    finally:
        await server.clean_up()
        taken.close()
    assert "Traceback" not in server.log()


async def test_a_real_site_is_never_run_as_a_demo(data_dir: Path) -> None:
    before = rows(data_dir, "SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM session), demo FROM site")
    server = ServerProcess(data_dir, options=["--demo"])
    try:
        with pytest.raises(DidNotStart, match="This is a real site"):
            await server.start()
    finally:
        await server.clean_up()
    assert (
        rows(data_dir, "SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM session), demo FROM site") == before
    )


async def test_a_demo_is_never_run_as_a_real_site(tmp_path: Path) -> None:
    demo = ServerProcess(tmp_path / "demo", options=["--demo"])
    try:
        await demo.start()
        assert await demo.stop() == 0
        real = ServerProcess(tmp_path / "demo")
        with pytest.raises(DidNotStart, match="This is a demo site"):
            await real.start()
    finally:
        await demo.clean_up()


async def test_a_database_of_a_newer_release_is_not_opened(data_dir: Path) -> None:
    db = look_into(data_dir)
    db.execute(f"PRAGMA user_version = {len(migrations()) + 1}")
    db.close()
    server = ServerProcess(data_dir)
    try:
        with pytest.raises(DidNotStart, match="Install the newer release again"):
            await server.start()
        assert await server.ended() == EXIT_HOPELESS
    finally:
        await server.clean_up()


def test_the_help_names_the_environment_variable_of_each_option() -> None:
    text = run("serve", "--help").stdout

    for name in ("DATA_DIR", "STATIONS", "CONSOLE", "DRIVERS", "DEMO"):
        assert f"FORECOURT_{name}" in text


def test_an_unknown_command_or_option_is_explained() -> None:
    for words in (("fly",), ("serve", "--wings"), ("serve", "--stations", "nowhere"), ()):
        done = run(*words)
        assert done.returncode == 2
        assert "usage:" in done.stderr
        assert "Traceback" not in done.stderr
