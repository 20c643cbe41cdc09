"""Somebody drops the triggers, changes the books, and makes the triggers anew: what of it is found, and what nobody can find."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from appliance.db import audit, ledger
from appliance.db.cards import secure_tap
from appliance.db.engine.open import open_to_read
from appliance.db.integrity import anchors
from appliance.domain.authorization import Policy
from appliance.domain.by import By
from appliance.domain.cards.limits import Limits
from appliance.domain.cash import Cash
from appliance.domain.identifiers import CardId, GroupId, StationId
from appliance.domain.ledger import CASH, FIRST_HASH, FIRST_WALLET, fingerprint
from appliance.domain.tariff import Tariff
from appliance.host.anchors import AnchorFile
from appliance.services import integrity, settings, tariffs
from appliance.services.cards import aliases, cards, limits, pin
from appliance.services.operators import log_ins, operators, passwords, tokens
from appliance.services.people import groups
from appliance.services.people import people as people_units
from appliance.services.stations import credentials, power
from appliance.services.till import shifts
from appliance.services.till.shifts import Counterpart, Way
from appliance.services.vouchers import vouchers
from appliance.services.vouchers.codes import Asked
from appliance.services.wallets import form_bookings, wallets
from tests.support.books import ACTOR, NOON_MS, Books, open_books
from tests.support.full_site import PASSWORD, charge, fill
from tests.support.vouchers import printed

KEY = bytes(range(32))
FOUND_LEAST = 35
DAY_MS = 86_400_000
LAST_TRANSFER = "SELECT max(seq) FROM transfer"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the books of a site of some years, anchored, and a day of work since."""
    folder = tmp_path_factory.mktemp("site")
    books = open_books(folder / "forecourt.db")
    fill(books)
    assert secure_tap.count_up(books.db, CardId(1), 7)
    books.start(StationId(1), 4, "04C3D4E5F60780")  # Of the staff, who charge free.
    books.db.flush()
    anchor = anchors.take(books.db, KEY, books.now_ms)
    anchors.keep(books.db, anchor)
    kept_by = AnchorFile(folder / "anchors", KEY)
    kept_by.save(integrity.reseal(books.db, kept_by, anchor))
    work(books)
    newest = anchors.newest(books.db)
    assert newest is not None
    kept = kept_by.load()
    assert kept is not None
    kept_by.save(integrity.moved_on(books.db, KEY, kept, newest))
    books.db.flush()
    books.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    books.db.close()
    return folder


