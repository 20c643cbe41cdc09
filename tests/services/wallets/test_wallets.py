"""Money in and out at the desk."""

from __future__ import annotations

import pytest

from appliance.db import audit, ledger
from appliance.db.engine.errors import IntegrityError
from appliance.domain.errors import Invalid, NotFound, Refusal, TooLittleMoney
from appliance.domain.identifiers import PersonId
from appliance.domain.ledger import Method
from appliance.services.announce import PersonChanged
from appliance.services.people import people
from appliance.services.wallets import wallets
from tests.support.books import ACTOR, Books

CARD = "04A1B2C3"


def top_up(books: Books, person: PersonId, amount_minor: int, key: str = "one", method: str = "cash") -> wallets.Booked:
    return wallets.top_up(books.db, person, amount_minor, method, key, books.by)


def refund(books: Books, person: PersonId, amount_minor: int, key: str = "back") -> wallets.Booked:
    return wallets.refund(books.db, person, amount_minor, "cash", key, books.by)


@pytest.mark.parametrize("method", list(Method))
def test_what_is_paid_in_is_in_the_wallet_and_on_the_account_of_its_method(books: Books, method: Method) -> None:
    rahima = books.person()

    booked = top_up(books, rahima, 12_345, method=str(method))

    assert (booked.balance_minor, booked.available_minor) == (12_345, 12_345)
    assert ledger.balance(books.db, method.account).balance_minor == -12_345
    assert PersonChanged(rahima) in books.db.announcements


def test_a_top_up_is_on_record_with_who_took_it(books: Books) -> None:
    rahima = books.person()
    top_up(books, rahima, 500)
    books.db.flush()

    row = audit.page(books.db, action="person.topup")[0]
    assert (row.actor, row.subject) == (ACTOR, f"person:{rahima}")
    assert '"amount_minor":500' in row.details


def test_the_same_key_never_pays_twice(books: Books) -> None:
    rahima = books.person()
    top_up(books, rahima, 500, "slip-1")

    with pytest.raises(IntegrityError):
        top_up(books, rahima, 500, "slip-1")
    books.db.forget()
    assert books.balance(rahima) == 500


def test_a_refund_gives_back_what_is_free_and_not_what_a_session_holds(books: Books) -> None:
    books.tariff()
    station, rahima = books.station(), books.person(paid_in=5_000)
    books.card(CARD, rahima)
    books.start(station, 1, CARD)

    with pytest.raises(TooLittleMoney):
        refund(books, rahima, 4_001)
    assert refund(books, rahima, 4_000).balance_minor == 1_000


def test_a_debt_cannot_be_paid_out(books: Books) -> None:
    taxi = books.person("Green Taxi", group=books.group("postpaid", limit_minor=100_000))

    with pytest.raises(TooLittleMoney):
        refund(books, taxi, 1)


def test_a_correction_goes_both_ways_and_needs_a_reason(books: Books) -> None:
    rahima = books.person(paid_in=1_000)

    def correct(amount_minor: int, reason: str, key: str) -> int:
        booked = wallets.correct(books.db, rahima, amount_minor, reason, key, books.by)
        return booked.balance_minor

    assert correct(300, "wrong tariff last week", "c-1") == 1_300
    assert correct(-1_300, "paid twice", "c-2") == 0
    with pytest.raises(TooLittleMoney):
        correct(-1, "one too many", "c-3")
    with pytest.raises(Invalid):
        correct(1, "  ", "c-4")


@pytest.mark.parametrize(
    ("amount_minor", "said"),
    [(0, "above zero"), (-1, "above zero"), (100_000_001, "So much is never"), (2**70, "So much is never")],
)
def test_an_absurd_amount_is_refused(books: Books, amount_minor: int, said: str) -> None:
    rahima = books.person(paid_in=1_000)

    with pytest.raises(Invalid, match=said):
        top_up(books, rahima, amount_minor)
    with pytest.raises(Invalid, match=said):
        refund(books, rahima, amount_minor)
    assert books.balance(rahima) == 1_000


def test_what_is_not_known_is_refused(books: Books) -> None:
    with pytest.raises(NotFound):
        top_up(books, PersonId(4_711), 100)
    with pytest.raises(Invalid):
        top_up(books, books.person(), 100, method="shells")


def test_somebody_who_has_left_pays_nothing_in_but_gets_back_what_is_theirs(books: Books) -> None:
    rahima = books.person()
    people.close(books.db, rahima, books.by)

    with pytest.raises(Refusal):
        top_up(books, rahima, 100)


def test_a_debt_is_paid_by_a_top_up(books: Books) -> None:
    books.tariff(energy=2_000_000)
    station, taxi = books.station(), books.person("Green Taxi", group=books.group("postpaid"))
    books.card(CARD, taxi)
    started = books.start(station, 1, CARD, meter_wh=0)
    books.stop(station, started.ref, 10_000)
    assert books.balance(taxi) == -20_000

    assert top_up(books, taxi, 20_000).balance_minor == 0
