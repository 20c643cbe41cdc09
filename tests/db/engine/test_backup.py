"""Backups: taken while the server writes, verified before they count, and refused when they are damaged."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from appliance.db import ledger
from appliance.db.engine import backup
from appliance.db.engine.migrate import TooNew
from appliance.db.engine.store import Store, nothing
from appliance.db.engine.unit import Database
from appliance.domain.errors import Refusal
from appliance.domain.identifiers import AccountId, PersonId
from appliance.domain.ledger import CASH, Operation, TransferCode
from appliance.services.wallets import wallets
from tests.support.books import BY, Books, open_books

CARD = "04A1B2C3"


@pytest.fixture
def rahima(books: Books) -> PersonId:
    """Somebody with a history."""
    books.tariff(energy=2_000_000, tax=500)
    station, person = books.station(), books.person(paid_in=50_000)
    books.card(CARD, person)
    for number in range(20):
        started = books.start(station, 1, CARD, meter_wh=number * 1_000)
        books.wait(600)
        books.read(station, started.ref, number * 1_000 + 500, power_w=3_000)
        books.wait(600)
        books.stop(station, started.ref, number * 1_000 + 1_000)
    books.db.flush()
    return person


def rows(path: Path) -> list[tuple[object, ...]]:
    db = sqlite3.connect(path)
    try:
        return db.execute("SELECT * FROM transfer ORDER BY seq").fetchall()
    finally:
        db.close()


def test_a_backup_is_the_whole_site(books: Books, rahima: PersonId, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"

    backup.make(books.path, target)

    assert rows(target) == rows(books.path)
    assert target.stat().st_mode & 0o077 == 0
    backup.verify(target)


async def test_a_backup_taken_while_others_write_is_sound_and_holds_all_that_was_committed_before(
    tmp_path: Path,
) -> None:
    books = open_books(tmp_path / "forecourt.db")
    person = books.person()
    books.db.flush()
    books.db.close()
    store = Store(books.path)
    await store.open()
    number, enough = 0, asyncio.Event()

    async def pay_in() -> None:
        nonlocal number
        while not enough.is_set():
            number += 1
            await store.write(wallets.top_up, person, 100, "cash", f"n-{number}", BY)

    paying = asyncio.create_task(pay_in())
    for copy in range(3):
        await store.write(nothing)
        before = number - 1
        target = tmp_path / f"backup-{copy}.db"
        await asyncio.to_thread(backup.make, books.path, target)
        assert before <= len(rows(target)) <= number
    enough.set()
    await paying
    await store.close()

    assert len(rows(books.path)) == number


async def test_books_that_are_looked_at_while_others_write_have_no_difference_that_is_only_a_later_moment(
    books: Books, rahima: PersonId
) -> None:
    books.db.close()
    store = Store(books.path)
    await store.open()
    looked = asyncio.Event()

    async def pay_in() -> None:
        number = 0
        while not looked.is_set():
            number += 1
            await store.write(wallets.top_up, rahima, 100, "cash", f"n-{number}", BY)

    paying = asyncio.create_task(pay_in())
    found = [await asyncio.to_thread(backup.problems_of, books.path, foreign=False) for _ in range(20)]
    looked.set()
    await paying
    await store.close()

    assert found == [[]] * len(found)


def test_a_backup_is_never_written_over_another_file(books: Books, rahima: PersonId, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("something else")

    with pytest.raises(Refusal, match="There is a file"):
        backup.make(books.path, target)

    assert target.read_text() == "something else"


def test_a_backup_of_unsound_books_is_not_kept(books: Books, rahima: PersonId, tmp_path: Path) -> None:
    books.db.execute("DROP TRIGGER account_guard")
    books.db.execute("UPDATE account SET credit_posted = credit_posted + 1 WHERE id = 1")
    before = sorted(tmp_path.iterdir())

    with pytest.raises(backup.Unusable, match="account 1 says"):
        backup.make(books.path, tmp_path / "backup.db")

    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "it is not there"),
        (b"", "it is not a database of a Forecourt site"),
        (b"no database at all" * 1_000, "file is not a database"),
    ],
)
def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "some.db"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(backup.Unusable, match="cannot be trusted") as refused:
        backup.verify(path)

    assert why in str(refused.value) or content is None


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE notes (text TEXT)")
    db.execute("PRAGMA user_version = 1")
    db.commit()
    db.close()

    with pytest.raises(backup.Unusable):
        backup.verify(path)


def test_a_backup_cut_short_is_refused(books: Books, rahima: PersonId, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    backup.make(books.path, target)
    whole = target.read_bytes()

    for part in (0.3, 0.6, 0.95):
        cut = tmp_path / "cut.db"
        cut.write_bytes(whole[: int(len(whole) * part)])
        with pytest.raises(backup.Unusable):
            backup.verify(cut)


def test_every_flipped_bit_in_the_money_is_found(books: Books, rahima: PersonId, tmp_path: Path) -> None:
    """`integrity_check` does not see a changed value; the chain does. One bit of each hash, name and actor of the journal."""
    target = tmp_path / "backup.db"
    backup.make(books.path, target)
    whole = bytearray(target.read_bytes())
    db = sqlite3.connect(target)
    pieces = [row[0] for row in db.execute("SELECT hash FROM transfer WHERE seq < (SELECT max(seq) FROM transfer)")]
    pieces += [
        row[0].encode() for row in db.execute("SELECT 'fee' || substr(key, 4) FROM transfer WHERE key LIKE 'fee|%'")
    ]
    db.close()
    flipped = tmp_path / "flipped.db"
    for number, piece in enumerate(pieces):
        at = whole.find(piece)
        assert at > 0
        whole[at + number % len(piece)] ^= 1 << number % 8
        flipped.write_bytes(whole)
        with pytest.raises(backup.Unusable):
            backup.verify(flipped)
        whole[at + number % len(piece)] ^= 1 << number % 8
    assert len(pieces) > 40


def test_a_backup_of_a_newer_release_is_refused(books: Books, rahima: PersonId, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    backup.make(books.path, target)
    db = sqlite3.connect(target)
    db.execute("PRAGMA user_version = 9999")
    db.close()

    with pytest.raises(TooNew, match="is of version 9999"):
        backup.verify(target)


def test_a_changed_audit_list_is_found(books: Books, rahima: PersonId, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    backup.make(books.path, target)
    db = sqlite3.connect(target)
    db.execute("DROP TRIGGER audit_no_update")
    db.execute("UPDATE audit SET actor = 'operator:9' WHERE seq = 2")
    db.commit()
    db.close()

    with pytest.raises(backup.Unusable, match="audit list breaks at row 2"):
        backup.verify(target)


def test_what_a_restored_backup_holds_goes_on_where_it_ended(books: Books, rahima: PersonId, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    backup.make(books.path, target)
    db = sqlite3.connect(target, isolation_level=None, factory=Database)
    ledger.transfer(
        db,
        Operation.POST,
        "topup|after",
        debit=CASH,
        credit=AccountId(100),
        amount_minor=1,
        code=TransferCode.TOPUP,
        reference="",
        by=BY,
    )
    db.flush()

    assert ledger.verify(db) == []
    db.close()