def work(books: Books) -> None:
    """What staff and chargers do in a day: all of it is on record, so nothing of it is an alarm."""
    books.wait(3_600)
    db, by = books.db, By(ACTOR, books.now_ms)
    customers = groups.add(db, "Night", Policy.PREPAID, by)
    person = form_bookings.take_in(
        db, form_bookings.NewPerson("Selina Begum", customers, "01713 111111", "", "bn", "04AABBCCDDEE80", "0200", 10_000),
        "work-1", by,
    )  # fmt: skip
    wallets.top_up(db, person, 5_000, "cash", "work-2", by)
    wallets.correct(db, person, -100, "typed wrong", "work-3", by)
    card = books.card("04AABBCCDDEF80", person)
    pin.set_pin(db, CardId(card), pin.hash_pin("1357"), by)
    limits.change(db, CardId(card), Limits(60_000, None, None, None, 127, 0, 1440, frozenset()), by)
    cards.block(db, CardId(card), "lost", by)
    aliases.add(db, "DRIVER-8", CardId(card), by)
    people_units.add(db, "Another", GroupId(1), by)
    groups.change(db, customers, "Night owls", Policy.POSTPAID, by, limit_minor=10_000)
    night = tariffs.add(db, Tariff(0, "Night", 1_000_000), by)
    tariffs.make_default(db, night, by)
    number = operators.add(
        db, login="late", name="Late", role="cashier", language="", password_hash=passwords.hash_password(PASSWORD),
        by=by,
    )  # fmt: skip
    operators.disable(db, number, by=by)
    tokens.create_token(db, "late", "viewer", by=by)
    cashier = db.execute("SELECT id FROM operator WHERE login = 'cashier'").fetchone()[0]
    log_ins.log_in(db, cashier, tokens.new_token(), address="", browser="", now_ms=books.now_ms)
    station = books.station("CS-09", 1)
    credentials.secure(db, station, 1, bytes(32), by)
    power.say(db, station, 1, 22_000, by)
    charge(books, station, 1, "04AABBCCDDEE80", 3_000)
    shift = shifts.open_shift(db, Cash(20_000), by)
    wallets.top_up(db, person, 3_000, "cash", "work-5", by)
    shifts.move(db, shift.id, Way.OUT, Counterpart.SAFE, 10_000, "", "work-6", by)
    shifts.close(db, shift.id, Cash(12_500), "a coin fell", by)
    batch, _codes = printed(books, 1_000, count=3)
    vouchers.sell(db, Asked(number=(batch, 1)), "cash", by)
    vouchers.redeem(db, Asked(number=(batch, 1)), person, by)
    vouchers.void(db, Asked(number=(batch, 2)), "", by)
    settings.change(db, "heartbeat_interval_s", "60")
    audit.append(db, by, "setting.change", "setting:heartbeat_interval_s", "{}")
    anchors.keep(db, anchors.take(db, KEY, books.now_ms))
    wallets.top_up(db, person, 6_000, "cash", "work-4", by)


@pytest.fixture
def copy(site: Path, tmp_path: Path) -> Path:
    """The site, for one change."""
    shutil.copytree(site, tmp_path / "copy")
    return tmp_path / "copy"


def found_in(folder: Path) -> list[str]:
    with closing(open_to_read(folder / "forecourt.db")) as db:
        return integrity.verify(db, AnchorFile(folder / "anchors", KEY), NOON_MS + 30 * DAY_MS)


def tamper(folder: Path, change: Callable[[sqlite3.Connection], object]) -> None:
    """As somebody with the file and a shell: the triggers are gone meanwhile, and back afterwards."""
    with closing(sqlite3.connect(folder / "forecourt.db", isolation_level=None)) as db:
        triggers = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            db.execute(f"DROP TRIGGER {name}")
        db.execute("BEGIN")
        change(db)
        db.execute("COMMIT")
        there = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
        left_out = set(db.execute("SELECT value FROM setting WHERE name = 'left_out'"))
        db.execute("DELETE FROM setting WHERE name = 'left_out'")
        for name, sql in triggers:
            if name not in there and (name,) not in left_out:
                db.execute(sql)


def does(sql: str, *more: str) -> Callable[[sqlite3.Connection], None]:
    """A change that is nothing but SQL. It has to change something."""

    def change(db: sqlite3.Connection) -> None:
        for one in (sql, *more):
            before = db.total_changes
            db.execute(one)
            assert db.total_changes > before or one.startswith(("CREATE", "DROP")), one

    return change


def and_chains(change: Callable[[sqlite3.Connection], None]) -> Callable[[sqlite3.Connection], None]:
    """The same by somebody who then makes both chains and all balances right again."""

    def changed(db: sqlite3.Connection) -> None:
        change(db)
        chain(db)

    return changed


