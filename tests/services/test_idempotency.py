"""The same request twice is one request."""

from __future__ import annotations

import json

import pytest

from appliance.domain.by import By
from appliance.domain.errors import TooLittleMoney
from appliance.domain.identifiers import PersonId
from appliance.services import idempotency
from appliance.services.idempotency import KeyReused, Stored
from appliance.services.wallets import wallets
from tests.support.books import Books

REQUEST = b'POST /api/v1/people/1/topups {"amount_minor":500}'


def ask(
    books: Books,
    person: PersonId,
    amount_minor: int = 500,
    *,
    scope: str = "token:1",
    key: str = "k-1",
    request: bytes = REQUEST,
) -> Stored:
    def unit(name: str) -> tuple[int, str]:
        booked = wallets.top_up(books.db, person, amount_minor, "cash", name, books.by)
        return 201, json.dumps({"balance_minor": booked.balance_minor})

    return idempotency.once(books.db, By(scope, books.now_ms), key, request, unit)


def test_a_repeated_request_gets_the_stored_answer_and_moves_nothing(books: Books) -> None:
    rahima = books.person()
    first = ask(books, rahima)
    top_up = wallets.top_up(books.db, rahima, 1, "cash", "between", books.by)

    again = ask(books, rahima)

    assert (first.status, json.loads(first.body), first.repeated) == (201, {"balance_minor": 500}, False)
    assert (again.status, again.body, again.repeated) == (201, first.body, True)
    assert books.balance(rahima) == top_up.balance_minor == 501


def test_ten_times_the_same_request_is_one_payment(books: Books) -> None:
    rahima = books.person()

    bodies = {ask(books, rahima).body for _ in range(10)}

    assert len(bodies) == 1
    assert books.balance(rahima) == 500


def test_a_key_belongs_to_one_request(books: Books) -> None:
    rahima = books.person()
    ask(books, rahima)

    with pytest.raises(KeyReused) as refused:
        ask(books, rahima, 900, request=REQUEST.replace(b"500", b"900"))

    assert refused.value.status == 422
    assert books.balance(rahima) == 500


def test_keys_of_different_programs_do_not_meet(books: Books) -> None:
    rahima = books.person()
    ask(books, rahima, scope="token:1")
    ask(books, rahima, scope="token:2")
    ask(books, rahima, scope="token:1", key="k-2")

    assert books.balance(rahima) == 1_500


def test_a_refused_request_may_be_asked_again(books: Books) -> None:
    rahima = books.person()

    def refund(name: str) -> tuple[int, str]:
        wallets.refund(books.db, rahima, 300, "cash", name, books.by)
        return 201, "{}"

    by = By("token:1", books.now_ms)
    with pytest.raises(TooLittleMoney):
        idempotency.once(books.db, by, "r-1", b"refund", refund)
    wallets.top_up(books.db, rahima, 300, "cash", "later", books.by)
    stored = idempotency.once(books.db, by, "r-1", b"refund", refund)

    assert not stored.repeated
    assert books.balance(rahima) == 0
