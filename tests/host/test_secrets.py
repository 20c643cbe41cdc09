"""What the site keeps secret for others: the key beside the books, the owner's words, and what becomes of both when a box is lost."""

from __future__ import annotations

import base64
import re
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from appliance.db import problems
from appliance.db import secrets as rows
from appliance.db.engine.open import open_to_read
from appliance.domain.by import By
from appliance.domain.clock import system_clock
from appliance.host import owner_key
from appliance.host.data_directory import DataDirectory
from appliance.host.owner_key import WrongWords
from appliance.host.secrets import KEY_BYTES, SealingKey, load, set_aside
from appliance.services import health, secrets
from appliance.services.ports.vault import CannotOpen
from tests.support.books import NOON_MS, Books, open_books
from tests.support.process import ServerProcess, environment, look_into, make_site, run

KEY = SealingKey(bytes(range(KEY_BYTES)))
OTHER_KEY = SealingKey(bytes(range(1, KEY_BYTES + 1)))
SECRET = b"a password of somebody else"
NAME = "mail.password"


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """The books of a site whose key nobody has asked for yet."""
    return open_books(tmp_path / "forecourt.db")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A site with its key and a secret."""
    folder = tmp_path / "site"
    assert run("init", "--data-dir", folder, "--currency", "BDT", "--timezone", "Asia/Dhaka").returncode == 0
    key = key_of(folder)
    change(folder, lambda db: secrets.keep_secret(db, key, NAME, SECRET, NOON_MS))
    return folder


@pytest.fixture
async def server(data_dir: Path) -> AsyncIterator[ServerProcess]:
    """The site's server, not started."""
    found = ServerProcess(data_dir)
    yield found
    await found.clean_up()


def key_of(data_dir: Path) -> SealingKey:
    """The key that lies in a folder."""
    key = load(DataDirectory(data_dir))
    assert key is not None
    return key


def change(data_dir: Path, unit: Any) -> None:
    """A unit on a site that no server has."""
    with closing(look_into(data_dir)) as db:
        db.execute("BEGIN")
        unit(db)
        db.execute("COMMIT")


def databases(data_dir: Path) -> list[Path]:
    """The books, with what SQLite keeps beside them."""
    return list(data_dir.glob("forecourt.db*"))


def kept(data_dir: Path) -> bytes | None:
    """The secret of a site, as its own key opens it."""
    with closing(open_to_read(data_dir / "forecourt.db")) as db:
        return secrets.read_secret(db, key_of(data_dir), NAME)


def open_problems(data_dir: Path) -> list[tuple[str, object]]:
    """What stands under Problems about secrets, and why."""
    with closing(open_to_read(data_dir / "forecourt.db")) as db:
        found = problems.open_problems(db)
    return [(one.kind, one.details.get("why")) for one in found if one.kind in ("secrets", "owner_key_missing")]


def make_owner_key(data_dir: Path, *options: str) -> str:
    """The words, as they are printed."""
    made = run("secrets", "owner-key", "--data-dir", data_dir, *options)
    assert made.returncode == 0, made.stderr
    return made.stdout


@pytest.fixture
def words(data_dir: Path, tmp_path: Path) -> str:
    """The words of an owner's key of the site, of which there is a backup, `backup.db`."""
    found = make_owner_key(data_dir)
    assert run("backup", data_dir, tmp_path / "backup.db").returncode == 0
    return found


# --- sealing ---------------------------------------------------------------------------------------------------------------


def test_what_is_sealed_is_opened_by_its_key_for_its_purpose() -> None:
    sealed = KEY.seal("mail", SECRET)

    assert KEY.open("mail", sealed) == SECRET
    assert SECRET not in sealed
    assert KEY.seal("mail", SECRET) != sealed
    for key, purpose in ((KEY, "mail2"), (OTHER_KEY, "mail")):
        with pytest.raises(CannotOpen):
            key.open(purpose, sealed)


def test_no_byte_of_what_is_sealed_can_be_changed_or_left_out() -> None:
    sealed = KEY.seal("mail", SECRET)
    for position in range(len(sealed)):
        flipped = bytearray(sealed)
        flipped[position] ^= 1
        for changed in (bytes(flipped), sealed[:position]):
            with pytest.raises(CannotOpen):
                KEY.open("mail", changed)


