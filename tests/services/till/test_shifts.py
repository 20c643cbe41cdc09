"""Shifts and their drawers: every coin is where the books say, and what is missing is booked as missing."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as example
from hypothesis import strategies as st

from appliance.db import ledger
from appliance.db.till import shifts as rows
from appliance.db.till.shifts import Shift
from appliance.domain.by import By
from appliance.domain.cash import NOTHING, Cash
from appliance.domain.errors import Conflict, Invalid, NotFound
from appliance.domain.identifiers import PersonId, ShiftId
from appliance.domain.ledger import CASH, DRAWERS_MAX, EXPENSES, OVER_SHORT, Method
from appliance.services import settings
from appliance.services.approvals.second_person import NeedsSecondPerson
from appliance.services.operators.authority import NotAllowed
from appliance.services.till import forms, shifts
from appliance.services.till.drawers import CashRefused, NeedsShift
from appliance.services.till.shifts import AlreadyClosed, AlreadyOpen, Counterpart, MovedMeanwhile, Way
from appliance.services.wallets import undo, wallets
from tests.support.books import Books
from tests.support.staff import hired


@pytest.fixture(autouse=True)
def _owner(books: Books) -> None:
    """Who does what comes before: `books.by`."""
    assert hired(books, "owner").actor == books.by.actor


@pytest.fixture(name="nasrin")
def _nasrin(books: Books) -> By:
    return hired(books, "cashier")


@pytest.fixture(name="rakib")
def _rakib(books: Books) -> By:
    return hired(books, "cashier")


@pytest.fixture(name="manager")
def _manager(books: Books) -> By:
    return hired(books, "manager")


@pytest.fixture(name="rahima")
def _rahima(books: Books) -> PersonId:
    return books.person(paid_in=10_000)


@pytest.fixture(name="shift")
def _shift(books: Books, nasrin: By) -> Shift:
    """Nasrin's, with 200.00 in the drawer."""
    return shifts.open_shift(books.db, Cash(20_000, ((10_000, 2),)), nasrin)


def held(books: Books, account: int) -> int:
    """What the site has on an account: debit minus credit."""
    return -next(one.balance_minor for one in ledger.trial_balance(books.db) if one.id == account)


def expected(books: Books, shift: Shift) -> int:
    return shifts.figures(books.db, shifts.need(books.db, shift.id)).expected_minor


def on_record(books: Books, action: str) -> list[Any]:
    books.db.flush()
    found = books.db.execute("SELECT details FROM audit WHERE action = ? ORDER BY seq", (action,))
    return [orjson.loads(details) for (details,) in found]


def test_the_float_comes_out_of_the_safe(books: Books, shift: Shift) -> None:
    assert held(books, CASH) == -20_000
    assert held(books, shift.account) == expected(books, shift) == 20_000
    assert shift.float.pieces == ((10_000, 2),)


def test_cash_of_the_holder_is_in_the_drawer_and_nobody_elses_is(
    books: Books, shift: Shift, nasrin: By, rakib: By, rahima: PersonId
) -> None:
    wallets.top_up(books.db, rahima, 5_000, "cash", "a", nasrin)
    wallets.top_up(books.db, rahima, 7_000, "mobile", "b", nasrin)
    wallets.top_up(books.db, rahima, 9_000, "cash", "c", rakib)

    assert expected(books, shift) == 25_000
    moved = {(one.method, one.code): one.in_minor for one in shifts.figures(books.db, shift).moved}
    assert moved == {(Method.CASH, "topup"): 5_000, (Method.MOBILE, "topup"): 7_000}


def test_a_refund_and_what_is_taken_back_leave_the_drawer(
    books: Books, shift: Shift, nasrin: By, rahima: PersonId
) -> None:
    settings.change(books.db, "refund_cashier_minor", "3000")
    booked = wallets.top_up(books.db, rahima, 5_000, "cash", "a", nasrin)
    wallets.refund(books.db, rahima, 3_000, "cash", "b", nasrin)
    assert booked.receipt is not None
    number = wallets.top_up(books.db, rahima, 1_000, "cash", "c", nasrin).receipt
    assert number is not None
    undo.undo(books.db, number, nasrin)

    assert expected(books, shift) == 22_000


