"""Whose account is closed is given nothing, and what was retired is used for nothing, whichever way it is asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from appliance.domain.cards.limits import NO_LIMITS, Limits
from appliance.domain.errors import Refusal
from appliance.domain.identifiers import CardId, PersonId, StationId
from appliance.services.card_desk import jobs
from appliance.services.cards import aliases, cards, limits, unknown
from appliance.services.people import merge, people
from appliance.services.sessions import start_requests
from appliance.services.stations import admission
from appliance.services.vouchers import vouchers
from appliance.services.vouchers.codes import Asked
from appliance.services.wallets import wallets
from tests.support.books import Books
from tests.support.vouchers import printed

UID = "04A1B2C3D4E580"


@pytest.fixture(name="gone")
def _gone(books: Books) -> PersonId:
    """Somebody with a card that is blocked, whose account is closed; a charger; a voucher; a charger that was retired."""
    books.tariff()
    person = books.person("Karim", paid_in=5_000)
    card = CardId(books.card(UID, person))
    books.card("04B2C3D4E5F680", person)
    cards.block(books.db, card, "lost", books.by)
    books.station()
    admission.retire(books.db, books.station("OLD-1"), books.by)
    wallets.refund(books.db, person, 5_000, "cash", "leaves", books.by)
    printed(books, 1_000, count=1, given_away=True)
    people.close(books.db, person, books.by)
    return person


GIVES: dict[str, Callable[[Books, PersonId], object]] = {
    "a card": lambda books, gone: cards.add(books.db, "04C3D4E5F60780", gone, books.by),
    "a card for a lost one": lambda books, _gone: cards.replace(books.db, CardId(1), "04C3D4E5F60780", books.by),
    "a card that charges again": lambda books, _gone: cards.unblock(books.db, CardId(1), books.by),
    "another number": lambda books, _gone: aliases.add(books.db, "80E5D4C3B2A104", CardId(1), books.by),
    "another number, learned": lambda books, _gone: aliases.begin_learn(books.db, StationId(1), CardId(1), books.by),
    "a card at a charger": lambda books, gone: unknown.begin_enrol(books.db, StationId(1), gone, books.by),
    "a card at the desk": lambda books, gone: jobs.begin_issue(books.db, "office", books.by, person=gone),
    "money": lambda books, gone: wallets.top_up(books.db, gone, 100, "cash", "k", books.by),
    "money by a correction": lambda books, gone: wallets.correct(books.db, gone, 100, "a gift", "k", books.by),
    "a voucher": lambda books, gone: vouchers.redeem(books.db, Asked(number=(1, 1)), gone, books.by),
    "a start": lambda books, gone: start_requests.request_start(books.db, StationId(1), 1, books.by, person=gone),
    "a start by card": lambda books, _gone: start_requests.request_start(books.db, StationId(1), 1, books.by, card="04B2C3D4E5F680"),
    "another's money": lambda books, gone: merge.merge(books.db, books.person("Other"), gone, "k", books.by),
}  # fmt: skip


@pytest.mark.parametrize("what", GIVES)
def test_whose_account_is_closed_is_given_nothing(books: Books, gone: PersonId, what: str) -> None:
    before = books.balance(gone)

    with pytest.raises(Refusal):
        GIVES[what](books, gone)

    assert books.balance(gone) == before == 0


def test_a_number_that_was_to_be_learned_is_not_once_its_holder_has_left(books: Books) -> None:
    books.tariff()
    station, person = books.station(), books.person()
    card = CardId(books.card(UID, person))
    aliases.begin_learn(books.db, station, card, books.by)
    people.close(books.db, person, books.by)

    assert unknown.resolve(books.db, station, "80E5D4C3B2A104", None, books.now_ms, books.now_ms) is None
    books.db.flush()
    assert books.db.execute("SELECT count(*) FROM card_alias").fetchone() == (0,)


USES: dict[str, Callable[[Books, StationId, PersonId], object]] = {
    "a start": lambda books, old, here: start_requests.request_start(books.db, old, 1, books.by, person=here),
    "a card that is waited for": lambda books, old, here: unknown.begin_enrol(books.db, old, here, books.by),
    "a number that is waited for": lambda books, old, here: aliases.begin_learn(books.db, old, CardId(books.card("04C3D4E5F60780", here)), books.by),
    "where alone a card charges": lambda books, old, here: limits.change(
        books.db, CardId(books.card("04C3D4E5F60780", here)), Limits(None, None, None, None, 127, 0, 1440, frozenset({int(old)})), books.by
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", USES)
def test_what_was_retired_is_used_for_nothing(books: Books, gone: PersonId, what: str) -> None:
    old = StationId(2)

    with pytest.raises(Refusal):
        USES[what](books, old, books.person("Here", paid_in=1_000))


def test_where_a_card_charges_may_be_changed_though_one_of_them_was_retired(books: Books) -> None:
    stations = [books.station(f"CS-{number}") for number in range(3)]
    card = CardId(books.card(UID, books.person()))
    only = Limits(None, None, None, None, 127, 0, 1440, frozenset(map(int, stations[:2])))
    limits.change(books.db, card, only, books.by)
    admission.retire(books.db, stations[0], books.by)

    limits.change(books.db, card, only, books.by)
    limits.change(books.db, card, NO_LIMITS, books.by)