def chain(db: sqlite3.Connection) -> None:
    """Both chains, numbered and hashed anew, and the balances that follow."""
    previous = FIRST_HASH
    for new, row in enumerate(db.execute(f"SELECT {ledger.COLUMNS} FROM transfer ORDER BY seq").fetchall(), 1):
        values = [new, *row[1:11]]
        digest = fingerprint(previous, orjson.dumps(values))
        db.execute(
            "UPDATE transfer SET seq = ?, prev_hash = ?, hash = ? WHERE seq = ?", (new, previous, digest, row[0])
        )
        previous = digest
    db.execute(
        """UPDATE account SET
        credit_posted = (SELECT coalesce(sum(amount_minor), 0) FROM transfer WHERE credit = account.id AND op IN ('post', 'capture')),
        debit_posted = (SELECT coalesce(sum(amount_minor), 0) FROM transfer WHERE debit = account.id AND op IN ('post', 'capture')),
        debit_pending = (SELECT coalesce(sum(amount_minor), 0) FROM transfer AS held WHERE debit = account.id AND op = 'hold'
          AND NOT EXISTS (SELECT 1 FROM transfer AS over WHERE over.hold = held.key)),
        last_seq = (SELECT coalesce(max(seq), 0) FROM transfer WHERE account.id IN (debit, credit))"""
    )
    previous = audit.FIRST_HASH
    rows = db.execute("SELECT seq, at_ms, actor, action, subject, details FROM audit ORDER BY seq").fetchall()
    for new, (old, *rest) in enumerate(rows, 1):
        digest = audit.fingerprint(previous, (new, *rest))
        db.execute("UPDATE audit SET seq = ?, prev_hash = ?, hash = ? WHERE seq = ?", (new, previous, digest, old))
        previous = digest


def forged(*, receipt: bool, record: bool, code: str = "topup") -> Callable[[sqlite3.Connection], None]:
    """Money in a wallet that nobody paid in, behind all that is there; with the papers that belong to it or without."""

    def change(db: sqlite3.Connection) -> None:
        seq, at_ms = db.execute("SELECT max(seq) + 1, max(at_ms) FROM transfer").fetchone()
        person, wallet = db.execute(
            "SELECT id, wallet_id FROM person WHERE closed_at_ms IS NULL ORDER BY id"
        ).fetchone()
        key, account = (f"topup|forged-{seq}", CASH) if code == "topup" else (f"correction|forged-{seq}", 4)
        db.execute(
            "INSERT INTO transfer VALUES (?, ?, 'post', ?, ?, 70000, NULL, ?, 'cash', ?, ?, zeroblob(32), zeroblob(32))",
            (seq, key, account, wallet, code, ACTOR, at_ms),
        )
        if receipt:
            db.execute(
                """INSERT INTO receipt SELECT max(number) + 1, 'recharge', ?, ?, ?, NULL, 70000, 0, 'cash', 70000, NULL, '{}'
                FROM receipt""",
                (at_ms, ACTOR, person),
            )
        if record:
            details = orjson.dumps({"amount_minor": 70_000, "method": "cash", "name": "x"}).decode()
            db.execute(
                "INSERT INTO audit SELECT max(seq) + 1, ?, ?, 'person.topup', ?, ?, zeroblob(32), zeroblob(32) FROM audit",
                (at_ms, ACTOR, f"person:{person}", details),
            )

    return change


def swapped(table: str, column: str, where: str) -> Callable[[sqlite3.Connection], None]:
    """Two rows exchange what they point at."""

    def change(db: sqlite3.Connection) -> None:
        (one, first), (other, second) = db.execute(
            f"SELECT id, {column} FROM {table} WHERE {where} GROUP BY {column} ORDER BY id LIMIT 2"
        ).fetchall()
        db.execute(f"UPDATE {table} SET {column} = -1 WHERE id = ?", (one,))
        db.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (first, other))
        db.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (second, one))

    return change


