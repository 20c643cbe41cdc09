"""The guards: what the schema has after all migrations is what the list says, and the list's own triggers refuse the same."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.db import ledger
from appliance.db.engine.errors import IntegrityError
from appliance.db.engine.guards import GUARDS, in_sqlite
from appliance.db.engine.unit import Database
from appliance.db.holidays import Holiday
from appliance.db.integrity import anchors
from appliance.db.sessions import signed_values
from appliance.domain.cash import NOTHING
from appliance.domain.identifiers import AccountId, SessionId
from appliance.domain.ledger import Operation, TransferCode
from appliance.domain.signed import SignedValue
from appliance.services import holidays
from appliance.services.statements import issuing
from appliance.services.till import shifts
from appliance.services.vouchers import vouchers
from appliance.services.vouchers.codes import Asked
from appliance.services.wallets import wallets
from tests.support.books import BY, open_books
from tests.support.schema import prepare
from tests.support.vouchers import printed

EFFECTS = {"transfer_apply", "transfer_apply_hold"}
"""Triggers that refuse nothing, but do something."""
TRIGGER = re.compile(r"CREATE TRIGGER (\w+) BEFORE (\w+) ON (\w+)(?: WHEN (.+?))? BEGIN (.+;) END")
REFUSAL = re.compile(r"SELECT RAISE\(ABORT, '([^']+)'\)(?: WHERE (.+?))?;")


def read(sql: str) -> tuple[str, ...]:
    """A trigger in normal form: its name, event and table, and what it says under which condition."""
    # Numbers are truths to SQLite: `n <> 0` and `n` are the same condition.
    text = re.sub(r"\s+", " ", sql).replace(" <> 0", "")
    found = TRIGGER.fullmatch(text)
    assert found is not None, sql
    *head, when, body = found.groups()
    refusals = REFUSAL.findall(body)
    assert REFUSAL.sub("", body).strip() == "", sql
    assert when is None or len(refusals) == 1
    return *head, *(f"{says}: {condition or when or 'always'}".replace("( ", "(") for says, condition in refusals)


def in_schema(db: sqlite3.Connection) -> dict[str, str]:
    return dict(db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"))


def test_the_schema_has_the_guards_of_the_list_and_no_others(tmp_path: Path) -> None:
    prepare(tmp_path / "new.db")
    db = sqlite3.connect(tmp_path / "new.db")
    there = in_schema(db)
    db.close()

    assert sorted(read(sql) for name, sql in there.items() if name not in EFFECTS) == sorted(
        read(in_sqlite(guard)) for guard in GUARDS
    )
    assert there.keys() >= EFFECTS


TRANSFER = "INSERT INTO transfer SELECT seq + 1, 'new|1', 'post', debit, credit, 1, NULL, '', '', '', at_ms, hash, zeroblob(32)"
NEWEST = "FROM transfer ORDER BY seq DESC LIMIT 1"
RESOLVED = (
    f"'new|1', '{{op}}', debit, credit, {{amount}}, 'hold|1', '', '', '', at_ms, (SELECT hash {NEWEST}), zeroblob(32)"
)
FOLLOWS = f"INSERT INTO transfer SELECT (SELECT seq + 1 {NEWEST}), {RESOLVED} FROM transfer WHERE key = 'hold|1'"
AUDIT = (
    "INSERT INTO audit SELECT seq + 1, at_ms, '', '', '', '{}', hash, zeroblob(32) FROM audit ORDER BY seq DESC LIMIT 1"
)
RECEIPT = """INSERT INTO receipt (number, kind, at_ms, actor, person_id, amount_minor, deposit_minor, method, balance_minor, details)
    VALUES ((SELECT max(number) + {step} FROM receipt), 'refund', 0, '', 1, 0, 0, 'cash', 0, '{{}}')"""
BILL = """INSERT INTO bill (number, kind, at_ms, session_id, wallet_id, net_minor, tax_minor, total_minor, details)
    VALUES ({number}, 'bill', 0, 1, 100, 0, 0, 0, '{{}}')"""
STATEMENT = """INSERT INTO statement VALUES ({number}, 100, 1, 1, '2030-02', 0, NULL, 0, 0, 0, 0, 0, 0, 0, 0, '{{}}')"""
SHIFT = """INSERT INTO shift (drawer, account_id, actor, opened_at_ms, opened_seq, float_minor, float_pieces{extra})
    VALUES (9, 30, 'operator:9', 0, 1, 0, '[]'{values})"""
CLOSED = "closed_at_ms = 1, closed_by = '', closed_seq = 1, expected_minor = 0, counted_minor = 0, z_number = {z}"

ATTACKS = {
    "currency, time zone and kind of a site are fixed for good": (
        "UPDATE site SET currency = 'USD'", "UPDATE site SET exponent = 3", "UPDATE site SET timezone = 'UTC'",
        "UPDATE site SET demo = 1 - demo",
    ),
    "a site is never deleted": ("DELETE FROM site",),
    "a price never changes: add a new tariff": (
        "UPDATE tariff SET terms = '{}'",
        *(f"UPDATE tariff SET {column} = {column} + 1"
        for column in ("energy_milli_per_kwh", "time_milli_per_minute", "idle_milli_per_minute", "idle_grace_s", "flat_milli",
                       "tax_basis_points")),
    ),
    "the ledger only grows": (
        "UPDATE transfer SET reference = 'x'", "DELETE FROM transfer WHERE seq = (SELECT max(seq) FROM transfer)",
    ),
    "gap in the ledger": (TRANSFER.replace("seq + 1", "seq + 2") + NEWEST, TRANSFER.replace("seq + 1", "seq - 5") + NEWEST),
    "hash chain broken": (TRANSFER.replace("at_ms, hash", "at_ms, zeroblob(32)") + NEWEST,),
    "time ran backwards": (TRANSFER.replace("at_ms", "at_ms - 1") + NEWEST,),
    "not a hold": (
        FOLLOWS.format(op="void", amount=0).replace("'hold|1', ''", "'nobody|1', ''"),
        FOLLOWS.format(op="void", amount=0).replace("credit,", "credit + 1,"),
    ),
    "exceeds its hold": (FOLLOWS.format(op="capture", amount=101),),
    "a void moves nothing": (FOLLOWS.format(op="void", amount=1),),
    "an account starts at zero": tuple(
        f"INSERT INTO account (id, kind, name, {column}) VALUES (500, 'wallet', 'new', 1)"
        for column in ("credit_posted", "debit_posted", "debit_pending", "last_seq")
    ),
    "immutable column": ("UPDATE account SET kind = 'tax' WHERE id = 100", "UPDATE account SET id = 900 WHERE id = 100"),
    "a balance needs its transfer": tuple(
        f"UPDATE account SET {column} = {column} + 1 WHERE id = 100"
        for column in ("credit_posted", "debit_posted", "debit_pending", "last_seq")
    ),
    "accounts are never deleted": ("DELETE FROM account WHERE id = 100",),
    "the audit list only grows": ("UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"),
    "gap in the audit list": (AUDIT.replace("seq + 1", "seq + 2"),),
    "audit chain broken": (AUDIT.replace("hash, zeroblob", "zeroblob(32), zeroblob"),),
    "receipts never change": ("UPDATE receipt SET actor = 'nobody'", "DELETE FROM receipt"),
    "gap in the receipts": (RECEIPT.format(step=2), RECEIPT.format(step=-3), RECEIPT.format(step=1_000_000)),
    "bills never change": ("UPDATE bill SET total_minor = 0, net_minor = 0, tax_minor = 0", "DELETE FROM bill"),
    "gap in the bills": (BILL.format(number=3), BILL.format(number=-1), BILL.format(number=2_000_000)),
    "statements never change": ("UPDATE statement SET issued_at_ms = 0", "DELETE FROM statement"),
    "gap in the statements": (STATEMENT.format(number=3), STATEMENT.format(number=-1), STATEMENT.format(number=2_000_000)),
    "what was signed never changes": (
        "UPDATE signed_value SET data = 'another'", "UPDATE signed_value SET digest = zeroblob(32)",
    ),
    "a shift begins open": (SHIFT.format(extra=", closed_at_ms, closed_by, closed_seq, expected_minor, counted_minor, z_number",
                                         values=", 1, '', 1, 0, 0, 3"),),
    "a closed shift never changes": ("UPDATE shift SET reason = 'another' WHERE id = 1",),
    "a shift is closed, and nothing else": (
        "UPDATE shift SET float_minor = 1 WHERE id = 2", "UPDATE shift SET actor = 'operator:9' WHERE id = 2",
        f"UPDATE shift SET drawer = 3, {CLOSED.format(z=2)} WHERE id = 2",
    ),
    "gap in the Z reports": tuple(
        f"UPDATE shift SET {CLOSED.format(z=z)} WHERE id = 2" for z in (3, -5, 1_000_000)
    ),
    "shifts are never deleted": ("DELETE FROM shift WHERE id = 2",),
    "anchors never change": ("UPDATE anchor SET audit_seq = 0", "DELETE FROM anchor"),
    "a list of holidays never changes": ("UPDATE holiday_list SET actor = 'nobody'", "DELETE FROM holiday_list"),
    "a batch of vouchers never changes": ("UPDATE voucher_batch SET amount_minor = 1", "DELETE FROM voucher_batch"),
    "a voucher begins unsold": tuple(
        f"INSERT INTO voucher (batch_id, number, code_hash, {column}) VALUES (1, 9, zeroblob(32), {value})"
        for column, value in (("state", "'redeemed'"), ("state", "'held'"), ("sold_at_ms", 1), ("over_at_ms", 1))
    ),
    "a voucher is what was printed": tuple(
        f"UPDATE voucher SET {column} = {value} WHERE id = 4"
        for column, value in (("id", 9), ("batch_id", 2), ("number", 9), ("code_hash", "zeroblob(32)"))
    ),
    "a voucher is used once": tuple(
        f"UPDATE voucher SET {change} WHERE id IN (1, 3)" for change in ("state = 'sold'", "person_id = NULL", "state = 'made'")
    ),
    "a voucher that was sold stays so": (
        "UPDATE voucher SET sold_at_ms = NULL WHERE id = 2", "UPDATE voucher SET receipt = NULL WHERE id = 2",
        "UPDATE voucher SET state = 'made' WHERE id = 2",
    ),
    "a voucher needs its transfer": (
        "UPDATE voucher SET state = 'sold', sold_at_ms = 1 WHERE id = 4", "UPDATE voucher SET state = 'redeemed' WHERE id = 4",
        "UPDATE voucher SET state = 'redeemed' WHERE id = 2", "UPDATE voucher SET state = 'voided' WHERE id = 2",
        "UPDATE voucher SET state = 'written_off' WHERE id = 2",
    ),
    "vouchers are never deleted": ("DELETE FROM voucher WHERE id = 4",),
}  # fmt: skip
"""By what is said: statements that only this refuses."""
ALLOWED = (
    "UPDATE site SET name = 'Another name'", "UPDATE tariff SET name = 'Another name'", TRANSFER + NEWEST,
    FOLLOWS.format(op="void", amount=0), FOLLOWS.format(op="capture", amount=100), AUDIT, RECEIPT.format(step=1),
    RECEIPT.replace("(SELECT max(number) + {step} FROM receipt)", "1000001").format(),
    "INSERT INTO account (id, kind, name) VALUES (500, 'wallet', 'new')",
    "UPDATE account SET name = 'new', floor_minor = NULL WHERE id = 100", SHIFT.format(extra="", values=""),
    f"UPDATE shift SET {CLOSED.format(z=2)} WHERE id = 2", f"UPDATE shift SET {CLOSED.format(z=1_000_001)} WHERE id = 2",
    "UPDATE voucher SET state = 'held' WHERE id = 2", "UPDATE voucher SET state = 'expired' WHERE id = 4",
    "UPDATE voucher SET state = 'voided', over_at_ms = 1, over_by = 'operator:1' WHERE id = 4",
    "INSERT INTO voucher (batch_id, number, code_hash) VALUES (1, 9, zeroblob(32))",
    "UPDATE signed_value SET position = 2", BILL.format(number=2), BILL.format(number=1_000_001), STATEMENT.format(number=2), STATEMENT.format(number=1_000_001),
)  # fmt: skip
"""Their neighbours, which are right."""


@pytest.fixture(params=["of the migrations", "of the list"])
def db(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    """Books with a little of what is guarded (of four vouchers one is redeemed, one sold, one void), by the schema's own triggers or by those that the list renders."""
    books = open_books(tmp_path / "forecourt.db")
    books.tariff()
    person = books.person(paid_in=1_000)
    wallets.refund(books.db, person, 1, "cash", "back", books.by)
    ledger.transfer(
        books.db, Operation.HOLD, "hold|1", debit=AccountId(100), credit=AccountId(3), amount_minor=100, code=TransferCode.CHARGE,
        reference="", by=BY,
    )  # fmt: skip
    books.card("04A1B2C3D4E5F6", person)
    books.stop(station := books.station(), books.start(station, 1, "04A1B2C3D4E5F6").ref, 1_010)
    signed_values.add(books.db, SessionId(1), SignedValue("OCMF|{}|{}"), books.now_ms)
    issuing.issue(books.db, "2025-11", [AccountId(100)], books.now_ms)
    shifts.close(books.db, shifts.open_shift(books.db, NOTHING, books.by).id, NOTHING, "", books.by)
    shifts.open_shift(books.db, NOTHING, books.by)
    batch, _codes = printed(books, count=4)
    for number in (1, 2):
        vouchers.sell(books.db, Asked(number=(batch, number)), "cash", books.by)
    vouchers.redeem(books.db, Asked(number=(batch, 1)), person, books.by)
    vouchers.void(books.db, Asked(number=(batch, 3)), "", books.by)
    printed(books, count=1)
    books.db.flush()
    anchors.keep(books.db, anchors.take(books.db, bytes(32), books.now_ms))
    holidays.change(books.db, [Holiday("2026-12-16", "Victory Day")], books.by)
    if request.param == "of the list":
        for name in in_schema(books.db).keys() - EFFECTS:
            books.db.execute(f"DROP TRIGGER {name}")
        for guard in GUARDS:
            books.db.execute(in_sqlite(guard))
    yield books.db
    books.db.close()


@pytest.mark.parametrize("says", ATTACKS)
def test_what_is_forbidden_is_refused(db: Database, says: str) -> None:
    for attack in ATTACKS[says]:
        with pytest.raises(IntegrityError, match=f"^{says}$"):
            db.execute(attack)


@pytest.mark.parametrize("statement", ALLOWED)
def test_what_is_right_beside_it_is_not(db: Database, statement: str) -> None:
    assert db.execute(statement).rowcount == 1


def test_every_refusal_of_the_list_is_attacked() -> None:
    assert ATTACKS.keys() == {says for guard in GUARDS for says in guard.refusals}
