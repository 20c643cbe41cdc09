"""A start that ends the parking of the same person first: what is held is what the parking fee has left."""

from __future__ import annotations

from tests.support.books import Books

CARD = "04A1B2C3"


def test_a_start_after_parking_holds_no_money_that_the_parking_fee_took(books: Books) -> None:
    books.tariff(energy=2_000_000, idle=1_000_000)
    station, rahima = books.station(), books.person(paid_in=10_000)
    books.card(CARD, rahima)
    first = books.start(station, 1, CARD, meter_wh=1_000)
    books.wait(600)
    books.status(station, 1, "Finishing")
    books.stop(station, first.ref, 2_000, CARD)
    books.wait(3600)

    second = books.start(station, 1, CARD, meter_wh=2_000)

    row = books.session(second.ref)
    assert row["state"] == "running"
    assert books.balance(rahima) >= row["held_minor"]
    assert books.available(rahima) == books.balance(rahima) - row["held_minor"]