def cheaper(db: sqlite3.Connection) -> None:
    """A session's energy and fee, its days and all sums, and the transfers themselves."""
    session, fee, taken = (
        db.execute(
            """SELECT session.id, fee_minor, transfer.seq FROM session JOIN transfer ON reference = CAST(session.id AS TEXT)
        WHERE state = 'ended' AND op = 'capture' AND amount_minor > 100 AND tax_minor = 0 LIMIT 1"""
        ).fetchone()
        or db.execute(
            """SELECT session.id, fee_minor, transfer.seq FROM session JOIN transfer ON reference = CAST(session.id AS TEXT)
        WHERE state = 'ended' AND op = 'capture' AND amount_minor > 100 LIMIT 1"""
        ).fetchone()
    )
    db.execute("UPDATE session SET fee_minor = fee_minor - 50, net_minor = net_minor - 50 WHERE id = ?", (session,))
    db.execute("UPDATE transfer SET amount_minor = amount_minor - 50 WHERE seq = ?", (taken,))
    db.execute("UPDATE session_day SET fee_minor = fee_minor - 50 WHERE session_id = ? AND first_day = 1", (session,))
    assert fee > 50


ROW_OF_AUDIT = "(SELECT seq FROM audit WHERE action = 'person.topup' ORDER BY seq LIMIT 1)"
MIDDLE_RECEIPT = "(SELECT number FROM receipt WHERE corrects IS NULL AND number NOT IN (SELECT corrects FROM receipt WHERE corrects IS NOT NULL) AND number NOT IN (SELECT receipt FROM desk_job WHERE receipt IS NOT NULL) ORDER BY number LIMIT 1)"
ENDED = (
    "(SELECT id FROM session WHERE state = 'ended' AND fee_minor > 100 AND wallet_id IS NOT NULL ORDER BY id LIMIT 1)"
)
A_WALLET = f"(SELECT min(id) FROM account WHERE id >= {FIRST_WALLET})"