def test_money_in_and_out_of_the_drawer_has_an_account_each(books: Books, shift: Shift, nasrin: By) -> None:
    shifts.move(books.db, shift.id, Way.IN, Counterpart.SAFE, 5_000, "", "a", nasrin)
    shifts.move(books.db, shift.id, Way.OUT, Counterpart.SAFE, 12_000, "to the bank", "b", nasrin)
    shifts.move(books.db, shift.id, Way.OUT, Counterpart.EXPENSES, 1_500, "a lamp", "c", nasrin)
    shifts.move(books.db, shift.id, Way.IN, Counterpart.EXPENSES, 500, "change of it", "d", nasrin)

    assert expected(books, shift) == 12_000
    assert (held(books, CASH), held(books, EXPENSES)) == (-13_000, 1_000)


def test_many_small_expenses_of_a_cashier_are_one_large(books: Books, shift: Shift, nasrin: By, manager: By) -> None:
    settings.change(books.db, "second_person_minor", "1000")
    shifts.move(books.db, shift.id, Way.OUT, Counterpart.EXPENSES, 600, "tea", "a", nasrin)

    with pytest.raises(NotAllowed, match="within a day"):
        shifts.move(books.db, shift.id, Way.OUT, Counterpart.EXPENSES, 500, "more tea", "b", nasrin)
    shifts.move(books.db, shift.id, Way.OUT, Counterpart.EXPENSES, 500, "more tea", "c", manager)
    shifts.move(books.db, shift.id, Way.OUT, Counterpart.EXPENSES, 400, "sugar", "d", nasrin)
    books.wait(86_401)
    shifts.move(books.db, shift.id, Way.OUT, Counterpart.EXPENSES, 1_000, "a lamp", "e", By(nasrin.actor, books.now_ms))


@pytest.mark.parametrize(("amount_minor", "reason"), [(0, "x"), (-5, "x"), (10**15, "x"), (100, "  ")])
def test_what_cannot_be_paid_out_is_refused(
    books: Books, shift: Shift, nasrin: By, amount_minor: int, reason: str
) -> None:
    with pytest.raises(Invalid):
        shifts.move(books.db, shift.id, Way.OUT, Counterpart.EXPENSES, amount_minor, reason, "a", nasrin)
    assert expected(books, shift) == 20_000


def test_no_more_goes_out_than_is_in_the_drawer(books: Books, shift: Shift, nasrin: By, rahima: PersonId) -> None:
    settings.change(books.db, "refund_cashier_minor", "100000")
    wallets.top_up(books.db, rahima, 90_000, "mobile", "a", nasrin)

    with pytest.raises(CashRefused):
        shifts.move(books.db, shift.id, Way.OUT, Counterpart.SAFE, 20_001, "", "b", nasrin)
    with pytest.raises(CashRefused):
        wallets.refund(books.db, rahima, 20_001, "cash", "c", nasrin)
    wallets.refund(books.db, rahima, 20_001, "mobile", "d", nasrin)


@pytest.mark.parametrize(("counted_minor", "over_minor"), [(20_000, 0), (19_500, -500), (20_700, 700), (0, -20_000)])
def test_what_was_counted_goes_to_the_safe_and_the_difference_is_booked(
    books: Books, shift: Shift, nasrin: By, counted_minor: int, over_minor: int
) -> None:
    closed = shifts.close(books.db, shift.id, Cash(counted_minor), "who knows", nasrin).shift

    assert (closed.expected_minor, closed.counted, closed.z_number) == (20_000, Cash(counted_minor), 1)
    assert shifts.figures(books.db, closed).difference_minor == over_minor
    assert held(books, shift.account) == 0
    assert held(books, OVER_SHORT) == -over_minor
    assert held(books, CASH) == over_minor
    assert on_record(books, "shift.close")[0]["difference_minor"] == over_minor


def test_closed_again_it_stays_as_it_is(books: Books, shift: Shift, nasrin: By, manager: By) -> None:
    shifts.close(books.db, shift.id, Cash(20_000), "", nasrin)
    for by in (nasrin, manager):
        with pytest.raises(AlreadyClosed, match="Z report 1"):
            shifts.close(books.db, shift.id, Cash(1), "", by)
    with pytest.raises(AlreadyClosed):
        shifts.move(books.db, shift.id, Way.IN, Counterpart.SAFE, 1, "", "a", nasrin)

    assert shifts.need(books.db, shift.id).counted == Cash(20_000)


