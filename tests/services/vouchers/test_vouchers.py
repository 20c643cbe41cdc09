"""Vouchers: what each is worth is moved once, and what was paid for those that nobody has used is owed."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.db import ledger
from appliance.db import vouchers as rows
from appliance.db.wallets import receipts
from appliance.domain.by import By
from appliance.domain.cash import Cash
from appliance.domain.errors import Conflict, Invalid, NotFound, Refusal
from appliance.domain.identifiers import AccountId, PersonId
from appliance.domain.ledger import ADJUSTMENTS, CASH, VOUCHERS, Method
from appliance.domain.roles import Role
from appliance.domain.voucher import CODE_CHARS, COUNT_MAX, VoucherState
from appliance.host.secrets import SealingKey
from appliance.services import secrets
from appliance.services import settings as site_settings
from appliance.services.operators import operators
from appliance.services.operators.authority import NotAllowed
from appliance.services.people import people
from appliance.services.till import shifts
from appliance.services.till.drawers import CashRefused, NeedsShift
from appliance.services.till.shifts import Counterpart, Way
from appliance.services.vouchers import batches, codes, vouchers
from appliance.services.vouchers.codes import Asked, KeyIsMissing
from appliance.services.wallets import undo
from tests.support.books import Books
from tests.support.staff import hired
from tests.support.vouchers import VAULT, asked, printed

DAY_MS = 86_400_000


def on(books: Books, account: AccountId) -> int:
    return ledger.balance(books.db, account).balance_minor


def state_of(books: Books, code: str) -> VoucherState:
    return vouchers.need(books.db, asked(code)).state


@pytest.fixture(name="rahima")
def _rahima(books: Books) -> PersonId:
    return books.person()


@pytest.fixture(name="cashier")
def _cashier(books: Books) -> By:
    """The second of the staff: the first, who does all else, owns the site."""
    number = 0
    for role in (Role.OWNER, Role.CASHIER):
        number = operators.add(
            books.db, login=role, name=role, role=role, language="", password_hash="x", by=By("console", books.now_ms)
        )
    return By(f"operator:{number}", books.now_ms)


def test_cash_for_a_voucher_is_in_the_drawer_of_whoever_sells_it(books: Books, cashier: By) -> None:
    batch, _codes = printed(books, 5_000, count=2)
    shift = shifts.open_shift(books.db, Cash(2_000), cashier)
    vouchers.sell(books.db, Asked(number=(batch, 1)), "cash", cashier)
    vouchers.sell(books.db, Asked(number=(batch, 2)), "mobile", cashier)

    figures = shifts.figures(books.db, shift)
    assert figures.expected_minor == 7_000
    moved = {(one.method, one.code): one.in_minor for one in figures.moved}
    assert moved == {(Method.CASH, "voucher_sale"): 5_000, (Method.MOBILE, "voucher_sale"): 5_000}


def test_a_voucher_is_paid_back_out_of_the_drawer_with_what_is_in_it(books: Books, cashier: By) -> None:
    batch, _codes = printed(books, 5_000)
    asked = Asked(number=(batch, 1))
    vouchers.sell(books.db, asked, "cash", cashier)
    shift = shifts.open_shift(books.db, Cash(4_999), books.by)
    with pytest.raises(CashRefused):
        vouchers.void(books.db, asked, "", books.by)
    assert vouchers.need(books.db, asked).state is VoucherState.SOLD
    shifts.move(books.db, shift.id, Way.IN, Counterpart.SAFE, 1, "", "a cent", books.by)
    vouchers.void(books.db, asked, "", books.by)

    assert shifts.figures(books.db, shift).expected_minor == 0


def test_where_cash_needs_a_shift_no_voucher_is_sold_without(books: Books, cashier: By) -> None:
    batch, _codes = printed(books, 5_000)
    site_settings.change(books.db, "cash_needs_shift", "1")
    with pytest.raises(NeedsShift):
        vouchers.sell(books.db, Asked(number=(batch, 1)), "cash", cashier)
    vouchers.sell(books.db, Asked(number=(batch, 1)), "card", cashier)


def test_a_sold_voucher_is_owed_until_it_is_redeemed(books: Books, rahima: PersonId) -> None:
    _batch, (code, *_others) = printed(books, 5_000)
    assert on(books, VOUCHERS) == 0

    sold = vouchers.sell(books.db, asked(code), "cash", books.by)
    assert (on(books, CASH), on(books, VOUCHERS)) == (-5_000, 5_000)
    assert state_of(books, code) is VoucherState.SOLD

    booked = vouchers.redeem(books.db, asked(code), rahima, books.by)
    assert (on(books, VOUCHERS), books.balance(rahima), booked.balance_minor) == (0, 5_000, 5_000)
    assert state_of(books, code) is VoucherState.REDEEMED
    assert [(one.kind, one.person_id, one.amount_minor, one.method) for one in receipts.page(books.db)] == [
        ("recharge", rahima, 5_000, "voucher"),
        ("voucher", None, 5_000, "cash"),
    ]
    assert {one.details["voucher"] for one in receipts.page(books.db)} == {sold.name}


def test_it_is_redeemed_once_and_sold_once(books: Books, rahima: PersonId) -> None:
    _batch, (code, *_others) = printed(books)
    karim = books.person("Karim")
    vouchers.sell(books.db, asked(code), "mobile", books.by)
    with pytest.raises(Conflict, match="was sold already"):
        vouchers.sell(books.db, asked(code), "mobile", books.by)
    vouchers.redeem(books.db, asked(code), rahima, books.by)
    for person in (rahima, karim):
        with pytest.raises(Conflict, match="was redeemed already"):
            vouchers.redeem(books.db, asked(code), person, books.by)
    with pytest.raises(Conflict, match="was redeemed already"):
        vouchers.sell(books.db, asked(code), "cash", books.by)
    assert (books.balance(rahima), books.balance(karim)) == (5_000, 0)


def test_one_that_is_not_sold_buys_nothing(books: Books, rahima: PersonId) -> None:
    _batch, (code, *_others) = printed(books)
    with pytest.raises(Conflict, match="is not sold yet"):
        vouchers.redeem(books.db, asked(code), rahima, books.by)
    assert books.balance(rahima) == 0


def test_one_that_is_given_away_costs_the_site_when_it_is_redeemed(books: Books, rahima: PersonId) -> None:
    _batch, (code, *_others) = printed(books, 700, given_away=True)
    with pytest.raises(Conflict, match="is given away"):
        vouchers.sell(books.db, asked(code), "cash", books.by)
    vouchers.redeem(books.db, asked(code), rahima, books.by)
    assert (books.balance(rahima), on(books, ADJUSTMENTS), on(books, VOUCHERS)) == (700, -700, 0)


def test_no_code_is_in_the_books_and_another_key_knows_none(books: Books) -> None:
    _batch, found = printed(books, count=20)
    books.db.flush()
    held = "\n".join(books.db.iterdump())
    for code in found:
        assert code not in held
        assert code.encode().hex().upper() not in held
        other = codes.read(SealingKey(bytes(32)), code)
        with pytest.raises(NotFound):
            vouchers.need(books.db, other)
    assert len({*found}) == 20
    assert {len(code) for code in found} == {CODE_CHARS}


def test_the_codes_can_be_had_for_a_quarter_of_an_hour(books: Books) -> None:
    batch, found = printed(books)
    books.wait(899)
    assert batches.sheet(books.db, VAULT, batch, books.now_ms) == found
    books.wait(1)
    assert batches.sheet(books.db, VAULT, batch, books.now_ms) == []
    batches.expire(books.db, books.now_ms)
    assert books.db.execute("SELECT count(*) FROM voucher_sheet").fetchone() == (0,)


def test_a_site_with_unused_vouchers_needs_an_owners_key(books: Books) -> None:
    """Without it no backup could know their codes on another box."""
    assert not secrets.needs_owner_key(books.db)
    batch, _codes = printed(books)
    assert secrets.needs_owner_key(books.db)
    batches.void_rest(books.db, batch, books.by)
    assert not secrets.needs_owner_key(books.db)


def test_without_the_sealing_key_there_are_no_codes(books: Books) -> None:
    _batch, (code, *_others) = printed(books)
    for use in (lambda: codes.print_codes(None, 1), lambda: codes.read(None, code)):
        with pytest.raises(KeyIsMissing):
            use()
    assert codes.read(None, "1-1").number == (1, 1)


def test_a_code_that_was_never_printed_is_told_from_a_slip(books: Books) -> None:
    _batch, (code, *_others) = printed(books)
    slip = code[:-1] + ("2" if code[-1] != "2" else "3")
    with pytest.raises(Invalid, match="not right"):
        asked(slip)
    with pytest.raises(NotFound, match="no such voucher"):
        vouchers.need(books.db, asked(codes.new_code()))
    with pytest.raises(NotFound, match="no such voucher"):
        vouchers.need(books.db, asked("99-1"))
    with pytest.raises(Invalid, match="proves nothing"):
        codes.read_code(VAULT, "1-1")


# --- time, void, and what was paid ------------------------------------------------------------------------------------------


def test_what_was_paid_for_an_expired_voucher_is_owed_until_it_is_paid_back(books: Books, rahima: PersonId) -> None:
    _batch, (code, unsold, _) = printed(books, expires_at_ms=books.now_ms + DAY_MS)
    vouchers.sell(books.db, asked(code), "card", books.by)
    books.wait(86_400)
    for _ in range(2):  # Before it is put down, and afterwards.
        with pytest.raises(Conflict, match="has expired"):
            vouchers.redeem(books.db, asked(code), rahima, books.by)
        with pytest.raises(Conflict, match="has expired"):
            vouchers.sell(books.db, asked(unsold), "card", books.by)
        batches.expire(books.db, books.now_ms)
    assert (state_of(books, code), state_of(books, unsold)) == (VoucherState.EXPIRED, VoucherState.EXPIRED)
    assert on(books, VOUCHERS) == 5_000

    moved = vouchers.void(books.db, asked(code), "", books.by)
    assert (on(books, VOUCHERS), on(books, AccountId(6))) == (0, 0)  # It went back the way it came.
    note = receipts.find(books.db, moved.receipt or 0)
    assert note is not None
    assert (note.kind, note.amount_minor, note.method) == ("credit_note", -5_000, "card")
    assert note.corrects == vouchers.need(books.db, asked(code)).receipt


def test_an_owner_and_nobody_else_writes_off_what_has_expired(books: Books, cashier: By) -> None:
    _batch, (code, unsold, fresh) = printed(books, expires_at_ms=books.now_ms + DAY_MS)
    for one in (code, fresh):
        vouchers.sell(books.db, asked(one), "cash", books.by)
    number = vouchers.need(books.db, asked(code)).id
    owner = books.by
    with pytest.raises(Conflict, match="has expired can be written off"):
        vouchers.write_off(books.db, number, owner)
    books.wait(86_400)
    batches.expire(books.db, books.now_ms)
    with pytest.raises(NotAllowed):
        vouchers.write_off(books.db, number, cashier)
    with pytest.raises(Conflict):
        vouchers.write_off(books.db, vouchers.need(books.db, asked(unsold)).id, owner)

    vouchers.write_off(books.db, number, owner)
    assert (on(books, VOUCHERS), on(books, ADJUSTMENTS)) == (5_000, 5_000)
    with pytest.raises(Conflict):
        vouchers.write_off(books.db, number, owner)
    with pytest.raises(Conflict):
        vouchers.void(books.db, asked(code), "", owner)
    assert on(books, VOUCHERS) == 5_000


def test_void_pays_back_what_was_paid_and_nothing_else(books: Books, rahima: PersonId, cashier: By) -> None:
    _batch, (sold, unsold, _) = printed(books)
    vouchers.sell(books.db, asked(sold), "cash", books.by)
    with pytest.raises(NotAllowed):
        vouchers.void(books.db, asked(sold), "cash", cashier)
    assert vouchers.void(books.db, asked(unsold), "cash", books.by).receipt is None
    assert vouchers.void(books.db, asked(sold), "cash", books.by).receipt is not None
    assert (on(books, CASH), on(books, VOUCHERS)) == (0, 0)
    for code in (sold, unsold):
        for use in (
            lambda code=code: vouchers.void(books.db, asked(code), "", books.by),
            lambda code=code: vouchers.sell(books.db, asked(code), "cash", books.by),
            lambda code=code: vouchers.redeem(books.db, asked(code), rahima, books.by),
        ):
            with pytest.raises(Conflict, match="is void"):
                use()


def test_what_is_left_of_a_batch_is_voided_and_what_was_sold_stays_good(books: Books, rahima: PersonId) -> None:
    batch, (first, second, third, fourth) = printed(books, count=4)
    vouchers.sell(books.db, asked(second), "cash", books.by)
    assert batches.void_rest(books.db, batch, books.by) == 3
    assert rows.states_of(books.db, batch) == {VoucherState.SOLD: 1, VoucherState.VOIDED: 3}
    with pytest.raises(Refusal, match="No voucher of this batch is left"):
        batches.void_rest(books.db, batch, books.by)
    vouchers.redeem(books.db, asked(second), rahima, books.by)
    for code in (first, third, fourth):
        with pytest.raises(Conflict, match="is void"):
            vouchers.sell(books.db, asked(code), "cash", books.by)


# --- bad input --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [-1, 0, COUNT_MAX + 1, 10**20])
def test_a_batch_is_neither_empty_nor_endless(count: int) -> None:
    with pytest.raises(Invalid) as refused:
        codes.print_codes(VAULT, count)
    assert refused.value.field == "count"


@pytest.mark.parametrize("amount", [-5, 0, 10**9])
def test_a_voucher_is_worth_something_and_not_everything(books: Books, amount: int) -> None:
    with pytest.raises(Invalid) as refused:
        printed(books, amount)
    assert refused.value.field == "amount_minor"


def test_a_batch_does_not_begin_when_it_is_over(books: Books) -> None:
    with pytest.raises(Invalid) as refused:
        printed(books, expires_at_ms=books.now_ms)
    assert refused.value.field == "expires_at"


def test_a_closed_account_gets_nothing_and_the_voucher_stays_good(books: Books, rahima: PersonId) -> None:
    _batch, (code, *_others) = printed(books)
    vouchers.sell(books.db, asked(code), "cash", books.by)
    people.close(books.db, rahima, books.by)
    with pytest.raises(Refusal, match="is closed"):
        vouchers.redeem(books.db, asked(code), rahima, books.by)
    people.reopen(books.db, rahima, books.by)
    vouchers.redeem(books.db, asked(code), rahima, books.by)


def test_vouchers_lead_past_no_second_person(books: Books, rahima: PersonId, cashier: By) -> None:
    _batch, (code, *_others) = printed(books, 1_000, given_away=True)
    _other, (sold, *_more) = printed(books, 1_000)
    site_settings.change(books.db, "second_person_minor", "999")
    with pytest.raises(Invalid, match="second person"):
        printed(books, 1_000, given_away=True)
    for use in (
        lambda: vouchers.redeem(books.db, asked(code), rahima, cashier),
        lambda: vouchers.sell(books.db, asked(sold), "cash", cashier),
    ):
        with pytest.raises(Conflict, match="nobody can agree to a voucher"):
            use()


def test_many_small_vouchers_of_one_person_are_one_large_top_up(books: Books, rahima: PersonId, cashier: By) -> None:
    """Who sells them to nobody and redeems them has put money into a wallet alone."""
    _batch, codes_ = printed(books, 400, count=4)
    _given, gifts = printed(books, 400, count=3, given_away=True)
    site_settings.change(books.db, "second_person_minor", "1000")
    for code in codes_[:3]:
        vouchers.sell(books.db, asked(code), "mobile", cashier)
    vouchers.sell(books.db, asked(codes_[3]), "mobile", books.by)
    for code in codes_[:2]:
        vouchers.redeem(books.db, asked(code), rahima, cashier)

    for code in (codes_[2], gifts[0]):
        with pytest.raises(Conflict, match="nobody can agree to a voucher"):
            vouchers.redeem(books.db, asked(code), rahima, cashier)
    vouchers.redeem(books.db, asked(codes_[3]), rahima, cashier)  # Somebody else has sold it.
    vouchers.redeem(books.db, asked(codes_[2]), rahima, books.by)


def test_of_vouchers_that_are_sold_at_once_the_sum_counts(books: Books, cashier: By) -> None:
    _batch, codes_ = printed(books, 400, count=4)
    site_settings.change(books.db, "second_person_minor", "1000")
    before = ledger.newest(books.db)

    with pytest.raises(Conflict, match="nobody can agree to a voucher"):
        vouchers.sell_many(books.db, asked(codes_[0]), 3, "mobile", cashier)
    assert ledger.newest(books.db) == before
    assert len(vouchers.sell_many(books.db, asked(codes_[0]), 2, "mobile", cashier)) == 2


def test_many_small_vouchers_that_are_paid_back_are_one_large(books: Books) -> None:
    assert hired(books, "owner").actor == books.by.actor
    _batch, codes_ = printed(books, 400, count=3)
    for code in codes_:
        vouchers.sell(books.db, asked(code), "mobile", books.by)
    manager = hired(books, "manager")
    site_settings.change(books.db, "second_person_minor", "1000")
    for code in codes_[:2]:
        vouchers.void(books.db, asked(code), "cash", manager)

    with pytest.raises(Conflict, match="within a day"):
        vouchers.void(books.db, asked(codes_[2]), "cash", manager)
    vouchers.void(books.db, asked(codes_[2]), "cash", hired(books, "manager"))


def test_a_top_up_by_voucher_is_not_taken_back_as_if_it_were_cash(books: Books, rahima: PersonId) -> None:
    _batch, (code, *_others) = printed(books)
    vouchers.sell(books.db, asked(code), "cash", books.by)
    booked = vouchers.redeem(books.db, asked(code), rahima, books.by)
    assert undo.undoable(books.db, rahima, books.now_ms) is None
    with pytest.raises(Refusal, match="cannot be taken back"):
        undo.undo(books.db, booked.receipt or 0, books.by)


def test_the_schema_lets_nobody_use_one_twice(books: Books, rahima: PersonId) -> None:
    _batch, (code, *_others) = printed(books)
    vouchers.sell(books.db, asked(code), "cash", books.by)
    vouchers.redeem(books.db, asked(code), rahima, books.by)
    books.db.flush()
    with pytest.raises(sqlite3.IntegrityError, match="used once"):
        books.db.execute("UPDATE voucher SET state = 'sold' WHERE number = 1")


# --- whatever happens -------------------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(st.sampled_from(["sell", "redeem", "void", "void_rest", "expire", "write_off"]), st.integers(1, 4)),
    max_size=14,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, given_away=st.booleans())
def test_whatever_is_done_in_whatever_order_what_is_owed_is_what_was_paid_and_not_used(
    books: Books, steps: list[tuple[str, int]], given_away: bool
) -> None:
    """The books are also checked as a whole at the end (`books`)."""
    books.db.execute("BEGIN")
    person = books.person(f"Person {books.now_ms}")
    owed = on(books, VOUCHERS)
    batch, _codes = printed(books, 100, count=4, given_away=given_away, expires_at_ms=books.now_ms + 10_000)
    paid: set[int] = set()
    used: set[int] = set()
    for step, number in steps:
        one = Asked(number=(batch, number))
        found = vouchers.need(books.db, one)
        try:
            match step:
                case "sell":
                    vouchers.sell(books.db, one, "cash", books.by)
                    paid.add(number)
                case "redeem":
                    vouchers.redeem(books.db, one, person, books.by)
                    used.add(number)
                case "void":
                    vouchers.void(books.db, one, "", books.by)
                    paid.discard(number)
                case "void_rest":
                    batches.void_rest(books.db, batch, books.by)
                case "expire":
                    books.wait(10)
                    batches.expire(books.db, books.now_ms)
                case "write_off":
                    vouchers.write_off(books.db, found.id, books.by)
                    paid.discard(number)
        except Refusal:
            assert vouchers.need(books.db, one) == found
    assert on(books, VOUCHERS) - owed == 100 * len(paid - used)
    assert books.balance(person) == 100 * len(used)
    books.db.flush()
    books.db.execute("COMMIT")