CHANGES: dict[str, Callable[[sqlite3.Connection], object]] = {
    "audit list emptied": does("DELETE FROM audit"),
    "audit list truncated": does("DELETE FROM audit WHERE seq > (SELECT max(seq) - 5 FROM audit)"),
    "row of the audit list changed": does(f"UPDATE audit SET actor = 'operator:9' WHERE seq = {ROW_OF_AUDIT}"),
    "row of the audit list changed and chained": and_chains(
        does(f"UPDATE audit SET actor = 'operator:9' WHERE seq = {ROW_OF_AUDIT}")
    ),
    "row of the audit list taken out and chained": and_chains(
        does("DELETE FROM audit WHERE seq = (SELECT seq FROM audit WHERE action = 'card.block' ORDER BY seq LIMIT 1)")
    ),
    "last row of the ledger cut off, balances to fit": and_chains(
        does(
            "DELETE FROM transfer WHERE hold IS NULL AND op = 'post' AND seq = (SELECT max(seq) FROM transfer WHERE op = 'post')"
        )
    ),
    "ledger cut to a half, balances to fit": and_chains(
        does("DELETE FROM transfer WHERE seq > (SELECT max(seq) / 2 FROM transfer)")
    ),
    "amount in the ledger changed": does("UPDATE transfer SET amount_minor = amount_minor + 1 WHERE code = 'topup'"),
    "amount in the ledger changed and chained": and_chains(
        does(
            """UPDATE transfer SET amount_minor = amount_minor + 9000 WHERE seq =
            (SELECT min(seq) FROM transfer WHERE code = 'topup')"""
        )
    ),
    "who took the money changed and chained": and_chains(
        does("UPDATE transfer SET actor = 'operator:9' WHERE code = 'topup'")
    ),
    "forged top-up, chained": and_chains(forged(receipt=False, record=False)),
    "forged top-up with a receipt, chained": and_chains(forged(receipt=True, record=False)),
    "forged top-up on record without a receipt, chained": and_chains(forged(receipt=False, record=True)),
    "forged correction, chained": and_chains(forged(receipt=False, record=False, code="correction")),
    "balance changed": does(f"UPDATE account SET credit_posted = credit_posted + 5000 WHERE id = {A_WALLET}"),
    "wallet without a limit": does("UPDATE account SET floor_minor = NULL WHERE floor_minor = 0"),
    "limit of a wallet lowered": does(f"UPDATE account SET floor_minor = -90000 WHERE id = {A_WALLET}"),
    "receipt taken out": does(f"DELETE FROM receipt WHERE number = {MIDDLE_RECEIPT}"),
    "last receipt taken out": does("DELETE FROM receipt WHERE number = (SELECT max(number) FROM receipt)"),
    "amount of a receipt changed": does(
        f"UPDATE receipt SET amount_minor = amount_minor - 50 WHERE number = {MIDDLE_RECEIPT}"
    ),
    "balance on a receipt changed": does(f"UPDATE receipt SET balance_minor = 1 WHERE number = {MIDDLE_RECEIPT}"),
    "wallets of two people swapped": swapped("person", "wallet_id", "closed_at_ms IS NULL"),
    "cards of two people swapped": swapped("card", "person_id", "blocked_at_ms IS NULL"),
    "blocked card freed": does(
        "UPDATE card SET blocked_at_ms = NULL WHERE id = (SELECT min(id) FROM card WHERE blocked_at_ms IS NOT NULL)"
    ),
    "name for a card of somebody else": does("INSERT INTO card_alias VALUES ('04DEADBEEF0000', 1, 'other', '', '', 1)"),
    "fee lowered": does(
        f"UPDATE session SET fee_minor = fee_minor - 50, net_minor = net_minor - 50 WHERE id = {ENDED}"
    ),
    "fee lowered everywhere, chained": and_chains(cheaper),
    "price of a tariff lowered": does("UPDATE tariff SET energy_milli_per_kwh = 1 WHERE id = 4"),
    "line of a tariff is cheaper": does(
        "UPDATE tariff SET terms = replace(terms, '1500000', '1') WHERE terms IS NOT NULL"
    ),
    "tariff has lines now": does("UPDATE tariff SET terms = (SELECT min(terms) FROM tariff) WHERE id = 1"),
    "line of a bill is another": does("UPDATE session_line SET amount_minor = amount_minor - 1 WHERE position = 0"),
    "another tariff is the default": does(
        "UPDATE tariff SET is_default = 0", "UPDATE tariff SET is_default = 1 WHERE id = 4"
    ),
    "group charges free": does("UPDATE person_group SET policy = 'free', limit_minor = NULL WHERE policy = 'prepaid'"),
    "owner put in": does(
        "INSERT INTO operator (login, name, role, password_hash, created_at_ms) VALUES ('x', 'X', 'owner', 'x', 1)"
    ),
    "password of the owner exchanged": does("UPDATE operator SET password_hash = 'mine' WHERE role = 'owner'"),
    "API token put in": does(
        "INSERT INTO api_token (name, role, token_hash, created_at_ms) VALUES ('x', 'owner', zeroblob(32), 1)"
    ),
    "trigger missing": does("INSERT INTO setting VALUES ('left_out', 'account_guard')"),
    "foreign trigger": does(
        "CREATE TRIGGER mine AFTER INSERT ON session BEGIN UPDATE card SET blocked_at_ms = NULL; END"
    ),
    # These two are what `integrity.CANNOT_BE_FOUND` speaks of.
    "forged top-up with all papers, chained": and_chains(forged(receipt=True, record=True)),
    "work since the last anchor undone": and_chains(
        does(
            "DELETE FROM transfer WHERE seq = (SELECT max(seq) FROM transfer)",
            "DELETE FROM receipt WHERE number = (SELECT max(number) FROM receipt)",
            "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)",
        )
    ),
}
"""What somebody may do who has the file, a shell and all the time there is."""
NOT_FOUND = {"forged top-up with all papers, chained", "work since the last anchor undone"}
RELATIVES: dict[str, Callable[[sqlite3.Connection], object]] = {
    "role raised": does("UPDATE operator SET role = 'owner' WHERE role = 'viewer'"),
    "disabled operator enabled": does("UPDATE operator SET disabled_at_ms = NULL WHERE login = 'late'"),
    "revoked token revived": does("UPDATE api_token SET revoked_at_ms = NULL WHERE revoked_at_ms IS NOT NULL"),
    "number of a card exchanged": does("UPDATE card SET uid = '04DEADBEEF0000' WHERE id = 1"),
    "PIN taken off": does("UPDATE card SET pin_hash = '' WHERE pin_hash <> ''"),
    "limits of a card taken off": does("DELETE FROM card_limit WHERE card_id = (SELECT min(card_id) FROM card_limit)"),
    "charger without its password": does("UPDATE station SET password_hash = NULL, security_profile = 0 WHERE id = 3"),
    "charger let in": does("UPDATE station SET state = 'approved' WHERE state = 'knocking'"),
    "setting changed": does("INSERT INTO setting VALUES ('minimum_minor', '1')"),
    "anchors taken out": does("DELETE FROM anchor"),
    "last anchor taken out": does("DELETE FROM anchor WHERE at_ms = (SELECT max(at_ms) FROM anchor)"),
    "trigger that guards nothing": does("CREATE TRIGGER account_guard BEFORE UPDATE ON account BEGIN SELECT 1; END"),
    "view": does("CREATE VIEW mine AS SELECT 1"),
    "index taken out": does("DROP INDEX transfer_one_resolution"),
    "sum of a report changed": does("UPDATE station_month SET fee_minor = fee_minor - 50"),
    "receipt of somebody else": does(f"UPDATE receipt SET person_id = person_id + 1 WHERE number = {MIDDLE_RECEIPT}"),
    "log-in of an owner put in": does(
        "INSERT INTO operator_session VALUES (9000, zeroblob(32), 1, '', '', 1795000000000, 1795000000000, NULL)"
    ),
    "token of a log-in exchanged": does("UPDATE operator_session SET token_hash = zeroblob(32) WHERE id = 1"),
    "log-in that had ended revived": does(
        "UPDATE operator_session SET ended_at_ms = NULL WHERE ended_at_ms IS NOT NULL"
    ),
    "role of somebody who logged in since": does("UPDATE operator SET role = 'owner' WHERE login = 'cashier'"),
    "charger bound to another device": does("UPDATE station SET bound_to = 'ip 10.6.6.6' WHERE id = 1"),
    "next password of a charger": does("UPDATE station SET next_password_hash = randomblob(32) WHERE id = 1"),
    "power of a connector": does("UPDATE connector SET power_max_w = 1000 WHERE station_id = 1"),
    "somebody is said to be somebody else": does("UPDATE person SET merged_into = 2 WHERE id = 1"),
    "amount of an approval": does("UPDATE approval SET amount_minor = amount_minor + 1"),
    "who asked for an approval": does("UPDATE approval SET asked_by = 'operator:77' WHERE state = 'pending'"),
    "approval that was refused waits again": does("UPDATE approval SET state = 'pending' WHERE state = 'refused'"),
    "approval agreed to": does("UPDATE approval SET state = 'approved' WHERE state = 'pending'"),
    "approval taken out": does("DELETE FROM approval WHERE id = (SELECT max(id) FROM approval)"),
    "what else was asked for": does("UPDATE approval SET request = '{}' WHERE id = 1"),
    "link of a card exchanged": does("UPDATE card SET token = 'mine' WHERE id = 1"),
    "taps of a card counted back": does("UPDATE card SET tap_counter = tap_counter - 1 WHERE tap_counter >= 0"),
    "open session taken out": does(
        "DELETE FROM session WHERE state = 'running' AND policy = 'free'",
    ),
    "answer to a start": does(f"UPDATE session SET \"authorization\" = 'Blocked' WHERE id = {ENDED}"),
    "charger of a session": does(f"UPDATE session SET station_id = station_id + 1 WHERE id = {ENDED}"),
    "charger of a session and of its days": does(
        f"UPDATE session_day SET station_id = station_id + 1 WHERE session_id = {ENDED}",
        f"UPDATE session SET station_id = station_id + 1 WHERE id = {ENDED}",
    ),
    "begin of a session": does(f"UPDATE session SET started_at_ms = started_at_ms - 1 WHERE id = {ENDED}"),
    "first problem taken out": does("DELETE FROM problem WHERE id = 1"),
    "last problem taken out": does("DELETE FROM problem WHERE id = (SELECT max(id) FROM problem)"),
    "request that was done taken out": does("DELETE FROM idempotency"),
    "code for the set-up page": does("INSERT INTO setting VALUES ('setup.code_hash', 'x')"),
    "code for the set-up page under an older name": does("INSERT INTO setting VALUES ('setup.code', 'x')"),
    "what was counted in a shift": does(
        "UPDATE shift SET counted_minor = counted_minor + 100 WHERE closed_at_ms IS NOT NULL"
    ),
    "what had to be in the drawer": does(
        "UPDATE shift SET expected_minor = counted_minor WHERE closed_at_ms IS NOT NULL"
    ),
    "notes of a count": does("UPDATE shift SET counted_pieces = '[]' WHERE counted_pieces <> '[]'"),
    "whose shift it was": does("UPDATE shift SET actor = 'operator:9' WHERE id = 1"),
    "why it was short": does("UPDATE shift SET reason = 'nothing' WHERE id = 1"),
    "float of an open shift": does("UPDATE shift SET float_minor = float_minor - 1 WHERE closed_at_ms IS NULL"),
    "last shift taken out": does("DELETE FROM shift WHERE id = (SELECT max(id) FROM shift)"),
    "shift open again": does(
        """UPDATE shift SET closed_at_ms = NULL, closed_by = NULL, closed_seq = NULL, expected_minor = NULL, counted_minor = NULL,
        z_number = NULL WHERE z_number = (SELECT max(z_number) FROM shift)"""
    ),
    "shortage booked as spent, chained": and_chains(
        does("UPDATE transfer SET debit = 21 WHERE code = 'over_short' AND debit = 20")
    ),
    "shortage forgiven, shift and ledger to fit": and_chains(
        does(
            "DELETE FROM transfer WHERE key = (SELECT 'count|' || max(id) FROM shift WHERE closed_at_ms IS NOT NULL)",
            "UPDATE shift SET expected_minor = counted_minor WHERE id = (SELECT max(id) FROM shift WHERE closed_at_ms IS NOT NULL)",
        )
    ),
    "pay-out made smaller, chained": and_chains(
        does("UPDATE transfer SET amount_minor = amount_minor - 1 WHERE code = 'pay_out'")
    ),
    "redeemed voucher good again": does(
        "UPDATE voucher SET state = 'sold', over_at_ms = NULL WHERE state = 'redeemed' AND receipt IS NOT NULL"
    ),
    "redeemed gift good again": does("UPDATE voucher SET state = 'made' WHERE state = 'redeemed' AND receipt IS NULL"),
    "voucher that was paid back good again": does(
        "UPDATE voucher SET state = 'sold' WHERE state = 'voided' AND receipt IS NOT NULL"
    ),
    "void voucher good again": does("UPDATE voucher SET state = 'made' WHERE state = 'voided' AND receipt IS NULL"),
    "held voucher let go": does("UPDATE voucher SET state = 'sold' WHERE state = 'held' AND sold_at_ms IS NOT NULL"),
    "voucher sold without money": does("UPDATE voucher SET state = 'sold', sold_at_ms = 1 WHERE state = 'made'"),
    "voucher sold without money, on the account, too": and_chains(
        does(
            "UPDATE transfer SET amount_minor = amount_minor + 1000 WHERE code = 'voucher_sale' AND seq = (SELECT max(seq) FROM transfer WHERE code = 'voucher_sale')"
        )
    ),
    "vouchers worth more": does(
        "UPDATE voucher_batch SET amount_minor = amount_minor * 10 WHERE id = (SELECT max(id) FROM voucher_batch)"
    ),
    "vouchers given away": does("UPDATE voucher_batch SET given_away = 1 WHERE given_away = 0"),
    "vouchers that expire later": does(
        "UPDATE voucher_batch SET expires_at_ms = expires_at_ms + 1 WHERE expires_at_ms IS NOT NULL"
    ),
    "code of a voucher exchanged": does(
        "UPDATE voucher SET code_hash = zeroblob(32) WHERE state = 'made' AND id = (SELECT min(id) FROM voucher WHERE state = 'made')"
    ),
    "batch of vouchers put in": does(
        "INSERT INTO voucher_batch VALUES (900, 1, 99900, 1, NULL, '', 'operator:1', 1)",
        "INSERT INTO voucher (batch_id, number, code_hash) VALUES (900, 1, randomblob(32))",
    ),
    "voucher put in": does("INSERT INTO voucher (batch_id, number, code_hash) VALUES (1, 900, randomblob(32))"),
    "hold taken without energy": and_chains(
        does(
            "UPDATE transfer SET op = 'capture', amount_minor = 1 WHERE op = 'void' AND seq = (SELECT min(seq) FROM transfer WHERE op = 'void')"
        )
    ),
}