def test_a_form_that_is_sent_twice_is_done_once(books: Books, nasrin: By) -> None:
    first = forms.open_shift(books.db, Cash(5_000), "open-once", nasrin)
    again = forms.open_shift(books.db, Cash(5_000), "open-once", nasrin)
    assert (again.shift, again.repeated) == (first.shift, True)
    for repeated in (False, True):
        moved = forms.move(books.db, first.shift, Way.IN, Counterpart.SAFE, 300, "", "move-once", nasrin)
        assert moved.repeated is repeated
    seq = rows.last_seq(books.db, shifts.need(books.db, first.shift))
    for repeated in (False, True):
        closed = forms.close(books.db, first.shift, Cash(5_300), "", "", seq, "close-once", nasrin)
        assert closed.repeated is repeated

    assert [one.id for one in rows.page(books.db)] == [first.shift]


def test_nobody_has_two_shifts_and_no_drawer_has_two_holders(books: Books, shift: Shift, nasrin: By, rakib: By) -> None:
    with pytest.raises(AlreadyOpen):
        shifts.open_shift(books.db, NOTHING, nasrin)
    assert shifts.open_shift(books.db, NOTHING, rakib).drawer == shift.drawer + 1
    shifts.close(books.db, shift.id, Cash(20_000), "", nasrin)

    assert shifts.open_shift(books.db, NOTHING, nasrin).drawer == shift.drawer


def test_there_are_so_many_drawers_and_no_more(books: Books, nasrin: By) -> None:
    for number in range(DRAWERS_MAX):
        shifts.open_shift(books.db, NOTHING, By(f"token:{number + 1}", books.now_ms))
    with pytest.raises(Conflict, match="All drawers"):
        shifts.open_shift(books.db, NOTHING, nasrin)


def test_a_drawer_is_handed_over_in_one_step(
    books: Books, shift: Shift, nasrin: By, rakib: By, rahima: PersonId
) -> None:
    wallets.top_up(books.db, rahima, 5_000, "cash", "a", nasrin)
    safe = held(books, CASH)
    done = shifts.close(books.db, shift.id, Cash(24_000), "", nasrin, hand_to=rakib.actor)

    assert done.following is not None
    assert (done.following.drawer, done.following.actor, done.following.float) == (1, rakib.actor, Cash(24_000))
    assert expected(books, done.following) == held(books, shift.account) == 24_000
    assert held(books, CASH) == safe
    wallets.top_up(books.db, rahima, 1_000, "cash", "b", rakib)
    assert expected(books, done.following) == 25_000
    assert shifts.close(books.db, done.following.id, Cash(25_000), "", rakib).shift.z_number == 2


@pytest.mark.parametrize("to", ["self", "busy", "guard", "gone", "nobody"])
def test_it_is_handed_to_nobody_who_cannot_take_it(books: Books, shift: Shift, nasrin: By, rakib: By, to: str) -> None:
    shifts.open_shift(books.db, NOTHING, rakib)
    gone = hired(books, "cashier")
    books.db.execute("UPDATE operator SET disabled_at_ms = 1 WHERE id = ?", (int(gone.actor.partition(":")[2]),))
    whom = {
        "self": nasrin.actor, "busy": rakib.actor, "guard": hired(books, "guard").actor, "gone": gone.actor,
        "nobody": "operator:77",
    }  # fmt: skip
    with pytest.raises(Invalid):
        shifts.close(books.db, shift.id, Cash(20_000), "", nasrin, hand_to=whom[to])

    assert shifts.need(books.db, shift.id).is_open
    books.db.execute("UPDATE operator SET disabled_at_ms = NULL")


def test_another_cashier_cannot_touch_it_and_a_manager_can(books: Books, shift: Shift, rakib: By, manager: By) -> None:
    with pytest.raises(NotAllowed):
        shifts.need_seen(books.db, shift.id, rakib.actor)
    with pytest.raises(NotAllowed):
        shifts.close(books.db, shift.id, Cash(20_000), "", rakib)
    with pytest.raises(NotAllowed):
        shifts.move(books.db, shift.id, Way.IN, Counterpart.SAFE, 1, "", "a", rakib)

    assert shifts.close(books.db, shift.id, Cash(20_000), "", manager).shift.closed_by == manager.actor


def test_a_shift_that_is_not_there_is_not_found(books: Books, nasrin: By) -> None:
    with pytest.raises(NotFound):
        shifts.close(books.db, ShiftId(9), NOTHING, "", nasrin)


