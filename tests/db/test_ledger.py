"""The ledger against everything that must not happen: through its own function, by raw SQL, and behind SQLite's back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.db import ledger
from appliance.db.engine.errors import IntegrityError
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people import people
from appliance.db.wallets import statement
from appliance.domain.by import By
from appliance.domain.identifiers import AccountId, PersonId
from appliance.domain.ledger import CASH, FIRST_HASH, OVERRUN, REVENUE, TAX, Operation, TransferCode
from appliance.services.wallets import wallets
from tests.support.books import ACTOR, NOON_MS, Books, open_books

CARD = "04A1B2C3"
UNOWNED_HOLD = ["1 holds are open, but open sessions have 0"]
"""All that is wrong with books in which a test holds money for no session."""
POST, HOLD, CAPTURE, VOID = Operation.POST, Operation.HOLD, Operation.CAPTURE, Operation.VOID


class Purse:
    """A wallet with 1,000 in it, of which 400 are held under `hold|1`; words for what is tried with it."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.wallet = ledger.open_wallet(db, "purse", 0)
        self.other = ledger.open_wallet(db, "other", 0)
        self.move(POST, "topup|1", 1_000, debit=CASH, credit=self.wallet)
        self.move(HOLD, "hold|1", 400)
        db.flush()

    def move(
        self,
        op: Operation,
        key: str,
        amount: int,
        *,
        debit: int | None = None,
        credit: int = REVENUE,
        hold: str | None = None,
        now_ms: int = NOON_MS,
    ) -> None:
        """One transfer, inserted at once."""
        self.db.execute("SAVEPOINT attempt")
        try:
            ledger.transfer(
                self.db,
                op,
                key,
                debit=self.wallet if debit is None else AccountId(debit),
                credit=AccountId(credit),
                amount_minor=amount,
                hold=hold,
                code=TransferCode.CHARGE,
                reference="1",
                by=By(ACTOR, now_ms),
            )
            self.db.flush()
        except BaseException:
            self.db.execute("ROLLBACK TO attempt")
            self.db.forget()
            raise
        finally:
            self.db.execute("RELEASE attempt")

    def balances(self) -> list[tuple[int, ...]]:
        """All accounts as they stand."""
        return self.db.execute(
            "SELECT id, credit_posted, debit_posted, debit_pending, floor_minor, last_seq FROM account ORDER BY id"
        ).fetchall()

    def journal(self) -> list[tuple[object, ...]]:
        """All rows."""
        return self.db.execute("SELECT * FROM transfer ORDER BY seq").fetchall()


@pytest.fixture
def purse(books: Books) -> Purse:
    return Purse(books.db)


def test_a_hold_is_reserved_then_captured_in_part_and_the_rest_is_free_again(purse: Purse) -> None:
    assert ledger.balance(purse.db, purse.wallet) == ledger.Balance(1_000, 600)
    purse.move(CAPTURE, "end|1", 150, hold="hold|1")

    assert ledger.balance(purse.db, purse.wallet) == ledger.Balance(850, 850)
    assert ledger.balance(purse.db, REVENUE).balance_minor == 150
    assert ledger.verify(purse.db) == []


def test_a_void_gives_everything_back(purse: Purse) -> None:
    purse.move(VOID, "end|1", 0, hold="hold|1")

    assert ledger.balance(purse.db, purse.wallet) == ledger.Balance(1_000, 1_000)