def test_a_secret_is_kept_under_its_name_until_another_takes_its_place(books: Books) -> None:
    assert secrets.read_secret(books.db, KEY, NAME) is None
    for plain in (b"first", SECRET):
        secrets.keep_secret(books.db, KEY, NAME, plain, NOON_MS)

    assert secrets.read_secret(books.db, KEY, NAME) == SECRET
    with pytest.raises(CannotOpen):
        secrets.read_secret(books.db, OTHER_KEY, NAME)


def test_a_site_without_a_key_takes_the_first_and_knows_it_again(books: Books) -> None:
    assert secrets.take_up(books.db, KEY, NOON_MS)
    assert secrets.take_up(books.db, KEY, NOON_MS)

    assert not secrets.take_up(books.db, OTHER_KEY, NOON_MS)
    assert not secrets.take_up(books.db, None, NOON_MS)
    assert [one.kind for one in problems.open_problems(books.db)] == ["secrets"]
    assert secrets.take_up(books.db, KEY, NOON_MS)
    assert problems.open_problems(books.db) == []


def test_an_owners_key_is_missed_only_where_there_is_a_secret(books: Books) -> None:
    def missed() -> bool:
        health.check_box(books.db, 10_000, NOON_MS)
        return "owner_key_missing" in {one.kind for one in problems.open_problems(books.db)}

    secrets.take_up(books.db, KEY, NOON_MS)
    assert not missed()
    secrets.keep_secret(books.db, KEY, NAME, SECRET, NOON_MS)
    assert missed()
    secrets.set_owner_key(books.db, enclosed(owner_key.new_words()), By("console", NOON_MS))
    assert not missed()


# --- the owner's key -------------------------------------------------------------------------------------------------------


def enclosed(words: str) -> rows.OwnerKey:
    """The key, for whoever has the words."""
    return owner_key.enclose(KEY, owner_key.private_half(words).public_key().public_bytes_raw())


def test_the_words_disclose_what_was_enclosed_however_they_are_written() -> None:
    words = owner_key.new_words()

    assert len(words.split()) == 12
    assert owner_key.disclose(enclosed(words), f"  {words.upper()}\n").key == KEY.key
    assert KEY.key not in enclosed(words).enclosed


def test_other_words_disclose_nothing() -> None:
    owner, words = enclosed(owner_key.new_words()), owner_key.new_words().split()
    for wrong in ("", "twelve", " ".join(words), " ".join(words[:11]), " ".join([*words[:11], "forecourt"])):
        with pytest.raises(WrongWords):
            owner_key.disclose(owner, wrong)


def test_no_byte_of_what_is_enclosed_can_be_changed() -> None:
    words = owner_key.new_words()
    owner = enclosed(words)
    for position in range(len(owner.enclosed)):
        changed = bytearray(owner.enclosed)
        changed[position] ^= 1
        with pytest.raises(WrongWords):
            owner_key.disclose(rows.OwnerKey(owner.public, bytes(changed)), words)


# --- the file --------------------------------------------------------------------------------------------------------------


def test_a_new_site_has_a_key_that_is_for_its_eyes_only_and_not_in_the_books(data_dir: Path, tmp_path: Path) -> None:
    file = data_dir / "sealing.key"
    assert (file.stat().st_mode & 0o777, file.stat().st_size) == (0o600, KEY_BYTES)
    assert run("backup", data_dir, tmp_path / "backup.db").returncode == 0

    for found in (*databases(data_dir), tmp_path / "backup.db"):
        assert file.read_bytes() not in found.read_bytes()
        assert SECRET not in found.read_bytes()


