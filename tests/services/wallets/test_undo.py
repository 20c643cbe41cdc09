"""A top-up by mistake, taken back within a minute on the person's page."""

from __future__ import annotations

import pytest

from appliance.db.wallets import receipts as rows
from appliance.domain.errors import Refusal, TooLittleMoney
from appliance.domain.identifiers import PersonId
from appliance.services.wallets import undo, wallets
from tests.support.books import Books


@pytest.fixture(name="rahima")
def _rahima(books: Books) -> PersonId:
    return books.person()


def top_up(books: Books, person: PersonId, amount_minor: int, key: str) -> int:
    booked = wallets.top_up(books.db, person, amount_minor, "cash", key, books.by)
    assert booked.receipt is not None
    return booked.receipt


def test_the_money_goes_back_with_a_credit_note_and_only_once(books: Books, rahima: PersonId) -> None:
    number = top_up(books, rahima, 500, "first")
    offered = undo.undoable(books.db, rahima, books.now_ms)
    assert offered is not None
    assert offered.number == number

    note = undo.undo(books.db, number, books.by)
    assert books.balance(rahima) == 0
    assert [(one.kind, one.amount_minor, one.corrects) for one in rows.page(books.db, person=rahima)] == [
        ("credit_note", -500, number),
        ("recharge", 500, None),
    ]
    assert rows.page(books.db)[0].number == note
    assert undo.undoable(books.db, rahima, books.now_ms) is None
    with pytest.raises(Refusal, match="cannot be taken back"):
        undo.undo(books.db, number, books.by)
    assert books.balance(rahima) == 0


def test_after_a_minute_it_is_a_correction(books: Books, rahima: PersonId) -> None:
    number = top_up(books, rahima, 500, "first")
    books.wait(61)

    assert undo.undoable(books.db, rahima, books.now_ms) is None
    with pytest.raises(Refusal):
        undo.undo(books.db, number, books.by)


def test_what_is_spent_or_given_back_cannot_be_taken_back(books: Books, rahima: PersonId) -> None:
    number = top_up(books, rahima, 500, "first")
    wallets.refund(books.db, rahima, 200, "cash", "back", books.by)

    assert undo.undoable(books.db, rahima, books.now_ms) is None
    with pytest.raises(TooLittleMoney):
        undo.undo(books.db, number, books.by)


def test_no_other_receipt_is_taken_back(books: Books, rahima: PersonId) -> None:
    top_up(books, rahima, 500, "first")
    refund = wallets.refund(books.db, rahima, 200, "cash", "back", books.by).receipt
    assert refund is not None

    with pytest.raises(Refusal):
        undo.undo(books.db, refund, books.by)
