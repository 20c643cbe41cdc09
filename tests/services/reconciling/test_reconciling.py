"""Money is compared with itself: what differs is named, stops it, and goes on being known once an owner has looked."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from appliance.db import audit, problems
from appliance.db.reconciling import stop as rows
from appliance.db.reconciling.rows import Sums
from appliance.domain.by import By
from appliance.domain.cash import Cash
from appliance.domain.errors import Conflict, Invalid, Refusal
from appliance.domain.events import TransactionStarted
from appliance.domain.identifiers import PersonId
from appliance.domain.moments import Source
from appliance.domain.problem import ProblemKind
from appliance.domain.reconciling import Difference, DifferenceKind
from appliance.services import problems as problem_units
from appliance.services.operators.authority import NotAllowed
from appliance.services.reconciling import stop
from appliance.services.reconciling.reconciling import reconcile
from appliance.services.reconciling.stop import MoneyStopped
from appliance.services.sessions import start_requests, starting
from appliance.services.till import shifts
from appliance.services.till.shifts import Counterpart, Way
from appliance.services.vouchers import vouchers
from appliance.services.wallets import undo, wallets
from tests.support.books import Books, open_books
from tests.support.staff import hired
from tests.support.vouchers import asked, printed

CARD = "04A1B2C3"


@pytest.fixture(name="books")
def _books(tmp_path: Path) -> Books:
    """Books that are tampered with: the fixture of others would say so."""
    found = open_books(tmp_path / "forecourt.db")
    hired(found, "owner")
    found.tariff()
    return found


@pytest.fixture(name="rahima")
def _rahima(books: Books) -> PersonId:
    return books.person(paid_in=10_000)


def whole(books: Books) -> list[Difference]:
    books.db.flush()
    return reconcile(books.db, Sums())


def behind(books: Books, *statements: str) -> None:
    """Somebody writes into the file, and knows how to get past the triggers."""
    books.db.flush()
    triggers = books.db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _sql in triggers:
        books.db.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        books.db.execute(statement)
    for _name, sql in triggers:
        books.db.execute(sql)


def sold(books: Books, count: int) -> None:
    """Vouchers of 500.00 that somebody has."""
    _, codes = printed(books, 50_000, count=count)
    for code in codes:
        vouchers.sell(books.db, asked(code), "card", books.by)


def charged(books: Books, energy_wh: int = 1_000) -> int:
    station = books.station(f"CS-{books.now_ms}")
    session = books.start(station, 1, CARD).ref
    books.wait(600)
    books.stop(station, session, 1_000 + energy_wh)
    return int(session)


def test_what_was_booked_well_agrees(books: Books, rahima: PersonId) -> None:
    books.card(CARD, rahima)
    charged(books)
    books.start(books.station("CS-9"), 1, CARD)
    nasrin = hired(books, "cashier")
    shift = shifts.open_shift(books.db, Cash(20_000, ((10_000, 2),)), nasrin)
    wallets.top_up(books.db, rahima, 500, "cash", "one", nasrin)
    shifts.move(books.db, shift.id, Way.OUT, Counterpart.SAFE, 5_000, "", "two", nasrin)
    sold(books, 2)
    taken_back = wallets.top_up(books.db, rahima, 700, "cash", "three", nasrin)
    undo.undo(books.db, taken_back.receipt or 0, nasrin)

    assert whole(books) == []
    assert books.wrong() == []


TAMPERED: dict[DifferenceKind, tuple[str, int]] = {
    DifferenceKind.CHAIN: ("UPDATE transfer SET reference = 'nothing' WHERE seq = 1", 0),
    DifferenceKind.BALANCE: ("UPDATE account SET credit_posted = credit_posted + 700 WHERE kind = 'wallet'", 700),
    DifferenceKind.RESERVED: ("UPDATE account SET debit_pending = debit_pending + 30 WHERE kind = 'wallet'", 30),
    DifferenceKind.HOLDS: ("UPDATE session SET held_minor = held_minor + 5 WHERE state = 'running'", 5),
    DifferenceKind.BILL: ("UPDATE session SET fee_minor = fee_minor + 9 WHERE state = 'ended'", 9),
    DifferenceKind.RECEIPTS: ("UPDATE receipt SET amount_minor = amount_minor + 3 WHERE number = 1", 3),
    DifferenceKind.DRAWER: ("UPDATE shift SET float_minor = float_minor - 40", 40),
    DifferenceKind.EMPTY_DRAWER: ("DELETE FROM shift", 20_000),
    DifferenceKind.VOUCHERS: ("UPDATE voucher SET state = 'voided' WHERE state = 'sold'", -50_000),
    DifferenceKind.OLD_CARDS: (
        "INSERT INTO old_card (uid, state, amount_minor, receipt, actor, at_ms) VALUES ('6A010203', 'booked', 77, 1, 'x', 1)",
        77,
    ),
    DifferenceKind.VOUCHER_RECEIPTS: ("UPDATE receipt SET amount_minor = 1 WHERE person_id IS NULL", 1 - 50_000),
}


@pytest.mark.parametrize("kind", list(DifferenceKind))
def test_each_figure_that_was_changed_is_named_with_by_how_much(
    books: Books, rahima: PersonId, kind: DifferenceKind
) -> None:
    books.card(CARD, rahima)
    charged(books)
    books.start(books.station("CS-9"), 1, CARD)
    shifts.open_shift(books.db, Cash(20_000, ((10_000, 2),)), hired(books, "cashier"))
    sold(books, 1)
    assert whole(books) == []
    statement, by_minor = TAMPERED[kind]

    behind(books, statement)

    found = [one for one in whole(books) if one.kind is kind]
    assert [one.told_minor - one.moved_minor for one in found] == [by_minor]


def test_what_came_since_agrees_with_what_was_added_up_before(books: Books, rahima: PersonId) -> None:
    books.card(CARD, rahima)
    sums = Sums()
    for _turn in range(3):
        charged(books)
        wallets.top_up(books.db, rahima, 100, "cash", f"turn-{_turn}", books.by)
        books.db.flush()
        assert reconcile(books.db, sums) == []
    again = Sums()
    assert reconcile(books.db, again) == []
    assert again == sums


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE account SET credit_posted = credit_posted + 700 WHERE kind = 'wallet'", DifferenceKind.BALANCE),
        ("UPDATE session SET fee_minor = fee_minor + 9 WHERE id = (SELECT max(id) FROM session)", DifferenceKind.BILL),
        ("UPDATE receipt SET amount_minor = amount_minor + 9 WHERE number = (SELECT max(number) FROM receipt)", DifferenceKind.RECEIPTS),
        ("UPDATE transfer SET actor = 'nobody' WHERE seq = (SELECT max(seq) FROM transfer)", DifferenceKind.CHAIN),
    ],
)  # fmt: skip
def test_what_came_since_is_compared_as_well(
    books: Books, rahima: PersonId, statement: str, kind: DifferenceKind
) -> None:
    books.card(CARD, rahima)
    charged(books)
    sums = Sums()
    books.db.flush()
    reconcile(books.db, sums)
    charged(books)
    wallets.top_up(books.db, rahima, 100, "cash", "later", books.by)

    behind(books, statement)

    assert [one.kind for one in reconcile(books.db, sums)] == [kind]


def test_a_correction_of_an_older_bill_agrees_with_the_whole_of_it(books: Books, rahima: PersonId) -> None:
    books.card(CARD, rahima)
    station = books.station()
    session = books.start(station, 1, CARD).ref
    books.wait(3_600)
    books.start(station, 1, CARD, 9_000)
    books.db.flush()
    sums = Sums()
    assert reconcile(books.db, sums) == []
    books.stop(station, session, 6_000)
    books.db.flush()

    assert books.db.execute("SELECT 1 FROM transfer WHERE key LIKE 'fix|%'").fetchone()
    assert reconcile(books.db, sums) == []


def stopped_by(books: Books) -> list[Difference]:
    behind(books, "UPDATE account SET credit_posted = credit_posted + 700 WHERE kind = 'wallet'")
    found = whole(books)
    stop.report(books.db, found, books.now_ms)
    return found


def test_a_difference_stops_money_with_whose_it_is(books: Books, rahima: PersonId) -> None:
    (found,) = stopped_by(books)
    (problem,) = problems.open_problems(books.db)

    assert problem.kind == ProblemKind.MONEY_STOPPED
    assert problem.details["differences"] == [
        {
            "name": found.name, "kind": "balance", "number": found.number, "whose": "Rahima Khatun",
            "person_id": rahima, "told_minor": 10_700, "moved_minor": 10_000,
        }
    ]  # fmt: skip
    with pytest.raises(MoneyStopped):
        wallets.top_up(books.db, rahima, 100, "cash", "one", books.by)
    assert audit.page(books.db, limit=1)[0].action == "money.stop"


def test_the_same_difference_is_told_once(books: Books) -> None:
    books.person(paid_in=10_000)
    stopped_by(books)
    behind(books)
    before = books.db.execute("SELECT count(*) FROM audit").fetchone()
    assert stop.report(books.db, whole(books), books.now_ms + 900_000)
    books.db.flush()
    assert books.db.execute("SELECT count(*) FROM audit").fetchone() == before


def test_what_was_put_right_stays_stopped_until_an_owner_lifts_it(books: Books, rahima: PersonId) -> None:
    stopped_by(books)
    behind(books, "UPDATE account SET credit_posted = credit_posted - 700 WHERE kind = 'wallet'")

    assert whole(books) == []
    assert stop.report(books.db, [], books.now_ms)
    stop.lift(books.db, "I have put it back", books.by)
    assert wallets.top_up(books.db, rahima, 100, "cash", "one", books.by).balance_minor == 10_100


def test_an_owner_lifts_it_with_a_reason_and_the_same_is_known_from_then_on(books: Books, rahima: PersonId) -> None:
    stopped_by(books)
    stop.lift(books.db, "Seen: the clerk's trial", books.by)
    wallets.top_up(books.db, rahima, 100, "cash", "one", books.by)

    assert not stop.report(books.db, whole(books), books.now_ms)
    row = audit.page(books.db, limit=3)
    lifted = next(one for one in row if one.action == "money.lift")
    assert orjson.loads(lifted.details)["reason"] == "Seen: the clerk's trial"
    behind(books, "UPDATE account SET credit_posted = credit_posted + 1 WHERE kind = 'wallet'")
    assert stop.report(books.db, whole(books), books.now_ms)


def test_nobody_but_an_owner_lifts_it(books: Books) -> None:
    books.person(paid_in=10_000)
    stopped_by(books)
    for by in (hired(books, "manager"), hired(books, "cashier"), By("token:1", books.now_ms)):
        with pytest.raises(NotAllowed):
            stop.lift(books.db, "please", by)
    with pytest.raises(Invalid):
        stop.lift(books.db, "  ", books.by)
    assert rows.is_stopped(books.db)


def test_what_is_not_stopped_cannot_be_lifted(books: Books) -> None:
    with pytest.raises(Conflict):
        stop.lift(books.db, "to be sure", books.by)


def test_nobody_puts_it_aside(books: Books) -> None:
    books.person(paid_in=10_000)
    stopped_by(books)
    (problem,) = problems.open_problems(books.db)
    with pytest.raises(Refusal):
        problem_units.acknowledge(books.db, problem.id, books.by)
    assert problems.open_problems(books.db) == [problem]


def test_cars_that_charge_go_on_and_are_billed(books: Books, rahima: PersonId) -> None:
    books.card(CARD, rahima)
    station = books.station()
    session = books.start(station, 1, CARD).ref
    stopped_by(books)
    books.wait(60)
    books.read(station, session, 2_000)
    books.wait(600)
    books.stop(station, session, 3_000, CARD)

    assert (books.session(session)["state"], books.session(session)["fee_minor"]) == ("ended", 4_000)


@pytest.mark.parametrize(
    ("starts", "accepted"),
    [("prepaid", False), ("postpaid", False), ("free", True)],
)
def test_only_who_pays_nothing_begins(books: Books, starts: str, accepted: bool) -> None:
    person = books.person(group=books.group(starts), paid_in=10_000)
    books.card(CARD, person)
    station = books.station()
    stopped_by(books)

    event = TransactionStarted(1, CARD, 1_000, books.now_ms, books.now_ms, source=Source.LIVE)
    assert starting.authorize(books.db, station, CARD, books.now_ms).accepted is accepted
    assert starting.transaction_started(books.db, station, event).authorization.accepted is accepted
    assert books.session(1)["authorization"] == ("Accepted" if accepted else "NotAtThisTime")


def test_what_began_offline_before_it_was_stopped_is_billed(books: Books, rahima: PersonId) -> None:
    books.card(CARD, rahima)
    station = books.station()
    stopped_by(books)
    event = TransactionStarted(1, CARD, 1_000, books.now_ms - 7_200_000, books.now_ms, source=Source.QUEUE)

    assert starting.transaction_started(books.db, station, event).authorization.accepted


def test_whoever_charges_is_let_in_to_stop_with_any_card_of_theirs(books: Books, rahima: PersonId) -> None:
    books.card(CARD, rahima)
    books.card("04FFFFFF", rahima)
    station = books.station()
    books.start(station, 1, CARD)
    stopped_by(books)

    for card in (CARD, "04FFFFFF"):
        assert starting.authorize(books.db, station, card, books.now_ms).accepted


def test_staff_start_nobody_who_pays(books: Books, rahima: PersonId) -> None:
    station, guest = books.station(), books.person("Guest", group=books.group("free"))
    stopped_by(books)

    with pytest.raises(MoneyStopped):
        start_requests.request_start(books.db, station, 1, books.by, person=rahima)
    assert start_requests.request_start(books.db, station, 1, books.by, person=guest).person == guest


def test_a_shift_can_be_closed_and_none_can_be_opened_with_money(books: Books) -> None:
    nasrin = hired(books, "cashier")
    shift = shifts.open_shift(books.db, Cash(20_000, ((10_000, 2),)), nasrin)
    books.person(paid_in=10_000)
    stopped_by(books)

    closed = shifts.close(books.db, shift.id, Cash(19_000, ((1_000, 19),)), "short", nasrin).shift
    assert closed.z_number is not None
    with pytest.raises(MoneyStopped):
        shifts.open_shift(books.db, Cash(20_000, ((10_000, 2),)), nasrin)
