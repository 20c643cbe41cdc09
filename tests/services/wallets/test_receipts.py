"""Receipts: numbered without gaps, true for ever, one for each time that money changes hands."""

from __future__ import annotations

import pytest

from appliance.db.engine.errors import IntegrityError
from appliance.db.wallets import receipts as rows
from appliance.domain.errors import NotFound, TooLittleMoney
from appliance.domain.identifiers import PersonId
from appliance.domain.ledger import Method, TransferCode
from appliance.services import settings
from appliance.services.card_desk import jobs
from appliance.services.operators import operators
from appliance.services.people import people
from appliance.services.wallets import receipts, wallets
from tests.support.books import Books
from tests.support.desk_fixture import DeskFixture
from tests.support.one_desk import Chip

UID = "04A1B2C3D4E5F6"


def top_up(books: Books, person: PersonId, amount_minor: int, key: str, method: str = "cash") -> int:
    booked = wallets.top_up(books.db, person, amount_minor, method, key, books.by)
    assert booked.receipt is not None
    return booked.receipt


def test_every_kind_of_payment_has_its_receipt_and_a_correction_has_none(desk: DeskFixture) -> None:
    settings.change(desk.db, "card_deposit_minor", "300")
    books, chip = desk.books, Chip(UID)
    job = desk.issued(chip, topup_minor=500)
    person = job.person_id
    assert person is not None
    desk.begin(jobs.begin_recharge, 70, "mobile")
    desk.lay(chip)
    top_up(books, person, 30, "by hand", "card")
    wallets.refund(books.db, person, 100, "bank", "back", books.by)
    assert wallets.correct(books.db, person, 5, "a slip", "slip", books.by).receipt is None
    back = desk.begin(jobs.begin_decommission, refund=True, rest=True)
    desk.lay(chip)
    desk.undo(back)
    kinds = [
        (one.kind, one.amount_minor, one.deposit_minor, one.method, one.balance_minor) for one in rows.page(desk.db)
    ]
    assert kinds == [
        ("credit_note", 805, 300, "cash", 505),
        ("return", -805, -300, "cash", 0),
        ("refund", -100, 0, "bank", 500),
        ("recharge", 30, 0, "card", 600),
        ("recharge", 70, 0, "mobile", 570),
        ("issue", 800, 300, "cash", 500),
    ]
    assert [one.number for one in rows.page(desk.db)] == [6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize("method", list(Method))
def test_the_receipts_of_a_method_add_up_to_what_its_account_says(desk: DeskFixture, method: Method) -> None:
    person = desk.books.person()
    top_up(desk.books, person, 500, "one", str(method))
    wallets.refund(desk.db, person, 200, str(method), "two", desk.books.by)
    assert desk.money()[str(method)] == 300


def test_no_money_no_receipt(desk: DeskFixture) -> None:
    assert desk.issued(Chip(UID)).receipt is None
    desk.begin(jobs.begin_decommission, refund=True, rest=True)
    desk.lay(Chip(UID))
    assert rows.page(desk.db) == []


def test_what_is_refused_leaves_no_gap(desk: DeskFixture) -> None:
    person = desk.books.person()
    assert top_up(desk.books, person, 100, "one") == 1
    with pytest.raises(TooLittleMoney), desk.unit() as db:
        wallets.refund(db, person, 101, "cash", "too much", desk.books.by)
    with pytest.raises(IntegrityError), desk.unit():
        top_up(desk.books, person, 100, "one")
    assert top_up(desk.books, person, 100, "two") == 2


COPY = """
INSERT INTO receipt SELECT {number}, '{kind}', at_ms, actor, person_id, card_id, amount_minor, deposit_minor, method,
balance_minor, NULL, details FROM receipt WHERE number = 1
"""


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE receipt SET amount_minor = 1 WHERE number = 1",
        "UPDATE receipt SET details = '{}' WHERE number = 1",
        "DELETE FROM receipt WHERE number = 1",
        "INSERT OR REPLACE INTO receipt SELECT * FROM receipt WHERE number = 1",
        COPY.format(number=3, kind="recharge"),
        COPY.format(number=2, kind="gift"),
    ],
)
def test_a_receipt_never_changes_and_no_number_is_left_out(desk: DeskFixture, statement: str) -> None:
    top_up(desk.books, desk.books.person(), 100, "one")
    before = rows.page(desk.db)
    with pytest.raises(IntegrityError):
        desk.db.execute(statement)
    assert rows.page(desk.db) == before


def test_a_receipt_is_corrected_once(desk: DeskFixture) -> None:
    person = desk.books.person()
    number = top_up(desk.books, person, 100, "one")

    def correct(key: str) -> int:
        with desk.unit() as db:
            wallet = people.need(db, person).wallet
            wallets.book(db, key, wallet, Method.CASH.account, 100, TransferCode.CORRECTION, "", desk.books.by)
            return receipts.write(db, "credit_note", person, -100, "cash", desk.books.by, corrects=number)

    top_up(desk.books, person, 100, "two")
    assert correct("undo|one") == 3
    with pytest.raises(IntegrityError, match="corrects"):
        correct("undo|two")
    found = receipts.need(desk.db, number)
    assert (found.corrects, found.corrected_by, receipts.need(desk.db, 3).corrects) == (None, 3, number)


def test_the_names_on_a_receipt_are_those_of_its_day(desk: DeskFixture) -> None:
    books = desk.books
    operator = operators.add(
        books.db, login="till", name="Nasrin at the till", role="cashier", password_hash="", language="", by=books.by
    )
    assert operator == 1
    chip = Chip(UID)
    job = desk.issued(chip, topup_minor=500, label="blue")
    assert job.person_id is not None
    assert job.receipt is not None
    found = receipts.need(desk.db, job.receipt)
    person = people.need(books.db, job.person_id)
    people.change(
        books.db, job.person_id, books.by, name="Somebody else", phone="", note="", language="bn", group=person.group_id
    )
    assert receipts.need(desk.db, job.receipt) == found
    assert found.details == {
        "site": "Test yard",
        "person": "Rahima Khatun",
        "language": "",
        "card": 1,
        "label": "blue",
        "by": "Nasrin at the till",
    }


def test_receipts_are_found_by_their_number_and_listed_by_person(desk: DeskFixture) -> None:
    rahima, karim = desk.books.person(), desk.books.person("Karim Ahmed")
    for number, person in enumerate((rahima, karim, rahima, rahima)):
        top_up(desk.books, person, 100, f"key {number}")
    assert [one.number for one in rows.page(desk.db, person=rahima)] == [4, 3, 1]
    assert [one.number for one in rows.page(desk.db, person=rahima, before=4, limit=1)] == [3]
    assert receipts.need(desk.db, 2).person_id == karim
    for number in (0, 5, -1):
        with pytest.raises(NotFound):
            receipts.need(desk.db, number)
