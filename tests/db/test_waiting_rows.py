"""Rows that wait for the commit: whoever asks in the same commit sees them, and need not know that they wait."""

from __future__ import annotations

from appliance.db.engine.unit import Rows
from appliance.db.people import people
from appliance.db.sessions import session_list, sessions
from appliance.db.stations import stations
from appliance.services.wallets import wallets
from tests.support.books import Books


def waiting(books: Books) -> set[Rows]:
    return set(books.db.waiting_rows)


def test_a_person_has_what_was_paid_in_a_moment_ago(books: Books) -> None:
    person = books.person()
    wallets.pay_in(books.db, person, 500, "cash", "now", books.by)
    assert waiting(books)

    found = people.find(books.db, person)
    assert found is not None
    assert found.balance_minor == 500


def test_a_connector_is_as_its_station_told_a_moment_ago(books: Books) -> None:
    station = books.station(evses=1)
    books.db.flush()
    books.status(station, 1, "Faulted")
    assert waiting(books)

    assert [one.status for one in stations.connectors(books.db, station)] == ["Faulted"]


def test_a_session_was_heard_of_and_has_used_what_was_read_a_moment_ago(books: Books) -> None:
    books.tariff()
    station = books.station()
    books.card("CARD-ONE", books.person(paid_in=100_000))
    session = books.start(station, 1, "CARD-ONE").ref
    books.db.flush()

    books.wait(60)
    books.read(station, session, 2_000)
    assert waiting(books)
    assert sessions.heard_of(books.db) == [(session, station, books.now_ms)]

    books.wait(60)
    books.read(station, session, 3_000)
    assert waiting(books)
    shown = session_list.show(books.db, session)
    assert shown is not None
    assert shown.energy_wh == 2_000
