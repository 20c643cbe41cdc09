"""The ledger and a model of it in thirty lines of Python, driven at random: they always say the same."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from appliance.db import ledger
from appliance.db.engine.errors import IntegrityError
from appliance.domain.by import By
from appliance.domain.identifiers import AccountId
from appliance.domain.ledger import CASH, OVERRUN, REVENUE, TAX, Operation, TransferCode
from tests.support.books import ACTOR, NOON_MS, open_books

AMOUNTS = st.integers(min_value=-2, max_value=300)
WALLETS = st.integers(min_value=0, max_value=2)
SITE_ACCOUNTS = st.sampled_from([CASH, REVENUE, TAX, OVERRUN])


@dataclass(slots=True)
class Model:
    """What the ledger should say."""

    floors: list[int | None] = field(default_factory=lambda: [0, -100, None])
    credit: dict[int, int] = field(default_factory=dict)
    debit: dict[int, int] = field(default_factory=dict)
    pending: dict[int, int] = field(default_factory=dict)
    holds: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Open ones: wallet and amount."""
    resolved: list[str] = field(default_factory=list)

    def balance(self, account: int) -> int:
        return self.credit.get(account, 0) - self.debit.get(account, 0)

    def move(self, debit: int, credit: int, amount: int) -> None:
        self.debit[debit] = self.debit.get(debit, 0) + amount
        self.credit[credit] = self.credit.get(credit, 0) + amount


