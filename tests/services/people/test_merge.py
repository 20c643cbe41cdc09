"""Two people who turn out to be one."""

from __future__ import annotations

import pytest

from appliance.db.cards import cards
from appliance.domain.errors import Refusal
from appliance.services.people import merge
from appliance.services.people import people as people_units
from appliance.services.sessions import starting
from tests.support.books import Books

CARD = "04A1B2C3"
OTHER = "04D4E5F6"


def test_cards_and_money_go_to_the_other_and_the_first_is_closed(books: Books) -> None:
    books.tariff()
    station = books.station()
    double, rahima = books.person("Rahima K.", paid_in=3_000), books.person(paid_in=2_000)
    books.card(CARD, double)
    books.card(OTHER, rahima)

    assert merge.merge(books.db, double, rahima, "form-1", books.by) == 3_000

    assert (books.balance(double), books.balance(rahima)) == (0, 5_000)
    assert {card.uid for card in cards.of_person(books.db, rahima)} == {CARD, OTHER}
    assert starting.authorize(books.db, station, CARD, books.now_ms).accepted
    assert people_units.need(books.db, double).closed_at_ms == books.now_ms


def test_nobody_is_merged_who_charges_owes_or_has_left(books: Books) -> None:
    books.tariff()
    station, rahima = books.station(), books.person(paid_in=9_000)
    charging = books.person("Karim Ahmed", paid_in=9_000)
    books.card(CARD, charging)
    books.start(station, 1, CARD)
    owing = books.person("Green Taxi", group=books.group("postpaid"))
    books.card(OTHER, owing)
    ref = books.start(station, 2, OTHER).ref
    books.wait(3_600)
    books.stop(station, ref, 6_000)
    gone = books.person("Jamal Uddin")
    people_units.close(books.db, gone, books.by)
    assert books.balance(owing) < 0

    for first, second in ((charging, rahima), (owing, rahima), (gone, rahima), (rahima, gone), (rahima, rahima)):
        with pytest.raises(Refusal):
            merge.merge(books.db, first, second, f"{first}-{second}", books.by)

    assert books.balance(rahima) == 9_000