ILLEGAL: dict[str, Callable[[Purse], None]] = {
    "spend what is held": lambda p: p.move(POST, "spend|1", 601),
    "hold what is held": lambda p: p.move(HOLD, "hold|2", 601),
    "capture more than the hold": lambda p: p.move(CAPTURE, "end|1", 401, hold="hold|1"),
    "capture to another account": lambda p: p.move(CAPTURE, "end|1", 1, hold="hold|1", credit=TAX),
    "capture from another account": lambda p: p.move(CAPTURE, "end|1", 1, hold="hold|1", debit=p.other),
    "capture what nobody held": lambda p: p.move(CAPTURE, "end|9", 1, hold="hold|9"),
    "capture a post": lambda p: p.move(CAPTURE, "end|1", 1, hold="topup|1", debit=CASH, credit=p.wallet),
    "capture without a hold": lambda p: p.move(CAPTURE, "end|1", 1),
    "void without a hold": lambda p: p.move(VOID, "end|1", 0),
    "void that moves money": lambda p: p.move(VOID, "end|1", 1, hold="hold|1"),
    "post out of a hold": lambda p: p.move(POST, "spend|1", 1, hold="hold|1"),
    "hold out of a hold": lambda p: p.move(HOLD, "hold|2", 1, hold="hold|1"),
    "from an account to itself": lambda p: p.move(POST, "round|1", 1, credit=p.wallet),
    "nothing at all": lambda p: p.move(POST, "zero|1", 0),
    "a negative amount": lambda p: p.move(POST, "minus|1", -1),
    "a negative hold": lambda p: p.move(HOLD, "hold|2", -1),
    "more than there is anywhere": lambda p: p.move(POST, "much|1", 100_000_000_001, debit=CASH),
    "half a minor unit": lambda p: p.move(POST, "half|1", 0.5),  # type: ignore[arg-type]
    "a whole float": lambda p: p.move(POST, "float|1", 5.0),  # type: ignore[arg-type]
    "a truth value": lambda p: p.move(POST, "true|1", True),
    "the same name with another amount": lambda p: p.move(POST, "topup|1", 999, debit=CASH, credit=p.wallet),
    "the same name again": lambda p: p.move(POST, "topup|1", 1_000, debit=CASH, credit=p.wallet),
    "a name too short to tell anything": lambda p: p.move(POST, "x", 1),
    "an account that is not there": lambda p: p.move(POST, "ghost|1", 1, credit=4_711),
}


@pytest.mark.parametrize("what", ILLEGAL)
def test_what_must_not_be_booked_is_refused_and_leaves_no_trace(purse: Purse, what: str) -> None:
    balances, journal = purse.balances(), purse.journal()

    with pytest.raises((IntegrityError, TypeError)):
        ILLEGAL[what](purse)

    assert (purse.balances(), purse.journal()) == (balances, journal)
    purse.move(POST, "after|1", 1)
    assert ledger.verify(purse.db) == UNOWNED_HOLD


@pytest.mark.parametrize("again", [(CAPTURE, 1), (VOID, 0)])
@pytest.mark.parametrize("first", [(CAPTURE, 100), (VOID, 0)])
def test_a_hold_is_resolved_once(purse: Purse, first: tuple[Operation, int], again: tuple[Operation, int]) -> None:
    purse.move(first[0], "end|1", first[1], hold="hold|1")
    balances = purse.balances()

    with pytest.raises(IntegrityError):
        purse.move(again[0], "end|1|again", again[1], hold="hold|1")

    assert purse.balances() == balances


def test_time_never_runs_backwards_in_the_ledger_even_if_the_clock_does(purse: Purse) -> None:
    purse.move(POST, "later|1", 1, now_ms=NOON_MS + 5_000)
    purse.move(POST, "earlier|1", 1, now_ms=NOON_MS - 86_400_000)

    times = [row[0] for row in purse.db.execute("SELECT at_ms FROM transfer ORDER BY seq")]
    assert times == sorted(times)


# --- raw SQL ---------------------------------------------------------------------------------------------------------------