class LedgerMachine(RuleBasedStateMachine):
    """Random transfers, legal and not; after each step the books are what the model says."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.books = open_books(Path(self.folder.name) / "forecourt.db")
        self.db = self.books.db
        self.model = Model()
        self.wallets = [ledger.open_wallet(self.db, f"w{floor}", floor) for floor in self.model.floors]
        self.number = 0

    def teardown(self) -> None:
        self.db.close()
        self.folder.cleanup()

    def attempt(self, op: Operation, key: str, debit: int, credit: int, amount: int, hold: str | None = None) -> bool:
        """One transfer behind a savepoint, as the store does it; whether it was booked."""
        self.db.execute("SAVEPOINT unit")
        try:
            ledger.transfer(
                self.db,
                op,
                key,
                debit=AccountId(debit),
                credit=AccountId(credit),
                amount_minor=amount,
                hold=hold,
                code=TransferCode.CHARGE,
                reference="",
                by=By(ACTOR, NOON_MS + self.number),
            )
            self.db.flush()
        except IntegrityError:
            self.db.execute("ROLLBACK TO unit")
            self.db.forget()
            return False
        else:
            return True
        finally:
            self.db.execute("RELEASE unit")

    def key(self, what: str) -> str:
        self.number += 1
        return f"{what}|{self.number}"

    def free(self, wallet: int) -> int | None:
        floor = self.model.floors[wallet]
        account = self.wallets[wallet]
        if floor is None:
            return None
        return self.model.balance(account) - self.model.pending.get(account, 0) - floor

    @rule(wallet=WALLETS, amount=AMOUNTS, source=SITE_ACCOUNTS)
    def pay_in(self, wallet: int, amount: int, source: int) -> None:
        booked = self.attempt(Operation.POST, self.key("topup"), source, self.wallets[wallet], amount)
        assert booked == (amount > 0)
        if booked:
            self.model.move(source, self.wallets[wallet], amount)

    @rule(wallet=WALLETS, amount=AMOUNTS, site_account=SITE_ACCOUNTS)
    def pay_out(self, wallet: int, amount: int, site_account: int) -> None:
        free = self.free(wallet)
        booked = self.attempt(Operation.POST, self.key("refund"), self.wallets[wallet], site_account, amount)
        assert booked == (amount > 0 and (free is None or amount <= free))
        if booked:
            self.model.move(self.wallets[wallet], site_account, amount)

    @rule(from_wallet=WALLETS, to_wallet=WALLETS, amount=AMOUNTS)
    def give(self, from_wallet: int, to_wallet: int, amount: int) -> None:
        free = self.free(from_wallet)
        source, target = self.wallets[from_wallet], self.wallets[to_wallet]
        booked = self.attempt(Operation.POST, self.key("gift1"), source, target, amount)
        assert booked == (source != target and amount > 0 and (free is None or amount <= free))
        if booked:
            self.model.move(source, target, amount)

    @rule(wallet=WALLETS, amount=AMOUNTS)
    def hold(self, wallet: int, amount: int) -> None:
        free, key, account = self.free(wallet), self.key("hold"), self.wallets[wallet]
        booked = self.attempt(Operation.HOLD, key, account, REVENUE, amount)
        assert booked == (amount > 0 and (free is None or amount <= free))
        if booked:
            self.model.holds[key] = (account, amount)
            self.model.pending[account] = self.model.pending.get(account, 0) + amount

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data(), amount=AMOUNTS)
    def capture(self, data: st.DataObject, amount: int) -> None:
        hold = data.draw(st.sampled_from(sorted(self.model.holds)))
        account, held = self.model.holds[hold]
        booked = self.attempt(Operation.CAPTURE, self.key("end|c"), account, REVENUE, amount, hold)
        assert booked == (0 <= amount <= held)
        if booked:
            self.resolve(hold)
            self.model.move(account, REVENUE, amount)

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        hold = data.draw(st.sampled_from(sorted(self.model.holds)))
        assert self.attempt(Operation.VOID, self.key("end|v"), self.model.holds[hold][0], REVENUE, 0, hold)
        self.resolve(hold)

    def resolve(self, hold: str) -> None:
        account, held = self.model.holds.pop(hold)
        self.model.pending[account] -= held
        self.model.resolved.append(hold)

    @precondition(lambda self: self.model.resolved)
    @rule(data=st.data(), op=st.sampled_from([Operation.CAPTURE, Operation.VOID]), wallet=WALLETS)
    def resolve_again(self, data: st.DataObject, op: Operation, wallet: int) -> None:
        hold = data.draw(st.sampled_from(self.model.resolved))
        assert not self.attempt(op, self.key("end|a"), self.wallets[wallet], REVENUE, 0, hold)

    @precondition(lambda self: self.number > 0)
    @rule(data=st.data(), wallet=WALLETS)
    def repeat_a_name(self, data: st.DataObject, wallet: int) -> None:
        known = [row[0] for row in self.db.execute("SELECT key FROM transfer")]
        if known:
            key = data.draw(st.sampled_from(known))
            assert not self.attempt(Operation.POST, key, CASH, self.wallets[wallet], 1)

    @rule(wallet=WALLETS, floor=st.one_of(st.none(), st.integers(min_value=-200, max_value=50)))
    def move_floor(self, wallet: int, floor: int | None) -> None:
        account = self.wallets[wallet]
        there = self.model.balance(account) - self.model.pending.get(account, 0)
        try:
            ledger.set_floor(self.db, account, floor)
        except IntegrityError:
            assert floor is not None
            assert there < floor
        else:
            assert floor is None or there >= floor
            self.model.floors[wallet] = floor

    @rule()
    def forget(self) -> None:
        """As after a rollback, or a restart."""
        self.db.forget()

    @invariant()
    def balances_are_those_of_the_model(self) -> None:
        model = self.model
        for account, credit, debit, pending in self.db.execute(
            "SELECT id, credit_posted, debit_posted, debit_pending FROM account"
        ):
            assert (credit, debit, pending) == (
                model.credit.get(account, 0),
                model.debit.get(account, 0),
                model.pending.get(account, 0),
            )

    @invariant()
    def no_wallet_is_below_its_floor(self) -> None:
        for wallet in range(len(self.wallets)):
            free = self.free(wallet)
            assert free is None or free >= 0

    @invariant()
    def the_books_are_sound(self) -> None:
        count = len(self.model.holds)
        expected = [f"{count} holds are open, but open sessions have 0"] if count else []
        assert ledger.verify(self.db) == expected
        accounts = ledger.trial_balance(self.db)
        assert sum(one.balance_minor for one in accounts) == 0
        assert set(accounts) <= set(ledger.accounts(self.db))


def test_the_ledger_does_what_its_model_does() -> None:
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=60, stateful_step_count=40, deadline=None, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip


@pytest.mark.soak
def test_the_ledger_does_what_its_model_does_for_long() -> None:
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=20_000, stateful_step_count=100, deadline=None, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
