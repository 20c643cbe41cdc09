"""What is told of money beside the ledger, compared with what its rows come to. Each yields what differs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from appliance.db import old_cards, vouchers
from appliance.db.engine.protocols import Readable
from appliance.db.reconciling.rows import Moved, Sums, paid_for
from appliance.db.sessions.open_sessions import IS_OPEN
from appliance.domain.ledger import FIRST_WALLET, OLD_CARDS, VOUCHERS, drawer_account
from appliance.domain.reconciling import Difference, DifferenceKind
from appliance.domain.session import SessionState

EVER = 2**62
ENDED = "session.state IN ('ended', 'review', 'failed') AND session.wallet_id IS NOT NULL"
SHIFTS = """
SELECT shift.id, account_id, opened_seq, closed_seq, float_minor,
       coalesce(expected_minor, debit_posted - credit_posted)
FROM shift JOIN account ON account.id = account_id
"""
THROUGH_DRAWER = """
SELECT coalesce(sum(minor), 0) FROM (
  SELECT amount_minor AS minor FROM transfer INDEXED BY transfer_debit
  WHERE debit = :account AND op IN ('post', 'capture') AND seq > :after AND seq <= :until
  UNION ALL
  SELECT -amount_minor FROM transfer INDEXED BY transfer_credit
  WHERE credit = :account AND op = 'post' AND seq > :after AND seq <= :until) AS one
"""


def accounts(db: Readable, sums: Sums) -> Iterator[Difference]:
    """Balances, and what of them is held."""
    left = sums.has_minor.keys() | sums.reserved_minor.keys()
    for account, has, reserved in db.execute(
        "SELECT id, credit_posted - debit_posted, debit_pending FROM account ORDER BY id"
    ):
        left.discard(account)
        if has != (moved := sums.has_minor.get(account, 0)):
            yield Difference(DifferenceKind.BALANCE, account, has, moved)
        if reserved != (held := sums.reserved_minor.get(account, 0)):
            yield Difference(DifferenceKind.RESERVED, account, reserved, held)
    for account in sorted(left):
        if moved := sums.has_minor.get(account, 0):
            yield Difference(DifferenceKind.BALANCE, account, 0, moved)


def holds(db: Readable, sums: Sums) -> Iterator[Difference]:
    """What is held is held by a session that is open, or that waits for a decision and was billed nothing so far."""
    held: dict[int, int] = defaultdict(int)
    for key, amount in sums.held_minor.items():
        name = key.split("|")[1]
        held[int(name) if name.isdecimal() else 0] += amount
    for session, state, told in db.execute(
        f"""SELECT id, state, held_minor FROM session WHERE {IS_OPEN} AND slices > 0
        UNION ALL SELECT id, state, held_minor FROM session WHERE state = 'review' AND slices > 0"""
    ):
        moved = held.pop(session, 0)
        if moved != told and (moved or state != SessionState.REVIEW):
            yield Difference(DifferenceKind.HOLDS, session, told, moved)
    for session, moved in sorted(held.items()):
        yield Difference(DifferenceKind.HOLDS, session, 0, moved)


def bills(db: Readable, moved: Moved, *, whole: bool) -> Iterator[Difference]:
    """What was taken for a session is what it costs. Not `whole`: of those for which anything was taken just now."""
    if whole:
        taken = moved.sessions
        for session, fee in db.execute(f"SELECT id, fee_minor FROM session WHERE {ENDED}"):
            if fee != (paid := taken.get(session, 0)):
                yield Difference(DifferenceKind.BILL, session, fee, paid)
        return
    for session in sorted(moved.sessions):
        row = db.execute(f"SELECT fee_minor FROM session WHERE id = ? AND {ENDED}", (session,)).fetchone()
        fee, paid = row[0] if row is not None else 0, paid_for(db, session)
        if fee != paid:
            yield Difference(DifferenceKind.BILL, session, fee, paid)


def receipts(db: Readable, sums: Sums, moved: Moved) -> Iterator[Difference]:
    """What the receipts since the last time say is what the rows since then have moved; they are written in the same commits."""
    rows = db.execute(
        "SELECT coalesce(person_id, 0), sum(amount_minor - deposit_minor) FROM receipt WHERE number > ? GROUP BY 1",
        (sums.receipt,),
    )
    said: dict[int, int] = dict(rows.fetchall())
    (sums.receipt,) = db.execute("SELECT coalesce(max(number), ?) FROM receipt", (sums.receipt,)).fetchone()
    of_vouchers = said.pop(0, 0)
    if of_vouchers != moved.vouchers_minor:
        yield Difference(DifferenceKind.VOUCHER_RECEIPTS, 0, of_vouchers, moved.vouchers_minor)
    wallets = {person: wallet_of(db, person) for person in said}
    persons = {person_of(db, wallet): wallet for wallet in moved.desk}
    for person, wallet in sorted((wallets | persons).items()):
        told, booked = said.get(person, 0), moved.desk.get(wallet, 0)
        if told != booked:
            yield Difference(DifferenceKind.RECEIPTS, person, told, booked)


def drawers(db: Readable, since_seq: int) -> Iterator[Difference]:
    """What must be in each drawer; of shifts that are over, of those that ended after a row of the ledger."""
    for condition, values in (
        ("WHERE closed_at_ms IS NULL", ()),
        ("WHERE closed_at_ms IS NOT NULL AND closed_seq > ?", (since_seq or -1,)),
    ):
        for shift, account, opened_seq, closed_seq, float_minor, told in db.execute(
            SHIFTS + condition, values
        ).fetchall():
            bounds = {"account": account, "after": opened_seq, "until": EVER if closed_seq is None else closed_seq}
            (through,) = db.execute(THROUGH_DRAWER, bounds).fetchone()
            if told != float_minor + through:
                yield Difference(DifferenceKind.DRAWER, shift, told, float_minor + through)
    for account, left in db.execute(
        f"""SELECT id, debit_posted - credit_posted FROM account WHERE id >= {drawer_account(1)} AND id < {FIRST_WALLET}
        AND debit_posted <> credit_posted
        AND NOT EXISTS (SELECT 1 FROM shift WHERE account_id = account.id AND closed_at_ms IS NULL)"""
    ):
        yield Difference(DifferenceKind.EMPTY_DRAWER, account, left, 0)


def outstanding_vouchers(db: Readable, sums: Sums) -> Iterator[Difference]:
    """What was paid for vouchers that nobody has used is owed."""
    told, moved = vouchers.owed_minor(db), sums.has_minor.get(VOUCHERS, 0)
    if told != moved:
        yield Difference(DifferenceKind.VOUCHERS, 0, told, moved)


def taken_over(db: Readable, sums: Sums) -> Iterator[Difference]:
    """What was on old cards is what came of them."""
    told, moved = old_cards.taken_over_minor(db), -sums.has_minor.get(OLD_CARDS, 0)
    if told != moved:
        yield Difference(DifferenceKind.OLD_CARDS, 0, told, moved)


def wallet_of(db: Readable, person: int) -> int:
    """The account of somebody; 0 if there is nobody."""
    row = db.execute("SELECT wallet_id FROM person WHERE id = ?", (person,)).fetchone()
    return int(row[0]) if row is not None else 0


def person_of(db: Readable, wallet: int) -> int:
    """Whose account it is; 0: nobody's."""
    row = db.execute("SELECT id FROM person WHERE wallet_id = ?", (wallet,)).fetchone()
    return int(row[0]) if row is not None else 0