def test_the_work_of_a_day_is_no_alarm(site: Path) -> None:
    assert found_in(site) == []


def test_the_table_has_40_changes_of_which_38_are_found() -> None:
    assert len(CHANGES) == 40
    assert len(CHANGES.keys() - NOT_FOUND) >= FOUND_LEAST


@pytest.mark.parametrize("name", [name for name in CHANGES if name not in NOT_FOUND])
def test_a_change_is_found(copy: Path, name: str) -> None:
    tamper(copy, CHANGES[name])

    assert found_in(copy) != []


@pytest.mark.parametrize("name", sorted(NOT_FOUND))
def test_what_nobody_can_find_is_said(copy: Path, name: str) -> None:
    """Should one of these be found one day, the sentence goes."""
    tamper(copy, CHANGES[name])

    assert found_in(copy) == []
    assert len(integrity.CANNOT_BE_FOUND) > len(NOT_FOUND)


@pytest.mark.parametrize("name", RELATIVES)
def test_its_relatives_are_found_too(copy: Path, name: str) -> None:
    tamper(copy, RELATIVES[name])

    assert found_in(copy) != []


def test_without_its_anchors_a_site_is_not_taken_for_a_new_one(copy: Path) -> None:
    tamper(copy, does("DELETE FROM anchor", "UPDATE operator SET role = 'owner' WHERE role = 'cashier'"))
    (copy / "anchors").unlink()

    assert "the anchors beside the database are gone" in found_in(copy)


def test_a_site_is_new_until_its_first_anchor_lies_beside_it(tmp_path: Path) -> None:
    """However long that takes, and wherever a start ended in between."""
    books = open_books(tmp_path / "forecourt.db")
    books.person(paid_in=1_000)
    books.wait(30 * DAY_MS // 1000)
    books.db.flush()
    assert anchors.begin_anew(books.db)
    integrity.begin(books.db, KEY, books.now_ms)
    assert anchors.begin_anew(books.db)
    anchors.lies_beside(books.db)
    assert not anchors.begin_anew(books.db)
    books.db.execute("DROP TRIGGER anchor_no_delete")
    books.db.execute("DELETE FROM anchor")
    assert not anchors.begin_anew(books.db)
    audit.append(books.db, By(ACTOR, books.now_ms), "site.accept_books", "site", '{"wrong":[]}')
    books.db.flush()
    assert anchors.begin_anew(books.db)
    integrity.begin(books.db, KEY, books.now_ms)
    assert anchors.begin_anew(books.db)
    anchors.lies_beside(books.db)
    assert not anchors.begin_anew(books.db)
    books.db.close()