ROW = "(seq, key, op, debit, credit, amount_minor, hold, code, reference, actor, at_ms, prev_hash, hash)"
RAW = {
    "update": "UPDATE transfer SET amount_minor = 1 WHERE seq = 1",
    "update of a harmless column": "UPDATE transfer SET reference = 'x' WHERE seq = 1",
    "delete": "DELETE FROM transfer WHERE seq = 2",
    "delete of all": "DELETE FROM transfer",
    "replace": "INSERT OR REPLACE INTO transfer SELECT seq, key, op, debit, credit, 1, hold, code, reference, actor, at_ms, prev_hash, hash FROM transfer WHERE seq = 1",
    "replace by key": "REPLACE INTO transfer SELECT 3, key, op, debit, credit, 1, hold, code, reference, actor, at_ms, (SELECT hash FROM transfer WHERE seq = 2), zeroblob(32) FROM transfer WHERE seq = 1",
    "upsert": "INSERT INTO transfer SELECT seq, key, op, debit, credit, 1, hold, code, reference, actor, at_ms, prev_hash, hash FROM transfer WHERE seq = 1 ON CONFLICT (seq) DO UPDATE SET amount_minor = 1",
    "gap": f"INSERT INTO transfer {ROW} SELECT 4, 'gap|1', 'post', 5, 1, 1, NULL, '', '', '', at_ms, hash, zeroblob(32) FROM transfer WHERE seq = 2",
    "number nought": f"INSERT INTO transfer {ROW} SELECT 0, 'nought|1', 'post', 5, 1, 1, NULL, '', '', '', at_ms, zeroblob(32), zeroblob(32) FROM transfer WHERE seq = 2",
    "broken chain": f"INSERT INTO transfer {ROW} SELECT 3, 'chain|1', 'post', 5, 1, 1, NULL, '', '', '', at_ms, zeroblob(32), zeroblob(32) FROM transfer WHERE seq = 2",
    "time backwards": f"INSERT INTO transfer {ROW} SELECT 3, 'time|1', 'post', 5, 1, 1, NULL, '', '', '', at_ms - 1, hash, zeroblob(32) FROM transfer WHERE seq = 2",
    "unknown operation": f"INSERT INTO transfer {ROW} SELECT 3, 'gift|1', 'gift', 5, 1, 1, NULL, '', '', '', at_ms, hash, zeroblob(32) FROM transfer WHERE seq = 2",
    "balance up": "UPDATE account SET credit_posted = credit_posted + 1 WHERE id = 100",
    "debts down": "UPDATE account SET debit_posted = 0 WHERE id = 5",
    "hold away": "UPDATE account SET debit_pending = 0 WHERE id = 100",
    "newest row of an account": "UPDATE account SET last_seq = 0 WHERE id = 100",
    "floor above the balance": "UPDATE account SET floor_minor = 601 WHERE id = 100",
    "another kind": "UPDATE account SET kind = 'revenue' WHERE id = 100",
    "another number": "UPDATE account SET id = 999 WHERE id = 101",
    "account away": "DELETE FROM account WHERE id = 101",
    "account replaced": "INSERT OR REPLACE INTO account (id, kind, name) VALUES (100, 'wallet', 'empty')",
    "account born with money": "INSERT INTO account (id, kind, name, credit_posted) VALUES (500, 'wallet', 'rich', 1)",
    "account born with a hold": "INSERT INTO account (id, kind, name, debit_pending) VALUES (500, 'wallet', 'rich', 1)",
    "account born in need": "INSERT INTO account (id, kind, name, floor_minor) VALUES (500, 'wallet', 'poor', 1)",
    "another currency": "UPDATE site SET currency = 'USD'",
    "another exponent": "UPDATE site SET exponent = 0",
    "site away": "DELETE FROM site",
    "audit changed": "UPDATE audit SET actor = 'nobody'",
    "audit shortened": "DELETE FROM audit",
    "audit replaced": "INSERT OR REPLACE INTO audit SELECT seq, at_ms, 'nobody', action, subject, details, prev_hash, hash FROM audit WHERE seq = 1",
    "price changed": "UPDATE tariff SET energy_milli_per_kwh = 1",
}


@pytest.mark.parametrize("what", RAW)
def test_raw_sql_cannot_change_what_is_booked(books: Books, purse: Purse, what: str) -> None:
    books.tariff()
    books.db.flush()
    balances, journal = purse.balances(), purse.journal()
    audit = books.db.execute("SELECT * FROM audit").fetchall()

    with pytest.raises(IntegrityError):
        books.db.execute(RAW[what])

    assert (purse.balances(), purse.journal()) == (balances, journal)
    assert books.db.execute("SELECT * FROM audit").fetchall() == audit


def test_a_balance_may_not_move_along_with_a_transfer_that_is_not_its_own(purse: Purse) -> None:
    purse.move(POST, "spend|1", 10)

    with pytest.raises(IntegrityError, match="a balance needs its transfer"):
        purse.db.execute(
            "UPDATE account SET credit_posted = credit_posted + 10, last_seq = 3 WHERE id = ?", (purse.other,)
        )


# --- behind SQLite's back --------------------------------------------------------------------------------------------------


def story(books: Books) -> PersonId:
    """A little of everything: a session that ended, one that runs, tax, an overrun, an estimate set right."""
    books.tariff(energy=2_000_000, tax=750)
    station, rahima = books.station(), books.person(paid_in=50_000)
    karim = books.person("Karim Ahmed", paid_in=1_000)
    books.card(CARD, rahima)
    books.card("04D4E5F6", karim)
    first = books.start(station, 1, CARD)
    books.read(station, first.ref, 2_000, power_w=7_000)
    books.stop(station, first.ref, 4_000)
    over = books.start(station, 2, "04D4E5F6")
    books.stop(station, over.ref, 9_000)
    lost = books.start(station, 1, CARD, meter_wh=4_000)
    books.wait(60)
    books.start(station, 1, CARD, meter_wh=6_000)
    books.stop(station, lost.ref, 6_000)
    books.start(station, 2, CARD, meter_wh=9_000)
    books.db.flush()
    return rahima