def test_what_moved_after_the_count_wants_another_count(
    books: Books, shift: Shift, nasrin: By, rahima: PersonId
) -> None:
    seen = rows.last_seq(books.db, shift)
    shifts.record_count(books.db, shift.id, Cash(19_000), nasrin)
    wallets.top_up(books.db, rahima, 500, "cash", "a", nasrin)
    with pytest.raises(MovedMeanwhile):
        shifts.close(books.db, shift.id, Cash(20_000), "", nasrin, seen_seq=seen)

    assert [one["difference_minor"] for one in on_record(books, "shift.count")] == [-1_000]


def test_without_a_shift_cash_is_taken_unless_the_site_wants_one(books: Books, nasrin: By, rahima: PersonId) -> None:
    wallets.top_up(books.db, rahima, 500, "cash", "a", nasrin)
    settings.change(books.db, "cash_needs_shift", "1")
    with pytest.raises(NeedsShift):
        wallets.top_up(books.db, rahima, 500, "cash", "b", nasrin)
    wallets.top_up(books.db, rahima, 500, "bank", "c", nasrin)
    shift = shifts.open_shift(books.db, NOTHING, nasrin)
    wallets.top_up(books.db, rahima, 500, "cash", "b", nasrin)

    assert expected(books, shift) == 500


def test_a_cashier_pays_back_so_much_a_day_and_a_manager_more(
    books: Books, nasrin: By, manager: By, rahima: PersonId
) -> None:
    with pytest.raises(NeedsSecondPerson):
        wallets.refund(books.db, rahima, 1, "cash", "a", nasrin)
    settings.change(books.db, "refund_cashier_minor", "1000")
    wallets.top_up(books.db, rahima, 5_000, "cash", "b", nasrin)
    wallets.refund(books.db, rahima, 600, "cash", "c", nasrin)
    with pytest.raises(NeedsSecondPerson):
        wallets.refund(books.db, rahima, 401, "cash", "d", nasrin)
    wallets.refund(books.db, rahima, 400, "cash", "e", nasrin)
    wallets.refund(books.db, rahima, 401, "cash", "f", manager)
    wallets.refund(books.db, rahima, 401, "cash", "g", nasrin._replace(second=manager.actor))


def test_a_setting_hides_from_cashiers_what_must_be_there(books: Books, nasrin: By, manager: By) -> None:
    assert shifts.sees_expected(books.db, nasrin.actor)
    settings.change(books.db, "hide_drawer", "1")

    assert not shifts.sees_expected(books.db, nasrin.actor)
    assert shifts.sees_expected(books.db, manager.actor)
    shift = shifts.open_shift(books.db, Cash(500), nasrin)
    shifts.record_count(books.db, shift.id, NOTHING, nasrin)
    assert on_record(books, "shift.count") == []


@example(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["cash", "mobile", "refund", "in", "out", "spend", "over"]), st.integers(1, 30_000)),
        max_size=25,
    )
)
def test_the_drawer_is_the_float_and_all_that_moved(books: Books, todo: list[tuple[str, int]]) -> None:
    """Whatever is done, the account of the drawer, the sum of the movements and a reckoning beside them agree."""
    by = By(f"token:{len(rows.page(books.db, limit=10_000)) + 100}", books.now_ms)
    person = books.person(paid_in=1_000_000)
    shift = shifts.open_shift(books.db, Cash(10_000), by)
    reckoned = 10_000
    for number, (what, amount) in enumerate(todo):
        key = f"{shift.id}-{number}"
        fits = amount <= reckoned
        match what:
            case "cash" | "mobile":
                wallets.top_up(books.db, person, amount, what, key, by)
                reckoned += amount if what == "cash" else 0
            case "refund" if fits:
                wallets.refund(books.db, person, amount, "cash", key, by)
                reckoned -= amount
            case "in":
                shifts.move(books.db, shift.id, Way.IN, Counterpart.SAFE, amount, "", key, by)
                reckoned += amount
            case "out" | "spend" if fits:
                counterpart = Counterpart.SAFE if what == "out" else Counterpart.EXPENSES
                shifts.move(books.db, shift.id, Way.OUT, counterpart, amount, "why", key, by)
                reckoned -= amount
        found = shifts.figures(books.db, shift)
        in_and_out = sum(one.in_minor - one.out_minor for one in found.moved if one.method is Method.CASH)
        assert found.expected_minor == 10_000 + in_and_out == reckoned
    before, over = shifts.figures(books.db, shift), todo[0][1] if todo else 0
    closed = shifts.close(books.db, shift.id, Cash(reckoned + over), "", by).shift
    assert closed.expected_minor == reckoned
    assert shifts.figures(books.db, closed).moved == before.moved
    assert held(books, shift.account) == 0