def test_the_key_is_on_the_disk_before_it_has_its_name_and_its_name_before_anything_is_sealed(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    subprocess.run(
        [
            "strace", "-f", "-y", "-o", trace, "-e", "trace=fsync,rename,renameat,renameat2",
            sys.executable, "-m", "appliance", "init", "--data-dir", tmp_path / "site", "--currency", "BDT", "--timezone", "UTC",
        ],
        env=environment(), check=True, capture_output=True,
    )  # fmt: skip
    lines = trace.read_text().splitlines()
    written, named = (
        next(number for number, line in enumerate(lines) if re.search(what, line))
        for what in (r"fsync\(\d+<.*/\.sealing\.key\.", r'rename.*\.sealing\.key.*/sealing\.key"')
    )
    assert written < named
    assert re.search(r"fsync\(\d+<[^>]*/site>", lines[named + 1])


async def test_a_site_of_before_gets_its_key_at_its_first_start(tmp_path: Path) -> None:
    make_site(tmp_path / "site")
    server = ServerProcess(tmp_path / "site")
    try:
        for _start in range(2):
            await server.start()
            assert await server.stop() == 0
    finally:
        await server.clean_up()
    with closing(open_to_read(tmp_path / "site/forecourt.db")) as db:
        assert secrets.opens(db, key_of(tmp_path / "site"))
    assert open_problems(tmp_path / "site") == []


@pytest.mark.parametrize(("left", "why"), [(None, "missing"), (b"", "missing"), (OTHER_KEY.key, "foreign")])
async def test_without_its_key_a_site_runs_and_says_so_until_the_key_is_back(
    server: ServerProcess, data_dir: Path, left: bytes | None, why: str
) -> None:
    file = data_dir / "sealing.key"
    aside = set_aside(DataDirectory(data_dir), system_clock())
    assert aside is not None
    if left is not None:
        file.write_bytes(left)
    await server.start()
    assert open_problems(data_dir) == [("secrets", why)]
    assert str(file) in run("doctor", "--data-dir", data_dir).stdout
    assert await server.stop() == 0
    assert (file.read_bytes() if file.exists() else None) == left  # It is never made anew over secrets.

    aside.rename(file)
    await server.start()
    assert open_problems(data_dir) == []
    assert await server.stop() == 0
    assert kept(data_dir) == SECRET


def test_doctor_tells_of_secrets_that_no_backup_brings_back_and_of_a_key_that_others_may_read(data_dir: Path) -> None:
    said = run("doctor", "--data-dir", data_dir).stdout
    assert "Make an owner's key" in said
    assert "chmod" not in said
    (data_dir / "sealing.key").chmod(0o644)
    make_owner_key(data_dir)

    said = run("doctor", "--data-dir", data_dir).stdout
    assert "Make an owner's key" not in said
    assert f"chmod 600 {data_dir}/sealing.key" in said


# --- backup and restore ----------------------------------------------------------------------------------------------------


def test_a_backup_says_when_its_secrets_could_not_be_opened_elsewhere(data_dir: Path, tmp_path: Path) -> None:
    assert "secrets is not in it" in run("backup", data_dir, tmp_path / "first.db").stdout
    make_owner_key(data_dir)
    assert "secrets" not in run("backup", data_dir, tmp_path / "second.db").stdout

    refused = run("restore", tmp_path / "first.db", tmp_path / "other", "--owner-key")
    assert refused.returncode == 1
    assert "had no owner's key" in refused.stderr
    assert not (tmp_path / "other/forecourt.db").exists()


def test_on_an_empty_box_the_words_bring_the_secrets_back(words: str, tmp_path: Path) -> None:
    done = run("restore", tmp_path / "backup.db", tmp_path / "other", "--owner-key", data=words)

    assert done.returncode == 0, done.stderr
    assert kept(tmp_path / "other") == SECRET
    assert (tmp_path / "other/sealing.key").stat().st_mode & 0o777 == 0o600


def test_wrong_words_change_nothing(words: str, tmp_path: Path) -> None:
    for wrong in ("", words.replace(words.split(maxsplit=1)[0], words.split()[1], 1), owner_key.new_words()):
        done = run("restore", tmp_path / "backup.db", tmp_path / "other", "--owner-key", data=wrong)
        assert done.returncode == 1
        assert f"Nothing was changed in {tmp_path}/other" in done.stderr
        assert [path.name for path in (tmp_path / "other").iterdir()] == ["lock"]


def test_on_the_same_box_nothing_is_asked_and_the_key_stays(words: str, data_dir: Path, tmp_path: Path) -> None:
    before = (data_dir / "sealing.key").stat()
    for options in ((), ("--owner-key",)):
        done = run("restore", tmp_path / "backup.db", data_dir, *options)
        assert (done.returncode, "sealing.key" in done.stdout + done.stderr) == (0, False)

    after = (data_dir / "sealing.key").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert kept(data_dir) == SECRET


def test_the_key_of_another_site_is_set_aside_for_the_one_of_the_backup(words: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert run("init", "--data-dir", other, "--currency", "BDT", "--timezone", "Asia/Dhaka").returncode == 0
    before = key_of(other).key
    assert run("restore", tmp_path / "backup.db", other, "--owner-key", data=words).returncode == 0

    assert kept(other) == SECRET
    (aside,) = other.glob("sealing.key.replaced-*")
    assert aside.read_bytes() == before


def test_a_box_restored_without_the_words_has_what_they_open_in_its_own_backups(words: str, tmp_path: Path) -> None:
    done = run("restore", tmp_path / "backup.db", tmp_path / "other")
    assert done.returncode == 0
    assert "Its secrets stay closed: say it again with --owner-key" in done.stderr
    assert not (tmp_path / "other/sealing.key").exists()
    assert run("backup", tmp_path / "other", tmp_path / "later.db").returncode == 0
    assert run("restore", tmp_path / "later.db", tmp_path / "other", "--owner-key", data=words).returncode == 0

    assert kept(tmp_path / "other") == SECRET


def test_the_words_are_never_taken_from_the_command_line(words: str, tmp_path: Path) -> None:
    done = run("restore", tmp_path / "backup.db", tmp_path / "other", "--owner-key", *words.split())

    assert done.returncode == 2
    assert "unrecognized arguments" in done.stderr


# --- commands --------------------------------------------------------------------------------------------------------------


async def test_an_owners_key_is_made_while_the_server_runs_and_nothing_of_it_is_told(
    server: ServerProcess, data_dir: Path, tmp_path: Path
) -> None:
    await server.start()
    words = make_owner_key(data_dir)
    assert await server.stop() == 0
    assert run("backup", data_dir, tmp_path / "backup.db").returncode == 0
    assert run("restore", tmp_path / "backup.db", tmp_path / "other", "--owner-key", data=words).returncode == 0

    key = key_of(data_dir).key
    told = server.log() + "".join(server.said)
    assert told
    assert [text for text in (key.hex(), base64.b64encode(key).decode(), words.strip()) if text in told] == []
    assert [file for file in (*databases(data_dir), tmp_path / "backup.db") if key in file.read_bytes()] == []
    assert [file for file in databases(data_dir) if words.strip().encode() in file.read_bytes()] == []


def test_another_owners_key_is_made_on_demand_only_and_holds_from_then_on(
    words: str, data_dir: Path, tmp_path: Path
) -> None:
    refused = run("secrets", "owner-key", "--data-dir", data_dir)
    assert (refused.returncode, refused.stdout) == (1, "")
    newer = make_owner_key(data_dir, "--replace")
    assert run("backup", data_dir, tmp_path / "newer.db").returncode == 0

    for file, right, wrong in (("backup.db", words, newer), ("newer.db", newer, words)):
        other = tmp_path / f"from-{file}"
        assert run("restore", tmp_path / file, other, "--owner-key", data=wrong).returncode == 1
        assert run("restore", tmp_path / file, other, "--owner-key", data=right).returncode == 0


async def test_where_the_key_is_lost_for_good_a_site_starts_over(
    words: str, server: ServerProcess, data_dir: Path, tmp_path: Path
) -> None:
    (data_dir / "sealing.key").unlink()
    refused = run("secrets", "owner-key", "--data-dir", data_dir, "--replace")
    assert "sealing.key is missing" in refused.stderr
    await server.start()
    assert "Stop that one first" in run("secrets", "start-over", "--data-dir", data_dir).stderr
    assert await server.stop() == 0
    assert run("secrets", "start-over", "--data-dir", data_dir).returncode == 0

    await server.start()
    assert open_problems(data_dir) == []
    assert await server.stop() == 0
    assert kept(data_dir) is None
    key = key_of(data_dir)
    change(data_dir, lambda db: secrets.keep_secret(db, key, NAME, b"entered again", NOON_MS))
    assert run("backup", data_dir, tmp_path / "after.db").returncode == 0
    assert run("restore", tmp_path / "after.db", tmp_path / "other", "--owner-key", data=words).returncode == 0
    assert kept(tmp_path / "other") == b"entered again"
    with closing(sqlite3.connect(data_dir / "forecourt.db")) as db:
        actions = [action for (action,) in db.execute("SELECT action FROM audit ORDER BY seq")]
    assert actions[-3:] == ["site.owner_key", "site.new_secrets", "site.anchor"]