def test_a_story_leaves_sound_books(books: Books) -> None:
    story(books)

    assert books.wrong() == []
    assert sum(account.balance_minor for account in ledger.trial_balance(books.db)) == 0
    assert ledger.balance(books.db, OVERRUN).balance_minor < 0


def test_what_was_paid_in_is_known_by_what_else_came_into_a_wallet(books: Books) -> None:
    rahima = story(books)
    wallets.top_up(books.db, rahima, 7_000, "card", "again", books.by)
    wallets.refund(books.db, rahima, 2_500, "cash", "back", books.by)
    wallets.correct(books.db, rahima, 300, "goodwill", "given", books.by)
    wallets.correct(books.db, rahima, -100, "mistake", "taken", books.by)
    books.db.flush()
    for (wallet,) in books.db.execute("SELECT wallet_id FROM person").fetchall():
        rows = books.db.execute(
            """SELECT coalesce(sum(CASE WHEN credit = ? THEN amount_minor ELSE -amount_minor END), 0) FROM transfer
            WHERE (credit = ? AND code = 'topup') OR (debit = ? AND code = 'refund')""",
            (wallet, wallet, wallet),
        )
        assert statement.paid_in_minor(books.db, wallet) == rows.fetchone()[0] > 0


def without_triggers(db: Readable) -> None:
    """As somebody with the file and an editor has it."""
    for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute("PRAGMA ignore_check_constraints = ON")


def test_every_edit_of_a_single_column_is_found(tmp_path: Path) -> None:
    """All columns of all rows of the journal, and all numbers of all accounts."""
    books = open_books(tmp_path / "forecourt.db")
    story(books)
    db = books.db
    without_triggers(db)
    assert ledger.verify(db) == []
    edits = 0
    for table, key, columns in (
        ("transfer", "seq", ledger.COLUMNS.split(", ")),
        ("account", "id", ["credit_posted", "debit_posted", "debit_pending", "last_seq"]),
    ):
        for (row,) in db.execute(f"SELECT {key} FROM {table}").fetchall():
            for column in columns:
                (value,) = db.execute(f"SELECT {column} FROM {table} WHERE {key} = ?", (row,)).fetchone()
                db.execute("BEGIN")
                db.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (other(value), row))
                assert ledger.verify(db) != [], f"{column} of {table} {row} was {value!r}"
                db.execute("ROLLBACK")
                edits += 1
    assert edits > 200
    assert ledger.verify(db) == []
    db.close()


def other(value: object) -> object:
    """Almost the same."""
    if value is None:
        return "hold|nobody"
    if isinstance(value, int):
        return value + 1_000_000
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    return f"{value}x"


BEHIND = {
    "a row away": "DELETE FROM transfer WHERE seq = 3",
    "the last row away": "DELETE FROM transfer WHERE seq = (SELECT max(seq) FROM transfer)",
    "the first row away": "DELETE FROM transfer WHERE seq = 1",
    "two rows swapped": "UPDATE transfer SET seq = CASE seq WHEN 2 THEN 3 ELSE 2 END + 1000 WHERE seq IN (2, 3)",
    "both sides of an account": "UPDATE account SET credit_posted = credit_posted + 5, debit_posted = debit_posted + 5 WHERE id = 1",
    "money from one account to another": "UPDATE account SET credit_posted = credit_posted + CASE id WHEN 1 THEN 5 ELSE -5 END WHERE id IN (1, 100)",
    "a session that forgot its hold": "UPDATE session SET slices = slices - 1 WHERE id = (SELECT max(id) FROM session)",
    "an account away": "DELETE FROM account WHERE id = 3",
}


@pytest.mark.parametrize("what", BEHIND)
def test_larger_edits_are_found_too(books: Books, what: str) -> None:
    story(books)
    without_triggers(books.db)

    assert books.db.execute(BEHIND[what]).rowcount > 0

    assert ledger.verify(books.db) != []


def test_the_chain_can_be_checked_from_a_known_row_on(books: Books) -> None:
    story(books)
    digest: bytes
    (digest,) = books.db.execute("SELECT hash FROM transfer WHERE seq = 3").fetchone()

    assert ledger.verify(books.db, 3, digest) == []
    assert ledger.verify(books.db, 3, FIRST_HASH) != []


def test_a_wallet_is_told_what_moved_on_it(books: Books) -> None:
    rahima = story(books)
    found = people.find(books.db, rahima)
    assert found is not None

    entries = ledger.statement(books.db, found.wallet)

    assert sum(entry.amount_minor for entry in entries) == books.balance(rahima)
    assert [entry.seq for entry in entries] == sorted((entry.seq for entry in entries), reverse=True)
    assert entries[-1].code == "topup"
